"""All verbs, several people, in any order: nothing is promoted without quorum, gates and a live round.

Every act is a transaction of its own on the real database, with all gates of the site. The oracle below is written
anew, from rows and from what the machine remembers: it shares no code with `quorum` or the gates. A machine that
never promoted would prove nothing, so the share of runs that do reach a promotion is asserted too.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from apps.accounts import services as accounts
from apps.checks import services as checks
from apps.checks.models import Measurement
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.registry import services as registry
from apps.registry.models import Authorization, ModelVersion
from apps.reviews import in_force, selectors, services
from apps.reviews.models import (
    Conflict,
    Decision,
    Delegation,
    Finding,
    Recusal,
    Rereview,
    Review,
    Rollback,
    Waiver,
)
from apps.reviews.policies import builtin, files
from apps.reviews.policies.document import parse
from apps.reviews.reconcile import aftermath as reconcile_aftermath
from apps.reviews.reconcile import decisions as reconcile
from tests import factories
from tests.checks import flow
from tests.reviews.conftest import PRODUCTION

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

RUNS, SEEDS, STEPS, SHARE = 60, 20, 40, 0.25
ROLES = {
    "ana": ("contributor",),
    "vera": ("validator",),
    "viola": ("validator",),
    "rui": ("approver",),
    "remo": ("approver",),
    "rosa": ("approver",),
    "omar": ("owner", "approver"),
    "adam": ("administrator",),
    "ona": ("on_call",),
    "otto": (),
}
SIGNERS = ("vera", "viola", "rui", "remo", "rosa", "omar")
anybody = st.sampled_from(sorted(ROLES))
# Mostly people who could, so that runs get somewhere; the others are tried too.
signers = st.sampled_from(SIGNERS) | anybody
_names = itertools.count(1)


def document(approvers: int) -> str:
    """One validator, then so many approvers; one check, which only a waiver can meet here; an emergency path."""
    data = json.loads(json.dumps(builtin.standard()))
    validator, approver = data["steps"][:2]
    data["steps"] = [validator, approver | {"count": approvers}]
    data["gates"] = {"checks": {"performance": {"roc_auc": {"min": "0.70"}}}}
    data["emergency"] = {"roles": ["on_call"], "review_within_days": 3}
    return files.dump(parse(data))


class Machine(RuleBasedStateMachine):
    """One model with versions; `entered` are the authorizations whose entry was looked at."""

    people: ClassVar[dict[str, Actor]]
    runs: ClassVar[int] = 0
    reached: ClassVar[int] = 0
    back: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.entered: set[int] = set()
        self.versions: list[ModelVersion] = []

    @initialize(approvers=st.integers(1, 2), waived=st.booleans(), measured=st.booleans())
    def begin(self, approvers: int, waived: bool, measured: bool) -> None:
        for name, roles in ROLES.items():
            for role in ("validator", "approver"):
                self._hold(name, role, held=role in roles)
        self._policy(approvers)
        self.model = factories.model(self.people["ana"], f"model-{next(_names)}")
        self.version()
        if measured:
            self._measure()
        if waived:
            self.waive("rui")
        type(self).runs += 1

    # --- the verbs --------------------------------------------------------------------------------

    @rule()
    def version(self) -> None:
        if len(self.versions) < 3:
            self.versions.append(factories.version(self.people["ana"], self.model))

    # Left to chance alone, hardly a run would meet all that a promotion takes: these go one right step on.
    @rule(times=st.integers(1, 4), settles=st.booleans())
    def go_on(self, times: int, settles: bool) -> None:
        for _ in range(times):
            self._right_step(settles=settles)

    @rule(times=st.integers(1, 4), settles=st.booleans())
    def go_on_further(self, times: int, settles: bool) -> None:
        self.go_on(times, settles)

    def _right_step(self, *, settles: bool) -> None:
        review = self._review()
        if review is None or not review.state.is_active:
            self.submit("ana")
        elif selectors.live_round(review) is None or review.status == "changes_requested":
            self.new_round("ana", rebase=False)
        elif review.status == "signed":
            if settles:
                self.waive("rui")
                self.accept_a_risk("rui")
            self.promote("ana")
        else:
            asked = [user for step in selectors.who_is_asked(review) for user in step.people]
            if asked:
                self.sign(asked[0].username, against=9, stale=9)

    @rule(who=anybody)
    def submit(self, who: str) -> None:
        self._try(
            lambda: services.submit(
                self._as("ana" if who in SIGNERS else who),
                self._newest(),
                targets=[PRODUCTION],
                justification="better",
            )
        )

    @rule(who=signers, against=st.integers(0, 9), stale=st.integers(0, 9))
    def sign(self, who: str, against: int, stale: int) -> None:
        review = self._review()
        round_ = selectors.live_round(review) if review else None
        if review is None:
            return
        digest = round_.digest if round_ and stale else "0" * 64
        actor = self._as(who)
        outcome = {0: "reject", 1: "request_changes"}.get(against, "approve")
        made = self._try(
            lambda: services.decide(
                actor,
                review,
                outcome=outcome,
                evidence_digest=digest,
                comment="read",
                proof=factories.proof(actor),
                no_conflict=True,
            )
        )
        if isinstance(made, Decision):
            self._may_have_signed(made, who)

    @rule(who=anybody, rebase=st.booleans())
    def new_round(self, who: str, rebase: bool) -> None:
        if review := self._review():
            self._try(lambda: services.new_round(self._as(who), review, rebase=rebase))

    @rule(who=anybody)
    def withdraw(self, who: str) -> None:
        if review := self._review():
            self._try(lambda: services.withdraw(self._as(who), review, reason="not now"))

    @rule(who=signers)
    def recuse(self, who: str) -> None:
        if review := self._review():
            self._try(lambda: services.recuse(self._as(who), review, reason="family"))

    @rule(who=signers, about=st.sampled_from(SIGNERS), rarely=st.integers(0, 3))
    def declare(self, who: str, about: str, rarely: int) -> None:
        if rarely:
            return
        self._try(
            lambda: services.declare_conflict(
                self._as(who),
                self.model,
                person=factories.user_of(self.people[about]),
                reason="owns shares",
            )
        )

    @rule(who=st.sampled_from(SIGNERS), to=anybody, role=st.sampled_from(["validator", "approver"]))
    def delegate(self, who: str, to: str, role: str) -> None:
        self._try(
            lambda: services.delegate(
                self._as(who),
                to=factories.user_of(self.people[to]),
                role=role,
                scope=services.Scope(model=self.model),
                until=clock.now().date(),
                reason="away",
            )
        )

    @rule()
    def end_a_delegation(self) -> None:
        row = Delegation.objects.filter(model=self.model, end=None).last()
        if row is not None:
            self._try(
                lambda: services.end_delegation(
                    factories.again(factories.people.as_actor(row.delegator)), row, reason="back"
                )
            )

    @rule(who=signers)
    def waive(self, who: str) -> None:
        for requirement in ("checks.performance", "card"):
            self._try(
                lambda requirement=requirement: services.grant_waiver(
                    self._as(who),
                    self._newest(),
                    requirement=requirement,
                    reason="small book",
                    until=clock.now().date() + dt.timedelta(days=9),
                    proof=factories.proof(self._as(who)),
                )
            )

    @rule(who=signers)
    def revoke_a_waiver(self, who: str) -> None:
        row = Waiver.objects.filter(version=self._newest(), revocation=None).last()
        if row is not None:
            self._try(lambda: services.revoke_waiver(self._as(who), row, reason="grown"))

    @rule(who=signers)
    def raise_a_finding(self, who: str) -> None:
        new = services.NewFinding(
            title="Leak",
            text="The label leaks.",
            severity="high",
            owner_id=self.people["ana"].user_id or 0,
            due=clock.now().date(),
            blocking=True,
        )
        self._try(lambda: services.raise_finding(self._as(who), self._newest(), new))

    @rule(who=signers)
    def accept_a_risk(self, who: str) -> None:
        actor = self._as(who)
        for row in Finding.objects.filter(version=self._newest()).exclude(state="accepted"):
            self._try(
                lambda row=row: services.accept_risk(
                    actor, row, reason="small", proof=factories.proof(actor)
                )
            )

    @rule(who=anybody)
    def promote(self, who: str) -> None:
        if review := self._review():
            self._try(lambda: services.promote_signed(self._as(who), review))

    @rule(who=anybody)
    def promote_through_the_client(self, who: str) -> None:
        self._try(lambda: registry.set_stage(self._as(who), self._newest(), stage="Production"))

    @rule(who=anybody)
    def leave(self, who: str) -> None:
        row = ModelVersion.objects.filter(model=self.model, stage="Production").first()
        actor = self._as(who)
        if row is not None:
            self._try(
                lambda: registry.leave_target(
                    actor, row, target=PRODUCTION, reason="bad", proof=factories.proof(actor)
                )
            )

    @rule(who=anybody, number=st.integers(0, 2))
    def roll_back(self, who: str, number: int) -> None:
        actor, row = self._as(who), self.versions[min(number, len(self.versions) - 1)]
        self._try(
            lambda: services.roll_back(
                actor, row, targets=[PRODUCTION], reason="bad", proof=factories.proof(actor)
            )
        )

    # Left to chance, two approved versions and somebody on call hardly meet.
    @rule()
    def let_another_in_and_go_back(self) -> None:
        held = ModelVersion.objects.filter(model=self.model, stage="Production").first()
        if held is None or len(self.versions) > 2:
            return
        self.version()
        self.waive("rui")
        for _ in range(6):
            self._right_step(settles=True)
        self.roll_back("ona", [row.pk for row in self.versions].index(held.pk))

    @rule(who=signers)
    def recall(self, who: str) -> None:
        row = Measurement.objects.filter(version__model=self.model, status="done").last()
        if row is not None:
            self._try(lambda: checks.recall_measurement(self._as(who), row, reason="wrong labels"))

    @rule(who=signers, trigger=st.sampled_from(["incident", "recall"]))
    def question(self, who: str, trigger: str) -> None:
        row = ModelVersion.objects.filter(model=self.model, stage="Production").first()
        if row is not None:
            self._try(
                lambda: services.declare_rereview(
                    self._as(who), row, trigger=trigger, reason="odd scores"
                )
            )

    @rule(who=st.sampled_from(SIGNERS), held=st.booleans())
    def change_a_role(self, who: str, held: bool) -> None:
        for role in ROLES[who]:
            if role != "owner":
                self._hold(who, role, held=held)

    @rule(approvers=st.integers(1, 2))
    def change_the_policy(self, approvers: int) -> None:
        with contextlib.suppress(DomainError):
            self._policy(approvers)

    # --- what must always hold --------------------------------------------------------------------

    @invariant()
    def whoever_is_in_the_target_got_there_by_signatures(self) -> None:
        if not self.versions:
            return
        now = set(
            ModelVersion.objects.filter(model=self.model, stage="Production").values_list(
                "pk", flat=True
            )
        )
        assert len(now) <= 1
        for pk in now:
            entry = Authorization.objects.filter(version_id=pk, spent_at__isnull=False).latest(
                "spent_at"
            )
            if entry.pk in self.entered:
                continue
            back = Rollback.objects.filter(authorization=entry).first()
            if back is None:
                _was_rightly_promoted(entry)
            else:
                _was_rightly_put_back(entry, back, self.entered)
                type(self).back += 1
            type(self).reached += not self.entered
            self.entered.add(entry.pk)

    def teardown(self) -> None:
        assert list(reconcile.differences()) == []
        assert list(reconcile_aftermath.differences()) == []

    # --- helpers ----------------------------------------------------------------------------------

    def _as(self, who: str) -> Actor:
        return factories.again(self.people[who])

    def _measure(self) -> None:
        ana = factories.user_of(self.people["ana"])
        flow.attach(self.versions[-1], ana)
        flow.done(self.versions[-1], ana)

    def _newest(self) -> ModelVersion:
        return ModelVersion.objects.select_related("model", "run").get(pk=self.versions[-1].pk)

    def _review(self) -> Review | None:
        return selectors.latest_review(self._newest())

    def _try(self, act: Callable[[], Any]) -> Any:
        """What the act gave; None where it was refused. Anything but a refusal is an error of the machine."""
        try:
            return act()
        except DomainError:
            return None

    def _hold(self, who: str, role: str, *, held: bool) -> None:
        change = accounts.grant_role if held else accounts.revoke_role
        change(factories.SYSTEM, role, factories.user_of(self.people[who]))

    def _policy(self, approvers: int) -> None:
        current = in_force.of_key("standard")
        assert current is not None
        text = document(approvers)
        wanted = files.load(text, number=current.number)
        if parse(current.document) == wanted:
            return
        try:
            change = services.propose(self._as("adam"), text=text, reason="as the board says")
        except DomainError:
            return
        for name in ("vera", "rui", "viola", "remo"):
            change.refresh_from_db()
            if change.status != "open":
                return
            self._sign_change(name, change)
        change.refresh_from_db()
        if change.status == "open":
            services.withdraw_change(self._as("adam"), change, reason="nobody there")

    def _sign_change(self, name: str, change: Any) -> None:
        actor = self._as(name)
        self._try(
            lambda: services.sign_change(
                actor,
                change,
                approves=True,
                digest=change.digest,
                comment="read",
                proof=factories.proof(actor),
            )
        )

    def _may_have_signed(self, made: Decision, who: str) -> None:
        """The signer's right at this very moment, from rows alone."""
        holder = made.on_behalf_of_id or made.user_id
        roles = set(
            factories.User.objects.get(pk=holder).role_assignments.values_list("role_id", flat=True)
        )
        assert made.role in roles, f"{who} signed as {made.role} for somebody with {roles}"
        if made.on_behalf_of_id:
            row = Delegation.objects.get(pk=made.delegation_id)
            assert (row.delegator_id, row.delegate_id) == (holder, made.user_id)
            assert row.ends_at > made.created_at
        round_ = made.round
        for person in {made.user_id, holder}:
            assert person not in round_.authors
            assert not Recusal.objects.filter(review=made.review, user_id=person).exists()
            assert not Conflict.objects.filter(
                model=self.model, person_id=person, withdrawal=None
            ).exists()


