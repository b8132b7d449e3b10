"""Compare policies in force, proposals and their signatures with the ledger's events (invariant 5).

Names: an activation that no event tells, or one of another version; a signature without its event or with another
statement; a proposal whose status or bytes differ; a combination that is not what its parts ask for together; a
governed target that does not follow from the policies in force.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core import canonical
from apps.core.errors import Invalid
from apps.registry.models import GovernedTarget
from apps.reviews import in_force
from apps.reviews.models import PolicyActivation, PolicyChange, PolicySignature, PolicyVersion
from apps.reviews.policies.combine import combine
from apps.reviews.policies.document import parse, plain

_BUILT_IN = "standard"


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the rows of policies, each naming its row."""
    proposed: dict[int, str] = {}
    signed: dict[int, tuple[int | None, str, int]] = {}
    activated: dict[int, tuple[int, str]] = {}
    closed: dict[int, str] = {}
    held: dict[int, str] = {}
    for event in replay(
        "reviews.policy.proposed",
        "reviews.policy.signed",
        "reviews.policy.scheduled",
        "reviews.policy.held",
        "reviews.policy.activated",
        "reviews.policy.change_closed",
    ):
        payload = event.payload
        change = int(payload["change"])
        match event.type:
            case "reviews.policy.proposed":
                proposed[change] = str(payload["digest"])
            case "reviews.policy.signed":
                said = (event.actor_id, str(payload["statement_digest"]), change)
                signed[int(payload["signature"])] = said
            case "reviews.policy.scheduled":
                closed[change] = "scheduled"
            case "reviews.policy.held":
                held[change] = str(payload["reason"])
            case "reviews.policy.activated":
                activated[int(payload["activation"])] = (change, str(payload["version_digest"]))
                closed[change] = "activated"
            case _:
                closed[change] = str(payload["status"])
    yield from _changes(proposed, closed)
    yield from _held(held)
    yield from _signatures(signed)
    yield from _activations(activated)
    yield from _versions()
    yield from _targets()


def _changes(told: dict[int, str], closed: dict[int, str]) -> Iterator[Difference]:
    for row in PolicyChange.objects.iterator():
        subject = f"policychange:{row.pk}"
        if told.pop(row.pk, None) != row.digest or canonical.digest(bytes(row.manifest)) != (
            row.digest
        ):
            yield Difference(subject, f"{row}: what was proposed is not what the ledger says")
        if closed.get(row.pk, "open") != row.status:
            yield Difference(
                subject,
                f"{row}: the table says {row.status}, the ledger says {closed.get(row.pk, 'open')}",
            )
    for pk in told:
        yield Difference(f"policychange:{pk}", f"POL-{pk} is in the ledger and not in the table")


def _held(told: dict[int, str]) -> Iterator[Difference]:
    for row in PolicyChange.objects.filter(status="scheduled").iterator():
        if row.note != told.get(row.pk, ""):
            yield Difference(
                f"policychange:{row.pk}", f"{row}: why it is not in force is not in the ledger"
            )


def _signatures(told: dict[int, tuple[int | None, str, int]]) -> Iterator[Difference]:
    for row in PolicySignature.objects.select_related("change").iterator():
        subject = f"policychange:{row.change_id}"
        if told.pop(row.pk, None) != (row.user_id, row.statement_digest, row.change_id):
            yield Difference(subject, f"policy signature {row.pk} is not the one in the ledger")
        data = bytes(row.statement)
        if canonical.digest(data) != row.statement_digest or not _is_about(json.loads(data), row):
            yield Difference(
                subject, f"policy signature {row.pk}: its statement is not about this change"
            )
    for pk in told:
        yield Difference(
            f"policysignature:{pk}", f"policy signature {pk} is in the ledger and not in the table"
        )


def _is_about(statement: dict[str, object], row: PolicySignature) -> bool:
    said = (statement["change"], statement["digest"], statement["approves"], statement["comment"])
    return said == (row.change_id, row.change.digest, row.approves, row.comment)


def _activations(told: dict[int, tuple[int, str]]) -> Iterator[Difference]:
    for row in PolicyActivation.objects.select_related("version").order_by("pk").iterator():
        built_in = row.change_id is None and row.key == _BUILT_IN and row.version is not None
        first = not PolicyActivation.objects.filter(key=row.key, pk__lt=row.pk).exists()
        if built_in and first:
            continue  # came with the product: no change behind it, and nothing before it
        shown = (row.change_id, row.version.digest if row.version else "")
        if told.pop(row.pk, None) != shown:
            yield Difference(
                f"policy:{row.key}", f"activation {row.pk} of {row.key} is not in the ledger"
            )
    for pk in told:
        yield Difference(
            f"activation:{pk}", f"activation {pk} is in the ledger and not in the table"
        )


def _versions() -> Iterator[Difference]:
    for row in PolicyVersion.objects.iterator():
        if canonical.digest_of(row.document) != row.digest:
            yield Difference(
                f"policy:{row.key}", f"{row}: its document is not what its digest says"
            )
        elif row.parts and not _is_combination(row):
            yield Difference(f"policy:{row.key}", f"{row} is not what its parts ask for together")


def _is_combination(row: PolicyVersion) -> bool:
    parts = [parse(part.document) for part in PolicyVersion.objects.filter(pk__in=row.parts)]
    try:
        return bool(plain(combine(parts)) == row.document)
    except Invalid:
        return False


def _targets() -> Iterator[Difference]:
    wanted = set()
    for row in in_force.active():
        document = parse(row.document)
        wanted |= {("stage", name) for name in document.governs.stages}
        wanted |= {("alias", name) for name in document.governs.aliases}
        wanted |= {("environment", name) for name in document.governs.environments}
        wanted |= {("tag", name) for name in document.governs.tags}
        wanted |= {("scope", name.lower()) for name in document.applies_to.tags}
    found = set(GovernedTarget.objects.values_list("kind", "name"))
    for kind, name in sorted(wanted ^ found):
        what = "is not governed" if (kind, name) in wanted else "is governed by no policy"
        yield Difference(f"target:{kind}:{name}", f"{kind} {name} {what}")
