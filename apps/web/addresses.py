"""Where things are, for pages that name them. Names are quoted; a page of a version that another area owns is
addressed by its path, so that areas need not know each other's routes."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import urlencode


def model(name: str) -> str:
    """A model's page."""
    return reverse("web:model", args=[name])


def version(name: str, number: int, page: str = "") -> str:
    """A version's passport, or one of its pages such as "checks/"."""
    return reverse("web:version", args=[name, number]) + page


def review(review_id: int, page: str = "") -> str:
    """A review, or one of its pages such as "decide/"."""
    return reverse("web:review", args=[review_id]) + page


def finding(finding_id: int, page: str = "") -> str:
    """A finding, or one of its acts such as "respond/"."""
    return reverse("web:finding", args=[finding_id]) + page


def experiments() -> str:
    """The list of experiments."""
    return reverse("web:experiments")


def experiment(experiment_id: int) -> str:
    """An experiment's page, with its runs."""
    return reverse("web:experiment", args=[experiment_id])


def run(run_id: str) -> str:
    """A run's page."""
    return f"/runs/{run_id}/"


def event(seq: int) -> str:
    """One event of the ledger."""
    return f"/audit/{seq}/"


def audit(subject: str) -> str:
    """The record of one thing."""
    return f"/audit/?{urlencode({'subject': subject})}"


def models() -> str:
    """The list of models."""
    return reverse("web:models")


def reviews() -> str:
    """The list of reviews."""
    return reverse("web:reviews")


def record() -> str:
    """The whole record."""
    return "/audit/"
