"""What every page of a version has on top: who it is, where it stands, and the way to its other pages.

Used by all pages under /models/<name>/<number>/; `templates/versions/_frame.html` shows it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from django.utils.html import format_html

from apps.accounts import policy
from apps.accounts.selectors import names
from apps.core.actor import Actor
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.reviews import selectors as reviews
from apps.reviews.models import Review
from apps.web import addresses, cells, status, words
from apps.web.pages import aftermath, retiring
from apps.web.parts import Action, Cell, Chip, Crumb, Notice, PageHeader, Tab
from apps.web.templatetags.ui import when

TABS = (
    ("Overview", ""),
    ("Checks", "checks/"),
    ("Card", "card/"),
    ("Findings", "findings/"),
    ("Compare", "compare/"),
    ("Lineage", "lineage/"),
    ("Files", "files/"),
    ("Documents", "documents/"),
    ("Use", "use/"),
    ("History", "history/"),
)


@dataclass(frozen=True, slots=True)
class VersionFrame:
    """Header and tabs of a version. `review` is the one asked for last, `verbs` what the reader may do."""

    header: PageHeader
    tabs: list[Tab]
    notice: Notice | None
    review: Review | None
    verbs: Collection[str]


def frame(
    actor: Actor, version: ModelVersion, current: str, *, actions: Collection[Action] = ()
) -> VersionFrame:
    """The frame of the page at `current` (a path of TABS, such as "checks/"; anything else marks no tab)."""
    verbs = policy.verbs_on(actor, version)
    review = reviews.latest_review(version)
    header = PageHeader(
        title=f"{version.model.name} v{version.number}",
        chips=_chips(version, review),
        aliases=[row.name for row in version.aliases.order_by("name")],
        meta=_meta(version, review),
        digest=version.manifest_digest if version.manifest else "",
        actions=[*actions, *_actions(version, review, verbs, current)],
        crumbs=[
            Crumb("Models", "/models/"),
            Crumb(version.model.name, addresses.model(version.model.name)),
            Crumb(f"Version {version.number}"),
        ],
    )
    notice = _notice(version) or aftermath.notice(version)
    return VersionFrame(header, _tabs(version, current), notice, review, verbs)


def _tabs(version: ModelVersion, current: str) -> list[Tab]:
    name, number = version.model.name, version.number
    return [
        Tab(label, addresses.version(name, number, path), current=path == current)
        for label, path in TABS
    ]


def _chips(version: ModelVersion, review: Review | None) -> list[Chip]:
    chips = retiring.chips(version.model)
    if version.stage != "None":
        chips.append(stage_chip(version))
    if review is not None and not (review.state == "promoted" and version.stage == "Production"):
        chips.append(status.chip("review", review.status))
    if review is None and version.stage == "None":
        chips.append(Chip("Draft", "neutral", "edit"))
    if not version.model.is_governed:
        chips.append(status.chip("governance", version.model.governance))
    return chips


def stage_chip(version: ModelVersion) -> Chip:
    """The stage; one that nobody approved does not look like one that people signed for."""
    chip = status.chip("stage", version.stage)
    return chip if version.model.is_governed else replace(chip, tone="warn")


def _meta(version: ModelVersion, review: Review | None) -> list[Cell]:
    """One line: who trained it in which run and when, how large it is, under which review it stands."""
    run = version.run
    ids = [version.created_by_id] + ([run.created_by_id] if run else [])
    people = names(ids)
    who, at = people[version.created_by_id], when(version.created_at)
    meta = [cells.html(format_html("Registered by {} {}", who, at))]
    if run is not None:
        who, url = people[run.created_by_id], addresses.run(run.run_id)
        trained = format_html('{} trained it in run <a href="{}">{}</a>', who, url, run.name)
        meta.insert(0, cells.html(trained))
    if version.manifest:
        count = words.plural(len(version.manifest), "file")
        meta.append(cells.text(f"{count}, {words.size(version.total_size)}"))
    if review is not None:
        meta.append(cells.link(review.key, addresses.review(review.pk)))
    return meta


def _actions(
    version: ModelVersion, review: Review | None, verbs: Collection[str], current: str
) -> list[Action]:
    """The one next step of somebody who may take it, unless she is on its page."""
    url = addresses.version(version.model.name, version.number, "submit/")
    under_review = review is not None and review.state.is_active
    free = (
        version.model.is_governed
        and version.model.retired_at is None
        and bool(version.manifest)
        and not under_review
    )
    if not free or "review.submit" not in verbs or current == "submit/":
        return []
    governed, held = set(registry.governed_targets()), set(registry.held_targets(version))
    label = "Renew the approval" if governed and governed <= held else "Submit for review"
    return [Action(label, url, "" if governed & held else "primary", "sign")]


def _notice(version: ModelVersion) -> Notice | None:
    retired = retiring.notice(version.model)
    if retired is not None:
        return retired
    if version.model.is_governed:
        return None
    return Notice(
        "This model is outside the approval rules. Its versions move freely, nobody signs for them, and the "
        "deployment gate refuses them.",
        "warn",
        "Sandbox: not governed",
    )
