"""Have a measurement executed again, and read what came of it."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.acts import Nothing
from apps.api.v1.base import Door
from apps.api.v1.paging import Paged, page, page_of
from apps.api.v1.paging import number as numbered
from apps.api.v1.schema import described
from apps.api.v1.shapes import rechecks as shapes
from apps.checks import selectors as checks
from apps.checks import services

RecheckPage = page_of(shapes.RecheckShape, "RecheckPage")


class Rechecks(Door):
    """Every time a measurement was executed again."""

    @described("List the rechecks of a measurement", asks=Paged, answer=RecheckPage)
    def get(self, request: Request, name: str, number: int, measurement: UUID) -> Response:
        """Newest first. The manifest of a round names the measurement behind each of its checks."""
        asked = self.query(Paged)
        row = checks.get_measurement(self.version(name, number), measurement)
        rows = checks.rechecks(row)
        after = numbered(asked["cursor"])
        if after is not None:
            rows = rows.filter(number__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].number if len(found) > len(shown) else None
        items = [shapes.recheck(row, each) for each in shown]
        return self.say(RecheckPage, page(items, more))

    @described(
        "Have a measurement executed again and compared",
        takes=Nothing,
        answer=shapes.RecheckShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str, number: int, measurement: UUID) -> Response:
        """A worker does it; `Location` says where to read the outcome. While one waits, the answer is that one."""
        self.nothing_asked()
        row = checks.get_measurement(self.version(name, number), measurement)
        self.subject = f"measurement:{row.pk}"
        self.body(Nothing)
        made = services.request_recheck(self.actor, row)
        made = checks.get_recheck(row, made.uuid)
        response = self.say(shapes.RecheckShape, shapes.recheck(row, made), status=201)
        response["Location"] = f"{request.path}/{made.uuid}"
        return response


class OneRecheck(Door):
    """One of them."""

    @described("Read a recheck", answer=shapes.RecheckShape)
    def get(
        self, request: Request, name: str, number: int, measurement: UUID, recheck: UUID
    ) -> Response:
        self.nothing_asked()
        row = checks.get_measurement(self.version(name, number), measurement)
        return self.say(shapes.RecheckShape, shapes.recheck(row, checks.get_recheck(row, recheck)))