def _was_rightly_promoted(entry: Authorization) -> None:
    """By signatures, with every gate met at this moment."""
    _signatures_stand(entry)
    waived = Waiver.objects.filter(
        version_id=entry.version_id, revocation=None, expires_at__gt=clock.now()
    )
    assert {row.requirement for row in waived} == {"checks.performance", "card"}
    blocking = Finding.objects.filter(version_id=entry.version_id, blocking=True)
    assert not blocking.exclude(state__in=["closed", "accepted"]).exists()


def _was_rightly_put_back(entry: Authorization, back: Rollback, entered: set[int]) -> None:
    """By somebody on call, on an approval by which it once was there, that stands and that nothing questions."""
    roles = back.user.role_assignments.values_list("role_id", flat=True)
    assert "on_call" in roles
    earlier = back.earlier
    assert earlier.pk in entered
    assert (earlier.version_id, earlier.round_id) == (entry.version_id, entry.round_id)
    assert not Rereview.objects.filter(review=entry.review_id).exists()
    later = Review.objects.filter(version_id=entry.version_id, pk__gt=entry.review_id)
    assert not later.filter(status="rejected").exists()
    _signatures_stand(entry)


def _signatures_stand(entry: Authorization) -> None:
    """A live round of a review of this version whose signatures, counted here once more, are what its policy asks."""
    review = Review.objects.get(pk=entry.review_id)
    round_ = review.rounds.get(pk=entry.round_id)
    assert review.version_id == entry.version_id
    assert round_.voided_at is None
    for row in json.loads(bytes(round_.manifest))["checks"]:
        if row["measurement"]:
            assert Measurement.objects.get(uuid=row["measurement"]).status == "done"
    rows = list(Decision.objects.filter(round=round_))
    assert {row.outcome for row in rows} == {"approve"}
    assert {row.evidence_digest for row in rows} == {round_.digest}
    stood_for = [
        person
        for row in rows
        for person in {row.user_id, row.on_behalf_of_id}
        if person is not None
    ]
    assert len(stood_for) == len(set(stood_for))
    assert not set(stood_for) & set(round_.authors)
    for step in review.policy_version.document["steps"]:
        signed = [row for row in rows if row.step == step["key"] and row.role == step["role"]]
        assert len(signed) >= step["count"]


def test_nothing_is_promoted_without_quorum_gates_and_a_live_round(db: None) -> None:
    Machine.people = {name: factories.person(name, *roles) for name, roles in ROLES.items()}
    Machine.runs = Machine.reached = Machine.back = 0
    # Within one seed hypothesis likes to vary a run it has seen; many seeds keep the runs apart.
    for number in range(SEEDS):
        seed(number)(Machine)
        run_machine(
            Machine,
            settings=settings(
                max_examples=RUNS // SEEDS,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    assert Machine.reached / Machine.runs >= SHARE, f"{Machine.reached} of {Machine.runs} runs"
    assert Machine.back > 0, "nothing was ever rolled back"
