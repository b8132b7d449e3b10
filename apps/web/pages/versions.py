"""The pages of one version: passport, comparison, lineage, files, history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from apps.accounts import policy
from apps.accounts.selectors import names
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.checks import selectors as checks
from apps.core.actor import Actor
from apps.registry import deployed, materiality
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.in_force import policy_for
from apps.reviews.models import Review
from apps.web import addresses, cells, query, status, words
from apps.web.pages import aftermath, comparing, decision_box, deployments
from apps.web.pages.comparing import Changes
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import (
    Action,
    Column,
    DecisionBox,
    Empty,
    Fact,
    Figure,
    Paging,
    Row,
    Table,
)

HEADLINES = 3
PAGE = 50


@dataclass(frozen=True, slots=True)
class Held:
    """A governed target that the version holds, and the way out for those who may."""

    label: str
    leave: Action | None


@dataclass(frozen=True, slots=True)
class VersionPage:
    """The passport."""

    frame: VersionFrame
    box: DecisionBox | None
    held: Sequence[Held]
    figures: Sequence[Figure]
    description: str
    edit: Sequence[Action]
    checks: Table
    reviews: Table | None
    running: Table | None
    record: Sequence[Action]
    facts: Sequence[Fact]
    authors: Sequence[Fact]


def passport(actor: Actor, version: ModelVersion) -> VersionPage:
    """Everything about a version at a glance."""
    verbs = policy.verbs_on(actor, version)
    top = frame(actor, version, "", actions=aftermath.acts(actor, version, verbs))
    return VersionPage(
        frame=top,
        box=_box(actor, version, top),
        held=_held(version, top.verbs),
        figures=_figures(version),
        description=version.description,
        edit=_edit(version, top.verbs),
        checks=_checks(version, top.review),
        reviews=_reviews(version),
        running=_runs(version, top.verbs),
        record=_record(version, top.verbs),
        facts=_facts(version),
        authors=_authors(version),
    )


def _box(actor: Actor, version: ModelVersion, top: VersionFrame) -> DecisionBox | None:
    """What stands before the governed targets; nothing of a retired model can go there."""
    if version.model.retired_at is not None:
        return None
    return decision_box.box(actor, version, top.review, top.verbs)


def _runs(version: ModelVersion, verbs: Collection[str]) -> Table | None:
    """Where it runs; nothing to show to somebody who could not record it, if it never ran."""
    rows, may = deployed.of_version(version.pk), "deployment.record" in verbs
    if not may and not rows.exists():
        return None
    return deployments.running(rows, may=may)


def _record(version: ModelVersion, verbs: Collection[str]) -> list[Action]:
    may = "deployment.record" in verbs and version.model.retired_at is None
    return [deployments.record_action(version)] if may else []


def _held(version: ModelVersion, verbs: Collection[str]) -> list[Held]:
    url = reverse("web:version-leave", args=[version.model.name, version.number])
    return [
        Held(
            target.label,
            Action(
                f"Leave {target.label}…",
                f"{url}?{urlencode({'target': str(target)})}",
                "",
                "undo",
                dialog=True,
            )
            if "target.leave" in verbs
            else None,
        )
        for target in registry.held_governed_targets(version)
    ]


def _edit(version: ModelVersion, verbs: Collection[str]) -> list[Action]:
    if "model.edit" not in verbs or version.model.retired_at is not None:
        return []
    url = reverse("web:version-describe", args=[version.model.name, version.number])
    return [Action("Edit", url, "plain", "edit")]


def incumbent(version: ModelVersion) -> ModelVersion | None:
    """The version to compare with: who holds a governed target now, else the one registered before."""
    for target in registry.governed_targets():
        held = registry.holder(version.model, target)
        if held is not None and held.pk != version.pk:
            return held
    return registry.latest_versions(version.model).filter(number__lt=version.number).first()


def _figures(version: ModelVersion) -> list[Figure]:
    """The first metrics of the run with their change on the incumbent, then data and size."""
    metrics = comparing.facts_of(version).metrics
    shown = [key for key in metrics if not key.startswith("system/")][:HEADLINES]
    base = incumbent(version) if shown else None
    old = comparing.facts_of(base).metrics if base else {}
    figures = []
    for key in shown:
        delta = comparing.delta_of(old.get(key), metrics[key])
        note = f"{delta} on v{base.number}" if base and delta else "as the run logged it"
        figures.append(Figure(key, words.decimals(metrics[key]), note))
    data = checks.datasets_in_force(version)
    for role, row in data.items():
        if role.value == "evaluation":
            figures.append(
                Figure("Evaluation data", words.thousands(row.rows), f"rows, {row.name}")
            )
    return figures


def _checks(version: ModelVersion, review: Review | None) -> Table:
    """Each check that the policy demands, with verdict and sentence."""
    document = policy_for(version).document if review is None else reviews.document(review)
    limits = document.gates.checks
    rows = [
        Row(
            [
                cells.text(result.title),
                cells.chip(status.chip("verdict", result.verdict)),
                cells.text(result.sentence),
            ]
        )
        for result in checks.results(version, limits)
    ]
    return Table("Checks", [Column("Check"), Column("Verdict"), Column("Finding")], rows)


def _reviews(version: ModelVersion) -> Table | None:
    rows = [
        Row(
            [
                cells.link(review.key, addresses.review(review.pk)),
                cells.text(decision_box.in_words(review.target_list)),
                cells.chip(status.chip("review", review.status)),
                cells.text(str(review.submitted_by)),
                cells.when(review.created_at),
            ]
        )
        for review in reviews.reviews_of(version)
    ]
    columns = [Column(name) for name in ("Review", "For", "Status", "Asked by", "When")]
    return Table("Reviews", columns, rows) if rows else None


def _facts(version: ModelVersion) -> list[Fact]:
    model = version.model
    people = names([model.owner_id, version.created_by_id])
    facts = [
        Fact("Owner", cells.person(people[model.owner_id])),
        Fact("Governance", cells.chip(status.chip("governance", model.governance))),
        Fact("Risk tier", cells.text(f"Tier {model.risk_tier}", note=tier_note(model))),
        Fact("Registered", cells.when(version.created_at)),
        Fact("By", cells.person(people[version.created_by_id])),
    ]
    if version.label:
        facts.append(Fact("Label", cells.text(version.label)))
    facts.append(
        Fact(
            "Source",
            cells.mono(version.source)
            if version.source
            else cells.missing("uploaded, not logged by a client"),
        )
    )
    tags = [f"{tag.key}: {tag.value}" for tag in version.tags.order_by("key")]
    if tags:
        facts.append(Fact("Tags", cells.tags(tags)))
    return facts


def tier_note(model: RegisteredModel) -> str:
    """How the tier came about."""
    exposure = model.get_exposure_display()
    purpose = model.get_purpose_class_display()
    found = f"{exposure.lower()} exposure, {purpose[:1].lower()}{purpose[1:]}"
    if model.risk_tier < materiality.risk_tier(model.exposure, model.purpose_class):
        found += "; raised by its impact assessment"
    return found


def _authors(version: ModelVersion) -> list[Fact]:
    """Who made part of it, and so cannot sign: computed from credentials."""
    found = evidence.authors(version, version.created_by_id)
    people = names(found)
    return [
        Fact(
            people[user], cells.text(", ".join(r for r in reasons if r != "asked for this review"))
        )
        for user, reasons in found.items()
    ]


@dataclass(frozen=True, slots=True)
class ComparePage:
    """One version against another of the same model."""

    frame: VersionFrame
    choices: Sequence[tuple[int, str, bool]]
    changes: Changes | None
    empty: Empty


def compare(actor: Actor, version: ModelVersion, with_number: str) -> ComparePage:
    """Against the version asked for, else the incumbent."""
    others = list(
        registry.latest_versions(version.model)
        .exclude(pk=version.pk)
        .select_related("run", "model")[:200]
    )
    chosen = next((row for row in others if str(row.number) == with_number), None)
    base = chosen or incumbent(version)
    choices = [(row.number, _choice(row), base is not None and row.pk == base.pk) for row in others]
    return ComparePage(
        frame(actor, version, "compare/"),
        choices,
        comparing.changes(version, base) if base else None,
        Empty("nothing-yet", "Nothing to compare with", "This is the only version of the model."),
    )


def _choice(version: ModelVersion) -> str:
    stage = f" ({version.stage})" if version.stage != "None" else ""
    return f"v{version.number}{stage}"


@dataclass(frozen=True, slots=True)
class FilesPage:
    frame: VersionFrame
    files: Table
    facts: Sequence[Fact] = field(default_factory=tuple)


def files(actor: Actor, version: ModelVersion) -> FilesPage:
    """The manifest: every file with size and SHA-256, each to download."""
    rows = [
        Row(
            [
                cells.link(entry["path"], _file_url(version, entry["path"])),
                cells.number(words.size(entry["size"])),
                cells.digest(entry["digest"]),
            ]
        )
        for entry in version.manifest
    ]
    columns = [Column("Path"), Column("Size", numeric=True), Column("SHA-256")]
    empty = Empty(
        "nothing-yet",
        "No files here",
        "The client registered a source outside this site, so there are no bytes to bind an approval to.",
    )
    facts = [
        Fact("Manifest digest", cells.digest(version.manifest_digest)),
        Fact("Total", cells.text(words.size(version.total_size))),
    ]
    return FilesPage(frame(actor, version, "files/"), Table("Files", columns, rows, empty), facts)


def _file_url(version: ModelVersion, path: str) -> str:
    return reverse("web:version-file", args=[version.model.name, version.number, path])


@dataclass(frozen=True, slots=True)
class HistoryPage:
    frame: VersionFrame
    events: Sequence[EventView]
    paging: Paging | None


def history(actor: Actor, version: ModelVersion, request: HttpRequest) -> HistoryPage:
    """What happened to the version, newest first."""
    before = query.before(request)
    scope = [f"version:{version.pk}"]
    found = audits.events(scopes=scope, before_seq=before, limit=PAGE + 1)
    return HistoryPage(
        frame(actor, version, "history/"), found[:PAGE], query.event_paging(request, found, PAGE)
    )
