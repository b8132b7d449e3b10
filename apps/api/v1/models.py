"""Reading registered models, their versions, and what still blocks a version."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text
from apps.api.v1.paging import Paged, number, page, page_of, place
from apps.api.v1.schema import described
from apps.api.v1.shapes import gates as gate_shapes
from apps.api.v1.shapes import registry as shapes
from apps.api.v1.shapes.common import policy_ref
from apps.core import clock
from apps.registry import selectors
from apps.registry.listing import list_models, row_of
from apps.registry.models import Governance, ModelVersion
from apps.registry.targets import Target
from apps.reviews import admission
from apps.reviews import selectors as reviews

ModelPage = page_of(shapes.ModelSummary, "ModelPage")
VersionPage = page_of(shapes.VersionSummary, "VersionPage")


class ModelFilters(Paged):
    """Which models."""

    q = Text(max_length=255, default="", help_text="Part of the name, description or purpose.")
    governance = serializers.ChoiceField(choices=Governance.choices, required=False)
    tier = serializers.IntegerField(min_value=1, max_value=3, required=False)


class GateFilters(Strict):
    """Which targets."""

    target = Text(
        required=False,
        max_length=300,
        help_text="`stage:production` or `alias:champion`; else what its review asks for, else all governed ones.",
    )


class Models(Door):
    """The registered models that the caller may see, by name."""

    @described("List models", answer=ModelPage, asks=ModelFilters)
    def get(self, request: Request) -> Response:
        asked = self.query(ModelFilters)
        rows = list_models(
            self.actor,
            q=asked["q"],
            governance=asked.get("governance", ""),
            tier=asked.get("tier"),
            after=place(asked["cursor"]),
            limit=asked["limit"] + 1,
        )
        shown = rows[: asked["limit"]]
        more = shown[-1].model.name if len(rows) > len(shown) else None
        return self.say(ModelPage, page([shapes.model_summary(row) for row in shown], more))


class OneModel(Door):
    """One registered model, with who holds its stages and aliases."""

    @described("Read a model", answer=shapes.Model)
    def get(self, request: Request, name: str) -> Response:
        self.nothing_asked()
        return self.say(shapes.Model, shapes.model_detail(row_of(self.model(name))))


class Versions(Door):
    """The versions of a model, newest first."""

    @described("List the versions of a model", answer=VersionPage, asks=Paged)
    def get(self, request: Request, name: str) -> Response:
        asked = self.query(Paged)
        rows = selectors.latest_versions(self.model(name))
        after = number(asked["cursor"])
        if after is not None:
            rows = rows.filter(number__lt=after)
        whole = rows.select_related("model", "created_by").prefetch_related("aliases")
        found = list(whole.defer("manifest")[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        more = shown[-1].number if len(found) > len(shown) else None
        return self.say(VersionPage, page([shapes.version_summary(row) for row in shown], more))


class OneVersion(Door):
    """One version with its files."""

    @described("Read a version", answer=shapes.Version)
    def get(self, request: Request, name: str, number: int) -> Response:
        self.nothing_asked()
        return self.say(shapes.Version, shapes.version_detail(self.version(name, number)))


class Gates(Door):
    """What still blocks a version on its way into targets: every gate of the policy, with what would help."""

    @described("Read the gates of a version", answer=gate_shapes.GateState, asks=GateFilters)
    def get(self, request: Request, name: str, number: int) -> Response:
        asked = self.query(GateFilters)
        version = self.version(name, number)
        return self.say(gate_shapes.GateState, _state(version, asked.get("target", "")))


def _state(version: ModelVersion, target: str) -> dict[str, Any]:
    targets = [Target.parse(target)] if target else _asked_for(version)
    results = admission.gates_of(version, targets)
    return {
        "model": version.model.name,
        "version": version.number,
        "targets": [str(each) for each in targets],
        "policy": policy_ref(admission.policy_of(version)),
        "passes": bool(results) and all(result.passes for result in results),
        **gate_shapes.explained(results),
        "evaluated_at": clock.now(),
    }


def _asked_for(version: ModelVersion) -> list[Target]:
    """The targets of the review under way or done; before one is asked for, all that the policy governs."""
    review = reviews.latest_review(version)
    if review is not None and (review.state.is_active or review.state == "promoted"):
        return review.target_list
    return selectors.governed_targets()
