"""The closed vocabulary of rights: verbs, roles, token scopes. Code, not data.

Which role holds which verb is data (`RoleVerb`, seeded by a migration and not writable by the
site's database role). What a verb *is*, who may hold it at all and which token may carry it is here.
"""

from __future__ import annotations

from typing import Final

VERBS: Final[dict[str, str]] = {
    "experiment.read": "see an experiment, its runs and their files",
    "experiment.create": "create an experiment",
    "experiment.write": "log to an experiment",
    "experiment.manage": "manage an experiment and who may use it",
    "model.read": "see a model and its versions",
    "model.create": "create a registered model",
    "model.register": "register a version of a model",
    "model.edit": "edit a model's descriptions, tags and ungoverned aliases and stages",
    "model.manage": "manage a model and who may use it",
    "model.delete": "delete a model or a version about which nothing was decided",
    "model.retire": "retire a model, and bring it back",
    "model.sandbox": "declare a model a sandbox, outside the approval rules",
    "check.run": "attach evaluation data and run checks",
    "check.recall": "recall a measurement",
    "check.recheck": "have a measurement executed again and compared",
    "card.edit": "edit a model card",
    "impact.edit": "answer a model's impact assessment",
    "impact.sign": "sign a model's impact assessment",
    "card.template": "choose which template a model's cards follow",
    "card.define": "define card templates",
    "review.read": "see reviews and their evidence",
    "review.submit": "submit a version for review",
    "review.withdraw": "withdraw a review",
    "review.comment": "comment on a review",
    "review.sign.validator": "sign a review as validator",
    "review.sign.approver": "sign a review as approver",
    "review.sign.risk": "sign a review for risk",
    "review.sign.legal": "sign a review for legal and privacy",
    "review.sign.product": "sign a review for the product",
    "finding.raise": "raise a finding about a version",
    "finding.close": "re-test and close a finding",
    "policy.edit": "propose changes of policies",
    "policy.sign": "sign a change of policy",
    "deployment.record": "record where versions of a model run",
    "environment.manage": "add, rename and retire environments",
    "target.leave": "take a version out of a governed stage, alias or environment",
    "target.rollback": "put the last validly approved version back in an emergency",
    "audit.read": "read the audit trail",
    "audit.export": "export the audit trail",
    "people.manage": "manage people, teams, groups and roles",
    "system.read": "see the state of workers and queues",
    "system.manage": "set up webhooks",
}

VIEWER: Final = "viewer"
CONTRIBUTOR: Final = "contributor"
OWNER: Final = "owner"
VALIDATOR: Final = "validator"
APPROVER: Final = "approver"
RISK: Final = "risk"
LEGAL: Final = "legal"
PRODUCT: Final = "product"
ON_CALL: Final = "on_call"
AUDITOR: Final = "auditor"
ADMINISTRATOR: Final = "administrator"

# Who a policy can ask to sign; the right of each is review.sign.<role>.
SIGNING_ROLES: Final = (VALIDATOR, APPROVER, RISK, LEGAL, PRODUCT)

# An administrator of one model means nothing: people are managed site-wide or not at all.
OBJECT_ROLES: Final = (VIEWER, CONTRIBUTOR, OWNER, *SIGNING_ROLES, ON_CALL, AUDITOR)
ROLES: Final = (*OBJECT_ROLES, ADMINISTRATOR)

SCOPES: Final[dict[str, str]] = {
    "read": "read what you may read",
    "tracking": "log experiments, runs and files",
    "registry": "register, check and submit models",
}

# A verb that no scope carries needs a person in an interactive session. Tokens leak from CI logs
# and notebooks, so none of them signs, manages, recalls evidence or leaves a governed target.
SCOPES_OF_VERB: Final[dict[str, frozenset[str]]] = {
    "experiment.read": frozenset({"read", "tracking"}),
    "experiment.create": frozenset({"tracking"}),
    "experiment.write": frozenset({"tracking"}),
    "model.read": frozenset({"read", "registry"}),
    "model.create": frozenset({"registry"}),
    "model.register": frozenset({"registry"}),
    "model.edit": frozenset({"registry"}),
    "model.delete": frozenset({"registry"}),
    "deployment.record": frozenset({"registry"}),
    "check.run": frozenset({"registry"}),
    "check.recheck": frozenset({"registry"}),
    "card.edit": frozenset({"registry"}),
    "impact.edit": frozenset({"registry"}),
    "review.read": frozenset({"read", "registry"}),
    "review.submit": frozenset({"registry"}),
    "review.withdraw": frozenset({"registry"}),
    "audit.read": frozenset({"read"}),
    "audit.export": frozenset({"read"}),
    "system.read": frozenset({"read"}),
}


def right_of(role: str) -> str:
    """The verb by which somebody is known to hold a role that a policy names."""
    return {OWNER: "model.manage", ON_CALL: "target.rollback"}.get(role, f"review.sign.{role}")


def is_signing(verb: str) -> bool:
    """Signing verbs: a human being in an interactive session, never an administrator, never the system."""
    return verb.startswith("review.sign.") or verb in {"policy.sign", "impact.sign"}
