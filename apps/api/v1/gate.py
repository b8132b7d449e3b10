"""The gate: may this version run there (or be promoted there) now? Whatever cannot be answered is a denial.

A denial is an answer (200): unknown, invisible, ungoverned, unapproved. A request that cannot be judged is refused with a
problem (400, 401, 403, ...), and that says `"decision": "deny"` too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.base import Door
from apps.api.v1.incoming import Strict, Text, Whole
from apps.api.v1.schema import described
from apps.api.v1.shapes import gates as shapes
from apps.api.v1.shapes.common import policy_ref
from apps.api.v1.shapes.registry import digest as digest_of
from apps.compliance import use_gate
from apps.core import clock
from apps.core.errors import Invalid, NotFound
from apps.registry import selectors as registry
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import admission

_DIGEST: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_ACTS: Final = {"deployment": admission.may_run, "promotion": admission.may_enter}
# `for` is a word of Python's, so the field is made by its name.
_PURPOSE: Final = serializers.ChoiceField(
    choices=["deployment", "promotion"],
    default="deployment",
    help_text="`deployment`: is it there by a valid approval? `promotion`: would a promotion be done now?",
)


class Question(Strict):
    """Which version (by number or by alias), and where."""

    model = Text(max_length=255)
    version = Whole(min_value=1, required=False)
    alias = Text(max_length=255, required=False)
    target = Text(
        max_length=300, help_text="`stage:production`, `alias:champion` or `environment:prod`."
    )
    digest = Text(
        max_length=71,
        required=False,
        help_text="The manifest digest of the files about to be deployed, as `sha256:...`.",
    )
    locals()["for"] = _PURPOSE

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("version" in data) == ("alias" in data):
            raise serializers.ValidationError({"version": "Name a version or an alias, not both."})
        if "digest" in data and not _DIGEST.fullmatch(data["digest"]):
            raise serializers.ValidationError(
                {"digest": "Expected sha256: and 64 hexadecimal characters in lower case."}
            )
        return data


_SIGNS: Final = {
    "key": "sign.risk.9",
    "act": "Rosa Lind signs again as risk",
    "who": "Rosa Lind, as risk",
    "url": "/reviews/7/",
}
_EXAMPLES: Final = [
    OpenApiExample(
        "By alias",
        value={"model": "credit", "alias": "champion", "target": "stage:production"},
        request_only=True,
    ),
    OpenApiExample(
        "Denied",
        value={
            "decision": "deny",
            "reasons": ["credit v3 is not in stage Production. v2 is there now."],
            "because": "Denied because 1 of 2 risk signatures is void since round 3 (new evidence); smallest fix: "
            "Rosa Lind signs again as risk.",
            "smallest_fix": [_SIGNS],
            "tree": [
                {
                    "key": "holder",
                    "title": "In the target",
                    "state": "missing",
                    "fact": "credit v3 is not in stage Production. v2 is there now.",
                    "act_label": "See its review",
                    "act_url": "https://countersign.example.org/reviews/7/",
                    "needs": 1,
                    "fixes": [],
                    "children": [
                        {
                            "key": "review.risk.9",
                            "title": "Rosa Lind",
                            "state": "missing",
                            "fact": "Rosa Lind signed as risk; that is void since round 3: new evidence.",
                            "act_label": "",
                            "act_url": "",
                            "needs": 0,
                            "fixes": [_SIGNS],
                            "children": [],
                        }
                    ],
                }
            ],
            "model": "credit",
            "version": 3,
            "target": "stage:production",
            "digest": f"sha256:{'0' * 64}",
            "policy": {"key": "standard", "number": 1, "digest": "0" * 64},
            "evaluated_at": "2026-11-23T12:00:00Z",
        },
        response_only=True,
        status_codes=["200"],
    ),
]


class GateCheck(Door):
    """Ask the gate before a deployment."""

    on_refusal: ClassVar[dict[str, Any]] = {"decision": "deny"}

    @described(
        "Ask the gate",
        takes=Question,
        answer=shapes.GateAnswer,
        refusal=shapes.GateProblem,
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        self.nothing_asked()
        asked = self.body(Question)
        target = Target.parse(asked["target"])
        version = self._version(asked)
        if version is None:
            return self.say(shapes.GateAnswer, _unknown(asked, target))
        results = list(_ACTS[asked["for"]](version, target, _plain(asked.get("digest", ""))))
        if asked["for"] == "deployment":
            results += use_gate.gates(self.actor, version)
        return self.say(shapes.GateAnswer, _answer(version, target, results))

    def _version(self, asked: dict[str, Any]) -> ModelVersion | None:
        """The version asked about; None for whatever the caller may not know of."""
        try:
            if "version" in asked:
                return self.version(asked["model"], asked["version"])
            alias = Target.alias(asked["alias"])
            return registry.find_by_alias(self.model(asked["model"]), alias.name)
        except NotFound:
            return None


def _plain(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _answer(version: ModelVersion, target: Target, results: Sequence[GateResult]) -> dict[str, Any]:
    reasons = [result.fact for result in results if not result.passes]
    # No result at all would be nothing that speaks for it.
    allowed = bool(results) and not reasons
    if not allowed and not reasons:
        raise Invalid("Nothing was evaluated, so nothing is allowed.")
    return {
        "decision": "allow" if allowed else "deny",
        "reasons": reasons,
        **shapes.explained(results),
        "model": version.model.name,
        "version": version.number,
        "target": str(target),
        "digest": digest_of(version),
        "policy": policy_ref(admission.policy_of(version, target)),
        "evaluated_at": clock.now(),
    }


def _unknown(asked: dict[str, Any], target: Target) -> dict[str, Any]:
    which = f"version {asked['version']}" if "version" in asked else f"alias @{asked['alias']}"
    fact = f"There is no model {asked['model']} with {which}, or none that you may see."
    missing = GateResult("version", "Version", "missing", fact)
    return {
        "decision": "deny",
        "reasons": [fact],
        **shapes.explained([missing]),
        "model": asked["model"],
        "version": None,
        "target": str(target),
        "digest": None,
        "policy": None,
        "evaluated_at": clock.now(),
    }
