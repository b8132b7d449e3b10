"""What stands around the forms of models: choices, the tier, who may."""

from __future__ import annotations

from dataclasses import dataclass

from apps.accounts import policy
from apps.core.actor import Actor
from apps.registry import materiality, selectors
from apps.registry.materiality import NONE_DEMANDED
from apps.registry.models import Exposure, PurposeClass, RegisteredModel
from apps.web import addresses
from apps.web.parts import Crumb, PageHeader

NO_TEAM = ("", "No team")
NAMES = 500


@dataclass(frozen=True, slots=True)
class Tier:
    """The risk tier that follows from two answers, and how."""

    number: int
    how: str


def tier(exposure: str, purpose_class: str, demanded: int = NONE_DEMANDED) -> Tier | None:
    """As `registry.materiality` computes it, and at least what is demanded; None for answers that are none."""
    if exposure not in Exposure.values or purpose_class not in PurposeClass.values:
        return None
    computed = materiality.risk_tier(exposure, purpose_class)
    number = materiality.effective(computed, demanded)
    use = PurposeClass(purpose_class).label.lower()
    raised = "; raised by the impact assessment" if number < computed else ""
    return Tier(number, f"{Exposure(exposure).label.lower()} exposure, {use}{raised}")


def teams(actor: Actor, *, current: RegisteredModel | None = None) -> list[tuple[str, str]]:
    """The teams in which the actor may make models (and the one the model is in)."""
    found = {str(team.pk): team.name for team in policy.teams_where(actor, "model.create")}
    if current is not None and current.team is not None:
        found.setdefault(str(current.team.pk), current.team.name)
    wide = "model.create" in actor.site_verbs or current is not None
    return [*([NO_TEAM] if wide else []), *found.items()]


def registrable(actor: Actor) -> list[str]:
    """The names of the models on which the actor may register versions."""
    rows = selectors.visible_models(actor).filter(
        policy.where_may(actor, "model.register", RegisteredModel)
    )
    return list(rows.order_by("name").values_list("name", flat=True)[:NAMES])


def may_register(actor: Actor) -> bool:
    """Whether there is a model on which she may register, or she may make one."""
    wide = "model.create" in actor.site_verbs
    return wide or policy.teams_where(actor, "model.create").exists() or bool(registrable(actor))


def require_registering(actor: Actor) -> None:
    """Forbidden, naming whom to ask, for somebody who can register nowhere."""
    if not may_register(actor):
        policy.require(actor, "model.create")


def owners(model: RegisteredModel) -> list[tuple[str, str]]:
    """Everybody who may see the model can own it."""
    people = policy.who_may("model.read", model).filter(kind="human")[:500]
    found = {str(user.pk): str(user) for user in people}
    found.setdefault(str(model.owner_id), str(model.owner))
    return list(found.items())


def scope_tags(model: RegisteredModel) -> dict[str, str]:
    """The tags by which policies choose models, with what this model says; "" where it says nothing."""
    said = {tag.key.lower(): (tag.key, tag.value) for tag in model.tags.order_by("-pk")}
    return dict(said.get(name, (name, "")) for name in selectors.scope_tags())


def new_header() -> PageHeader:
    return PageHeader(
        "Register a model",
        lead="Upload the files of a model that was not logged by a client. They are kept by their SHA-256 and make "
        "version 1; checks, card and review work as for any other.",
        crumbs=[Crumb("Models", addresses.models()), Crumb("Register")],
    )


def version_header(model: RegisteredModel) -> PageHeader:
    return PageHeader(
        f"Add a version to {model.name}",
        lead="The files become the next version. What they are is told by their bytes; nothing is unpickled.",
        crumbs=[
            Crumb("Models", addresses.models()),
            Crumb(model.name, addresses.model(model.name)),
            Crumb("Add a version"),
        ],
    )


def settings_header(model: RegisteredModel) -> PageHeader:
    return PageHeader(
        f"Settings of {model.name}",
        crumbs=[
            Crumb("Models", addresses.models()),
            Crumb(model.name, addresses.model(model.name)),
            Crumb("Settings"),
        ],
    )
