"""What a verb raises when it refuses. Each transport has one handler that turns these into its own form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal a person can read: what was got, what was expected (`message`), what to do next (`hint`)."""

    def __init__(self, message: str, *, hint: str = "", url: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.url = url

    def __str__(self) -> str:
        return " ".join(part for part in (self.message, self.hint, self.url) if part)


class NotFound(DomainError):
    """No such thing, or none that this actor may know of."""


class Forbidden(DomainError):
    """The actor is known and lacks the right."""


class Invalid(DomainError):
    """The input is wrong. `fields` maps a field's name to what is wrong with it."""

    def __init__(
        self, message: str, *, fields: Mapping[str, str] | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.fields = dict(fields or {})


class Conflict(DomainError):
    """The state is not what the request assumed; look again and repeat."""


class AlreadyExists(Conflict):
    """The name or key is taken."""


class Blocked(DomainError):
    """A governed act without what it needs. `reasons` are sentences, one per missing thing."""

    def __init__(
        self, message: str, *, reasons: Sequence[str] = (), hint: str = "", url: str = ""
    ) -> None:
        super().__init__(message, hint=hint, url=url)
        self.reasons = tuple(reasons)


class Tampered(DomainError):
    """Bytes or records are not what their digest says."""
