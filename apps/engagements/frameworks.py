"""What an engagement audits against, as dated data: one file a framework in `frameworks/`, read once, refused at start if wrong.

A control says what answers it:

    from        all of these must be in the record: a source of `evidence.py` (`decisions`), one kind of it (`checks.fairness`,
                `document.model_card`), a block of the card that is written (`card.oversight`), a field that is stated
                (`stated.<kind of report>.<field>`); `a|b` takes either
    also        shown where it is there
    rule        a question about all of it, answered by `rules.py`
    unanswered  why the record cannot answer it: shown as such, never as good
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import msgspec
import yaml

from apps.compliance import kinds
from apps.compliance.models import DocumentKind
from apps.core import canonical
from apps.core.errors import NotFound
from apps.engagements import rules
from apps.modelcards import schema

FOLDER: Final = Path(__file__).resolve().parent / "frameworks"
# What `evidence.py` finds, by the word that a control uses for it.
SOURCES: Final = {
    "files": "the version's files",
    "card": "the model card",
    "decisions": "signed decisions",
    "rounds": "evidence that was signed",
    "data": "evaluation data",
    "checks": "measured checks",
    "document": "issued documents",
    "stated": "statements for reports",
    "findings": "findings",
    "waivers": "waivers",
    "promotions": "entries into governed targets",
    "impact": "the impact assessment",
    "uploaded": "results of other tools",
}


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a framework."""

    ref: str
    title: str
    asks: str
    needs: tuple[str, ...] = msgspec.field(name="from", default=())
    also: tuple[str, ...] = ()
    rule: str = ""
    unanswered: str = ""

    def names(self) -> list[str]:
        """Every source that it names."""
        return [each for name in (*self.needs, *self.also) for each in name.split("|")]


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["countersign.controls/1"]
    key: str
    title: str
    law: str
    source: str
    as_of: dt.date
    controls: tuple[Control, ...]
    note: str = ""
    digest: str = ""

    def control(self, ref: str) -> Control:
        """One control by its reference. Raises NotFound."""
        found = next((each for each in self.controls if each.ref == ref), None)
        if found is None:
            raise NotFound(f"{self.title} has no control {ref!r}.")
        return found


@lru_cache(maxsize=1)
def every() -> dict[str, Framework]:
    """All of them by key. Raises ValueError for a file that names what does not exist, msgspec.ValidationError for another shape."""
    found = [_read(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return {each.key: each for each in found}


def get(key: str) -> Framework:
    """One framework. Raises NotFound."""
    found = every().get(key)
    if found is None:
        raise NotFound(f"There is no framework {key!r}.")
    return found


def _read(path: Path) -> Framework:
    data = path.read_bytes()
    given = yaml.safe_load(data)
    framework = msgspec.convert({**given, "digest": canonical.digest(data)}, Framework)
    refs = [control.ref for control in framework.controls]
    if path.stem != framework.key or len(set(refs)) != len(refs):
        raise ValueError(f"{path.name}: its key must be its name, and no control stands twice")
    for control in framework.controls:
        _require_known(path.name, control)
    return framework


def _require_known(file: str, control: Control) -> None:
    answered = bool(control.names() or control.rule)
    if answered == bool(control.unanswered):
        raise ValueError(f"{file}: {control.ref} is answered from nowhere, or both")
    if control.rule and control.rule not in rules.RULES:
        raise ValueError(f"{file}: {control.ref} names the rule {control.rule}, which is none")
    for name in control.names():
        if not _is_known(name):
            raise ValueError(f"{file}: {control.ref} names {name}, which is nothing of the record")


def _is_known(name: str) -> bool:
    source, _, rest = name.partition(".")
    if source not in SOURCES:
        return False
    if source == "card":
        return not rest or (rest in schema.BLOCKS and schema.BLOCKS[rest].kind == "human")
    if source == "stated":
        kind, _, field = rest.partition(".")
        return kind in DocumentKind.values and field in {
            each.key for each in kinds.get(kind).fields
        }
    return not rest or source == "checks" or rest in DocumentKind.values
