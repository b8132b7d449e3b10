"""Acts on reviews: submit, new round, decide, withdraw, promote. Each is one call of the service the pages call."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1 import reviews as reading
from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text, Whole
from apps.api.v1.schema import described
from apps.api.v1.shapes import reviews as shapes
from apps.registry.targets import Target
from apps.reviews import selectors, services
from apps.reviews.models import Outcome, Review

_LONGEST = 10_000


class Submission(Strict):
    """What is asked for."""

    model = Text(max_length=255)
    version = Whole(min_value=1)
    targets = serializers.ListField(
        child=Text(max_length=300),
        min_length=1,
        max_length=50,
        help_text="`stage:production`, `alias:champion`, `environment:prod`.",
    )
    justification = Text(max_length=_LONGEST)
    wanted_by = serializers.DateField(
        required=False,
        allow_null=True,
        help_text="The day (UTC) by which it should be there; a wish, not a deadline. Today or later.",
    )


class NewRound(Strict):
    """A reason that the signers of the old round are told."""

    because = Text(max_length=200, default="new evidence")


class Reason(Strict):
    """Why."""

    reason = Text(max_length=_LONGEST)


class Nothing(Strict):
    """No member at all."""


class Signature(Strict):
    """One signed decision about the evidence that was read."""

    outcome = serializers.ChoiceField(choices=Outcome.choices)
    evidence_digest = Text(
        max_length=64, min_length=64, help_text="The digest of the round that was read."
    )
    comment = Text(max_length=_LONGEST)
    step = Text(
        max_length=64, required=False, help_text="The step signed for; else the first open one."
    )
    delegation = Whole(
        min_value=1, required=False, help_text="The delegation under which she signs for another."
    )
    no_conflict = serializers.BooleanField(
        help_text="Her word that she has no conflict of interest in this: `true`, or nothing is signed."
    )
    password = Text(
        max_length=4096, style={"input_type": "password"}, help_text="The signer's own."
    )


class Reviews(reading.Reviews):
    """The reviews one may see, and asking for another."""

    @described(
        "Submit a version for review",
        takes=Submission,
        answer=shapes.ReviewShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request) -> Response:
        self.nothing_asked()
        asked = self.body(Submission)
        version = self.version(asked["model"], asked["version"])
        targets = list(dict.fromkeys(Target.parse(text) for text in asked["targets"]))
        made = services.submit(
            self.actor,
            version,
            targets=targets,
            justification=asked["justification"],
            wanted_by=asked.get("wanted_by"),
        )
        return self.whole(made.pk, status=201)


class _Act(Door):
    """An act on one review, answered with the review as it is then."""

    def act_on(self, review_id: int, shape: type[Strict]) -> tuple[Review, dict[str, Any]]:
        """The review and the checked body. A stranger is told there is no review before her body is looked at."""
        self.nothing_asked()
        return self.review(review_id), self.body(shape)


class Rounds(_Act):
    """Fix the evidence as it is now; the signatures of the old round are void."""

    @described(
        "Make a new round",
        takes=NewRound,
        answer=shapes.ReviewShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, review_id: int) -> Response:
        review, asked = self.act_on(review_id, NewRound)
        services.new_round(self.actor, review, because=asked["because"])
        return self.whole(review.pk, status=201)


class Recusals(_Act):
    """Decide nothing about a review: for a person who is asked, in her own session."""

    @described(
        "Step aside from a review",
        takes=Reason,
        answer=shapes.ReviewShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, review_id: int) -> Response:
        review, asked = self.act_on(review_id, Reason)
        services.recuse(self.actor, review, reason=asked["reason"])
        return self.whole(review.pk, status=201)


class Withdrawal(_Act):
    """Take the request back."""

    @described("Withdraw a review", takes=Reason, answer=shapes.ReviewShape, refusals=(409,))
    def post(self, request: Request, review_id: int) -> Response:
        review, asked = self.act_on(review_id, Reason)
        services.withdraw(self.actor, review, reason=asked["reason"])
        return self.whole(review.pk)


class Promotion(_Act):
    """Promote what was signed and was held back by a gate."""

    @described("Promote what is signed", takes=Nothing, answer=shapes.ReviewShape, refusals=(409,))
    def post(self, request: Request, review_id: int) -> Response:
        review, _ = self.act_on(review_id, Nothing)
        services.promote_signed(self.actor, review)
        return self.whole(review.pk)


class Decisions(_Act):
    """Approve, reject or request changes: signed by a person in her own session, with her password."""

    @described(
        "Sign a decision",
        takes=Signature,
        answer=shapes.DecisionShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, review_id: int) -> Response:
        review, asked = self.act_on(review_id, Signature)
        proof = self.proof(asked)
        made = services.decide(
            self.actor,
            review,
            outcome=asked["outcome"],
            evidence_digest=asked["evidence_digest"],
            comment=asked["comment"],
            proof=proof,
            no_conflict=asked["no_conflict"],
            step=asked.get("step", ""),
            delegation=asked.get("delegation"),
        )
        row = selectors.get_decision(review, made.pk)
        return self.say(shapes.DecisionShape, shapes.decision(review, row.round, row), status=201)
