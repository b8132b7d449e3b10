"""What is changed by signature: how a model stands, and policies."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.acts import Reason
from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text, password
from apps.api.v1.schema import described
from apps.api.v1.shapes import subjects as shapes
from apps.core.errors import NotFound
from apps.registry.models import Exposure, PurposeClass
from apps.reviews import in_force, services
from apps.reviews.policies.files import MAX_LENGTH
from apps.reviews.reads import model_changes, simulations
from apps.reviews.reads import policies as policy_list

_LONGEST: Final = 10_000
_NEWEST: Final = 100


class Standing(Strict):
    """How a model is to stand. What is left out stays."""

    exposure = serializers.ChoiceField(choices=Exposure.choices, required=False)
    purpose_class = serializers.ChoiceField(choices=PurposeClass.choices, required=False)
    purpose = Text(max_length=_LONGEST, required=False)
    reason = Text(max_length=_LONGEST, default="", help_text="Needed where somebody has to sign.")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if not data.keys() - {"reason"}:
            raise serializers.ValidationError({"body": "Say what is to change."})
        return data


class Verdict(Strict):
    """For or against what was read, signed."""

    approves = serializers.BooleanField()
    digest = Text(
        max_length=64, min_length=64, help_text="The digest of the proposal that was read."
    )
    comment = Text(max_length=_LONGEST)
    password = password()


class PolicyVerdict(Verdict):
    """For or against a policy. `simulation` is the digest of the one that was read; another by now is a 409.

    Without it nothing is compared; the signature names the newest all the same.
    """

    simulation = Text(max_length=64, required=False)


class Proposal(Strict):
    """A policy as it is to be."""

    text = Text(max_length=MAX_LENGTH, help_text="The document as YAML (JSON is YAML).")
    reason = Text(max_length=_LONGEST)
    effective_on = serializers.DateField(required=False, help_text="A day to come; else at once.")


class ModelChanges(Door):
    """The changes of a model that take a signature."""

    @described("List the changes of a model", answer=shapes.ModelChangeList)
    def get(self, request: Request, name: str) -> Response:
        self.nothing_asked()
        rows = model_changes.changes_of(self.model(name))[:_NEWEST]
        items = [shapes.model_change(row) for row in rows]
        return self.say(shapes.ModelChangeList, {"items": items})

    @described(
        "Change how a model stands",
        takes=Standing,
        answer=shapes.ModelChangeList,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, name: str) -> Response:
        """What takes a signature is proposed, the rest is done; the answer lists the changes."""
        self.nothing_asked()
        model, asked = self.model(name), self.body(Standing)
        services.change_settings(self.actor, model, **asked)
        rows = model_changes.changes_of(model)[:_NEWEST]
        items = [shapes.model_change(row) for row in rows]
        return self.say(shapes.ModelChangeList, {"items": items}, status=201)


class OneModelChange(Door):
    """One proposal about a model."""

    @described("Read a change of a model", answer=shapes.ModelChangeShape)
    def get(self, request: Request, change_id: int) -> Response:
        self.nothing_asked()
        row = model_changes.get_change(self.actor, change_id)
        return self.say(shapes.ModelChangeShape, shapes.model_change(row))


class ModelChangeSignatures(Door):
    """Sign for or against a change of a model."""

    @described(
        "Sign a change of a model",
        takes=Verdict,
        answer=shapes.ModelChangeShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, change_id: int) -> Response:
        self.nothing_asked()
        row = model_changes.get_change(self.actor, change_id)
        self.subject = f"model:{row.model_id}"
        asked = self.body(Verdict)
        proof = self.proof(asked)
        del asked["password"]
        services.sign_model_change(self.actor, row, proof=proof, **asked)
        row = model_changes.get_change(self.actor, change_id)
        return self.say(shapes.ModelChangeShape, shapes.model_change(row), status=201)


class ModelChangeWithdrawal(Door):
    """Take a proposal about a model back."""

    @described(
        "Withdraw a change of a model",
        takes=Reason,
        answer=shapes.ModelChangeShape,
        refusals=(409,),
    )
    def post(self, request: Request, change_id: int) -> Response:
        self.nothing_asked()
        row = model_changes.get_change(self.actor, change_id)
        self.subject = f"model:{row.model_id}"
        services.withdraw_model_change(self.actor, row, **self.body(Reason))
        row = model_changes.get_change(self.actor, change_id)
        return self.say(shapes.ModelChangeShape, shapes.model_change(row))


class Policies(Door):
    """The policies in force."""

    @described("List the policies in force", answer=shapes.PolicyList)
    def get(self, request: Request) -> Response:
        self.nothing_asked()
        items = [shapes.policy(row, in_force=True) for row in in_force.active()]
        return self.say(shapes.PolicyList, {"items": items})


class OnePolicy(Door):
    """One version of a policy."""

    @described("Read a version of a policy", answer=shapes.PolicyShape)
    def get(self, request: Request, policy_key: str, policy_number: int) -> Response:
        self.nothing_asked()
        row, now = policy_list.get_version(policy_key, policy_number), in_force.of_key(policy_key)
        stands = now is not None and now.pk == row.pk
        return self.say(shapes.PolicyShape, shapes.policy(row, in_force=stands))


class PolicyChanges(Door):
    """Proposals to change policies."""

    @described("List the newest changes of policies", answer=shapes.PolicyChangeList)
    def get(self, request: Request) -> Response:
        self.nothing_asked()
        items = [shapes.policy_change(row) for row in policy_list.changes()[:_NEWEST]]
        return self.say(shapes.PolicyChangeList, {"items": items})

    @described(
        "Propose a policy",
        takes=Proposal,
        answer=shapes.PolicyChangeShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request) -> Response:
        self.nothing_asked()
        made = services.propose(self.actor, **self.body(Proposal))
        row = policy_list.get_change(made.pk)
        return self.say(shapes.PolicyChangeShape, shapes.policy_change(row), status=201)


class OnePolicyChange(Door):
    """One proposal."""

    @described("Read a change of a policy", answer=shapes.PolicyChangeShape)
    def get(self, request: Request, policy_change_id: int) -> Response:
        self.nothing_asked()
        row = policy_list.get_change(policy_change_id)
        return self.say(shapes.PolicyChangeShape, shapes.policy_change(row))


class PolicySimulations(Door):
    """What a proposal would have changed of what was decided and of what is in use."""

    @described("Read the simulation of a change of a policy", answer=shapes.SimulationShape)
    def get(self, request: Request, policy_change_id: int) -> Response:
        """Cases that the caller may not see are counted and not told."""
        self.nothing_asked()
        row = policy_list.get_change(policy_change_id)
        found = simulations.read(self.actor, row)
        if found is None:
            raise NotFound(f"{row} was not tried yet.", hint="Ask again in a moment.")
        return self.say(shapes.SimulationShape, shapes.simulation(found))


class PolicySignatures(Door):
    """Sign for or against a change of a policy."""

    @described(
        "Sign a change of a policy",
        takes=PolicyVerdict,
        answer=shapes.PolicyChangeShape,
        status=201,
        refusals=(409,),
    )
    def post(self, request: Request, policy_change_id: int) -> Response:
        self.nothing_asked()
        row, asked = policy_list.get_change(policy_change_id), self.body(PolicyVerdict)
        proof = self.proof(asked)
        del asked["password"]
        services.sign_change(self.actor, row, proof=proof, **asked)
        row = policy_list.get_change(policy_change_id)
        return self.say(shapes.PolicyChangeShape, shapes.policy_change(row), status=201)


class PolicyWithdrawal(Door):
    """Take a proposal of a policy back."""

    @described(
        "Withdraw a change of a policy",
        takes=Reason,
        answer=shapes.PolicyChangeShape,
        refusals=(409,),
    )
    def post(self, request: Request, policy_change_id: int) -> Response:
        self.nothing_asked()
        services.withdraw_change(
            self.actor, policy_list.get_change(policy_change_id), **self.body(Reason)
        )
        row = policy_list.get_change(policy_change_id)
        return self.say(shapes.PolicyChangeShape, shapes.policy_change(row))
