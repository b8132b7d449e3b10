"""The door of the ledger: one transaction, events last, nothing survives a rollback."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import ClassVar

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from pytest_django import Settings

from apps.audits import events
from apps.audits.log import UnrecordableError, verb
from apps.audits.models import Event, Head, Opening
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden, Invalid
from apps.core.models import OutboxMessage
from tests.support.ledger import ThingDone, append_some, someone

pytestmark = pytest.mark.django_db


def _seqs() -> list[int]:
    return list(Event.objects.order_by("seq").values_list("seq", flat=True))


def test_events_are_numbered_from_one_without_gaps() -> None:
    places = [*append_some(3), *append_some(2)]
    assert [place.seq for place in places] == [1, 2, 3, 4, 5] == _seqs()
    assert Head.objects.get().size == 5


def test_the_body_says_who_did_what_to_what_through_which_door_and_when() -> None:
    append_some(1)
    row = Event.objects.get()
    said = json.loads(bytes(row.body))
    assert said == {
        "v": 1,
        "type": "tests.thing.done",
        "schema": 1,
        "subject": "thing:0",
        "scopes": ["shelf:0", "thing:0"],
        "actor": {"id": 1, "kind": "human"},
        "door": "web",
        "at": row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "request_id": "r-1",
        "payload": {"thing": 0, "note": "note 0", "person": None},
    }
    assert row.payload == said["payload"]


def test_events_of_nested_verbs_are_appended_once_by_the_outermost() -> None:
    with verb(someone()) as outer:
        outer.record(ThingDone(thing=1))
        with verb(Actor.system("worker")) as inner:
            inner.record(ThingDone(thing=2))
        assert _seqs() == []
        outer.record(ThingDone(thing=3))
    assert [place.seq for place in outer.events] == [1, 2, 3]
    assert [place.seq for place in inner.events] == [2]
    kinds = Event.objects.order_by("seq").values_list("actor_kind", flat=True)
    assert list(kinds) == ["human", "system", "human"]


def test_a_refusal_leaves_no_event() -> None:
    with pytest.raises(Forbidden), verb(someone()) as v:
        v.record(ThingDone(thing=1, person="Ana"))
        raise Forbidden("no")
    assert _seqs() == []
    assert Opening.objects.count() == 0


def test_an_event_of_a_nested_verb_that_failed_is_gone_and_the_rest_stays() -> None:
    with verb(someone()) as outer:
        outer.record(ThingDone(thing=1))
        with pytest.raises(Forbidden), verb(someone()) as inner:
            inner.record(ThingDone(thing=2))
            raise Forbidden("no")
    assert [row.payload["thing"] for row in Event.objects.all()] == [1]
    assert inner.events == []


def test_an_event_dies_with_the_savepoint_it_was_recorded_in() -> None:
    with verb(someone()) as outer:
        with pytest.raises(Forbidden), transaction.atomic():
            with verb(someone()) as inner:
                inner.record(ThingDone(thing=1))
            raise Forbidden("after the nested verb had ended well")
        outer.record(ThingDone(thing=2))
    assert [row.payload["thing"] for row in Event.objects.all()] == [2]


def test_a_swallowed_database_error_does_not_commit_half_a_verb() -> None:
    with pytest.raises(UnrecordableError, match="swallowed"), verb(someone()) as v:
        v.record(ThingDone(thing=1))
        with pytest.raises(ZeroDivisionError), transaction.atomic(savepoint=False):
            raise ZeroDivisionError
    assert _seqs() == []


@dataclass(frozen=True)
class Unregistered(events.Event):
    type: ClassVar[str] = "tests.thing.unregistered"

    def subject(self) -> str:
        return "thing:1"


@events.register
@dataclass(frozen=True)
class Unreadable(events.Event):
    type: ClassVar[str] = "tests.thing.unreadable"

    def subject(self) -> str:
        return "thing:1"


@pytest.mark.parametrize(
    ("event", "complaint"),
    [(Unregistered(), "not a registered event type"), (Unreadable(), "has no template")],
)
def test_an_event_nobody_knows_or_can_read_stops_the_verb(
    event: events.Event, complaint: str
) -> None:
    with pytest.raises(UnrecordableError, match=complaint), verb(someone()) as v:
        v.record(event)
    assert _seqs() == []


@pytest.mark.parametrize(
    "actor", [None, Actor(user_id=None, kind=ActorKind.HUMAN, label="?", door="web")]
)
def test_a_verb_needs_somebody_who_answers_for_it(actor: Actor | None) -> None:
    with pytest.raises(UnrecordableError), verb(actor):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize(
    "event",
    [
        ThingDone(thing=1.5),  # type: ignore[arg-type]
        ThingDone(thing=2**53),
        ThingDone(thing=1, note="\ud800"),
        ThingDone(thing=1, note="nul \x00"),
        ThingDone(thing=1, note="x" * (1 << 20)),
    ],
)
def test_what_has_no_canonical_form_is_refused_and_nothing_is_written(event: ThingDone) -> None:
    object.__setattr__(event, "subject", lambda: "thing:1")
    object.__setattr__(event, "scopes", lambda: ())
    with pytest.raises(Invalid), verb(someone()) as v:
        v.record(event)
    assert _seqs() == []


def test_a_subject_that_is_not_an_id_is_refused() -> None:
    @dataclass(frozen=True)
    class Named(events.Event):
        def subject(self) -> str:
            return "Ana's thing"

    with pytest.raises(ValueError, match="not an id"):
        events.scope_ids(Named())


def test_a_type_is_registered_once_and_whole() -> None:
    with pytest.raises(TypeError, match="taken"):

        @events.register
        @dataclass(frozen=True)
        class Twin(events.Event):
            type: ClassVar[str] = "tests.thing.done"

    with pytest.raises(TypeError, match="frozen"):

        @events.register
        class Loose(events.Event):
            type: ClassVar[str] = "tests.thing.loose"

    with pytest.raises(TypeError, match="would hide"):

        @events.register
        @dataclass(frozen=True)
        class Hiding(events.Event):
            type: ClassVar[str] = "tests.thing.hiding"
            payload: str  # type: ignore[assignment]


def test_a_consumer_finds_its_work_with_the_event_or_not_at_all(
    settings: Settings,
) -> None:
    settings.EVENT_TASKS = {ThingDone.type: ["tests.one", "tests.two"]}
    append_some(1)
    payloads = OutboxMessage.objects.order_by("task").values_list("task", "payload", "event_type")
    work = {"event_seq": 1, "subject": "thing:0", "thing": 0, "note": "note 0", "person": None}
    assert list(payloads) == [
        ("tests.one", work, "tests.thing.done"),
        ("tests.two", work, "tests.thing.done"),
    ]
    with pytest.raises(Forbidden), verb(someone()) as v:
        v.record(ThingDone(thing=2))
        raise Forbidden("no")
    assert OutboxMessage.objects.count() == 2


def test_personal_data_enters_as_a_commitment_only() -> None:
    append_some(1, person="Ana Ångström")
    row = Event.objects.get()
    assert "Ana" not in bytes(row.body).decode() + json.dumps(row.payload)
    opening = Opening.objects.get()
    assert row.payload["person"] == {"commitment": bytes(opening.commitment).hex()}
    assert (opening.value, len(bytes(opening.salt))) == ("Ana Ångström", 16)


def test_two_commitments_to_one_name_have_nothing_in_common() -> None:
    append_some(2, person="Ana")
    first, second = (row.payload["person"]["commitment"] for row in Event.objects.all())
    assert first != second


@pytest.mark.django_db(transaction=True)
class TestTransactions:
    def test_the_outermost_verb_refuses_to_join_a_foreign_transaction(self) -> None:
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic(), verb(someone()):
            pass

    def test_what_the_verb_wrote_is_committed_with_its_event(self) -> None:
        with verb(someone()) as v:
            OutboxMessage.objects.create(task="kept", payload={}, event_type="")
            v.record(ThingDone(thing=1))
        with pytest.raises(Forbidden), verb(someone()) as v:
            OutboxMessage.objects.create(task="lost", payload={}, event_type="")
            v.record(ThingDone(thing=2))
            raise Forbidden("no")
        connection.close()
        assert list(OutboxMessage.objects.values_list("task", flat=True)) == ["kept"]
        assert _seqs() == [1]

    def test_another_thread_is_another_transaction(self) -> None:
        seen: list[int] = []

        def elsewhere() -> None:
            try:
                seen.extend(place.seq for place in append_some(1))
            finally:
                connection.close()

        with verb(someone()) as v:
            v.record(ThingDone(thing=9))
            other = threading.Thread(target=elsewhere)
            other.start()
            other.join(timeout=20)
        assert (seen, [place.seq for place in v.events]) == ([1], [2])

    def test_verbs_called_from_async_code_do_not_mix(self) -> None:
        async def both() -> None:
            await asyncio.gather(*(sync_to_async(append_some)(2) for _ in range(4)))
            await sync_to_async(lambda: connection.close())()

        asyncio.run(both())
        assert _seqs() == list(range(1, 9))
