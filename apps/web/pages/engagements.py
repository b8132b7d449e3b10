"""Audit engagements: the list, the scope wizard, and what stands on top of every page of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.accounts import policy
from apps.accounts.services.lending import LEND
from apps.core import clock
from apps.core.actor import Actor
from apps.engagements import frameworks, selectors
from apps.engagements.frameworks import Framework
from apps.engagements.models import Engagement
from apps.engagements.selectors import Extent
from apps.registry import selectors as registry
from apps.web import addresses, cells, status, words
from apps.web.forms.engagements import ScopeForm
from apps.web.pages import audit
from apps.web.parts import (
    Action,
    Column,
    Crumb,
    Empty,
    Fact,
    Figure,
    Notice,
    PageHeader,
    Row,
    Tab,
    Table,
)

FOUND = 20
SHOWN = 100


@dataclass(frozen=True, slots=True)
class EngagementsPage:
    header: PageHeader
    tabs: Sequence[Tab]
    table: Table


@dataclass(frozen=True, slots=True)
class ScopePage:
    """The wizard. `preview` is there once models and a period are chosen; `searched` says how the search went."""

    header: PageHeader
    preview: Sequence[Figure] | None
    nothing: Notice | None
    searched: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The top of every page of an engagement. `why_not` says why the reader adds nothing, empty where she may."""

    header: PageHeader
    tabs: Sequence[Tab]
    notice: Notice | None
    why_not: str

    @property
    def works(self) -> bool:
        return not self.why_not


def url(engagement: Engagement, page: str = "") -> str:
    """A page of an engagement."""
    return f"/audit/engagements/{engagement.pk}/{page}"


def every(actor: Actor) -> EngagementsPage:
    """Those that the actor may read, newest first."""
    opens = policy.can(actor, LEND)
    act = Action("Open an engagement", reverse("web:engagement-new"), "primary", "plus")
    rows = [_row(each) for each in selectors.visible(actor)[:SHOWN]]
    empty = Empty(
        "nothing-yet",
        "No engagement yet",
        "An engagement gives named auditors the models, the period and the framework of one audit, until a day.",
        action=act if opens else None,
    )
    names = ("Engagement", "State", "Framework", "Period", "Until", "Opened by")
    return EngagementsPage(
        header=PageHeader("Audit", actions=[act] if opens else []),
        tabs=audit.tabs(actor, addresses.record() + "engagements/"),
        table=Table("Engagements", [Column(name) for name in names], rows, empty),
    )


def _row(each: Engagement) -> Row:
    framework = frameworks.every().get(each.framework)
    return Row(
        [
            cells.link(each.title, url(each), note=each.key),
            cells.chip(status.chip("engagement", "open" if each.is_open else "over")),
            cells.text(framework.title if framework else each.framework),
            cells.text(f"{each.period_from} to {each.period_to}"),
            cells.text(str(each.ends_on)),
            cells.person(str(each.opened_by)),
        ]
    )


def choices(actor: Actor, chosen: Sequence[str], find: str) -> tuple[list[tuple[str, str]], int]:
    """What the form offers: the models chosen before, then those whose name has the words; and how many these are in all."""
    models = registry.visible_models(actor)
    ids = [int(each) for each in chosen if each.isascii() and each.isdigit() and len(each) < 19]
    kept = list(models.filter(pk__in=ids[:SHOWN]).order_by("name"))
    hits = (
        models.filter(name__icontains=find).exclude(pk__in=ids).order_by("name")
        if find
        else models.none()
    )
    found = list(hits[:FOUND])
    return [(str(row.pk), row.name) for row in (*kept, *found)], hits.count() if find else 0


def scope(actor: Actor, form: ScopeForm, find: str, hits: int) -> ScopePage:
    """The wizard with its preview."""
    extent = _extent(form)
    crumb = Crumb("Engagements", reverse("web:engagements"))
    nothing = None
    if extent is not None and not extent.versions:
        nothing = Notice(
            "No version of these models was there in the period.", "warn", "Nothing to audit"
        )
    return ScopePage(
        header=PageHeader(
            "Open an audit engagement",
            crumbs=[crumb],
            lead="It gives the auditors you name the role auditor on these models, until its last day. Whoever sees the models is told.",
        ),
        preview=_figures(extent) if extent else None,
        nothing=nothing,
        searched=_searched(find, hits),
    )


def _extent(form: ScopeForm) -> Extent | None:
    """The counts, once models and period can be read from what was sent, whatever else is missing."""
    if not form.is_bound:
        return None
    form.is_valid()
    given = form.cleaned_data
    start, end = given.get("period_from"), given.get("period_to")
    if not given.get("models") or start is None or end is None or start > end:
        return None
    draft = Engagement(period_from=start, period_to=end, opened_at=clock.now())
    return selectors.extent(given["models"], *draft.period)


