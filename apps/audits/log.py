"""The one door of the ledger.

    with verb(actor) as v:
        ...                                   # read, decide, write
        v.record(VersionPromoted(version=12, target="stage:Production"))

Guarantees: what is written inside and the events commit together or not at all; events of nested
verbs are appended once, by the outermost, as the last thing before commit, so the head's lock is
held for a moment and never while another row is waited for; an event recorded in a part that was
rolled back is gone with it.

Refuses: an event type that is not registered or has no template, a verb without an actor, an
outermost verb inside somebody else's transaction (the ledger's lock would no longer come last).

Does not check rights: `accounts.policy` does.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from apps.audits import events
from apps.audits.appending import Appended, append
from apps.audits.attempts import attempt
from apps.audits.writing import Written, write
from apps.core import clock, outbox
from apps.core.actor import Actor, ActorKind

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Appended", "UnrecordableError", "Verb", "attempt", "verb"]


class UnrecordableError(RuntimeError):
    """A programming error: this cannot be recorded, so it must not happen."""


@dataclass(slots=True)
class _Pending:
    event: events.Event
    written: Written
    place: Appended | None = None

    def survives(self) -> None:
        """Registered as an on_commit hook only to learn, before the commit, whether the savepoint it
        belongs to still stands: Django drops the hooks of a savepoint that is rolled back."""


@dataclass(slots=True)
class _Transaction:
    """What one outermost verb has collected on one connection."""

    connection: Any
    pending: list[_Pending] = field(default_factory=list)


_current: ContextVar[_Transaction | None] = ContextVar("countersign_verb", default=None)


class Verb:
    """The handle a service records with. `events` is known once the outermost verb has ended."""

    def __init__(self, actor: Actor, collected: _Transaction) -> None:
        self._actor = actor
        self._collected = collected
        self._own: list[_Pending] = []
        self._start = len(collected.pending)
        self._end: int | None = None

    def record(self, event: events.Event) -> None:
        """Collect `event`; it is appended when the outermost verb ends."""
        if self._end is not None:
            msg = f"{event.type}: recorded after its verb had ended"
            raise UnrecordableError(msg)
        if not events.is_registered(event):
            msg = f"{type(event).__name__} is not a registered event type"
            raise UnrecordableError(msg)
        _require_template(event.type)
        pending = _Pending(event, write(event, self._actor, clock.now()))
        self._collected.pending.append(pending)
        transaction.on_commit(pending.survives, using=self._collected.connection.alias)

    @property
    def events(self) -> list[Appended]:
        """The rows appended for this verb and the verbs nested in it."""
        return [pending.place for pending in self._own if pending.place is not None]

    def close(self) -> None:
        """No more events; remember which are this verb's."""
        self._own = self._collected.pending[self._start :]
        self._end = len(self._collected.pending)


@contextmanager
def verb(actor: Actor, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[Verb]:
    """Run a service's act as `actor`. The outermost opens the transaction, a nested one a savepoint."""
    _require_actor(actor)
    connection = connections[using]
    collected = _current.get()
    if collected is not None and collected.connection is connection:
        with transaction.atomic(using=using):
            handle = Verb(actor, collected)
            yield handle
            handle.close()
        return
    collected = _Transaction(connection)
    token = _current.set(collected)
    try:
        with transaction.atomic(using=using, durable=True):
            handle = Verb(actor, collected)
            yield handle
            handle.close()
            _append(collected, using)
    finally:
        _current.reset(token)


def _append(collected: _Transaction, using: str) -> None:
    """Append what still stands and leave the outbox rows of its consumers."""
    connection = collected.connection
    if connection.needs_rollback:
        raise UnrecordableError("a part of this verb failed and its error was swallowed")
    standing = {
        id(getattr(hook, "__self__", None)) for _sids, hook, _robust in connection.run_on_commit
    }
    kept = [pending for pending in collected.pending if id(pending) in standing]
    if not kept:
        return
    for pending, place in zip(kept, append([item.written for item in kept], using), strict=True):
        pending.place = place
        _wake(pending, place)


def _wake(pending: _Pending, place: Appended) -> None:
    """One outbox row per consumer of this type, in the same transaction."""
    written = pending.written
    for task in settings.EVENT_TASKS.get(written.type, ()):
        outbox.enqueue(
            task,
            {**written.payload, "event_seq": place.seq, "subject": written.subject},
            event_type=written.type,
        )


def _require_actor(actor: object) -> None:
    if not isinstance(actor, Actor):
        msg = f"a verb needs an Actor, got {type(actor).__name__}"
        raise UnrecordableError(msg)
    if actor.user_id is None and actor.kind is not ActorKind.SYSTEM:
        msg = f"a {actor.kind} actor without a user id cannot be held to anything"
        raise UnrecordableError(msg)


@functools.cache
def _require_template(event_type: str) -> None:
    """An event nobody can read is not recorded. Remembered only when found."""
    try:
        get_template(template_name(event_type))
    except TemplateDoesNotExist as error:
        msg = f"{event_type} has no template {template_name(event_type)}"
        raise UnrecordableError(msg) from error


def template_name(event_type: str) -> str:
    """The template that says in one sentence what happened."""
    return f"audits/events/{event_type}.html"
