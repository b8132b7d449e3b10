"""Retiring a model and bringing it back: by its owner, in her own session, with her password."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text
from apps.api.v1.schema import described
from apps.api.v1.shapes import retirement as shapes
from apps.core.errors import Invalid
from apps.registry import retirement, selectors, services
from apps.registry.models import RegisteredModel

_LONGEST = 2000


class Answer(Strict):
    """One answer; some take a note."""

    answer = Text(max_length=40)
    note = Text(max_length=_LONGEST, default="", allow_blank=True)


class Checklist(Strict):
    """An answer to each question (`GET models/{name}/retirement` tells them)."""

    locals().update({question.key: Answer() for question in retirement.QUESTIONS})


def _password() -> Text:
    return Text(max_length=4096, style={"input_type": "password"}, help_text="The caller's own.")


class NewRetirement(Strict):
    """Why, what the checklist's questions are answered, and what takes the model's place."""

    reason = Text(max_length=_LONGEST)
    answers = Checklist()
    successor = Text(max_length=255, required=False, help_text="The name of a model.")
    no_successor = Text(
        max_length=_LONGEST,
        default="",
        allow_blank=True,
        help_text="Why none takes its place, if none is named.",
    )
    password = _password()


class Return(Strict):
    """Why it comes back."""

    reason = Text(max_length=_LONGEST)
    password = _password()


class _Act(Door):
    def state(self, model: RegisteredModel) -> Response:
        """How the model stands now."""
        return self.say(shapes.Retirement, shapes.state(self.model(model.name)))


class Retirement(_Act):
    """Whether a model is retired, what is in the way, what is asked, what happened."""

    @described("Read how a model ends", answer=shapes.Retirement)
    def get(self, request: Request, name: str) -> Response:
        self.nothing_asked()
        return self.state(self.model(name))


class Retire(_Act):
    """Retire a model."""

    @described("Retire a model", takes=NewRetirement, answer=shapes.Retirement, refusals=(409,))
    def post(self, request: Request, name: str) -> Response:
        self.nothing_asked()
        found, asked = self.model(name), self.body(NewRetirement)
        services.retire_model(
            self.actor,
            found,
            reason=asked["reason"],
            answers=asked["answers"],
            successor=self._successor(asked),
            no_successor=asked["no_successor"],
            proof=self.proof(asked),
        )
        return self.state(found)

    def _successor(self, asked: dict[str, Any]) -> RegisteredModel | None:
        if "successor" not in asked:
            return None
        found = selectors.visible_models(self.actor).filter(name=asked["successor"]).first()
        if found is None:
            raise Invalid(
                "There is no such model, or none that you may see.",
                fields={"successor": "no such model"},
            )
        return found


class BringBack(_Act):
    """Bring a retired model back."""

    @described("Bring a model back", takes=Return, answer=shapes.Retirement, refusals=(409,))
    def post(self, request: Request, name: str) -> Response:
        self.nothing_asked()
        found, asked = self.model(name), self.body(Return)
        proof = self.proof(asked)
        services.restore_model(self.actor, found, reason=asked["reason"], proof=proof)
        return self.state(found)
