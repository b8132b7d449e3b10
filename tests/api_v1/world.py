"""A well-formed call of every route, for the tests that walk the whole table as every kind of visitor."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from apps.api.v1.route import Route
from apps.checks import definitions
from apps.core import clock
from apps.impact import questionnaire
from apps.impact.models import AssessmentRevision
from apps.modelcards.templating.shipped_templates import shipped, shipped_source
from apps.registry.models import Deployment
from apps.reviews import selectors as reviews
from apps.reviews.models import Decision
from apps.reviews.policies import builtin, files
from apps.reviews.policies.document import parse
from tests.impact.samples import whole
from tests.support.people import PASSWORD
from tests.web.world import World

Body = Callable[[World], dict[str, Any]]
_POLICY = files.dump(parse(builtin.standard() | {"key": "other", "title": "Another"}))


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


_TEMPLATE = shipped_source(shipped()["mrm/1"]).replace("key: mrm\n", "key: our-mrm\n", 1)


def _assessment(world: World) -> AssessmentRevision:
    """What the world's maker answered; nobody has signed it."""
    found = world.extra["assessment"]
    assert isinstance(found, AssessmentRevision)
    return found


def _redefined(world: World) -> dict[str, Any]:
    """The definition of the world, no longer wanted."""
    now = definitions.of_model(world.model)[0]
    return {"name": now.name, "kind": now.kind, "base": now.number, "retired": True}


BODIES: dict[str, Body] = {
    "measure": lambda w: {"kind": "quality"},
    "define-check": lambda w: {"name": "Nightly", "kind": "quality", "every_days": 1},
    "redefine-check": _redefined,
    "recheck": lambda w: {},
    "document-make": lambda w: {"kind": "model_card"},
    "statement-record": lambda w: {"base": 0, "texts": {"auditor": "Ada Audit Ltd"}},
    "batch-make": lambda w: {
        "kind": "model_card",
        "versions": [{"model": w.model.name, "version": w.version.number}],
    },
    "impact-save": lambda w: {"base": 1, "answers": whole() | {"purpose": "To sort letters."}},
    "impact-sign": lambda w: {
        "digest": _assessment(w).digest,
        "comment": "as I know the process",
        "password": PASSWORD,
    },
    "impact-notify": lambda w: {
        "authority": "CNIL",
        "reference": "2026-1",
        "notified_on": f"{clock.now():%Y-%m-%d}",
    },
    "impact-lower": lambda w: {"reason": "milder now"},
    "card-template-define": lambda w: {"text": _TEMPLATE},
    "card-template-choose": lambda w: {"key": "mrm", "reason": "a bank's model"},
    "upload-result": lambda w: {
        "content": base64.b64encode(b'<testsuite><testcase name="b"/></testsuite>').decode(),
        "name": "smoke",
        "tool": "pytest",
    },
    "recall-uploaded": lambda w: {"reason": "of another model"},
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
    "finding-raise": lambda w: {
        "title": "Leak",
        "text": "The label leaks.",
        "severity": "high",
        "owner": str(w.maker.uuid),
        "due": f"{clock.now():%Y-%m-%d}",
        "blocking": False,
    },
    "finding-respond": lambda w: {"text": "retrained"},
    "finding-retest": lambda w: {"text": "it holds", "passed": True},
    "finding-close": lambda w: {"text": "done", "evidence": "https://example.org/1"},
    "finding-accept": lambda w: {"reason": "small", "password": PASSWORD},
    "finding-reopen": lambda w: {"reason": "again"},
    "waive": lambda w: {
        "requirement": "card",
        "reason": "a trial",
        "until": f"{clock.now():%Y-%m-%d}",
        "password": PASSWORD,
    },
    "waiver-revoke": lambda w: {"reason": "grown"},
    "thread-start": lambda w: {"text": "Why 2018?"},
    "thread-reply": lambda w: {"text": "Because."},
    "notices-read": lambda w: {"up_to": 1},
    "comment-edit": lambda w: {"text": "Why?"},
    "conflict-declare": lambda w: {"person": str(w.extra["caller"]), "reason": "shares"},
    "conflict-withdraw": lambda w: {"reason": "sold"},
    "delegate": lambda w: {
        "to": str(w.extra["deputy"]),
        "role": "approver",
        "model": w.model.name,
        "until": f"{clock.now():%Y-%m-%d}",
        "reason": "away",
    },
    "delegation-end": lambda w: {"reason": "back"},
    "model-change": lambda w: {"purpose": "for renewals too"},
    "model-change-sign": lambda w: {
        "approves": True,
        "digest": w.model_change.digest,
        "comment": "small indeed",
        "password": PASSWORD,
    },
    "model-change-withdraw": lambda w: {"reason": "never mind"},
    "policy-propose": lambda w: {"text": _POLICY, "reason": "small models need less"},
    "policy-sign": lambda w: {
        "approves": True,
        "digest": w.change.digest,
        "comment": "read",
        "password": PASSWORD,
    },
    "policy-withdraw": lambda w: {"reason": "never mind"},
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
    "consistency": lambda w: "?old=3",
}


def _in_production(world: World) -> dict[str, object]:
    return {"<str:name>": world.promoted.model.name, "<int:number>": world.promoted.number}


def _replaced(world: World) -> dict[str, object]:
    replaced = world.rollback.replaced
    assert replaced is not None
    return {"<str:name>": replaced.model.name, "<int:number>": replaced.number}


def _signed(world: World) -> dict[str, object]:
    decision = Decision.objects.filter(review__version=world.promoted).earliest("pk")
    return {"<int:review_id>": decision.review_id, "<int:decision_id>": decision.pk}


def _waiting(world: World) -> dict[str, object]:
    return {"<uuid:measurement>": world.measurement.uuid}


# Where a route is asked about something else than the world's usual version.
PLACES: dict[str, Callable[[World], dict[str, object]]] = {
    "question": _in_production,
    "leave": _in_production,
    "roll-back": _replaced,
    "receipt": _signed,
    "measurement-cancel": _waiting,
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
        "<int:engagement_id>": world.extra["engagement"],
        "<int:sample_number>": 1,
        "<int:size>": world.extra["checkpoint"],
        "<int:seq>": 2,
        "<int:review_id>": world.review.pk,
        "<int:round_number>": 1,
        "<int:rollback_id>": world.rollback.pk,
        "<int:finding_id>": world.finding.pk,
        "<int:waiver_id>": world.waiver.pk,
        "<int:thread_id>": world.comment.thread_id,
        "<int:comment_id>": world.comment.pk,
        "<int:notice_id>": 1,  # nobody's
        "<int:decision_id>": 1,
        "<int:conflict_id>": world.extra["conflict"],
        "<int:delegation_id>": world.extra["delegation"],
        "<int:change_id>": world.model_change.pk,
        "<int:policy_change_id>": world.change.pk,
        "<str:policy_key>": "standard",
        "<int:policy_number>": 1,
        "<str:name>": world.model.name,
        "<int:number>": world.version.number,
        "<str:key>": "lab",
        "<uuid:deployment>": deployment.uuid,
        "<uuid:measurement>": world.extra["measured"],
        "<uuid:definition>": world.extra["definition"],
        "<uuid:document>": world.document.uuid,
        "<uuid:result>": world.extra["uploaded"],
        "<str:kind>": "ll144_report",
        "<uuid:batch>": world.extra["batch"],
        "<str:edition>": questionnaire.CURRENT,
        "<int:revision>": 1,
        "<str:template>": "eu-annex-iv",
        "<int:template_number>": 1,
        "<str:form>": "card.json",
        "<uuid:recheck>": world.extra["recheck"],
    }
