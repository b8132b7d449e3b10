"""Review, round and decisions as the document prints them; the stamp on its title page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apps.checks.numbers import grouped, plural
from apps.checks.uploaded.reading import Outcome as Reported
from apps.checks.verdicts import Verdict
from apps.core import canonical
from apps.core.errors import Tampered
from apps.core.parts import Cell, Column, Table
from apps.modelcards.collect import moment
from apps.modelcards.dossier import (
    DecisionView,
    PersonAndTime,
    ReviewView,
    RoundView,
    Status,
)
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.reviews import selectors as reviews
from apps.reviews.models import Decision, Outcome, Review, ReviewStatus, Round

METHODS = {"password": "password, entered again to sign"}


def status(version: ModelVersion, round_: Round | None) -> Status:
    """One word, and the sentence that says what it rests on. Never better than the record."""
    if round_ is None:
        if not version.model.is_governed:
            return Status(
                "Ungoverned", "unknown", "A sandbox model: nobody reviews or signs for it."
            )
        return Status(
            "Not reviewed", "unknown", "Never submitted for review: nobody has signed for it."
        )
    review = round_.review
    ended = {ReviewStatus.WITHDRAWN, ReviewStatus.EXPIRED}
    if not round_.is_live and review.state not in ended:
        return Status(
            "Evidence void", "bad", f"Round {round_.number} is void: {round_.void_reason}."
        )
    if review.state is ReviewStatus.PROMOTED:
        return _promoted(version, review, round_)
    return _unfinished(review, round_)


def _promoted(version: ModelVersion, review: Review, round_: Round) -> Status:
    signed = plural(_approvals(round_), "person", "people")
    wanted, held = set(review.target_list), set(registry.held_targets(version))
    where = ", ".join(target.label for target in sorted(wanted))
    if wanted <= held:
        return Status(
            "Approved", "good", f"{signed} signed for exactly the evidence below; it is in {where}."
        )
    left = ", ".join(target.label for target in sorted(wanted - held))
    sentence = f"{signed} signed for exactly the evidence below; it has since left {left}."
    return Status("Approved, retired", "info", sentence)


def _unfinished(review: Review, round_: Round) -> Status:
    approvals, needed = _approvals(round_), sum(s.count for s in reviews.document(review).steps)
    signed = f"{approvals} of {needed} signatures given"
    sentences = {
        ReviewStatus.OPEN: ("In review", "info", f"{signed}; nothing has been decided."),
        ReviewStatus.CHANGES_REQUESTED: (
            "Changes requested",
            "warn",
            "A reviewer asked for changes.",
        ),
        ReviewStatus.SIGNED: (
            "Signed, not promoted",
            "warn",
            f"{signed}; a requirement was not met, see below.",
        ),
        ReviewStatus.REJECTED: ("Rejected", "bad", "A reviewer rejected this version."),
        ReviewStatus.WITHDRAWN: ("Withdrawn", "unknown", "The request for review was withdrawn."),
        ReviewStatus.EXPIRED: (
            "Expired",
            "unknown",
            "The request for review was not answered in time.",
        ),
    }
    word, tone, sentence = sentences[review.state]
    return Status(word, tone, sentence)  # type: ignore[arg-type]


def _approvals(round_: Round) -> int:
    return sum(d.outcome == Outcome.APPROVE for d in round_.decisions.all())


def view(round_: Round) -> ReviewView:
    review = round_.review
    return ReviewView(
        number=review.pk,
        link=f"/reviews/{review.pk}/",
        targets=tuple(target.label for target in review.target_list),
        status=str(review.state.label),
        justification=review.justification,
        submitted=PersonAndTime(str(review.submitted_by), review.created_at.isoformat()),
        policy=str(review.policy_version),
        policy_digest=review.policy_version.digest,
        closed_at=review.closed_at.isoformat() if review.closed_at else "",
        wanted_by=review.wanted_by.isoformat() if review.wanted_by else "",
    )


def round_view(round_: Round, manifest: Mapping[str, Any] | None) -> RoundView:
    """The round with its manifest, whose text is what the digest is of."""
    return RoundView(
        number=round_.number,
        digest=round_.digest,
        status="live" if round_.is_live else "void",
        created_at=round_.created_at.isoformat(),
        ledger_size=round_.ledger_size,
        manifest=bytes(round_.manifest).decode(),
        items=Table(
            "What the manifest names",
            (Column("Item"), Column("What"), Column("SHA-256", code=True)),
            tuple(_items(manifest or {})),
        ),
        void_reason=round_.void_reason,
    )


def _items(manifest: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    """One row per item; an item that is absent says so."""

    def row(item: str, what: str, digest: str | None) -> tuple[Cell, ...]:
        return Cell(item), Cell(what), Cell(digest or "none")

    version, policy = manifest["version"], manifest["policy"]
    files = f"{plural(version['files'], 'file')}, {grouped(version['size'])} bytes"
    yield row("Files", files, version["manifest_digest"])
    run = manifest["run"]
    yield row("Run", run["id"] if run else "none", run["digest"] if run else None)
    for entry in manifest["datasets"]:
        what = f"{entry['name']}, {entry['role']}, {grouped(entry['rows'])} rows"
        yield row("Data set", what, entry["digest"])
    for entry in manifest["checks"]:
        yield row(
            "Check result",
            f"{entry['kind']}: {Verdict(entry['verdict']).label.lower()}",
            entry["result_digest"],
        )
    for entry in manifest.get("uploaded", ()):
        what = f"{entry['name']} of {entry['tool']}: {Reported(entry['outcome']).label.lower()}"
        yield row("Reported by another tool", what, entry["digest"])
    card = manifest["card"]
    yield row(
        "Card", f"revision {card['revision']}" if card else "none", card["digest"] if card else None
    )
    for entry in manifest.get("impact", ()):
        what = f"revision {entry['revision']}: level {entry['level']}, {entry['total']} of 100"
        yield row("Impact assessment", what, entry["digest"])
    yield row("Policy", f"{policy['key']} v{policy['number']}", policy["digest"])
    for entry in manifest["incumbents"]:
        held = f"v{entry['number']}" if entry["number"] else "nobody"
        yield row("Held before", f"{entry['target']}: {held}", entry["manifest_digest"])
    head = manifest["ledger"]
    yield row("Ledger", f"root at size {head['size']}", head["root"])


def decisions(round_: Round) -> tuple[DecisionView, ...]:
    """Every decision of the review, those of dead rounds marked void; raises Tampered for a statement
    that is not what its digest says."""
    rows = round_.review.decisions.select_related(
        "round", "user", "on_behalf_of", "envelope"
    ).order_by("pk")
    return tuple(_decision(row, round_.review) for row in rows)


def _decision(row: Decision, review: Review) -> DecisionView:
    statement = bytes(row.statement)
    if canonical.digest(statement) != row.statement_digest:
        raise Tampered(f"Decision {row.pk}: the statement is not what its digest says.")
    targets = ", ".join(target.label for target in review.target_list)
    sealed = getattr(row, "envelope", None)
    return DecisionView(
        signer=row.signer_name,
        signer_id=row.user_id,
        role=row.role.capitalize(),
        step=row.step,
        outcome=row.outcome,
        meaning=f"{row.meaning.capitalize()}: {targets}",
        comment=row.comment,
        method=METHODS.get(row.method, row.method),
        at=row.created_at.isoformat(),
        evidence_digest=row.evidence_digest,
        statement=statement.decode(),
        statement_digest=row.statement_digest,
        round=row.round.number,
        void="" if row.round.is_live else _void(row.round),
        on_behalf_of=str(row.on_behalf_of) if row.on_behalf_of else "",
        envelope=bytes(sealed.data).decode() if sealed else "",
    )


def _void(round_: Round) -> str:
    at = f" since {moment(round_.voided_at)}" if round_.voided_at else ""
    return f"round {round_.number} of the evidence is void{at}: {round_.void_reason}"
