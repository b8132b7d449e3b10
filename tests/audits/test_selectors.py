"""Reading the ledger: who may see what is asked by scopes, pages are keyed, queries do not grow."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.template.loader import render_to_string
from pytest_django import DjangoAssertNumQueries

from apps.audits import selectors, services
from apps.audits.log import verb
from apps.audits.models import Opening
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from tests.support.ledger import ThingDone, append_some, someone

pytestmark = pytest.mark.django_db


def _things(views: list[selectors.EventView]) -> list[int]:
    return [view.payload["thing"] for view in views]


def test_events_come_newest_first_and_pages_follow_each_other() -> None:
    append_some(7)
    first = selectors.events(scopes=None, limit=4)
    second = selectors.events(scopes=None, limit=4, before_seq=first[-1].seq)
    assert _things(first) + _things(second) == [6, 5, 4, 3, 2, 1, 0]


def test_only_events_under_a_scope_one_may_see_are_found() -> None:
    append_some(7)
    assert _things(selectors.events(scopes=["shelf:1"])) == [4, 1]
    assert _things(selectors.events(scopes=["shelf:1", "thing:0"])) == [4, 1, 0]
    assert selectors.events(scopes=[]) == []
    assert _things(selectors.events_for("thing:5")) == [5]


def test_filters_by_type_actor_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: noon)
    append_some(1)
    monkeypatch.setattr(clock, "now", lambda: noon + dt.timedelta(hours=1))
    with verb(someone(2)) as v:
        v.record(ThingDone(thing=8))
    assert _things(selectors.events(scopes=None, actor_id=2)) == [8]
    assert _things(selectors.events(scopes=None, until=noon + dt.timedelta(hours=1))) == [0]
    assert _things(selectors.events(scopes=None, since=noon + dt.timedelta(hours=1))) == [8]
    assert _things(selectors.events(scopes=None, types=[ThingDone.type])) == [8, 0]
    assert selectors.events(scopes=None, types=["registry.version.promoted"]) == []


def test_an_event_shows_who_by_the_name_they_have_now() -> None:
    user = _user("ana")
    with verb(someone(user.pk)) as v:
        v.record(ThingDone(thing=1))
    with verb(Actor.system("worker")) as v:
        v.record(ThingDone(thing=2))
    append_some(1)
    labels = [view.actor_label for view in selectors.events(scopes=None)]
    assert labels == ["user 1" if user.pk != 1 else str(user), "system", str(user)]


def _user(name: str) -> AbstractBaseUser:
    """Whatever AUTH_USER_MODEL is: the ledger knows of it only that it has a text form."""
    model = get_user_model()
    return model._default_manager.create(**{model.USERNAME_FIELD: name})


def test_personal_fields_are_shown_until_erased_and_the_erasure_is_an_event() -> None:
    append_some(2, person="Ana")
    view = selectors.event(1)
    assert (view.payload["person"], view.erased) == ("Ana", ())
    assert "for Ana" in render_to_string(view.template, {"event": view})
    services.erase_openings(someone(), [view.commitments["person"]], reason="asked for by Ana")
    view = selectors.event(1)
    assert (view.payload["person"], view.erased) == ("[erased]", ("person",))
    assert selectors.event(2).payload["person"] == "Ana"
    erasure = selectors.event(3)
    assert erasure.payload["reason"] == "asked for by Ana"
    assert f"opening:{view.commitments['person']}" in erasure.scopes
    assert "erased the personal data" in render_to_string(erasure.template, {"event": erasure})


def test_erasing_refuses_what_is_not_there_and_erases_nothing_then() -> None:
    append_some(1, person="Ana")
    commitment = selectors.event(1).commitments["person"]
    with pytest.raises(NotFound):
        services.erase_openings(someone(), [commitment, "0" * 64], reason="asked for")
    with pytest.raises(Invalid):
        services.erase_openings(someone(), [commitment], reason=" ")
    with pytest.raises(Invalid):
        services.erase_openings(someone(), [], reason="asked for")
    assert Opening.objects.count() == 1
    assert selectors.head().size == 1


def test_queries_do_not_grow_with_rows(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(1, 30):
        with verb(someone(number)) as v:
            v.record(ThingDone(thing=number, person=f"person {number}"))
    for limit in (3, 29):
        with django_assert_num_queries(3):
            assert len(selectors.events(scopes=None, limit=limit)) == limit


def test_an_event_beyond_the_head_is_not_found() -> None:
    with pytest.raises(NotFound, match="no event 1"):
        selectors.event(1)


def test_replay_reads_the_hashed_bytes_in_order_and_in_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selectors, "_CHUNK", 2)
    append_some(5)
    replayed = list(selectors.replay(ThingDone.type))
    assert [event.seq for event in replayed] == [1, 2, 3, 4, 5]
    assert replayed[2].payload == {"thing": 2, "note": "note 2", "person": None}
    assert (replayed[2].actor_id, replayed[2].subject) == (1, "thing:2")
    assert list(selectors.replay("registry.version.promoted")) == []
    assert [event.seq for event in selectors.replay(after_seq=3)] == [4, 5]


def test_an_extract_of_an_event_that_is_not_there_is_refused() -> None:
    append_some(3)
    with pytest.raises(NotFound, match="no event 9"):
        selectors.extract([1, 9])
    with pytest.raises(NotFound, match="no event 3 in the ledger of size 2"):
        selectors.extract([1, 3], size=2)
    with pytest.raises(NotFound, match="never had size 4"):
        selectors.extract([1], size=4)


def test_an_extract_under_an_earlier_root_stays_the_same_while_the_ledger_grows() -> None:
    append_some(5, person="Ana")
    root = selectors.head().root
    before = selectors.extract([2, 4])
    append_some(9)
    assert selectors.extract([2, 4], size=5) == before
    assert before["root"] == root != selectors.extract([2, 4])["root"]
