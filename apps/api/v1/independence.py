"""Who may not decide and who decides for whom: conflicts of interest and delegations."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import selectors as accounts
from apps.accounts.verbs import SIGNING_ROLES
from apps.api.v1.acts import Reason
from apps.api.v1.base import Door
from apps.api.v1.incoming import Text, Whole
from apps.api.v1.schema import described
from apps.api.v1.shapes import subjects as shapes
from apps.reviews import services
from apps.reviews.reads import delegations, independence

_LONGEST: Final = 10_000


class NewConflict(Reason):
    """Who has a conflict of interest, in the model or in one review of it."""

    person = serializers.UUIDField()
    review = Whole(min_value=1, required=False)


class NewDelegation(Reason):
    """Who may sign for you, as what, where (exactly one of review, model and team) and until when."""

    to = serializers.UUIDField()
    role = serializers.ChoiceField(choices=list(SIGNING_ROLES))
    review = Whole(min_value=1, required=False)
    model = Text(max_length=255, required=False)
    team = Text(max_length=64, required=False)
    until = serializers.DateField(help_text="The last day.")


class Conflicts(Door):
    """The declared conflicts of interest in a model."""

    @described("List the conflicts of interest in a model", answer=shapes.ConflictList)
    def get(self, request: Request, name: str) -> Response:
        self.nothing_asked()
        rows = independence.conflicts_of(self.model(name))
        return self.say(shapes.ConflictList, {"items": [shapes.conflict(row) for row in rows]})

    @described(
        "Declare a conflict of interest",
        takes=NewConflict,
        answer=shapes.ConflictShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str) -> Response:
        self.nothing_asked()
        model, asked = self.model(name), self.body(NewConflict)
        number = asked.get("review")
        made = services.declare_conflict(
            self.actor,
            model,
            person=accounts.get_user_by_uuid(asked["person"]),
            reason=asked["reason"],
            review=self.review(number) if number else None,
        )
        row = independence.get_conflict(self.actor, made.pk)
        return self.say(shapes.ConflictShape, shapes.conflict(row), status=201)


class ConflictWithdrawals(Door):
    """A declared conflict that is no more."""

    @described(
        "Withdraw a conflict of interest",
        takes=Reason,
        answer=shapes.ConflictShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, conflict_id: int) -> Response:
        self.nothing_asked()
        row = independence.get_conflict(self.actor, conflict_id)
        self.subject = f"model:{row.model_id}"
        services.withdraw_conflict(self.actor, row, **self.body(Reason))
        row = independence.get_conflict(self.actor, conflict_id)
        return self.say(shapes.ConflictShape, shapes.conflict(row), status=201)


class Delegations(Door):
    """What one gave and was given."""

    @described("List your delegations", answer=shapes.DelegationList)
    def get(self, request: Request) -> Response:
        self.nothing_asked()
        rows = delegations.of_person(self.actor.user_id or 0)
        items = [shapes.delegation(row) for row in rows]
        return self.say(shapes.DelegationList, {"items": items})

    @described(
        "Delegate a role",
        takes=NewDelegation,
        answer=shapes.DelegationShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request) -> Response:
        self.nothing_asked()
        asked = self.body(NewDelegation)
        scope = self._scope(asked)
        made = services.delegate(
            self.actor,
            to=accounts.get_user_by_uuid(asked["to"]),
            role=asked["role"],
            scope=scope,
            until=asked["until"],
            reason=asked["reason"],
        )
        row = delegations.get_delegation(self.actor, made.pk)
        return self.say(shapes.DelegationShape, shapes.delegation(row), status=201)

    def _scope(self, asked: dict[str, Any]) -> services.Scope:
        """What was named; the service refuses anything but exactly one."""
        return services.Scope(
            review=self.review(asked["review"]) if "review" in asked else None,
            model=self.model(asked["model"]) if "model" in asked else None,
            team=accounts.get_team(asked["team"]) if "team" in asked else None,
        )


class DelegationEnds(Door):
    """A delegation that ends before its time."""

    @described(
        "End a delegation", takes=Reason, answer=shapes.DelegationShape, status=201, refusals=(409,)
    )
    def post(self, request: Request, delegation_id: int) -> Response:
        self.nothing_asked()
        row = delegations.get_delegation(self.actor, delegation_id)
        services.end_delegation(self.actor, row, **self.body(Reason))
        row = delegations.get_delegation(self.actor, delegation_id)
        return self.say(shapes.DelegationShape, shapes.delegation(row), status=201)
