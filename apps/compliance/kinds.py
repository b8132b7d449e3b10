"""The kinds of documents as data. All live the same life: asked for, assembled and frozen, laid out, issued.

A new kind is one row here, a choice of `DocumentKind` and an assembler; pages, API, ledger and downloads follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.compliance import documents
from apps.compliance.models import DocumentKind
from apps.compliance.reports import annex, annex_iv, impact, ll144
from apps.compliance.reports.base import Assembled
from apps.compliance.reports.fields import Field, Rule, Texts
from apps.core.errors import Conflict, NotFound
from apps.registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `assemble` reads everything once; `why_not` says why it cannot be made of a version ("": it can).

    `fields` are what a person may state for it, `together` what of it does not go together. `page`: it can be taken
    as one self-contained web page, to be published.
    """

    key: str
    title: str
    act: str
    about: str
    file: str
    assemble: Callable[[ModelVersion], Assembled]
    why_not: Callable[[ModelVersion], str] = lambda version: ""
    fields: tuple[Field, ...] = ()
    together: Rule = lambda texts: {}
    page: bool = False


def _card(version: ModelVersion) -> Assembled:
    round_ = documents.reported_round(version)
    dossier = documents.assemble(version, round_)
    if round_ is None:
        return Assembled(dossier, None, None)
    return Assembled(dossier, round_.review_id, round_.pk)


_KINDS = (
    Kind(
        DocumentKind.MODEL_CARD,
        "Model card",
        "Make the model card",
        "The card with its evidence, signatures and ledger proofs.",
        "model-card",
        _card,
    ),
    Kind(
        DocumentKind.LL144_REPORT,
        "Bias audit report (NYC Local Law 144)",
        "Make the bias audit report",
        "The newest bias audit in the form that New York City's Local Law 144 asks to be published.",
        "ll144-bias-audit",
        ll144.assemble,
        ll144.why_not,
        ll144.FIELDS,
        ll144.together,
        page=True,
    ),
    Kind(
        DocumentKind.ANNEX_IV_DOSSIER,
        "Technical documentation (EU AI Act, Annex IV)",
        "Make the technical documentation",
        "The record in the order of Annex IV of the EU AI Act: each line with its evidence, or a gap; a meter per block.",
        "annex-iv",
        annex_iv.assemble,
        annex_iv.why_not,
        annex.fields(),
    ),
    Kind(
        DocumentKind.IMPACT_REPORT,
        "Impact assessment (FRIA and DPIA)",
        "Make the impact assessment",
        "The model's impact assessment in the order of the EU AI Act, Art. 27(1), and of GDPR Art. 35(7), with its score and signature.",
        "impact-assessment",
        impact.assemble,
        impact.why_not,
    ),
)
KINDS: dict[str, Kind] = {kind.key: kind for kind in _KINDS}


def get(key: str) -> Kind:
    """One kind; NotFound names those there are."""
    found = KINDS.get(key)
    if found is None:
        raise NotFound(
            f"There is no such kind of document: {key[:40]!r}.",
            hint=f"There are {', '.join(KINDS)}.",
        )
    return found


def stated(key: str) -> Kind:
    """A kind for which something is to be stated; NotFound for another."""
    found = get(key)
    if not found.fields:
        raise NotFound(f"Nothing is to be stated for the {found.title.lower()}.")
    return found


def require(kind: Kind, version: ModelVersion) -> None:
    """Raise Conflict, in words, where the kind cannot be made of this version."""
    reason = kind.why_not(version)
    if reason:
        raise Conflict(f"{kind.title}: {reason}")


__all__ = ["KINDS", "Kind", "Texts", "get", "require", "stated"]
