"""Who may do what to a model, and may I?"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import policy
from apps.accounts.verbs import VERBS, is_signing
from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text
from apps.api.v1.schema import described
from apps.api.v1.shapes.common import Person, person
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from apps.reviews import selectors as reviews


class Asked(Strict):
    """Which right, on what."""

    verb = serializers.ChoiceField(choices=sorted(VERBS))
    model = Text(max_length=255)
    version = serializers.IntegerField(min_value=1, required=False)


class Barred(Person):
    """Somebody with the right who made part of the version, so that others must sign."""

    because = serializers.ListField(child=serializers.CharField())


class WhoMay(serializers.Serializer[Any]):
    """Who may, and whether the caller may."""

    verb = serializers.CharField()
    means = serializers.CharField()
    model = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    people = Person(many=True, help_text="Everybody active who may, by any role.")
    barred = Barred(many=True, help_text="Of signing: who has the role and is an author.")
    you_may = serializers.BooleanField()
    explanation = serializers.CharField(help_text="Why the caller may, or why not and whom to ask.")


class WhoMayView(Door):
    """Who may do a thing to a model; of signing a version, without its authors."""

    @described("Who may", answer=WhoMay, asks=Asked)
    def get(self, request: Request) -> Response:
        asked = self.query(Asked)
        verb = asked["verb"]
        number = asked.get("version")
        thing = (
            self.model(asked["model"]) if number is None else self.version(asked["model"], number)
        )
        authors = _authors(thing) if is_signing(verb) and isinstance(thing, ModelVersion) else {}
        holders = list(policy.who_may(verb, thing))
        mine = authors.get(self.actor.user_id or 0, [])
        may = policy.can(self.actor, verb, thing) and not mine
        answer = {
            "verb": verb,
            "means": VERBS[verb],
            "model": asked["model"],
            "version": number,
            "people": [person(user) for user in holders if user.pk not in authors],
            "barred": [
                {**person(user), "because": authors[user.pk]}
                for user in holders
                if user.pk in authors
            ],
            "you_may": may,
            "explanation": policy.explain(self.actor, verb, thing)
            if not mine
            else f"{self.actor.label} made part of it ({', '.join(mine)}), so others must sign.",
        }
        return self.say(WhoMay, answer)


def _authors(version: ModelVersion) -> dict[int, list[str]]:
    review = reviews.latest_review(version)
    return evidence.authors(version, review.submitted_by_id if review is not None else 0)
