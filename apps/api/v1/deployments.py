"""Environments and deployments: what runs where, told by whoever deploys (a CI pipeline, mostly)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Flag, Strict, Text, Whole
from apps.api.v1.paging import Paged, number, page, page_of
from apps.api.v1.schema import described
from apps.api.v1.shapes import deployments as shapes
from apps.core.errors import Invalid
from apps.registry import deployed, services
from apps.registry.models import Deployment, Environment

EnvironmentPage = page_of(shapes.EnvironmentShape, "EnvironmentPage")
DeploymentPage = page_of(shapes.DeploymentShape, "DeploymentPage")
_SHARE = 'In percent, at most two decimals: `25` or `"12.5"`.'


class Share(serializers.CharField):
    """A share of the traffic: a whole number, or text, so that no binary fraction is ever taken for a decimal one."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, int) and not isinstance(data, bool):
            return str(data)
        if not isinstance(data, str):
            raise serializers.ValidationError("Expected a whole number, or text such as 12.5.")
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A moment in ISO 8601; without an offset it is UTC."""


class NewEnvironment(Strict):
    """An environment to add."""

    key = Text(max_length=64, help_text="Case-folded; it never changes.")
    title = Text(max_length=200, default="")


class EnvironmentChange(Strict):
    """What to change of an environment."""

    title = Text(max_length=200, required=False)
    retired = serializers.BooleanField(required=False)


class NewDeployment(Strict):
    """What runs where."""

    model = Text(max_length=255)
    version = Whole(min_value=1)
    environment = Text(max_length=64)
    traffic = Share(max_length=20, default="100", help_text=_SHARE)
    place = Text(
        max_length=500, default="", help_text="Where in the environment: a cluster, an address."
    )
    digest = Text(
        max_length=71,
        default="",
        help_text="The manifest digest of the files that were deployed, as `sha256:...`.",
    )
    started_at = Moment(required=False, help_text="Since when it runs; else now.")


class Traffic(Strict):
    """Another share."""

    traffic = Share(max_length=20, help_text=_SHARE)


class End(Strict):
    """That it stopped."""

    reason = Text(max_length=2000, default="")
    ended_at = Moment(required=False, help_text="When it stopped; else now.")


class DeploymentFilters(Paged):
    """Which deployments."""

    environment = Text(max_length=64, required=False)
    running = Flag(required=False)
    on = serializers.DateField(
        required=False,
        help_text="Those that ran at some moment of this day (UTC), with the shares they had then.",
    )


class Environments(Door):
    """The environments of the site, those in use first."""

    @described("List environments", answer=EnvironmentPage, asks=Paged)
    def get(self, request: Request) -> Response:
        asked = self.query(Paged)
        after = number(asked["cursor"]) or 0
        rows = list(deployed.environments()[after : after + asked["limit"] + 1])
        shown = rows[: asked["limit"]]
        governed = deployed.governed_keys()
        items = [shapes.environment(row, governed=row.key in governed) for row in shown]
        more = after + len(shown) if len(rows) > len(shown) else None
        return self.say(EnvironmentPage, page(items, more))

    @described(
        "Add an environment",
        takes=NewEnvironment,
        answer=shapes.EnvironmentShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request) -> Response:
        self.nothing_asked()
        asked = self.body(NewEnvironment)
        made = services.create_environment(self.actor, key=asked["key"], title=asked["title"])
        return self.say(shapes.EnvironmentShape, _environment(made), 201)


class OneEnvironment(Door):
    """Rename an environment's title, retire it, or bring it back."""

    @described(
        "Change an environment",
        takes=EnvironmentChange,
        answer=shapes.EnvironmentShape,
        refusals=(409,),
    )
    def post(self, request: Request, key: str) -> Response:
        self.nothing_asked()
        found = deployed.get_environment(key)
        asked = self.body(EnvironmentChange)
        if not asked:
            raise Invalid("Nothing to change.", fields={"title": "name a title, or retired"})
        made = services.change_environment(self.actor, found, **asked)
        return self.say(shapes.EnvironmentShape, _environment(made))


def _environment(row: Environment) -> dict[str, Any]:
    return shapes.environment(row, governed=row.key in deployed.governed_keys())


