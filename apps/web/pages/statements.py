"""The page on which somebody states what a report needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.compliance import statements
from apps.compliance.kinds import Kind
from apps.compliance.models import ReportStatement
from apps.registry.models import ModelVersion
from apps.web import addresses, cells
from apps.web.pages import crumbs
from apps.web.parts import Column, Crumb, Notice, Row, Table


@dataclass(frozen=True, slots=True)
class StatementPage:
    """What is stated for which report, what was stated before, and who saved meanwhile."""

    title: str
    lead: str
    back: str
    crumbs: Sequence[Crumb]
    conflict: Notice | None
    before: Table | None


def initial(kind: Kind, latest: ReportStatement | None) -> dict[str, Any]:
    """What the form starts with: what is stated now, and the number of that."""
    texts = latest.texts if latest else {}
    return {field.key: texts.get(field.key, "") for field in kind.fields} | {
        "base": latest.number if latest else 0
    }


def page(
    version: ModelVersion, kind: Kind, latest: ReportStatement | None, conflict: str
) -> StatementPage:
    """The page around the form."""
    name = f"{version.model.name} v{version.number}"
    back = addresses.version(version.model.name, version.number, "documents/")
    return StatementPage(
        title=f"What the report on {name} needs from you",
        lead=f"{kind.title}. Only what no record holds is asked here. What stays empty is a visible gap in the report; "
        "what you write is printed with your name and the time. Every save is kept.",
        back=back,
        crumbs=crumbs.below(version, Crumb("Documents", back), Crumb("Statement")),
        conflict=_conflict(kind, latest, conflict),
        before=_before(version, kind) if latest else None,
    )


def _conflict(kind: Kind, latest: ReportStatement | None, text: str) -> Notice | None:
    if not text or latest is None:
        return None
    labels = {field.key: field.label for field in kind.fields}
    theirs = [f"{labels.get(key, key)}: {value[:300]}" for key, value in latest.texts.items()]
    return Notice(text, "warn", "Somebody else saved meanwhile", reasons=theirs)


def _before(version: ModelVersion, kind: Kind) -> Table:
    rows = statements.statements(version, kind.key)[:50]
    labels = {field.key: field.label for field in kind.fields}
    return Table(
        caption="Statements so far",
        columns=[Column("Statement"), Column("By"), Column("When"), Column("SHA-256")],
        rows=[
            Row(
                [
                    cells.text(
                        f"Statement {row.number}",
                        note="; ".join(labels.get(key, key) for key in row.texts),
                    ),
                    cells.text(str(row.author)),
                    cells.when(row.created_at),
                    cells.digest(row.digest),
                ]
            )
            for row in rows
        ],
    )
