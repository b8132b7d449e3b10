"""What events are about, as names and links: a timeline across models must say which one it means.

Also the other way round: what somebody may see of the record, and what she means by "churn/7" or "REV-3".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from apps.accounts import policy
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.core.errors import DomainError, NotFound
from apps.engagements import selectors as engagements
from apps.experiments import access as experiments
from apps.experiments.models import Experiment
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews import selectors as reviews
from apps.web import addresses
from apps.web.parts import Crumb

_REVIEW = re.compile(r"(?:rev-|review:)(\d{1,18})", re.IGNORECASE)
_VERSION = re.compile(r"(.+?)(?:/|\s+v|:v)(\d{1,9})")
_ID = re.compile(r"[a-z_]+:[A-Za-z0-9._:-]{1,128}")


def visible_scopes(actor: Actor) -> list[str] | None:
    """The scopes whose events the actor may see; None is all, for those who read the audit trail."""
    if policy.can(actor, "audit.read"):
        return None
    models = registry.visible_models(actor).values_list("pk", flat=True)
    found = Experiment.objects.filter(policy.visible_experiments(actor))
    return [
        f"user:{actor.user_id}",
        *(f"model:{pk}" for pk in models),
        *(row.scope_id for row in engagements.of_auditor(actor.user_id)),
        *(f"experiment:{pk}" for pk in found.values_list("pk", flat=True)),
    ]


def may_see(actor: Actor, event: EventView) -> bool:
    """Whether one event is among those the actor may see."""
    scopes = visible_scopes(actor)
    return scopes is None or bool(set(scopes) & set(event.scopes))


def resolve(actor: Actor, text: str) -> str:
    """The scope meant by "REV-3", "churn/7", "churn v7", a model's name or an id; NotFound for what the actor may
    not see. An id of any other kind is for those who read the whole trail."""
    text = text.strip()
    if found := _REVIEW.fullmatch(text):
        return f"review:{reviews.get_review(actor, int(found[1])).pk}"
    if policy.can(actor, "audit.read") and _ID.fullmatch(text):
        return text
    if text == f"user:{actor.user_id}":
        return text
    for ask in (_version, _model, _experiment):
        try:
            return ask(actor, text)
        except DomainError:
            continue
    raise NotFound(f"Nothing that you may see is called {text[:100]!r}.")


def _version(actor: Actor, text: str) -> str:
    found = _VERSION.fullmatch(text)
    if found is None:
        raise NotFound("no version")
    return f"version:{registry.get_version(actor, found[1], int(found[2])).pk}"


def _model(actor: Actor, text: str) -> str:
    if found := re.fullmatch(r"model:(\d{1,18})", text):
        model = registry.visible_models(actor).filter(pk=int(found[1])).first()
        if model is not None:
            return text
    return f"model:{registry.get_model(actor, text).pk}"


def _experiment(actor: Actor, text: str) -> str:
    found = re.fullmatch(r"experiment:(\d{1,18})", text)
    if found is None:
        raise NotFound("no experiment")
    return f"experiment:{experiments.experiment(actor, int(found[1])).pk}"


def about(events: Iterable[EventView]) -> dict[int, list[Crumb]]:
    """For each event, by its number, what it is about: the nearest of review, version, model, experiment.

    Three queries, however many events. Names are those of today.
    """
    events = list(events)
    ids: dict[str, set[int]] = defaultdict(set)
    for event in events:
        for kind, number in _numbers(event):
            ids[kind].add(number)
    versions = {
        row.pk: row
        for row in ModelVersion.objects.filter(pk__in=ids["version"]).select_related("model")
    }
    models = RegisteredModel.objects.in_bulk(ids["model"])
    found = Experiment.objects.in_bulk(ids["experiment"])
    return {event.seq: _crumbs(event, versions, models, found) for event in events}


def _numbers(event: EventView) -> list[tuple[str, int]]:
    pairs = (scope.partition(":")[::2] for scope in event.scopes)
    return [(kind, int(number)) for kind, number in pairs if number.isdigit()]


def _crumbs(
    event: EventView,
    versions: dict[int, ModelVersion],
    models: dict[int, RegisteredModel],
    found: dict[int, Experiment],
) -> list[Crumb]:
    named = dict(_numbers(event))
    crumbs = []
    if version := versions.get(named.get("version", 0)):
        url = addresses.version(version.model.name, version.number)
        crumbs.append(Crumb(str(version), url if version.deleted_at is None else ""))
    elif model := models.get(named.get("model", 0)):
        crumbs.append(
            Crumb(model.name, addresses.model(model.name) if not model.deleted_at else "")
        )
    elif experiment := found.get(named.get("experiment", -1)):
        crumbs.append(Crumb(experiment.name, f"/experiments/{experiment.pk}/"))
    if "review" in named:
        crumbs.append(Crumb(f"REV-{named['review']}", addresses.review(named["review"])))
    return crumbs
