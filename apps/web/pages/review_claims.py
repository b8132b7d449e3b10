"""Claim, evidence and clause side by side: what the card says, what was measured, what the policy asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.http import urlencode

from apps.accounts import policy
from apps.checks import kinds
from apps.checks.demands import CheckLimits
from apps.core.actor import Actor
from apps.modelcards import schema
from apps.modelcards import selectors as modelcards
from apps.modelcards.templatetags.cards import prose
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.models import Review, Round
from apps.web import addresses, cells, status
from apps.web.pages import rechecks
from apps.web.parts import Action, Cell, Column, Row, Table

# The block of the card that speaks of what the check measures.
CLAIMS = {"performance": "metric_choice", "fairness": "ethics", "drift": "evaluation_notes"}
CLIP = 400


def table(actor: Actor, review: Review, round_: Round | None) -> Table | None:
    """One row for each check of the round; None without a round, or where no check is demanded."""
    if round_ is None:
        return None
    manifest = evidence.read(round_)
    texts = _texts(review, manifest["card"])
    limits = CheckLimits.parse(reviews.document(review).gates.checks)
    verbs = policy.verbs_on(actor, review)
    may = {"finding": review.state.is_active and "finding.raise" in verbs, "recheck": "check.recheck" in verbs}  # fmt: skip
    rows = [_row(review, entry, texts, limits, may) for entry in manifest["checks"]]
    columns = [Column(name) for name in ("Check", "The card says", "Measured", "The policy asks")]
    acts = [Column("Question it", hidden_label=True)] if any(may.values()) else []
    return Table("Claim, evidence and clause", [*columns, *acts], rows) if rows else None


def _texts(review: Review, entry: Mapping[str, Any] | None) -> Mapping[str, str]:
    """The written blocks of the pinned card."""
    return modelcards.get_revision(review.version, entry["revision"]).texts if entry else {}


def _row(
    review: Review,
    entry: Mapping[str, Any],
    texts: Mapping[str, str],
    limits: CheckLimits,
    may: Mapping[str, bool],
) -> Row:
    where = _where(review, entry["kind"])
    said = [
        _check(review, entry),
        _claim(entry["kind"], texts),
        cells.text(entry["sentence"]),
        cells.text(_asked(entry["kind"], limits), note=where),
    ]
    acts = [_again(review, entry)] if may["recheck"] and entry["measurement"] else []
    acts += [_raise(review, where)] if may["finding"] else []
    last = cells.acts(*acts) if acts else cells.missing("nothing was measured")
    return Row([*said, last] if any(may.values()) else said)


def _check(review: Review, entry: Mapping[str, Any]) -> Cell:
    """The pinned verdict; the link leads to every group with counts and intervals."""
    title = kinds.title(entry["kind"])
    verdict = status.chip("verdict", entry["verdict"]).label.lower()
    if entry["measurement"] is None:
        return cells.text(title, note=verdict)
    return cells.link(title, rechecks.url(review.version, entry["measurement"]), note=verdict)


def _claim(kind: str, texts: Mapping[str, str]) -> Cell:
    block = CLAIMS.get(kind, "")
    said = texts.get(block, "").strip()
    if not said:
        return cells.text("Nothing", note="no block of the card speaks of it")
    clipped = said if len(said) <= CLIP else f"{said[: CLIP - 1]}…"
    return cells.html(prose(clipped), note=schema.BLOCKS[block].title)


def _asked(kind: str, limits: CheckLimits) -> str:
    """The limits: `ROC AUC at least 0.70`. A kind whose limits are no bounds is asked to pass."""
    bounds: dict[str, Any] = getattr(limits.by_kind.get(kind), "bounds", dict)()
    said = "; ".join(f"{_name(name)} {bound.sentence}" for name, bound in bounds.items())
    return f"{said[:1].upper()}{said[1:]}" or "That it passes"


def _name(metric: str) -> str:
    upper = {"roc_auc": "ROC AUC", "psi": "PSI", "ks": "KS", "f1": "F1", "cramers_v": "Cramér's V"}
    return upper.get(metric, metric.replace("_", " "))


def _where(review: Review, kind: str) -> str:
    """Which clause it is, as a finding names it."""
    source = reviews.document(review).source
    return f"{review.policy_version}, {kind}" + (f", {source.citation}" if source else "")


def _again(review: Review, entry: Mapping[str, Any]) -> Action:
    """To where the measurement is executed again and compared."""
    where = rechecks.url(review.version, entry["measurement"])
    return Action("Re-execute…", f"{where}#{rechecks.ANCHOR}", "", "running")


def _raise(review: Review, clause: str) -> Action:
    version = review.version
    url = addresses.version(version.model.name, version.number, "findings/new/")
    query = urlencode({"review": str(review.pk), "clause": clause})
    return Action("Finding…", f"{url}?{query}", "", "flag")
