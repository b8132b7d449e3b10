"""Try a proposed change of policy on past reviews and on the versions in use, and keep what came out.

Nothing but the result and its event is written. The result is read outside of any transaction: it says what was known
when it was made, and under what was in force then (`basis`).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from apps.accounts import policy as rights
from apps.audits import selectors as audits
from apps.audits.log import verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.reviews.events import policies as policy_events
from apps.reviews.facts import replaying
from apps.reviews.facts.replayed import Needs
from apps.reviews.models import ChangeStatus, PolicyChange, PolicySimulation
from apps.reviews.policies.document import PolicyDocument, parse
from apps.reviews.policies.simulate import Difference, Memory, Side, concerned, differences
from apps.reviews.reads import simulations

TYPE = "countersign.policy_simulation.v1"
# So many cases of a kind are told one by one; the totals count all.
MOST_TOLD = 500


def simulate(actor: Actor, change: PolicyChange) -> PolicySimulation:
    """Try the change again, whatever was tried before. For whoever may propose or sign changes of policy.

    Refuses a change that is closed (Conflict).
    """
    if not rights.can(actor, "policy.sign"):
        rights.require(actor, "policy.edit")
    return _run(actor, change)


def simulate_once(actor: Actor, change: PolicyChange) -> PolicySimulation | None:
    """Try an open change that was not tried under what is in force now. For the worker."""
    if change.state is not ChangeStatus.OPEN:
        return None
    return simulations.current(change) or _run(actor, change)


def for_signing(actor: Actor, change: PolicyChange, *, shown: str | None) -> str:
    """The digest of the simulation that a signature of this moment names; made now if there is none of what is in force.

    Raises Conflict if the signer was shown another one, or none ("") where there is one now; None compares nothing. A closed change has nothing to simulate: "".
    """
    change = PolicyChange.objects.select_related("version", "replaces").get(pk=change.pk)
    if change.state is not ChangeStatus.OPEN or not rights.can(actor, "policy.sign"):
        return ""  # the verb refuses it, with the reason
    row = simulations.current(change)
    if row is None:
        row = _run(Actor.system(actor.door), change)
    if shown is not None and shown != row.digest:
        was = (
            f"You were shown the simulation {shown[:12]}"
            if shown
            else "You were shown no simulation"
        )
        raise Conflict(
            f"{was}; the newest is {row.digest[:12]}.",
            hint="Look at what it would change now, then sign again.",
        )
    return row.digest


def _run(actor: Actor, change: PolicyChange) -> PolicySimulation:
    basis, content = _result(change)
    result = canonical.dumps(content)
    with verb(actor) as v:
        locked = PolicyChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
        if locked.state is not ChangeStatus.OPEN:
            raise Conflict(f"{locked} is closed: {locked.state.label.lower()}.")
        row = PolicySimulation.objects.create(
            change=locked,
            basis=basis,
            result=result,
            digest=canonical.digest(result),
            created_at=clock.now(),
        )
        v.record(
            policy_events.PolicySimulated(
                change=change.pk,
                key=change.key,
                simulation=row.pk,
                digest=row.digest,
                **content["counts"],
            )
        )
    return row


def _result(change: PolicyChange) -> tuple[str, dict[str, Any]]:
    """What is in force now, as a digest, and the whole result."""
    head = audits.head()
    basis, before = simulations.in_force_now()
    after = changed(before, change)
    memory, read = Memory(), replaying.Read()
    one, other = Side(before), Side(after)
    needs = Needs.of([*one.all_terms, *other.all_terms])
    told: list[Difference] = []
    numbers = []
    for cases in (replaying.past, replaying.in_use):
        known = read.count
        for chunk in cases(needs, memory, read, lambda case: concerned(case, one, other)):
            told += differences(chunk, one, other, memory)
            memory.forget()
        numbers.append(read.count - known)
    counted = Counter(each.verdict for each in told)
    return basis, {
        "type": TYPE,
        "change": change.pk,
        "digest": change.digest,
        "basis": basis,
        "ledger": {"size": head.size, "root": head.root},
        "counts": {
            "reviews": numbers[0],
            "versions": numbers[1],
            "blocked": counted["blocked"],
            "let_through": counted["let_through"],
            "asked": counted["asked"],
        },
        "unreadable": read.unreadable[:MOST_TOLD],
        **{
            verdict: [_plain(each) for each in told if each.verdict == verdict][:MOST_TOLD]
            for verdict in ("blocked", "let_through", "asked")
        },
    }


def changed(before: dict[int, PolicyDocument], change: PolicyChange) -> dict[int, PolicyDocument]:
    """What would be in force with the change, by the same ids."""
    gone = change.replaces_id
    after = {pk: document for pk, document in before.items() if pk != gone}
    if change.version is not None:
        after[change.version.pk] = parse(change.version.document)
    return after


def _plain(found: Difference) -> dict[str, Any]:
    case = found.case
    return {
        "what": case.what,
        "id": case.pk,
        "version": case.version,
        "label": case.label,
        "ended": case.ended,
        "targets": [str(target) for target in case.targets],
        "reasons": list(found.reasons),
    }
