"""Opening an engagement, what it gives, and when that ends."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.accounts import policy
from apps.accounts import reconcile as accounts_reconcile
from apps.accounts.models import LentRole, User
from apps.audits import selectors as audits
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.engagements import reconcile, selectors, services, tasks
from apps.engagements.models import Engagement, EngagementEnd
from tests.compliance.conftest import Story
from tests.engagements.conftest import new
from tests.support.people import as_actor, hire

pytestmark = pytest.mark.django_db


def told(kind: str) -> int:
    return len(audits.events(scopes=None, types=[kind]))


def test_the_auditors_read_the_models_in_scope_and_nothing_else(
    engagement: Engagement, signed: Story, ivy: User
) -> None:
    actor = as_actor(ivy)
    for verb in ("model.read", "review.read", "audit.read", "audit.export", "finding.raise"):
        assert policy.can(actor, verb, signed.version)
    assert not policy.can(actor, "model.edit", signed.version)
    assert not policy.can(actor, "audit.read")
    assert list(selectors.visible(actor)) == [engagement]
    assert ivy in policy.who_may("audit.read", signed.version)
    assert "auditor on model" in policy.explain(actor, "audit.read", signed.version)


def test_access_ends_with_the_last_day_whatever_runs(
    engagement: Engagement, signed: Story, ivy: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = engagement.until
    monkeypatch.setattr(clock, "now", lambda: later - dt.timedelta(seconds=1))
    assert policy.can(as_actor(ivy), "review.read", signed.version)
    monkeypatch.setattr(clock, "now", lambda: later)
    actor = as_actor(ivy)
    assert not policy.can(actor, "review.read", signed.version)
    assert ivy not in policy.who_may("review.read", signed.version)
    assert not selectors.visible(actor).exists()
    with pytest.raises(Forbidden, match="is over"):
        selectors.get(actor, engagement.pk)
    with pytest.raises(Conflict, match="is over"):
        services.draw_sample(actor, engagement, size=1)
    tasks.end_expired()
    tasks.end_expired()
    assert EngagementEnd.objects.get().how == "expired"
    assert told("engagements.engagement.ended") == 1
    assert not list(accounts_reconcile.differences())


def test_closing_takes_the_access_back_at_once(
    engagement: Engagement, signed: Story, ada: User, ivy: User
) -> None:
    services.close_engagement(as_actor(ada), engagement, reason="Done early.")
    assert not policy.can(as_actor(ivy), "review.read", signed.version)
    with pytest.raises(Conflict, match="over already"):
        services.close_engagement(as_actor(ada), engagement, reason="Again.")
    assert told("accounts.role.taken_back") == 2
    assert not [*reconcile.differences(), *accounts_reconcile.differences()]


def test_two_engagements_give_access_apart(
    engagement: Engagement, signed: Story, ada: User, ivy: User
) -> None:
    services.open_engagement(as_actor(ada), new(signed.version, ivy, title="Another"))
    services.close_engagement(as_actor(ada), engagement, reason="Done.")
    assert policy.can(as_actor(ivy), "review.read", signed.version)


@pytest.mark.parametrize("who", ["ana", "vera", "aud", "otto"])
def test_only_who_may_give_the_role_opens(
    who: str, signed: Story, ivy: User, request: pytest.FixtureRequest
) -> None:
    person = request.getfixturevalue(who)
    with pytest.raises(Forbidden):
        services.open_engagement(as_actor(person), new(signed.version, ivy))
    assert not Engagement.objects.exists()
    assert not LentRole.objects.exists()


def test_nobody_audits_their_own_work(signed: Story, ada: User) -> None:
    for person, why in ((signed.ana, "among the authors"), (signed.vera, "decided on")):
        with pytest.raises(Invalid) as refused:
            services.open_engagement(as_actor(ada), new(signed.version, person))
        assert why in refused.value.fields["auditors"]
    with pytest.raises(Forbidden, match="herself"):
        services.open_engagement(as_actor(ada), new(signed.version, ada))
    assert not Engagement.objects.exists()
    assert not told("engagements.engagement.opened")


def test_bad_input_is_refused_beside_its_field(signed: Story, ada: User, ivy: User) -> None:
    today = clock.now().date()
    day = dt.timedelta(days=1)
    bad = {
        "title": {"title": " "},
        "framework": {"framework": "sox"},
        "period_to": {"period_to": today + day},
        "ends_on": {"ends_on": today - day},
        "models": {"models": []},
        "auditors": {"auditors": []},
    }
    for field, given in bad.items():
        with pytest.raises(Invalid) as refused:
            services.open_engagement(as_actor(ada), new(signed.version, ivy, **given))
        assert field in refused.value.fields, field
    before = dt.date(2000, 1, 1)
    with pytest.raises(Invalid) as refused:
        services.open_engagement(
            as_actor(ada), new(signed.version, ivy, period_from=before, period_to=before)
        )
    assert "No version" in refused.value.fields["models"]
    gone = hire("gone", "Gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    with pytest.raises(Invalid):
        services.open_engagement(as_actor(ada), new(signed.version, gone))
    assert not Engagement.objects.exists()
    assert not LentRole.objects.exists()


def test_strangers_learn_nothing(engagement: Engagement, otto: User, aud: User) -> None:
    with pytest.raises(NotFound):
        selectors.get(as_actor(otto), engagement.pk)
    assert selectors.get(as_actor(aud), engagement.pk) == engagement


def test_an_end_cannot_be_forged(engagement: Engagement) -> None:
    with pytest.raises(Conflict, match="lasts until"):
        services.expire(Actor.system("worker"), engagement)
    EngagementEnd.objects.create(engagement=engagement, how="closed", at=clock.now())
    assert [str(each) for each in reconcile.differences()]
