"""Card templates: what there is, what one asks, which one a model's cards follow."""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings
from rest_framework import serializers

from apps.api.v1.shapes.common import Json
from apps.modelcards import layouts
from apps.modelcards.templating.document import CardTemplate
from apps.modelcards.templating.shipped_templates import shipped
from apps.registry.models import RegisteredModel


class AppliesShape(serializers.Serializer[Any]):
    """The models it is meant for; without tiers and tags none by itself."""

    tiers = serializers.ListField(child=serializers.IntegerField())
    tags = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class TemplateShape(serializers.Serializer[Any]):
    """One version of a template in short."""

    name = serializers.CharField(help_text="key/number, as a policy names it.")
    key = serializers.CharField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    applies_to = AppliesShape()
    required_blocks = serializers.ListField(
        child=serializers.CharField(), help_text="The blocks that must be answered."
    )
    ships = serializers.BooleanField(help_text="With the product; else this site defined it.")
    digest = serializers.CharField(help_text="SHA-256 of its canonical document.")
    url = serializers.CharField(help_text="Its page, for a person.")


class Templates(serializers.Serializer[Any]):
    """The newest version of each, so there are no pages."""

    items = TemplateShape(many=True)


class WholeTemplateShape(TemplateShape):
    """One version with all that it asks."""

    document = serializers.DictField(help_text="Spelled out: every block with title and help.")
    yaml = serializers.CharField(help_text="The YAML it was written as.")
    newest = serializers.IntegerField(help_text="The newest version of this key.")


class FollowedShape(serializers.Serializer[Any]):
    """Which template the cards of a model follow."""

    model = serializers.CharField()
    chosen = serializers.CharField(
        help_text="The key that somebody chose; empty: tier and tags decide."
    )
    follows = TemplateShape(help_text="What a new card of the model is laid out by.")


def template(found: CardTemplate) -> Json:
    return {
        "name": found.name,
        "key": found.key,
        "number": found.number,
        "title": found.title,
        "about": found.about,
        "applies_to": msgspec.to_builtins(found.applies_to),
        "required_blocks": found.required,
        "ships": found.name in shipped(),
        "digest": found.digest,
        "url": f"{settings.BASE_URL}/card-templates/{found.key}/{found.number}/",
    }


def whole(found: CardTemplate) -> Json:
    return template(found) | {
        "document": msgspec.to_builtins(found),
        "yaml": layouts.source(found),
        "newest": layouts.newest().get(found.key, found).number,
    }


def followed(model: RegisteredModel) -> Json:
    return {
        "model": model.name,
        "chosen": layouts.chosen_key(model),
        "follows": template(layouts.given(model)),
    }