def _figures(extent: Extent) -> list[Figure]:
    return [
        Figure("Models", words.thousands(extent.models)),
        Figure("Versions", words.thousands(extent.versions), "there in the period"),
        Figure("Decisions", words.thousands(extent.decisions), "signed in the period"),
        Figure("Documents", words.thousands(extent.documents), "issued in the period"),
    ]


def _searched(find: str, hits: int) -> str:
    if not find:
        return ""
    if not hits:
        return f"No other model that you may see has “{find}” in its name."
    more = f", the first {FOUND} are listed; name it more exactly" if hits > FOUND else ""
    return f"{words.plural(hits, 'model')} found for “{find}”{more}. Choose, then go on."


def frame(actor: Actor, engagement: Engagement, page: str) -> Frame:
    """What stands on top of each page of an engagement."""
    framework = frameworks.get(engagement.framework)
    shown = (
        ("Controls", "", None),
        ("Samples", "samples/", engagement.samples.count()),
        ("Notes and findings", "notes/", engagement.notes.count()),
        ("Documents", "documents/", None),
        ("Who took what", "exports/", None),
        ("Your checkpoint", "checkpoint/", None),
        ("About", "about/", None),
    )
    return Frame(
        header=PageHeader(
            engagement.title,
            ref=engagement.key,
            chips=[status.chip("engagement", "open" if engagement.is_open else "over")],
            meta=[
                cells.text(framework.title),
                cells.text(f"{engagement.period_from} to {engagement.period_to}"),
                cells.text(f"until {engagement.ends_on}"),
            ],
            actions=_acts(actor, engagement),
            crumbs=[Crumb("Engagements", reverse("web:engagements"))],
        ),
        tabs=[
            Tab(label, url(engagement, part), part == page, count) for label, part, count in shown
        ],
        notice=_changed(engagement, framework),
        why_not=selectors.why_not_work(actor, engagement),
    )


def _acts(actor: Actor, engagement: Engagement) -> list[Action]:
    report = url(engagement, "report/")
    acts = [
        Action("Report (JSON)", report, "", "download", post=True, fields={"form": "json"}),
        Action("Report (CSV)", report, "", "download", post=True, fields={"form": "csv"}),
    ]
    if engagement.is_open and policy.can(actor, LEND):
        acts.append(Action("Close it", url(engagement, "close/"), "danger", "stop"))
    return acts


def _changed(engagement: Engagement, framework: Framework) -> Notice | None:
    if framework.digest == engagement.framework_digest:
        return None
    text = "The framework's file is another one than when the engagement was opened: its controls may read differently."
    return Notice(text, "warn", "The framework has changed")


@dataclass(frozen=True, slots=True)
class AboutPage:
    frame: Frame
    purpose: str
    facts: Sequence[Fact]
    models: Table


def about(actor: Actor, engagement: Engagement) -> AboutPage:
    """The engagement itself: purpose, people, scope, how it ended."""
    framework = frameworks.get(engagement.framework)
    extent = selectors.extent_of(engagement)
    auditors = ", ".join(str(each) for each in engagement.auditors.order_by("username"))
    end = engagement.closing
    facts = [
        Fact("Auditors", cells.text(auditors)),
        Fact("Opened", cells.when(engagement.opened_at)),
        Fact("Opened by", cells.person(str(engagement.opened_by))),
        Fact(
            "Framework",
            cells.link(
                framework.title, framework.source, note=f"{framework.law}; as of {framework.as_of}"
            ),
        ),
        Fact("Framework file", cells.digest(engagement.framework_digest)),
        Fact("Versions in scope", cells.number(words.thousands(extent.versions))),
        Fact("Decisions in the period", cells.number(words.thousands(extent.decisions))),
        Fact("Documents in the period", cells.number(words.thousands(extent.documents))),
        Fact("Record", cells.link("What the ledger says", addresses.audit(engagement.scope_id))),
    ]
    if end is not None:
        facts.append(Fact("Over since", cells.when(end.at)))
        facts.append(Fact("Why", cells.text(end.reason or str(end.get_how_display()))))
    rows = [
        Row([cells.link(each.name, addresses.model(each.name)), cells.person(str(each.owner))])
        for each in selectors.models_of(engagement).select_related("owner")
    ]
    table = Table("Models in scope", [Column("Model"), Column("Owner")], rows)
    return AboutPage(frame(actor, engagement, "about/"), engagement.purpose, facts, table)
