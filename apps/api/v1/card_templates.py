"""Card templates: reading them, defining one's own, choosing one for a model."""

from __future__ import annotations

from typing import Final

from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text, Whole
from apps.api.v1.schema import described
from apps.api.v1.shapes import card_templates as shapes
from apps.modelcards import layouts, services
from apps.modelcards.templating import document

_LARGEST: Final = 2**31 - 1


class TemplateToDefine(Strict):
    """The next version of one of the site's own templates."""

    text = Text(max_length=document.MAX_LENGTH, help_text="As YAML (JSON is YAML), as `schemas/card-template.json` says.")  # fmt: skip
    after = Whole(min_value=0, max_value=_LARGEST, default=0, help_text="The version that was read; 0: none was there.")  # fmt: skip


class TemplateToChoose(Strict):
    """Which one, and why."""

    key = Text(max_length=60, allow_blank=True, help_text="Empty: tier and tags decide again.")
    reason = Text(max_length=10_000)


class Templates(Door):
    """What there is."""

    @described("List card templates", answer=shapes.Templates)
    def get(self, request: Request) -> Response:
        """The newest version of each, those that ship first."""
        self.nothing_asked()
        items = [shapes.template(each) for each in layouts.newest().values()]
        return self.say(shapes.Templates, {"items": items})

    @described(
        "Define a card template",
        takes=TemplateToDefine,
        answer=shapes.WholeTemplateShape,
        status=201,
        also=200,
        refusals=(409,),
    )
    def post(self, request: Request) -> Response:
        """Cards that follow an older version stay as they are. 200: that text is the newest version already. 409: somebody defined
        another since `after`."""
        self.nothing_asked()
        self.subject = "site:card-templates"
        asked = self.body(TemplateToDefine)
        row = services.define_template(self.actor, asked["text"], after=asked["after"])
        status = 201 if row.number > asked["after"] else 200
        response = self.say(shapes.WholeTemplateShape, shapes.whole(layouts.read(row)), status)
        response["Location"] = f"{request.path}/{row.key}/{row.number}"
        return response


class OneTemplate(Door):
    """One version."""

    @described("Read a card template", answer=shapes.WholeTemplateShape, refusals=(409,))
    def get(self, request: Request, template: str, template_number: int) -> Response:
        """What it asks, section by section, and the text it was written as. 409: its bytes are not what its digest says."""
        self.nothing_asked()
        found = layouts.get(f"{template}/{template_number}")
        return self.say(shapes.WholeTemplateShape, shapes.whole(found))


class TemplateSchema(Door):
    """The form of what people write."""

    @described("Read the JSON Schema of card templates", answer=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        self.nothing_asked()
        return Response(document.json_schema())


class ModelTemplate(Door):
    """Which template the cards of a model follow."""

    @described("Read which card template a model follows", answer=shapes.FollowedShape)
    def get(self, request: Request, name: str) -> Response:
        self.nothing_asked()
        return self.say(shapes.FollowedShape, shapes.followed(self.model(name)))

    @described(
        "Choose the card template of a model",
        takes=TemplateToChoose,
        answer=shapes.FollowedShape,
        status=201,
        also=200,
    )
    def post(self, request: Request, name: str) -> Response:
        """Its cards move when their writers next save them, and are incomplete until then. 200: that one is chosen already."""
        self.nothing_asked()
        model, asked = self.model(name), self.body(TemplateToChoose)
        row = services.choose_template(self.actor, model, **asked)
        status = 201 if row is not None else 200
        return self.say(shapes.FollowedShape, shapes.followed(model), status)