class _Listing(Door):
    """A page of deployments."""

    def listed(self, rows: QuerySet[Deployment]) -> Response:
        """The rows that the query asks for, newest record first."""
        asked = self.query(DeploymentFilters)
        day = _day(asked.get("on"))
        rows = deployed.with_shares(_chosen(rows, asked, day)).order_by("-pk")
        after = number(asked["cursor"])
        if after is not None:
            rows = rows.filter(pk__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].pk if len(found) > len(shown) else None
        return self.say(DeploymentPage, page([_item(row, day) for row in shown], more))


def _day(asked: dt.date | None) -> dt.date | None:
    if asked is not None and not 1900 <= asked.year <= 9000:
        raise Invalid("No such day is on record.", fields={"on": "a day from 1900 on"})
    return asked


def _chosen(
    rows: QuerySet[Deployment], asked: dict[str, Any], day: dt.date | None
) -> QuerySet[Deployment]:
    if "environment" in asked:
        rows = rows.filter(environment__key=asked["environment"].lower())
    if "running" in asked:
        rows = rows.filter(ended_at__isnull=asked["running"] == "true")
    return rows if day is None else deployed.ran_on(rows, day)


def _item(row: Deployment, day: dt.date | None) -> dict[str, Any]:
    if day is None:
        return shapes.deployment(row)
    first, last = deployed.bounds(day)
    return shapes.deployment(row, [s for s in deployed.spans(row) if s.covers(first, last)])


class Deployments(_Listing):
    """What is recorded as running, or having run, of the models one may see."""

    @described("List deployments", answer=DeploymentPage, asks=DeploymentFilters)
    def get(self, request: Request) -> Response:
        return self.listed(deployed.visible(self.actor))

    @described(
        "Record a deployment",
        takes=NewDeployment,
        answer=shapes.DeploymentShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request) -> Response:
        self.nothing_asked()
        asked = self.body(NewDeployment)
        version = self.version(asked.pop("model"), asked.pop("version"))
        environment = deployed.get_environment(asked.pop("environment"))
        made = services.record_deployment(self.actor, version, environment=environment, **asked)
        return self.one(made.uuid, status=201)

    def one(self, uuid: UUID, status: int = 200) -> Response:
        """The deployment as it is now."""
        return _one(self, uuid, status)


def _one(door: Door, uuid: UUID, status: int = 200) -> Response:
    row = deployed.get_deployment(door.actor, uuid)
    response = door.say(shapes.DeploymentShape, shapes.deployment(row), status)
    response["Location"] = f"/api/v1/deployments/{row.uuid}"
    return response


class ModelDeployments(_Listing):
    """What is recorded as running, or having run, of one model."""

    @described("List the deployments of a model", answer=DeploymentPage, asks=DeploymentFilters)
    def get(self, request: Request, name: str) -> Response:
        return self.listed(deployed.of_model(self.model(name).pk))


class OneDeployment(Door):
    """One deployment."""

    @described("Read a deployment", answer=shapes.DeploymentShape)
    def get(self, request: Request, deployment: UUID) -> Response:
        self.nothing_asked()
        return _one(self, deployment)


class DeploymentTraffic(Door):
    """Give a running deployment another share of the traffic."""

    @described(
        "Change the share of a deployment",
        takes=Traffic,
        answer=shapes.DeploymentShape,
        refusals=(409,),
    )
    def post(self, request: Request, deployment: UUID) -> Response:
        self.nothing_asked()
        row = deployed.get_deployment(self.actor, deployment)
        self.subject = f"version:{row.version_id}"
        services.change_traffic(self.actor, row, traffic=self.body(Traffic)["traffic"])
        return _one(self, deployment)


class DeploymentEnd(Door):
    """Record that a deployment stopped."""

    @described("End a deployment", takes=End, answer=shapes.DeploymentShape, refusals=(409,))
    def post(self, request: Request, deployment: UUID) -> Response:
        self.nothing_asked()
        row = deployed.get_deployment(self.actor, deployment)
        self.subject = f"version:{row.version_id}"
        services.end_deployment(self.actor, row, **self.body(End))
        return _one(self, deployment)
