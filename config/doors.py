"""Every route of every door that changes anything, with its rule: there is no way in that is not written here.

The tables of the two protocols are their own (`apps/api/mlflow/routes.py`, `apps/api/v1/routes.py`); that of the pages is below. A
rule is the right that the service behind the route asks for, or says in words why none is asked. tests/architecture/test_doors.py fails
for a route that takes anything but reads and stands in no table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.api.mlflow.routes import PREFIXES
from apps.api.mlflow.routes import ROUTES as MLFLOW
from apps.api.v1.routes import ROUTES as API

_OWN: Final = "one's own account"
_ENTRY: Final = "anybody: this is how one comes in"
_FINDING: Final = "a right on findings, by act (apps/reviews/services/findings.py)"
_POLICY: Final = "a right on policies, by act (apps/reviews/services/policies.py)"

# Route names of the pages. Who gets which answer is tests/web/permission_matrix.py.
WEB: Final[dict[str, str]] = {
    "oidc_authentication_init": _ENTRY,
    "oidc_authentication_callback": _ENTRY,
    "oidc_logout": _OWN,
    "witness": "anybody, with a checkpoint signed by a log of WITNESS_FOR (apps/audits/witnessing.py)",
    "web:sign-in": _ENTRY,
    "web:sign-out": _OWN,
    "web:setup": "the set-up token, while there is no administrator",
    "web:theme": "anybody: a cookie of one's own",
    "web:shortcuts": _OWN,
    "web:account-password": _OWN,
    "web:account-notices": _OWN,
    "web:notices-read": _OWN,
    "web:notice-read": _OWN,
    "web:tokens": "one's own account, or a service one answers for",
    "web:token-revoke": "one's own, of a service one answers for, or people.manage",
    **dict.fromkeys(
        (
            "web:person-new", "web:service-new", "web:person-edit", "web:person-owners", "web:person-reset",
            "web:person-deactivate", "web:person-reactivate", "web:person-grant", "web:person-revoke",
            "web:team-new", "web:team", "web:team-rename", "web:team-revoke", "web:groups", "web:group-revoke",
        ),
        "people.manage",
    ),
    **dict.fromkeys(
        (
            "web:webhook-new", "web:webhook-edit", "web:webhook-rotate", "web:webhook-off", "web:webhook-on",
            "web:webhook-replay",
        ),
        "system.manage",
    ),
    "web:model-new": "model.create",
    "web:model-settings": "model.edit, model.manage or model.sandbox, by form",
    "web:model-change-sign": "review.sign.validator or review.sign.approver, by neither proposer nor owner",
    "web:model-change-withdraw": "model.manage",
    "web:impact-edit": "impact.edit",
    "web:impact-sign": "impact.sign, by somebody who gave none of its answers",
    "web:impact-notify": "impact.edit",
    "web:impact-lower": "model.manage; where the tier falls it is proposed, and somebody else signs",
    "web:version-new": "model.register",
    "web:run-register": "model.register, or model.create for a name that is free",
    "web:version-describe": "model.edit",
    "web:version-leave": "target.leave",
    "web:version-question": "finding.raise",
    "web:version-roll-back": "every role of the policy's emergency path (apps/reviews/services/rolling_back.py)",
    "web:rollback-review": "a signing right of its policy, by somebody else (apps/reviews/services/rolling_back.py)",
    "web:model-retire": "model.retire",
    "web:model-bring-back": "model.retire",
    "web:environment-new": "environment.manage",
    "web:environment-edit": "environment.manage",
    "web:deployment-new": "deployment.record",
    "web:deployment-traffic": "deployment.record",
    "web:deployment-end": "deployment.record",
    "web:version-data": "check.run",
    "web:checkpoints": "anybody signed in: a question, nothing is changed",
    "web:checkpoint-new": "audit.export",
    "web:engagement-new": "people.manage; nobody audits their own work (apps/engagements/services.py)",
    "web:engagement-close": "people.manage",
    "web:engagement-checkpoint": "whoever may read the engagement: a question, nothing is changed",
    "web:engagement-bundle": "review.read on each version (apps/compliance/bundles.py)",
    "web:engagement-report": "whoever may read the engagement (apps/engagements/selectors.py)",
    **dict.fromkeys(
        ("web:engagement-samples", "web:engagement-item", "web:engagement-notes", "web:engagement-finding"),
        "an auditor of the engagement, while it is open",
    ),
    "web:check-run": "check.run",
    "web:check-form": "check.run",
    "web:definition-new": "check.run",
    "web:definition": "check.run, and whoever saved it is asked again whenever it starts something",
    "web:measurement-cancel": "check.run",
    "web:measurement-recall": "check.recall",
    "web:measurement-recheck": "check.recheck",
    "web:uploaded-new": "check.run",
    "web:uploaded-recall": "check.recall",
    "web:card-edit": "card.edit",
    "web:card-draft": "card.edit",
    "web:card-preview": "card.edit",
    "web:card-template-define": "card.define",
    "web:model-card-template": "card.template",
    "web:version-documents": "model.read",
    "web:version-bundle": "review.read",
    "web:model-bundle": "review.read on each version (apps/compliance/bundles.py)",
    "web:report-statement": "card.edit",
    "web:document-verify": "whoever is signed in: a document of a model out of their sight is none",
    "web:version-use": "model.read, by a person (apps/compliance/uses.py)",
    "web:batches": "review.read on each version (apps/compliance/batches.py)",
    "web:batch-cancel": "whoever asked for the batch",
    "web:submit": "review.submit",
    "web:draft-discard": "review.submit, or one's own",
    "web:review-decide": "review.sign",
    "web:review-delegate": "review.sign, of a role of one's own",
    "web:review-conflict": "review.read of one's own, the service's rule of another's",
    "web:conflict-withdraw": "whoever declared it, or model.manage",
    "web:delegation-end": "one of the two it is between, or people.manage",
    "web:review-step-aside": "review.sign, of a role that the review asks for",
    "web:review-withdraw": "review.withdraw",
    "web:review-new-round": "review.submit",
    "web:review-promote": "review.submit",
    "web:review-viewed": "review.read: a note to oneself",
    "web:waiver-new": "the signing right that the policy names (apps/reviews/services/waivers.py)",
    "web:waiver-revoke": "the signing right that the policy names (apps/reviews/services/waivers.py)",
    "web:review-comment": "review.read, and the service's rule on comments",
    "web:comment-edit": "review.read, and the service's rule on comments",
    "web:thread-reply": "review.read, and the service's rule on comments",
    "web:thread-resolve": "review.read, and the service's rule on comments",
    "web:thread-reopen": "review.read, and the service's rule on comments",
    **dict.fromkeys(
        (
            "web:finding-new", "web:finding-respond", "web:finding-retest", "web:finding-close",
            "web:finding-accept", "web:finding-reopen",
        ),
        _FINDING,
    ),
    **dict.fromkeys(
        ("web:policy-propose", "web:policy-sign", "web:policy-withdraw", "web:policy-retire", "web:policy-simulate"), _POLICY
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """One way to change something: through which door, where, and by which rule."""

    door: str
    route: str
    rule: str


def acts() -> list[Act]:
    """All doors together."""
    protocol = [
        Act("mlflow", f"{route.method} /{prefix}/{route.version}/{route.path}", route.verb)
        for route in MLFLOW
        if route.mutates
        for prefix in PREFIXES
    ]
    own = [Act("api", route.label, route.verb) for route in API if route.mutates]
    return [*protocol, *own, *(Act("web", name, rule) for name, rule in WEB.items())]
