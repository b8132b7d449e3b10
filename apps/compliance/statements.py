"""Statements for reports: recorded by a person, never changed, never made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from apps.accounts import policy
from apps.accounts.models import User
from apps.audits.log import verb
from apps.compliance.events import StatementRecorded
from apps.compliance.models import ReportStatement
from apps.compliance.reports.fields import Field, Rule, Texts, clean
from apps.core import bases, canonical, clock
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden, Tampered
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version

STATE = "card.edit"


def statements(version: ModelVersion, kind: str) -> QuerySet[ReportStatement]:
    """Every statement for one kind of report, newest first, with its author."""
    rows = ReportStatement.objects.filter(version=version, kind=kind)
    return rows.select_related("author").order_by("-number")


def latest(version: ModelVersion, kind: str) -> ReportStatement | None:
    """The one that counts; Tampered if it is not what its digest says."""
    row = statements(version, kind).first()
    if row is not None and row.digest != digest_of(row, version):
        raise Tampered(f"Statement {row.number} for {row.kind} is not what its digest says.")
    return row


def digest_of(row: ReportStatement, version: ModelVersion) -> str:
    """The digest of all that a statement says, with whom it is by and when."""
    return canonical.digest_of(
        {
            "type": "countersign.statement.v1",
            "version": str(version.uuid),
            "kind": row.kind,
            "number": row.number,
            "texts": row.texts,
            "author": str(row.author.uuid),
            "at": row.created_at.isoformat(),
        }
    )


def record(
    actor: Actor,
    version: ModelVersion,
    kind: str,
    given: Mapping[str, Any],
    base: int,
    *,
    fields: tuple[Field, ...],
    together: Rule,
) -> ReportStatement:
    """Record a statement; one that changes nothing returns the latest.

    `given` is the whole statement: a field that is left out is emptied. `base` is the number the writer started from
    (0: none). Refuses: who may not write about the version; anybody but a person; what `clean` refuses; a first one
    without a word; a base that is no longer the latest (Conflict; nothing is lost, the caller still holds the text).
    """
    policy.require(actor, STATE, version)
    if actor.user_id is None or actor.kind is not ActorKind.HUMAN:
        raise Forbidden("A statement is made by a person; no service or system states anything.")
    texts = clean(fields, given, together)
    with verb(actor) as v:
        locked = lock_version(version.pk)
        before = latest(locked, kind)
        bases.require_base(before, base, "statement")
        old = before.texts if before else {}
        changed = sorted(key for key in {*old, *texts} if old.get(key) != texts.get(key))
        if not changed:
            return bases.unchanged(before, "Nothing was stated.", "Fill in at least one field.")
        row = _store(locked, kind, base + 1, texts, User.objects.get(pk=actor.user_id))
        v.record(
            StatementRecorded(
                statement=row.pk,
                kind=kind,
                model=locked.model_id,
                version=locked.pk,
                number=row.number,
                digest=row.digest,
                changed=changed,
            )
        )
    return row


def _store(
    version: ModelVersion, kind: str, number: int, texts: Texts, author: User
) -> ReportStatement:
    row = ReportStatement(
        version=version,
        kind=kind,
        number=number,
        texts=texts,
        author=author,
        created_at=clock.now(),
    )
    row.digest = digest_of(row, version)
    row.save(force_insert=True)
    return row
