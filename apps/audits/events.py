"""The closed registry of event types, and how an event becomes an immutable statement.

An app describes what can happen in it as frozen dataclasses in its `events.py`:

    @register
    @dataclass(frozen=True)
    class VersionPromoted(Event):
        type: ClassVar[str] = "registry.version.promoted"
        version: int
        target: str
        promoted_for: Personal          # enters the payload as a commitment only

        def subject(self) -> str:
            return f"version:{self.version}"

Events carry ids and plain values, never model instances. A changed payload is a new `schema`
number; what was written under an old one is never rewritten.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from typing import Annotated, Any, ClassVar, TypeVar

if typing.TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.core.canonical import JSON


class PII:
    """Marks a field that holds personal data. See `Personal`."""


# The value of such a field never enters the ledger: the payload holds a commitment to it, the value
# itself lies in an erasable row (apps/audits/commitments.py).
Personal = Annotated[str, PII]

_TYPE = re.compile(r"[a-z]+(\.[a-z][a-z_]*){1,3}")
_SCOPE = re.compile(r"[a-z][a-z_]*:[A-Za-z0-9._:-]{1,128}")
_RESERVED = frozenset({"type", "schema", "subject", "scopes", "payload"})


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened, in the past tense. Subclasses are registered by `register`."""

    type: ClassVar[str]
    schema: ClassVar[int] = 1

    def subject(self) -> str:
        """The id of the thing it happened to, such as "version:12"."""
        raise NotImplementedError

    def scopes(self) -> tuple[str, ...]:
        """Ids under which the event is found and may be seen. The subject is always one of them."""
        return (self.subject(),)

    def payload(self) -> dict[str, JSON]:
        """Everything the event says, personal fields in clear (the ledger replaces them)."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


E = TypeVar("E", bound=type[Event])
_registry: dict[str, type[Event]] = {}
_personal: dict[type[Event], tuple[str, ...]] = {}


def register(cls: E) -> E:
    """Admit an event type. Refuses a taken or malformed type, a class that is not a frozen dataclass
    of its own, and field names that would hide the methods of `Event`."""
    name = getattr(cls, "type", None)
    if not isinstance(name, str) or not _TYPE.fullmatch(name):
        msg = f"{cls.__name__}.type = {name!r}: expected words such as registry.version.promoted"
        raise TypeError(msg)
    if "__dataclass_params__" not in vars(cls) or not vars(cls)["__dataclass_params__"].frozen:
        msg = f"{cls.__name__} must be decorated with @dataclass(frozen=True)"
        raise TypeError(msg)
    hidden = _RESERVED & {field.name for field in dataclasses.fields(cls)}
    if hidden:
        msg = f"{cls.__name__}: fields named {sorted(hidden)} would hide parts of Event"
        raise TypeError(msg)
    taken = _registry.setdefault(name, cls)
    if taken is not cls:
        msg = f"event type {name} is taken by {taken.__module__}.{taken.__name__}"
        raise TypeError(msg)
    _personal[cls] = tuple(_personal_fields(cls))
    return cls


def registered() -> dict[str, type[Event]]:
    """Every known type, by name."""
    return dict(sorted(_registry.items()))


def is_registered(event: Event) -> bool:
    """Whether exactly this class was admitted under its type."""
    return _registry.get(event.type) is type(event)


def personal_fields(event: Event) -> tuple[str, ...]:
    """Names of the fields annotated `Personal` (also `Personal | None`)."""
    return _personal[type(event)]


def scope_ids(event: Event) -> list[str]:
    """The event's scopes with its subject, sorted, each once. Refuses what is not an id."""
    ids = sorted({event.subject(), *event.scopes()})
    for scope in ids:
        if not _SCOPE.fullmatch(scope):
            msg = f"{type(event).__name__}: {scope!r} is not an id such as version:12"
            raise ValueError(msg)
    return ids


def _personal_fields(cls: type[Event]) -> Iterator[str]:
    hints = typing.get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        if PII in _annotations(hints[field.name]):
            yield field.name


def _annotations(hint: Any) -> Iterator[Any]:
    yield from getattr(hint, "__metadata__", ())
    for argument in typing.get_args(hint):
        if typing.get_origin(argument) is Annotated:
            yield from argument.__metadata__


@register
@dataclasses.dataclass(frozen=True)
class AttemptsAnchored(Event):
    """The attempts up to `last` are these `count` rows: `root` is the RFC 9162 root over them in order of id."""

    type: ClassVar[str] = "audits.attempts.anchored"

    first: int
    last: int
    count: int
    root: str

    def subject(self) -> str:
        return f"attempts:{self.last}"


@register
@dataclasses.dataclass(frozen=True)
class OpeningsErased(Event):
    """Personal data behind these commitments was destroyed; which event they belong to stays on record."""

    type: ClassVar[str] = "audits.openings.erased"

    commitments: tuple[str, ...]
    reason: str

    def subject(self) -> str:
        return f"opening:{self.commitments[0]}"

    def scopes(self) -> tuple[str, ...]:
        return tuple(f"opening:{commitment}" for commitment in self.commitments)


@register
@dataclasses.dataclass(frozen=True)
class KeyAdded(Event):
    """A key that this site had not signed with before. `endorsement` is the signature of the key before it (`endorsed_by`)
    over the new public key, in hexadecimal; empty where there was none or it was lost."""

    type: ClassVar[str] = "audits.key.added"

    key: str
    purpose: str
    algorithm: str
    name: str
    public: str
    endorsed_by: str = ""
    endorsement: str = ""

    def subject(self) -> str:
        return f"key:{self.key}"


@register
@dataclasses.dataclass(frozen=True)
class KeyRetired(Event):
    """A key signs nothing more; what it signed still verifies, unless it was signed after `compromised_since`."""

    type: ClassVar[str] = "audits.key.retired"

    key: str
    reason: str
    compromised_since: str = ""

    def subject(self) -> str:
        return f"key:{self.key}"
