"""A well-formed call of every route, for the tests that walk the whole table as every kind of visitor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.api.v1.route import Route
from apps.registry.models import Deployment
from apps.reviews import selectors as reviews
from tests.support.people import PASSWORD
from tests.web.world import World

Body = Callable[[World], dict[str, Any]]


def _signature(world: World) -> dict[str, Any]:
    round_ = reviews.live_round(world.review)
    assert round_ is not None
    return {
        "outcome": "approve",
        "evidence_digest": round_.digest,
        "comment": "looked at all of it",
        "no_conflict": True,
        "password": PASSWORD,
    }


BODIES: dict[str, Body] = {
    "gate-check": lambda w: {
        "model": w.promoted.model.name,
        "version": w.promoted.number,
        "target": "stage:production",
    },
    "submit": lambda w: {
        "model": w.model.name,
        "version": w.version.number,
        "targets": ["stage:production"],
        "justification": "for the release",
    },
    "new-round": lambda w: {"because": "newer data"},
    "withdraw": lambda w: {"reason": "a bug in the features"},
    "promote": lambda w: {},
    "decide": _signature,
    "recuse": lambda w: {"reason": "my sister wrote it"},
    "question": lambda w: {"trigger": "incident", "reason": "it declines everybody"},
    "leave": lambda w: {"target": "stage:production", "reason": "odd", "password": PASSWORD},
    "roll-back": lambda w: {
        "targets": ["stage:production"],
        "reason": "it approves everybody",
        "password": PASSWORD,
    },
    "review-rollback": lambda w: {"accepts": True, "comment": "it was", "password": PASSWORD},
    "retire": lambda w: {
        "reason": "nobody lends any more",
        "answers": {
            "consumers": {"answer": "nobody"},
            "data": {"answer": "none"},
            "documentation": {"answer": "yes"},
            "operations": {"answer": "none"},
        },
        "no_successor": "the product ends",
        "password": PASSWORD,
    },
    "bring-back": lambda w: {"reason": "they lend again", "password": PASSWORD},
    "environment-new": lambda w: {"key": "Edge", "title": "Edge of the network"},
    "environment-change": lambda w: {"title": "The laboratory"},
    "deployment-record": lambda w: {
        "model": w.model.name,
        "version": w.version.number,
        "environment": "lab",
        "traffic": 25,
        "place": "second rack",
    },
    "deployment-traffic": lambda w: {"traffic": "12.5"},
    "deployment-end": lambda w: {"reason": "replaced"},
}

QUERIES: dict[str, Callable[[World], str]] = {
    "who-may": lambda w: f"?verb=review.submit&model={w.model.name}",
}


def _in_production(world: World) -> dict[str, object]:
    return {"<str:name>": world.promoted.model.name, "<int:number>": world.promoted.number}


def _replaced(world: World) -> dict[str, object]:
    replaced = world.rollback.replaced
    assert replaced is not None
    return {"<str:name>": replaced.model.name, "<int:number>": replaced.number}


# Where a route is asked about something else than the world's usual version.
PLACES: dict[str, Callable[[World], dict[str, object]]] = {
    "question": _in_production,
    "leave": _in_production,
    "roll-back": _replaced,
}


def path_of(route: Route, world: World) -> str:
    """The address of a route about the world's things."""
    path = route.path
    there = placeholders(world) | PLACES.get(route.name, lambda w: {})(world)
    for placeholder, value in there.items():
        path = path.replace(placeholder, str(value))
    return f"/api/v1/{path}" + QUERIES.get(route.name, lambda w: "")(world)


def placeholders(world: World) -> dict[str, object]:
    deployment = world.extra["deployment"]
    assert isinstance(deployment, Deployment)
    return {
        "<int:review_id>": world.review.pk,
        "<int:round_number>": 1,
        "<int:rollback_id>": world.rollback.pk,
        "<str:name>": world.model.name,
        "<int:number>": world.version.number,
        "<str:key>": "lab",
        "<uuid:deployment>": deployment.uuid,
    }
