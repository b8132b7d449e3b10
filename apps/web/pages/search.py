"""Search over everything the actor may see: a constant number of queries, at most ten hits of a kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from apps.accounts import policy
from apps.accounts.models import User
from apps.core.actor import Actor
from apps.experiments.models import Experiment, Lifecycle, Run
from apps.registry import selectors as registry
from apps.reviews import selectors as reviews
from apps.web import status, words
from apps.web.parts import Chip, Empty, PageHeader

MOST = 10
# Names of runs have no index; only the newest are looked through by name, all of them by id.
NEWEST_RUNS = 5000

_VERSION = re.compile(
    r"(?P<model>.+?)\s*(?:/|\s|:)\s*(?:v|version\s+)?(?P<number>\d{1,9})", re.IGNORECASE
)
_REVIEW = re.compile(r"(?:rev-?)?(?P<number>\d{1,12})", re.IGNORECASE)
_RUN_ID = re.compile(r"(?:run-?)?(?P<id>[0-9a-f]{4,32})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    url: str
    fact: str = ""
    chip: Chip | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind; `more` when there are others that are not shown."""

    title: str
    hits: Sequence[Hit]
    more: bool = False


@dataclass(frozen=True, slots=True)
class SearchPage:
    header: PageHeader
    query: str
    groups: Sequence[Group]
    empty: Empty | None
    announce: str


def search(actor: Actor, text: str) -> SearchPage:
    """What matches the words, of what the actor may see; nothing for empty words."""
    text = text.replace("\x00", "").strip()[:200]
    groups = [_group(title, find(actor, text)) for title, find in KINDS] if text else []
    found = [group for group in groups if group.hits]
    total = sum(len(group.hits) for group in found)
    return SearchPage(
        header=PageHeader("Search"),
        query=text,
        groups=found,
        empty=None if found else _empty(text),
        announce=f"{words.plural(total, 'hit')} for {text}" if text else "",
    )


def _group(title: str, hits: list[Hit]) -> Group:
    return Group(title, hits[:MOST], more=len(hits) > MOST)


def _empty(text: str) -> Empty:
    if not text:
        return Empty(
            "nothing-yet",
            "What are you looking for?",
            "A model, a version such as churn/7, an experiment, a run, a review such as REV-142, a person.",
        )
    return Empty(
        "no-match",
        f"Nothing you may see matches “{text}”",
        "Search looks at names and ids. What is not shared with you does not show.",
    )


def _models(actor: Actor, text: str) -> list[Hit]:
    found = registry.visible_models(actor).filter(name__icontains=text).order_by("name")
    return [
        Hit(
            model.name,
            reverse("web:model", args=[model.name]),
            model.description[:120],
            status.chip("governance", model.governance),
        )
        for model in found[: MOST + 1]
    ]


def _versions(actor: Actor, text: str) -> list[Hit]:
    wanted = Q(label__iexact=text) | Q(description__icontains=text)
    if named := _VERSION.fullmatch(text):
        wanted |= Q(model__name__icontains=named["model"], number=int(named["number"]))
    found = registry.visible_versions(actor).filter(wanted).order_by("model__name", "-number")
    return [
        Hit(
            f"{version.model.name} version {version.number}",
            reverse("web:version", args=[version.model.name, version.number]),
            version.description[:120],
            status.chip("stage", version.stage),
        )
        for version in found[: MOST + 1]
    ]


def _experiments(actor: Actor, text: str) -> list[Hit]:
    found = Experiment.objects.filter(
        policy.visible_experiments(actor),
        lifecycle_stage=Lifecycle.ACTIVE,
        name__icontains=text,
    )
    return [
        Hit(experiment.name, reverse("web:experiment", args=[experiment.pk]))
        for experiment in found.order_by("name")[: MOST + 1]
    ]


def _runs(actor: Actor, text: str) -> list[Hit]:
    seen = Run.objects.filter(
        experiment__in=Experiment.objects.filter(policy.visible_experiments(actor)),
        lifecycle_stage=Lifecycle.ACTIVE,
    )
    wanted = Q(name__icontains=text, pk__in=seen.order_by("-pk").values("pk")[:NEWEST_RUNS])
    if by_id := _RUN_ID.fullmatch(text):
        wanted |= Q(run_id__startswith=by_id["id"].lower())
    found = seen.filter(wanted).select_related("experiment").order_by("-pk")
    return [
        Hit(
            run.name or run.run_id[:8],
            reverse("web:run", args=[run.run_id]),
            f"{run.run_id[:8]} in {run.experiment.name}",
            status.chip("run", run.status),
        )
        for run in found[: MOST + 1]
    ]


def _reviews(actor: Actor, text: str) -> list[Hit]:
    wanted = Q(version__model__name__icontains=text) | Q(justification__icontains=text)
    if numbered := _REVIEW.fullmatch(text):
        wanted |= Q(pk=int(numbered["number"]))
    found = reviews.list_reviews(actor).filter(wanted)
    return [
        Hit(
            f"{review.key} {review.version.model.name} version {review.version.number}",
            reverse("web:review", args=[review.pk]),
            review.justification[:120],
            status.chip("review", review.status),
        )
        for review in found[: MOST + 1]
    ]


def _people(actor: Actor, text: str) -> list[Hit]:
    if not policy.can(actor, "people.manage"):
        return []
    wanted = Q(username__icontains=text) | Q(display_name__icontains=text)
    found = User.objects.filter(wanted).order_by("username")
    return [
        Hit(
            str(person),
            reverse("web:person", args=[person.pk]),
            person.username,
            status.chip("person", "active" if person.is_active else "inactive"),
        )
        for person in found[: MOST + 1]
    ]


KINDS: list[tuple[str, Callable[[Actor, str], list[Hit]]]] = [
    ("Models", _models),
    ("Versions", _versions),
    ("Reviews", _reviews),
    ("Experiments", _experiments),
    ("Runs", _runs),
    ("People", _people),
]
