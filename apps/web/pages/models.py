"""The list of models, and one model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts import policy
from apps.accounts.selectors import names
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.compliance import bundles
from apps.core.actor import Actor
from apps.registry import deployed, listing
from apps.registry import selectors as registry
from apps.registry.listing import ModelRow
from apps.registry.models import Governance, ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import rereview
from apps.reviews import selectors as reviews
from apps.reviews.reads import model_changes as changes
from apps.web import addresses, cells, query, status, words
from apps.web.pages import aftermath, deployments, impact, model_changes, retiring
from apps.web.pages.version_frame import stage_chip
from apps.web.pages.versions import tier_note
from apps.web.parts import (
    Action,
    Cell,
    Chip,
    Column,
    Crumb,
    Empty,
    Fact,
    FilterChip,
    Notice,
    PageHeader,
    Paging,
    Row,
    Table,
)

PAGE = 50
VERSIONS = 100
TIERS = (1, 2, 3)
LOG_A_MODEL = """import mlflow
mlflow.set_tracking_uri("{uri}")
with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="model", registered_model_name="churn")"""


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ModelsPage:
    """The list with its filters."""

    actions: Sequence[Action]
    q: str
    governance: Sequence[Choice]
    tiers: Sequence[Choice]
    owners: Sequence[Choice]
    filters: Sequence[FilterChip]
    table: Table


def models(actor: Actor, request: HttpRequest) -> ModelsPage:
    """Filtered by the address: q, governance, tier, owner."""
    get = request.GET
    governance = get.get("governance", "") if get.get("governance") in Governance.values else ""
    tier = int(get["tier"]) if get.get("tier") in {"1", "2", "3"} else None
    q, owner = query.text(request, "q"), _number(get.get("owner", ""))
    found = listing.list_models(
        actor,
        q=q,
        governance=governance,
        tier=tier,
        owner_id=owner,
        after=query.text(request, "before"),
        limit=PAGE + 1,
    )
    owners = list(listing.owners(actor)[:200])
    known = {user.pk: str(user) for user in owners}
    filtered = bool(q or governance or tier or owner)
    return ModelsPage(
        actions=_list_actions(actor),
        q=q,
        governance=[Choice(v, v.capitalize(), v == governance) for v in Governance.values],
        tiers=[Choice(str(t), f"Tier {t}", t == tier) for t in TIERS],
        owners=[Choice(str(pk), label, pk == owner) for pk, label in known.items()],
        filters=_chips(request, known),
        table=_table(actor, request, found, filtered=filtered),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _chips(request: HttpRequest, owners: dict[int, str]) -> list[FilterChip]:
    chips = query.filter_chips(
        request, {"q": "“{}”", "governance": "governance is {}", "tier": "risk tier is {}"}
    )
    owner = _number(request.GET.get("owner", ""))
    if owner is not None:
        label = f"owner is {owners.get(owner, 'somebody else')}"
        chips.append(FilterChip(label, query.without(request, "owner")))
    return chips


def _list_actions(actor: Actor) -> list[Action]:
    places = Action("Environments", reverse("web:environments"))
    if "model.create" in actor.site_verbs or policy.teams_where(actor, "model.create").exists():
        return [
            places,
            Action("Register a model", addresses.models() + "new/", "primary", "plus"),
        ]
    return [places]


def _table(
    actor: Actor, request: HttpRequest, found: Sequence[ModelRow], *, filtered: bool
) -> Table:
    start = query.first_page(request)
    following = query.next_page(request, found[PAGE - 1].model.name) if len(found) > PAGE else ""
    count = words.plural(min(len(found), PAGE), "model")
    paging = Paging(count, following, start) if start or following else None
    columns = [
        Column("Model"),
        Column("In production"),
        Column("Aliases"),
        Column("Versions", numeric=True),
        Column("Risk tier"),
        Column("Owner"),
        Column("Changed"),
    ]
    questioned = {(version.model_id, version.number) for version in rereview.open_for(actor)}
    rows = [_model_row(each, questioned) for each in found[:PAGE]]
    return Table("Models", columns, rows, _empty(filtered=filtered), paging, id="models")


def _model_row(row: ModelRow, questioned: Collection[tuple[int, int]]) -> Row:
    model = row.model
    note = "" if model.is_governed else "sandbox, ungoverned"
    note = f"retired {words.day(model.retired_at)}" if model.retired_at else note
    summary = model.purpose or model.description
    name = cells.link(model.name, addresses.model(model.name), note=note or _clip(summary))
    return Row(
        [
            name,
            _stages(row, questioned),
            cells.tags([f"{alias} v{number}" for alias, number in row.aliases], aliases=True),
            cells.number(str(row.versions)),
            cells.text(f"Tier {model.risk_tier}"),
            cells.person(str(model.owner)),
            cells.when(model.updated_at),
        ]
    )


def _clip(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:89]}…"


def _stages(row: ModelRow, questioned: Collection[tuple[int, int]]) -> Cell:
    """Who is in Production; ungoverned holders, and those whose approval is questioned, do not look like the others."""
    holders = [
        Chip(f"v{number}, re-review", "bad", "warn")
        if (row.model.pk, number) in questioned
        else Chip(f"v{number}", "good" if row.model.is_governed else "warn", "flag")
        for stage, number in row.stages
        if stage == "Production"
    ]
    return cells.chip(*holders) if holders else cells.missing("no version is in production")


def _empty(*, filtered: bool) -> Empty:
    if filtered:
        clear = Action("Clear the filters", addresses.models())
        return Empty("no-match", "No model matches these filters", action=clear)
    return Empty(
        "nothing-yet",
        "No models yet",
        "Models that you may see stand here: registered by the MLflow client, or by uploading files.",
        code=LOG_A_MODEL.format(uri=settings.BASE_URL),
    )


@dataclass(frozen=True, slots=True)
class Holding:
    """A governed target and who holds it."""

    target: str
    holder: Cell
    by: Cell


@dataclass(frozen=True, slots=True)
class ModelPage:
    """One model: what is where, its versions, its settings, its history."""

    header: PageHeader
    model: RegisteredModel
    notices: Sequence[Notice]
    targets: Table | None
    rollbacks: Table | None
    running: Table
    deployments: Sequence[Action]
    versions: Table
    facts: Sequence[Fact]
    description: str
    endings: Sequence[retiring.Past]
    events: Sequence[EventView]
    events_url: str


def model(actor: Actor, found: RegisteredModel, request: HttpRequest) -> ModelPage:
    """The page of a model."""
    verbs = policy.verbs_on(actor, found)
    return ModelPage(
        header=_header(found, [*aftermath.ways_back(actor, found, verbs), *_actions(found, verbs)]),
        model=found,
        notices=_notices(found),
        targets=_targets(found),
        rollbacks=aftermath.table(found),
        running=deployments.running(
            deployed.of_model(found.pk),
            may="deployment.record" in verbs,
            empty="Whoever deploys records it: by hand on the page of the version, or from a pipeline.",
        ),
        deployments=[Action("All deployments", deployments.of_model(found), "plain", "clock")],
        versions=_versions(found, request, verbs),
        facts=_facts(found),
        description=found.description,
        endings=retiring.history(found),
        events=audits.events_for(f"model:{found.pk}", limit=15),
        events_url=addresses.audit(found.name),
    )


def _notices(found: RegisteredModel) -> list[Notice]:
    """What anybody who looks at the model should know first."""
    said = (retiring.notice(found), model_changes.notice(changes.open_change(found)))
    return [*(each for each in said if each), *aftermath.notices(found)]


def _actions(found: RegisteredModel, verbs: Collection[str]) -> list[Action]:
    actions = retiring.action(found, verbs)
    actions.append(Action("Regular checks", reverse("web:definitions", args=[found.name])))
    if bundles.READ in verbs:
        url = reverse("web:model-bundle", args=[found.name])
        actions.append(Action("Bundle of approved versions", url))
    if "model.register" in verbs and found.retired_at is None:
        url = addresses.model(found.name) + "versions/new/"
        actions.append(Action("Add a version", url, "", "upload"))
    if not {"model.manage", "model.edit", "model.sandbox"}.isdisjoint(verbs):
        actions.append(Action("Settings", addresses.model(found.name) + "settings/"))
    return actions


def _header(found: RegisteredModel, actions: Sequence[Action]) -> PageHeader:
    return PageHeader(
        title=found.name,
        chips=[
            *retiring.chips(found),
            status.chip("governance", found.governance),
            Chip(f"Risk tier {found.risk_tier}", "neutral", "flag", tier_note(found)),
        ],
        lead=found.purpose,
        actions=actions,
        crumbs=[Crumb("Models", addresses.models()), Crumb(found.name)],
    )


def _targets(found: RegisteredModel) -> Table | None:
    """Each governed target with its holder and the review that let it in."""
    if not found.is_governed:
        return None
    rows = [row for target in registry.governed_targets() for row in _target(found, target)]
    columns = [Column("Target"), Column("Held by"), Column("By review"), Column("Since")]
    return Table("Governed targets", columns, rows)


def _target(found: RegisteredModel, target: Target) -> list[Row]:
    """Who holds it; an environment may have several versions in it."""
    label = cells.text(target.label[:1].upper() + target.label[1:])
    holders = registry.holders(found, target)
    if not holders:
        empty = cells.missing("no version is there")
        return [Row([label, empty, empty, empty])]
    return [_holding(found, target, label, holder) for holder in holders]


def _holding(found: RegisteredModel, target: Target, label: Cell, holder: ModelVersion) -> Row:
    spent = registry.entry(holder, target)
    link = cells.link(f"v{holder.number}", addresses.version(found.name, holder.number))
    if spent is None:
        unknown = cells.missing("no authorization is on record: verify the ledger")
        return Row([label, link, unknown, unknown])
    review = cells.link(f"REV-{spent.review_id}", addresses.review(spent.review_id))
    return Row([label, link, review, cells.when(spent.spent_at)])


def _versions(found: RegisteredModel, request: HttpRequest, verbs: Collection[str]) -> Table:
    before = query.before(request)
    rows = registry.latest_versions(found).select_related("created_by", "run", "model")
    rows = rows.prefetch_related("aliases")
    shown: QuerySet[ModelVersion] = rows.filter(number__lt=before) if before else rows
    versions = list(shown[: VERSIONS + 1])
    states = reviews.latest_statuses(versions)
    start = query.first_page(request)
    following = (
        query.next_page(request, versions[VERSIONS - 1].number) if len(versions) > VERSIONS else ""
    )
    count = words.plural(min(len(versions), VERSIONS), "version")
    paging = Paging(count, following, start) if start or following else None
    names_ = ("Version", "Status", "Aliases", "From", "When", "Size")
    columns = [Column(name) for name in names_]
    empty = Empty(
        "nothing-yet",
        "No versions yet",
        "Register one with the MLflow client, or upload files.",
        action=Action("Add a version", addresses.model(found.name) + "versions/new/")
        if "model.register" in verbs and found.retired_at is None
        else None,
    )
    table_rows = [_version(each, states) for each in versions[:VERSIONS]]
    return Table("Versions", columns, table_rows, empty, paging, id="versions")


def _version(version: ModelVersion, states: dict[int, tuple[int, str]]) -> Row:
    name, number = version.model.name, version.number
    chips = [stage_chip(version)] if version.stage != "None" else []
    state = states.get(version.pk)
    if state is not None and not (state[1] == "promoted" and chips):
        chips.append(status.chip("review", state[1]))
    source = (
        cells.link(
            version.run.name, addresses.run(version.run.run_id), note=f"by {version.created_by}"
        )
        if version.run
        else cells.text("Files", note=f"by {version.created_by}")
    )
    return Row(
        [
            cells.link(f"v{number}", addresses.version(name, number), note=version.label),
            cells.chip(*chips or [Chip("Draft", "neutral", "edit")]),
            cells.tags([row.name for row in version.aliases.all()], aliases=True),
            source,
            cells.when(version.created_at),
            cells.number(words.size(version.total_size))
            if version.manifest
            else cells.missing("no files here"),
        ]
    )


def _facts(found: RegisteredModel) -> list[Fact]:
    people = names([found.owner_id, found.created_by_id])
    facts = [
        Fact("Owner", cells.person(people[found.owner_id])),
        Fact("Team", cells.text(str(found.team)) if found.team else cells.missing("no team")),
        Fact("Governance", cells.chip(status.chip("governance", found.governance))),
        Fact("Risk tier", cells.text(f"Tier {found.risk_tier}", note=tier_note(found))),
        impact.notice(found),
        Fact("Made by", cells.person(people[found.created_by_id])),
        Fact("Made", cells.when(found.created_at)),
    ]
    tags = [f"{tag.key}: {tag.value}" for tag in found.tags.order_by("key")]
    return [*facts, Fact("Tags", cells.tags(tags))] if tags else facts
