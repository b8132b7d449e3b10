"""What happens to an approval afterwards: it is questioned, left, or repeated in an emergency and reviewed."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.services import ReauthProof, reauthenticate
from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text
from apps.api.v1.schema import described
from apps.api.v1.shapes import aftermath as shapes
from apps.registry import services as registry
from apps.registry.targets import Target
from apps.reviews import emergency, rereview, services
from apps.reviews.models import DECLARED

_LONGEST: Final = 10_000


def _password() -> Text:
    return Text(max_length=4096, style={"input_type": "password"}, help_text="The actor's own.")


class Questioned(Strict):
    """What happened that the record cannot know of."""

    trigger = serializers.ChoiceField(choices=[(each.value, each.label) for each in DECLARED])
    reason = Text(max_length=_LONGEST)


class Leave(Strict):
    """Out of which target, and why."""

    target = Text(max_length=300, help_text="`stage:production` or `alias:champion`.")
    reason = Text(max_length=2000)
    password = _password()


class Rollback(Strict):
    """Where a version goes back to, and why."""

    targets = serializers.ListField(child=Text(max_length=300), min_length=1, max_length=50)
    reason = Text(max_length=_LONGEST)
    password = _password()


class Judgement(Strict):
    """Whether a rollback was right, signed."""

    accepts = serializers.BooleanField()
    comment = Text(max_length=_LONGEST)
    password = _password()


class _Act(Door):
    """An act that takes the password of whoever is in the session."""

    def proof(self, asked: dict[str, Any]) -> ReauthProof:
        address = self.http().META.get("REMOTE_ADDR", "")
        return reauthenticate(self.actor, asked["password"], remote_addr=address)


class Rereviews(Door):
    """What questions the approval by which a version is where it is."""

    @described("What questions the approval", answer=shapes.Needs)
    def get(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        return self._say(name, number)

    @described(
        "Question the approval", takes=Questioned, answer=shapes.Needs, status=201, refusals=(409,)
    )
    def post(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        version, asked = self.version(name, number), self.body(Questioned)
        services.declare_rereview(self.actor, version, **asked)
        return self._say(name, number, status=201)

    def _say(self, name: str, number: int, status: int = 200) -> Response:
        needs = rereview.needs(self.version(name, number))
        items = [shapes.need(each) for each in needs]
        return self.say(shapes.Needs, {"needed": bool(items), "items": items}, status)


class Departure(_Act):
    """Take a version out of a governed target."""

    @described("Leave a target", takes=Leave, answer=shapes.Left, refusals=(409,))
    def post(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        version, asked = self.version(name, number), self.body(Leave)
        target = Target.parse(asked["target"])
        proof = self.proof(asked)
        registry.leave_target(
            self.actor, version, target=target, reason=asked["reason"], proof=proof
        )
        said = {"model": name, "version": number, "left": str(target)}
        return self.say(shapes.Left, said)


class Rollbacks(_Act):
    """Put the last validly approved version back, alone; somebody else reviews it afterwards."""

    @described(
        "Roll back in an emergency",
        takes=Rollback,
        answer=shapes.RollbackList,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        version, asked = self.version(name, number), self.body(Rollback)
        made = services.roll_back(
            self.actor,
            version,
            targets=[Target.parse(text) for text in asked["targets"]],
            reason=asked["reason"],
            proof=self.proof(asked),
        )
        items = [shapes.rollback(emergency.get_rollback(self.actor, row.pk)) for row in made]
        return self.say(shapes.RollbackList, {"items": items}, status=201)


class OneRollback(Door):
    """One rollback with what was said of it."""

    @described("Read a rollback", answer=shapes.RollbackShape)
    def get(self, request: Request, rollback_id: int) -> Response:
        self.nothing_asked()
        row = emergency.get_rollback(self.actor, rollback_id)
        return self.say(shapes.RollbackShape, shapes.rollback(row))


class RollbackReviews(_Act):
    """Say afterwards whether a rollback was right."""

    @described(
        "Review a rollback",
        takes=Judgement,
        answer=shapes.RollbackShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, rollback_id: int) -> Response:
        self.nothing_asked()
        row = emergency.get_rollback(self.actor, rollback_id)
        self.subject = f"version:{row.version_id}"
        asked = self.body(Judgement)
        proof = self.proof(asked)
        services.review_rollback(
            self.actor, row, accepts=asked["accepts"], comment=asked["comment"], proof=proof
        )
        row = emergency.get_rollback(self.actor, rollback_id)
        return self.say(shapes.RollbackShape, shapes.rollback(row), status=201)
