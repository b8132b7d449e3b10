"""Two at once, on two connections, fifty times: one of the two orders, never a mixture."""

from __future__ import annotations

from functools import partial

import pytest
from pytest_django import Settings

from apps.accounts import services as accounts
from apps.audits.models import Event
from apps.checks import services as checks
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, DomainError, Forbidden
from apps.registry import services as registry
from apps.registry.models import Authorization, ModelVersion
from apps.reviews import selectors, services
from apps.reviews.models import Decision, PolicySignature, Review, Round
from apps.reviews.policies import builtin
from tests import factories
from tests.checks import flow
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_policies import put_in_force, signs, text
from tests.reviews.test_signing import sign
from tests.support.races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

TRIALS = 50


def test_two_last_signatures_at_once_promote_once(cast: Cast) -> None:
    for trial in range(TRIALS):
        version = factories.version(cast.ana, cast.model)
        review = cast.submit(PRODUCTION, version=version)
        sign(cast.vera, review)
        answers = at_once(partial(sign, cast.rui, review), partial(sign, cast.remo, review))
        signed = [answer for answer in answers if isinstance(answer, Decision)]
        refused = [answer for answer in answers if isinstance(answer, Conflict)]
        assert (len(signed), len(refused)) == (1, 1), f"trial {trial}: {answers}"
        assert "promoted" in refused[0].message or "approved" in refused[0].message
        assert Authorization.objects.filter(version=version).count() == 1
        assert _holders() == [version.number]


def test_one_version_promoted_twice_at_once_is_promoted_once(
    cast: Cast, settings: Settings
) -> None:
    for trial in range(TRIALS):
        version = _signed_not_promoted(cast, settings)
        review = Review.objects.get(version=version)
        answers = at_once(
            partial(services.promote_signed, cast.ana, review),
            partial(services.promote_signed, cast.ana, review),
        )
        refused = [answer for answer in answers if isinstance(answer, DomainError)]
        assert len(refused) == 1, f"trial {trial}: {answers}"
        assert "approved" in refused[0].message
        assert _holders() == [version.number]


def test_two_versions_promoted_at_once_leave_one_holder(cast: Cast, settings: Settings) -> None:
    for trial in range(TRIALS):
        first, second = _signed_not_promoted(cast, settings), _signed_not_promoted(cast, settings)
        answers = at_once(
            partial(registry.promote, cast.ana, first, targets=[PRODUCTION]),
            partial(registry.promote, cast.ana, second, targets=[PRODUCTION]),
        )
        assert all(isinstance(answer, ModelVersion) for answer in answers), (
            f"trial {trial}: {answers}"
        )
        assert _holders() in ([first.number], [second.number])
        _leave(cast)


