"""Gates: what blocks a version, as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.v1.schema import Problem
from apps.api.v1.shapes import addresses
from apps.api.v1.shapes.common import Json, PolicyRef
from apps.registry import explain
from apps.registry.gates import Fix, GateResult


class Act(serializers.Serializer[Any]):
    """Something that would help."""

    key = serializers.CharField(help_text="Two acts with one key are the same act.")
    act = serializers.CharField(help_text="What to do, in words.")
    who = serializers.CharField(help_text="Who can do it; may be empty.")
    url = serializers.CharField(help_text="Where; may be empty.")


_CHILDREN = {"type": "array", "items": {"$ref": "#/components/schemas/Gate"}}


@extend_schema_field(_CHILDREN)
class _Children(serializers.ListField):
    """The nodes below; made by `tree`."""

    child = serializers.DictField()


class Gate(serializers.Serializer[Any]):
    """One requirement, how it stands, and what would help. `children` say why.

    It passes when `needs` of its children pass. One without children passes once every act in `fixes` is done; none for
    an unmet one means that nothing done here would help.
    """

    key = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(
        choices=["pass", "fail", "missing"], help_text="Only `pass` satisfies."
    )
    fact = serializers.CharField(help_text="How it stands, in a sentence.")
    act_label = serializers.CharField(help_text="What a person can do next; may be empty.")
    act_url = serializers.CharField(help_text="Where; may be empty.")
    needs = serializers.IntegerField(help_text="How many of the children must pass; 0 without any.")
    fixes = Act(many=True)
    children = _Children()


class GateState(serializers.Serializer[Any]):
    """What still blocks a version on its way into targets."""

    model = serializers.CharField()
    version = serializers.IntegerField()
    targets = serializers.ListField(child=serializers.CharField())
    policy = PolicyRef()
    passes = serializers.BooleanField(help_text="Whether every gate passes now.")
    because = serializers.CharField(
        help_text="Why not, with the smallest fix, in one sentence; empty if every gate passes."
    )
    smallest_fix = Act(many=True, allow_null=True, help_text="See the gate's answer.")
    tree = Gate(many=True)
    evaluated_at = serializers.DateTimeField()


class GateAnswer(serializers.Serializer[Any]):
    """The gate's answer. Whatever is not `allow` is a denial."""

    decision = serializers.ChoiceField(choices=["allow", "deny"])
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="Why not, a sentence each; empty for allow."
    )
    because = serializers.CharField(
        help_text="Why not, with the smallest fix, in one sentence; empty for allow."
    )
    smallest_fix = Act(
        many=True,
        allow_null=True,
        help_text="The acts that together turn the answer into allow, of which none is left over; empty for allow, "
        "null if nothing done here would.",
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
        "act_url": addresses.whole(result.act_url),
        "needs": len(result.children) if result.needs is None else result.needs,
        "fixes": [act(fix) for fix in result.fixes],
        "children": tree(result.children),
    }


def act(fix: Fix) -> Json:
    return {"key": fix.key, "act": fix.act, "who": fix.who, "url": addresses.whole(fix.url)}


def explained(results: Sequence[GateResult]) -> Json:
    """The tree with why not, and what is the least that would change it."""
    fixes = explain.smallest(results)
    return {
        "because": explain.sentence(results),
        "smallest_fix": None if fixes is None else [act(fix) for fix in fixes],
        "tree": tree(results),
    }
