"""The control matrix: for each control of the framework and each version, what answers it and whether that is verified.

Nothing is missing of a version that nobody decided on and no governed target ever held: it is an attempt among others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.engagements import evidence, frameworks, rules, verifying
from apps.engagements.evidence import Found, Item
from apps.engagements.frameworks import SOURCES, Control, Framework
from apps.engagements.models import Engagement
from apps.engagements.verifying import Verified
from apps.modelcards import schema
from apps.registry.models import ModelVersion

UNANSWERED: Final = "unanswered"
PUT_FORWARD: Final = ("decisions", "promotions")
NOT_PUT_FORWARD: Final = "Nobody decided on this version, and nothing governed held it."


@dataclass(frozen=True, slots=True)
class Cell:
    """One control of one version. `state` is that of `verifying` or `unanswered`; `wrong` says what exactly, `ruling` what the rule says."""

    control: Control
    version: ModelVersion
    state: str
    evidence: Sequence[Verified] = ()
    wrong: Sequence[str] = ()
    ruling: str = ""

    @property
    def signed(self) -> int:
        """How many of its items carry a signature that holds."""
        return sum(each.signature.state == verifying.VERIFIED for each in self.evidence)

    @property
    def logged(self) -> int:
        """How many of its items are proved to be in the log."""
        return sum(each.log.state == verifying.VERIFIED for each in self.evidence)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Some versions of an engagement. `log_size` is the checkpoint's; `trouble` why nothing can be proved against it."""

    framework: Framework
    versions: Sequence[ModelVersion]
    rows: Sequence[tuple[Control, Sequence[Cell]]]
    log_size: int
    trouble: str


def compose(
    engagement: Engagement,
    versions: Sequence[ModelVersion],
    *,
    controls: Sequence[Control] = (),
    deep: bool = False,
) -> Matrix:
    """The cells of these versions, for all controls or some. The number of queries does not grow with versions, controls or items."""
    framework = frameworks.get(engagement.framework)
    wanted = controls or framework.controls
    before = engagement.period[1]
    sources = {source for control in wanted for source in evidence.sources_of(control)}
    found = evidence.gather(versions, before, sources.union(PUT_FORWARD))
    items = _items(found, versions, wanted)
    log = verifying.read_log(versions, items)
    checked = {id(each.item): each for each in verifying.verify(items, log, deep=deep)}
    rows = [
        (control, [_cell(control, version, found, checked, before) for version in versions])
        for control in wanted
    ]
    return Matrix(framework, versions, rows, log.size, log.trouble)


def _items(
    found: Found, versions: Sequence[ModelVersion], controls: Sequence[Control]
) -> list[Item]:
    """Each item that a cell shows, once."""
    named = {
        id(item): item
        for version in versions
        for control in controls
        for name in control.names()
        for item in found.named(version.pk, name)
    }
    return list(named.values())


def _cell(
    control: Control,
    version: ModelVersion,
    found: Found,
    checked: dict[int, Verified],
    before: dt.datetime,
) -> Cell:
    if control.unanswered:
        return Cell(control, version, UNANSWERED, ruling=control.unanswered)
    items = {id(item): item for name in control.names() for item in found.named(version.pk, name)}
    shown = [checked[key] for key in items]
    lacks = [_lack(name) for name in control.needs if not _answered(found, version, name)]
    state, ruling = _ruled(control, version, found, before)
    wrong = [f"{each.item.title}: {why}" for each in shown for why in each.wrong]
    if state == verifying.FAILS:
        wrong.insert(0, ruling)
    states = [each.state for each in shown] + [state] + [verifying.MISSING] * bool(lacks)
    worst = verifying.worst(states)
    if worst == verifying.MISSING and not _is_put_forward(found, version):
        return Cell(control, version, verifying.NONE, shown, (), NOT_PUT_FORWARD)
    return Cell(control, version, worst, shown, [*lacks, *wrong], ruling)


def _is_put_forward(found: Found, version: ModelVersion) -> bool:
    return any(found.of(version.pk, source) for source in PUT_FORWARD)


def _answered(found: Found, version: ModelVersion, name: str) -> bool:
    return any(found.named(version.pk, each) for each in name.split("|"))


def _ruled(
    control: Control, version: ModelVersion, found: Found, before: dt.datetime
) -> tuple[str, str]:
    """The state that the rule brings: one with nothing to look at is missing where the control needs something, else none."""
    if not control.rule:
        return verifying.NONE, ""
    ruling = rules.RULES[control.rule](found, version, before)
    if ruling.state == rules.EMPTY:
        return (verifying.MISSING if control.needs else verifying.NONE), ruling.sentence
    holds = ruling.state == rules.HOLDS
    return (verifying.VERIFIED if holds else verifying.FAILS), ruling.sentence


def _lack(name: str) -> str:
    """`No evaluation data in the record.`"""
    words = (in_words(each).removeprefix("the ") for each in name.split("|"))
    return f"No {' and no '.join(words)} in the record."


def in_words(name: str) -> str:
    """What a control names, for people."""
    source, _, rest = name.partition(".")
    if source == "card" and rest:
        return f"“{schema.BLOCKS[rest].title}” in the model card"
    if source == "stated":
        kind, _, said = rest.partition(".")
        return f"“{said.replace('_', ' ')}” stated for the {kind.replace('_', ' ')}"
    return f"{rest.replace('_', ' ')} among {SOURCES[source]}" if rest else SOURCES[source]
