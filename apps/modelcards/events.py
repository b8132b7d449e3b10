"""What happens to model cards, as the ledger tells it. The prose itself stays out: its digest stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@register
@dataclass(frozen=True, kw_only=True)
class CardSaved(Event):
    """A new revision of the human blocks; `changed` names the blocks that differ from `base`."""

    type: ClassVar[str] = "modelcards.card.saved"
    model: int
    version: int
    revision: int
    number: int
    base: int
    digest: str
    changed: list[str]
    template: str
    template_digest: str

    def subject(self) -> str:
        return f"version:{self.version}"

    def scopes(self) -> tuple[str, ...]:
        return (f"version:{self.version}", f"model:{self.model}")


@register
@dataclass(frozen=True, kw_only=True)
class TemplateDefined(Event):
    """A version of one of the site's own card templates; its document stays out, the digest stands for it."""

    type: ClassVar[str] = "modelcards.template.defined"
    template: int
    key: str
    number: int
    title: str
    digest: str
    required: list[str]

    def subject(self) -> str:
        return f"cardtemplate:{self.key}"


@register
@dataclass(frozen=True, kw_only=True)
class TemplateChosen(Event):
    """The cards of a model follow this template from now on; an empty `key`: its tier and tags decide again."""

    type: ClassVar[str] = "modelcards.template.chosen"
    model: int
    choice: int
    key: str
    was: str
    reason: str

    def subject(self) -> str:
        return f"model:{self.model}"