def test_a_new_round_racing_the_last_signature_is_one_of_the_two_orders(cast: Cast) -> None:
    for trial in range(TRIALS // 2):
        version = factories.version(cast.ana, cast.model)
        review = cast.submit(PRODUCTION, version=version)
        sign(cast.vera, review)
        shown = (
            review.rounds.get().digest
        )  # she looks at round 1 and signs that, whatever comes meanwhile
        answers = at_once(
            partial(sign, cast.rui, review, digest=shown),
            partial(services.new_round, cast.ana, review),
        )
        status = Review.objects.get(pk=review.pk).status
        if isinstance(answers[0], Decision):
            assert status == "promoted", f"trial {trial}: {answers}"
            assert isinstance(answers[1], Conflict)
        else:
            assert isinstance(answers[0], Conflict), f"trial {trial}: {answers}"
            assert status == "open"
            services.withdraw(cast.ana, Review.objects.get(pk=review.pk), reason="next trial")


def test_promoting_what_is_signed_racing_a_new_round_is_one_of_the_two_orders(
    cast: Cast, settings: Settings
) -> None:
    for trial in range(TRIALS // 2):
        version = _signed_not_promoted(cast, settings)
        review = Review.objects.get(version=version)
        promoted, made = at_once(
            partial(services.promote_signed, cast.ana, review),
            partial(services.new_round, cast.ana, review),
        )
        review.refresh_from_db()
        if isinstance(made, Round):
            assert isinstance(promoted, DomainError), f"trial {trial}: {promoted}"
            assert (review.status, version.number in _holders()) == ("open", False)
            assert not Authorization.objects.filter(
                version=version, revoked_at=None, spent_at=None
            ).exists()
            services.withdraw(cast.ana, review, reason="next trial")
        else:
            assert isinstance(made, Conflict), f"trial {trial}: {made}"
            assert (review.status, _holders()) == ("promoted", [version.number])


def test_the_last_signature_racing_the_withdrawal_is_one_of_the_two_orders(cast: Cast) -> None:
    for trial in range(TRIALS // 2):
        version = factories.version(cast.ana, cast.model)
        review = cast.submit(PRODUCTION, version=version)
        sign(cast.vera, review)
        answers = at_once(
            partial(sign, cast.rui, review),
            partial(services.withdraw, cast.ana, review, reason="not yet"),
        )
        refused = [isinstance(answer, Conflict) for answer in answers]
        review.refresh_from_db()
        held = version.number in _holders()
        expected = ("withdrawn", False, [True, False]), ("promoted", True, [False, True])
        assert (review.status, held, refused) in expected, f"trial {trial}: {answers}"


def test_a_promotion_racing_the_recall_of_what_it_rests_on_is_one_of_the_two_orders(
    cast: Cast, settings: Settings
) -> None:
    """Recalled first, nothing is promoted; promoted first, the recall questions the approval afterwards."""
    ana = factories.user_of(cast.ana)
    for trial in range(TRIALS // 5):
        version = factories.version(cast.ana, cast.model)
        flow.attach(version, ana)
        measured = flow.done(version, ana)
        review = _signed(cast, version, settings)
        promoted, recalled = at_once(
            partial(registry.promote, cast.ana, version, targets=[PRODUCTION]),
            partial(checks.recall_measurement, cast.vera, measured, reason="shifted labels"),
        )
        assert not isinstance(recalled, DomainError), f"trial {trial}: {recalled}"
        if isinstance(promoted, DomainError):
            assert isinstance(promoted, Blocked), f"trial {trial}: {promoted}"
            assert "shifted labels" in promoted.message
            assert version.number not in _holders()
            services.withdraw(cast.ana, review, reason="next trial")
        else:
            assert _holders() == [version.number]
            assert _order("registry.version.promoted", "checks.measurement.recalled")


def test_two_submissions_at_once_make_one_review(cast: Cast) -> None:
    for _ in range(10):
        version = factories.version(cast.ana, cast.model)
        answers = at_once(*[partial(cast.submit, PRODUCTION, version=version)] * 2)
        assert sorted(isinstance(answer, Review) for answer in answers) == [False, True], answers
        assert selectors.reviews_of(version).count() == 1


def test_fifty_signers_at_once_for_two_places_promote_once_and_each_is_answered(
    cast: Cast, adam: Actor
) -> None:
    """Two of the fifty are the quorum; each of the others hears that there is nothing left to sign."""
    put_in_force(adam, cast.vera, steps=_steps(approvers=2))
    people = [factories.person(f"approver-{number}", "approver") for number in range(50)]
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    answers = at_once(*[partial(sign, person, review) for person in people])
    signed = [answer for answer in answers if isinstance(answer, Decision)]
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(signed), len(refused)) == (2, 48), answers
    assert {refusal.message for refusal in refused} == {
        f"{review} is approved; nothing is open for signature."
    }
    assert Decision.objects.filter(review=review, role="approver").count() == 2
    assert Authorization.objects.filter(version=cast.version).count() == 1
    assert _holders() == [cast.version.number]


def test_the_last_signature_racing_its_role_revoked_is_one_of_the_two_orders(cast: Cast) -> None:
    for trial in range(TRIALS // 2):
        person = factories.person(f"approver-{trial}", "approver")
        version = factories.version(cast.ana, cast.model)
        review = cast.submit(PRODUCTION, version=version)
        sign(cast.vera, review)
        revoke = partial(
            accounts.revoke_role, factories.SYSTEM, "approver", factories.user_of(person)
        )
        signed, revoked = at_once(partial(sign, person, review), revoke)
        assert not isinstance(revoked, DomainError), f"trial {trial}: {revoked}"
        review.refresh_from_db()
        if isinstance(signed, Decision):
            assert review.status == "promoted"
            assert _holders() == [version.number]
            assert _order("reviews.review.closed", "accounts.role.revoked"), f"trial {trial}"
        else:
            assert isinstance(signed, Forbidden), f"trial {trial}: {signed}"
            assert review.status == "open"
            assert version.number not in _holders()
            services.withdraw(cast.ana, review, reason="next trial")


def test_who_signs_and_steps_aside_at_once_has_done_one_of_the_two(cast: Cast) -> None:
    for trial in range(TRIALS // 2):
        version = factories.version(cast.ana, cast.model)
        review = cast.submit(PRODUCTION, version=version)
        sign(cast.vera, review)
        aside = partial(services.recuse, cast.rui, review, reason="my sister wrote it")
        answers = at_once(partial(sign, cast.rui, review), aside, aside)
        done = [answer for answer in answers if not isinstance(answer, DomainError)]
        assert len(done) == 1, f"trial {trial}: {answers}"
        review.refresh_from_db()
        assert (review.status == "promoted") == isinstance(done[0], Decision)
        assert review.recusals.count() == int(not isinstance(done[0], Decision))
        if review.status == "open":
            services.withdraw(cast.ana, review, reason="next trial")


def test_a_policy_activated_meanwhile_is_that_of_later_reviews_and_never_of_half_a_one(
    cast: Cast, adam: Actor
) -> None:
    """The review under way keeps its version of the policy; one submitted meanwhile has the old or the new, whole."""
    for trial in range(TRIALS // 5):
        version, later = [factories.version(cast.ana, cast.model) for _ in range(2)]
        review = cast.submit(PRODUCTION, version=version)
        pinned = review.policy_version_id
        sign(cast.vera, review)
        stricter = {"gates__checks__performance__roc_auc": {"min": f"0.{80 + trial}"}}
        change = services.propose(adam, text=text(**stricter), reason="the board says so")
        answers = at_once(
            partial(sign, cast.rui, review),
            partial(signs, cast.remo, change),
            partial(cast.submit, PRODUCTION, version=later),
        )
        refused = [answer for answer in answers if isinstance(answer, DomainError)]
        assert refused == [], f"trial {trial}"
        review.refresh_from_db()
        change.refresh_from_db()
        assert (review.status, change.status) == ("promoted", "activated")
        assert review.policy_version_id == pinned
        assert _holders() == [version.number]
        following = selectors.latest_review(later)
        assert following is not None
        assert following.policy_version_id in (pinned, change.version_id)
        services.withdraw(cast.ana, following, reason="next trial")


def test_submissions_under_two_policies_and_an_activation_wait_for_each_other_in_one_order(
    cast: Cast, adam: Actor
) -> None:
    """Each submission writes down the combination of what is in force, which one of them makes and one changes."""
    put_in_force(adam, cast.vera, key="second", title="Second")
    for trial in range(TRIALS // 5):
        versions = [factories.version(cast.ana, cast.model) for _ in range(4)]
        stricter = {"gates__checks__performance__roc_auc": {"min": f"0.{80 + trial}"}}
        change = services.propose(adam, text=text(**stricter), reason="the board says so")
        submissions = [partial(cast.submit, PRODUCTION, version=each) for each in versions]
        answers = at_once(partial(signs, cast.remo, change), *submissions)
        kinds = [type(answer) for answer in answers]
        assert kinds == [PolicySignature, *[Review] * 4], f"trial {trial}: {answers}"
        change.refresh_from_db()
        assert change.replaces is not None
        for review in Review.objects.filter(version__in=versions):
            parts = set(review.policy_version.parts)
            assert len(parts & {change.replaces_id, change.version_id}) == 1
            services.withdraw(cast.ana, review, reason="next trial")


def _steps(*, approvers: int) -> list[dict[str, object]]:
    validator, approver = builtin.standard()["steps"][:2]
    return [validator, approver | {"count": approvers}]


def _order(*types: str) -> bool:
    """Whether the last events of these types stand in the ledger in this order."""
    at = [Event.objects.filter(type=type_).latest("seq").seq for type_ in types]
    return at == sorted(at)


def _signed_not_promoted(cast: Cast, settings: Settings) -> ModelVersion:
    version = factories.version(cast.ana, cast.model)
    _signed(cast, version, settings)
    return version


def _signed(cast: Cast, version: ModelVersion, settings: Settings) -> Review:
    """The quorum is complete; a gate that is switched off again afterwards held the promotion back."""
    review = cast.submit(PRODUCTION, version=version)
    sign(cast.vera, review)
    settings.PROMOTION_GATES = [
        "apps.checks.gates.required_checks_pass",
        "apps.reviews.gates.quorum_signed",
    ]
    sign(cast.rui, review)
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    return review


def _leave(cast: Cast) -> None:
    """Clear the stage, so that the next trial starts from the same place."""
    for version in ModelVersion.objects.filter(stage="Production").select_related("model"):
        registry.leave_target(
            cast.omar,
            version,
            target=PRODUCTION,
            reason="next trial",
            proof=factories.proof(cast.omar),
        )


def _holders() -> list[int]:
    return list(ModelVersion.objects.filter(stage="Production").values_list("number", flat=True))
