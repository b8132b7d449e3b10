"""What a model has measured regularly: on registration, when data are attached, every so many days."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text, Whole
from apps.api.v1.schema import described
from apps.api.v1.shapes import definitions as shapes
from apps.checks import definitions, services
from apps.checks.models import DefinitionRevision
from apps.checks.services.definitions import Draft
from apps.registry.models import RegisteredModel


class Wanted(Strict):
    """A definition as it is to hold; what is left out is empty or off."""

    name = Text(max_length=100)
    kind = Text(max_length=40, help_text="The key of a kind, or `demanded`: all that the policy demands.")  # fmt: skip
    params = serializers.DictField(default=dict, help_text="As the kind's JSON Schema says.")
    on_registration = serializers.BooleanField(default=False)
    on_data = serializers.BooleanField(default=False)
    every_days = Whole(required=False, allow_null=True, default=None)


class Changed(Wanted):
    """The same, of a definition that was read at revision `base`."""

    base = Whole(help_text="The revision that was read; another one since is a 409.")
    retired = serializers.BooleanField(default=False)


class Definitions(Door):
    """All of a model."""

    @described("List what a model has measured regularly", answer=shapes.Definitions)
    def get(self, request: Request, name: str) -> Response:
        """In the order in which they were made, retired ones too. Complete, no pages."""
        self.nothing_asked()
        model = self.model(name)
        rows = definitions.of_model(model)
        runs = definitions.last_runs([row.definition_id for row in rows])
        items = [shapes.definition(model, row, runs.get(row.definition_id)) for row in rows]
        return self.say(shapes.Definitions, {"items": items})

    @described("Have something measured regularly", takes=Wanted, answer=shapes.DefinitionShape, status=201)  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Whoever saves it answers for what it starts: the right is asked for again each time."""
        self.nothing_asked()
        model = self.model(name)
        asked = self.body(Wanted)
        row = services.save_definition(self.actor, model, Draft(**asked))
        response = self.say(shapes.DefinitionShape, _now(model, row), status=201)
        response["Location"] = f"{request.path}/{row.definition.uuid}"
        return response


class OneDefinition(Door):
    """One of them."""

    @described("Read what is measured regularly", answer=shapes.DefinitionShape)
    def get(self, request: Request, name: str, definition: UUID) -> Response:
        """As it holds now, with what came of it last."""
        self.nothing_asked()
        model = self.model(name)
        return self.say(shapes.DefinitionShape, _now(model, definitions.get(model, definition)))


class DefinitionRevisions(Door):
    """Its wordings."""

    @described("Change what is measured regularly", takes=Changed, answer=shapes.DefinitionShape, status=201, refusals=(409,))  # fmt: skip
    def post(self, request: Request, name: str, definition: UUID) -> Response:
        """A new revision, which holds from now on; the earlier ones stay on record. `retired` ends it. 409: somebody else saved one
        meanwhile."""
        self.nothing_asked()
        model = self.model(name)
        now = definitions.get(model, definition)
        asked: dict[str, Any] = self.body(Changed)
        base = asked.pop("base")
        row = services.save_definition(
            self.actor, model, Draft(**asked), definition=now.definition, base=base
        )
        return self.say(shapes.DefinitionShape, _now(model, row), status=201)


def _now(model: RegisteredModel, row: DefinitionRevision) -> dict[str, Any]:
    found = definitions.get(model, row.definition.uuid)
    run = definitions.last_runs([row.definition_id]).get(row.definition_id)
    return shapes.definition(model, found, run)
