"""One call of the protocol, as its handler sees it; and one route, as the table holds it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.api.mlflow.messages import Fields, Message
from apps.core.actor import Actor

_RUN: Final = re.compile(r"[0-9a-f]{32}")
_MODEL: Final = re.compile(r"m-[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"[0-9]{1,18}")

_SUBJECTS: Final = (
    ("run_id", "run", _RUN),
    ("model_id", "logged_model", _MODEL),
    ("experiment_id", "experiment", _NUMBER),
)


@dataclass(slots=True)
class Call:
    """Who calls, with which checked fields. `about` names what a refusal is recorded under."""

    actor: Actor
    request: HttpRequest
    fields: Fields
    about: str = ""

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    @property
    def subject(self) -> str:
        """What the call is about, as an id; text that a client made up is never one."""
        if self.about:
            return self.about
        for name, word, shape in _SUBJECTS:
            value = self.fields.get(name)
            if isinstance(value, str) and shape.fullmatch(value):
                return f"{word}:{value}"
        return "site:mlflow"


Answer = dict[str, Any] | HttpResponseBase
Handler = Callable[[Call], Answer]
Decoder = Callable[[HttpRequest, Message], Fields]


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the protocol.

    `verb` is the right that the handler's service asks for ("" for reads that are filtered by what the
    actor may see, and for routes that are `open` to everybody); `scope` the token scope that carries
    it, empty where no token does and the act is the site's only. Both are what documentation and tests read: the service is what enforces.
    """

    method: str
    path: str
    handler: Handler = field(repr=False)
    verb: str = ""
    scope: str = "read"
    message: Message = field(default_factory=lambda: Message(()), repr=False)
    decode: Decoder | None = field(default=None, repr=False)
    version: str = "2.0"
    open: bool = False

    @property
    def mutates(self) -> bool:
        """Whether the route changes anything: the protocol's searches are POST and change nothing."""
        return self.verb not in {"", "experiment.read", "model.read"}

    @property
    def name(self) -> str:
        """How refusals and tests call it."""
        return f"{self.method} {self.path}"
