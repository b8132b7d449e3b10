"""One route of the API, as the table in `routes.py` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.api.v1.base import Door


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a path, the view that answers, and its rule.

    `verb` is the right that the service or selector behind the route asks for on what it names; a token must
    carry it. `interactive`: only a person in her own session, never a token. The service is what enforces the right;
    what is read from here is whether a credential could carry it at all, and what documentation and tests compare.
    """

    method: str
    path: str
    view: type[Door]
    name: str
    verb: str
    mutates: bool = False
    interactive: bool = False

    @property
    def label(self) -> str:
        """How refusals and tests call it."""
        return f"{self.method} /api/v1/{self.path}"


# The routes of one path by method: what a view answers to. A view without any answers nobody.
Rules = Mapping[str, Route]
