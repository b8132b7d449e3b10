"""Audit engagements, read: what is audited by whom until when, the samples that were drawn, and what was concluded."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.paging import Paged, page, page_of
from apps.api.v1.paging import number as numbered
from apps.api.v1.schema import described
from apps.engagements import reports, selectors
from apps.engagements.models import Engagement


class FrameworkShape(serializers.Serializer[Any]):
    """What it is audited against, as dated data."""

    key = serializers.CharField()
    title = serializers.CharField()
    law = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # the framework's own name
    as_of = serializers.CharField()
    digest = serializers.CharField(help_text="SHA-256 of the framework's file when it was opened.")


class PeriodShape(serializers.Serializer[Any]):
    """Both days included."""

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python."""
        return {"from": serializers.CharField(), "to": serializers.CharField()}


class EndingShape(serializers.Serializer[Any]):
    """How it ended."""

    how = serializers.CharField()
    at = serializers.CharField()


class ExtentShape(serializers.Serializer[Any]):
    """How much falls into it."""

    versions = serializers.IntegerField()
    decisions = serializers.IntegerField()
    documents = serializers.IntegerField()


class EngagementShape(serializers.Serializer[Any]):
    """One engagement."""

    id = serializers.IntegerField()
    uuid = serializers.CharField()
    title = serializers.CharField()
    purpose = serializers.CharField()
    framework = FrameworkShape()
    period = PeriodShape()
    ends_on = serializers.CharField()
    opened_by = serializers.CharField()
    opened_at = serializers.CharField()
    open = serializers.BooleanField()
    ended = EndingShape(allow_null=True)
    models = serializers.ListField(child=serializers.CharField())
    auditors = serializers.ListField(child=serializers.CharField())
    extent = ExtentShape()


class NamedShape(serializers.Serializer[Any]):
    """An engagement in a list."""

    id = serializers.IntegerField()
    uuid = serializers.CharField()
    title = serializers.CharField()
    framework = serializers.CharField()
    ends_on = serializers.CharField()
    open = serializers.BooleanField()


class ConclusionShape(serializers.Serializer[Any]):
    """What an auditor concluded; the last one counts."""

    number = serializers.IntegerField()
    exception = serializers.BooleanField()
    note = serializers.CharField()
    by = serializers.CharField()
    at = serializers.CharField()
    digest = serializers.CharField()


class ItemShape(serializers.Serializer[Any]):
    """A sampled decision. `ticket` is SHA-256 of the seed, a colon and `statement_digest`."""

    position = serializers.IntegerField()
    ticket = serializers.CharField()
    review = serializers.IntegerField()
    model = serializers.CharField()
    version = serializers.IntegerField()
    signer = serializers.CharField()
    role = serializers.CharField()
    meaning = serializers.CharField()
    signed_at = serializers.CharField()
    statement_digest = serializers.CharField()
    conclusions = ConclusionShape(many=True)
    findings = serializers.ListField(child=serializers.CharField())


class DrawingShape(serializers.Serializer[Any]):
    """A drawing in a list."""

    number = serializers.IntegerField()
    uuid = serializers.CharField()
    seed = serializers.CharField()
    rule = serializers.CharField()
    asked = serializers.IntegerField()
    population = serializers.IntegerField()
    population_digest = serializers.CharField()
    drawn_by = serializers.CharField()
    drawn_at = serializers.CharField()


class SampleShape(DrawingShape):
    """A drawing with its decisions."""

    items = ItemShape(many=True)


class DrawingsShape(serializers.Serializer[Any]):
    """Every drawing of an engagement."""

    items = DrawingShape(many=True)


EngagementPage = page_of(NamedShape, "EngagementPage")


class Engagements(Door):
    """Those that the caller may read."""

    @described("List audit engagements", asks=Paged, answer=EngagementPage)
    def get(self, request: Request) -> Response:
        """Newest first: all for who reads the audit trail, else the open ones that the caller audits."""
        asked = self.query(Paged)
        rows = selectors.visible(self.actor)
        after = numbered(asked["cursor"])
        if after is not None:
            rows = rows.filter(pk__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].pk if len(found) > len(shown) else None
        return self.say(EngagementPage, page([_named(row) for row in shown], more))


def _named(row: Engagement) -> dict[str, Any]:
    return {
        "id": row.pk,
        "uuid": str(row.uuid),
        "title": row.title,
        "framework": row.framework,
        "ends_on": row.ends_on.isoformat(),
        "open": row.is_open,
    }


class _About(Door):
    """Something of one engagement."""

    def found(self, engagement_id: int) -> Engagement:
        """The engagement; NotFound for strangers. A refusal from here on is about it."""
        self.nothing_asked()
        row = selectors.get(self.actor, engagement_id)
        self.subject = row.scope_id
        return row


class OneEngagement(_About):
    """One of them."""

    @described("Read an audit engagement", answer=EngagementShape)
    def get(self, request: Request, engagement_id: int) -> Response:
        """Scope, framework, people, until when."""
        return self.say(EngagementShape, reports.about(self.found(engagement_id)))


class Samples(_About):
    """What was drawn."""

    @described("List the samples of an engagement", answer=DrawingsShape)
    def get(self, request: Request, engagement_id: int) -> Response:
        """Every drawing, newest first: none can be hidden."""
        rows = selectors.samples(self.found(engagement_id))
        return self.say(DrawingsShape, {"items": [reports.drawing_as_data(row) for row in rows]})


class OneSample(_About):
    """One drawing."""

    @described("Read a sample with its conclusions", answer=SampleShape)
    def get(self, request: Request, engagement_id: int, sample_number: int) -> Response:
        """Each decision with its ticket, and everything that was concluded on it."""
        row = selectors.get_sample(self.found(engagement_id), sample_number)
        return self.say(SampleShape, reports.sample_as_data(row))
