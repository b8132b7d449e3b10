"""Gates: what blocks a version, as a tree."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.v1.schema import Problem
from apps.api.v1.shapes.common import Json, PolicyRef
from apps.registry.gates import GateResult

_CHILDREN = {"type": "array", "items": {"$ref": "#/components/schemas/Gate"}}


@extend_schema_field(_CHILDREN)
class _Children(serializers.ListField):
    """The nodes below; made by `tree`."""

    child = serializers.DictField()


class Gate(serializers.Serializer[Any]):
    """One requirement, how it stands, and what would help. `children` say why."""

    key = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(
        choices=["pass", "fail", "missing"], help_text="Only `pass` satisfies."
    )
    fact = serializers.CharField(help_text="How it stands, in a sentence.")
    act_label = serializers.CharField(help_text="What a person can do next; may be empty.")
    act_url = serializers.CharField(help_text="Where; may be empty.")
    children = _Children()


class GateState(serializers.Serializer[Any]):
    """What still blocks a version on its way into targets."""

    model = serializers.CharField()
    version = serializers.IntegerField()
    targets = serializers.ListField(child=serializers.CharField())
    policy = PolicyRef()
    passes = serializers.BooleanField(help_text="Whether every gate passes now.")
    tree = Gate(many=True)
    evaluated_at = serializers.DateTimeField()


class GateAnswer(serializers.Serializer[Any]):
    """The gate's answer. Whatever is not `allow` is a denial."""

    decision = serializers.ChoiceField(choices=["allow", "deny"])
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="Why not, a sentence each; empty for allow."
    )
    tree = Gate(many=True)
    model = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    target = serializers.CharField()
    digest = serializers.CharField(
        allow_null=True, help_text="The version's manifest digest, as `sha256:...`."
    )
    policy = PolicyRef(allow_null=True)
    evaluated_at = serializers.DateTimeField()


class GateProblem(Problem):
    """A request to the gate that could not be judged: that is a denial too."""

    decision = serializers.ChoiceField(choices=["deny"])


def tree(results: Any) -> list[Json]:
    """Gate results with whatever lies below them."""
    return [node(result) for result in results]


def node(result: GateResult) -> Json:
    return {
        "key": result.key,
        "title": result.title,
        "state": result.state,
        "fact": result.fact,
        "act_label": result.act_label,
        "act_url": result.act_url,
        "children": tree(getattr(result, "children", ())),
    }
