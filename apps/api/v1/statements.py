"""What people state for the reports about a version."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text, Whole
from apps.api.v1.paging import Paged, page, page_of
from apps.api.v1.paging import number as numbered
from apps.api.v1.schema import described
from apps.api.v1.shapes import statements as shapes
from apps.compliance import kinds, services, statements

StatementPage = page_of(shapes.StatementShape, "StatementPage")
_LARGEST: Final = 2**31 - 1


class StatementToRecord(Strict):
    """The whole statement: a field that is left out is emptied."""

    base = Whole(min_value=0, max_value=_LARGEST, help_text="The `number` that was read; 0: none was there.")  # fmt: skip
    texts = serializers.DictField(child=Text(allow_blank=True), help_text="By the keys of `fields`.")  # fmt: skip


class Statements(Door):
    """What a report of one kind asks people about a version."""

    @described("Read what a report asks people, and what is stated", answer=shapes.StatementsShape)
    def get(self, request: Request, name: str, number: int, kind: str) -> Response:
        """404 for a kind that asks nothing."""
        self.nothing_asked()
        version = self.version(name, number)
        wanted = kinds.stated(kind)
        latest = statements.latest(version, wanted.key)
        return self.say(shapes.StatementsShape, shapes.of_kind(wanted, latest))

    @described(
        "State what a report asks",
        takes=StatementToRecord,
        answer=shapes.StatementShape,
        status=201,
        also=200,
        refusals=(409,),
    )
    def post(self, request: Request, name: str, number: int, kind: str) -> Response:
        """A person states it, whose name and time are printed beside it; a service is refused. 200: it says what was stated
        already. 409: somebody else recorded one since `base`."""
        self.nothing_asked()
        version, asked = self.version(name, number), self.body(StatementToRecord)
        row = services.record_statement(
            self.actor, version, kind, asked["texts"], base=asked["base"]
        )
        status = 201 if row.number > asked["base"] else 200
        return self.say(shapes.StatementShape, shapes.statement(row), status)


class RecordedStatements(Door):
    """Everything that was ever stated."""

    @described("List the statements for a report", asks=Paged, answer=StatementPage)
    def get(self, request: Request, name: str, number: int, kind: str) -> Response:
        """Newest first; the first one counts."""
        asked = self.query(Paged)
        rows = statements.statements(self.version(name, number), kinds.stated(kind).key)
        after = numbered(asked["cursor"])
        if after is not None:
            rows = rows.filter(number__lt=after)
        found = list(rows[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].number if len(found) > len(shown) else None
        return self.say(StatementPage, page([shapes.statement(row) for row in shown], more))
