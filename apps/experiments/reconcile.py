"""Compare what is sealed with what the ledger says was sealed.

Compared: which runs and logged models are sealed, by which review, and that each still holds exactly
what the digest of its seal covers. Not compared: what is open for writing, which is no evidence yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core.errors import DomainError
from apps.experiments.models import LoggedModel, Run
from apps.experiments.selectors import logged_model_digest, run_digest


@dataclass(frozen=True, slots=True)
class _Seal:
    review: int
    digest: str


_TYPES = (
    "experiments.run.sealed",
    "experiments.run.unsealed",
    "experiments.logged_model.sealed",
    "experiments.logged_model.unsealed",
)


def differences() -> Iterator[Difference]:
    """Every sealed run or logged model that is not as the ledger says, each named."""
    seals = _replay()
    for run in Run.objects.filter(sealed_by__isnull=False).select_related("experiment"):
        subject = f"run:{run.run_id}"
        yield from _compare(subject, run, seals.pop(subject, None))
    models = LoggedModel.objects.filter(sealed_by__isnull=False)
    for model in models.select_related("experiment", "source_run"):
        subject = f"logged_model:{model.model_id}"
        yield from _compare(subject, model, seals.pop(subject, None))
    for subject, seal in seals.items():
        yield Difference(
            subject, f"the ledger says that review {seal.review} sealed it; it is open"
        )


def _replay() -> dict[str, _Seal]:
    seals: dict[str, _Seal] = {}
    for event in replay(*_TYPES):
        word = "run" if event.type.startswith("experiments.run.") else "logged_model"
        subject = f"{word}:{event.payload[word]}"
        if event.type.endswith(".unsealed"):
            seals.pop(subject, None)
        else:
            review = event.payload["review"]
            seals[subject] = _Seal(int(str(review)), str(event.payload["digest"]))
    return seals


def _compare(subject: str, found: Run | LoggedModel, seal: _Seal | None) -> Iterator[Difference]:
    if seal is None:
        yield Difference(
            subject, f"sealed for review {found.sealed_by}; the ledger has no such seal"
        )
        return
    if seal.review != found.sealed_by:
        yield Difference(
            subject, f"sealed for review {found.sealed_by}; the ledger says {seal.review}"
        )
    try:
        digest = run_digest(found) if isinstance(found, Run) else logged_model_digest(found)
    except DomainError as error:
        yield Difference(subject, f"what it holds cannot be written down: {error}")
        return
    if digest != seal.digest:
        yield Difference(
            subject, f"it was sealed with the digest {seal.digest}; what it holds now has {digest}"
        )
