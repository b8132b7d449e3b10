"""What people are told, as data: one row per kind of notice. Nothing is imported here but the standard
library, so that `config.settings` can read which events wake this app.

A new kind is one row. `events` must be registered event types (a test fails otherwise), `to` names
functions of `apps.notices.recipients`, the words may use the parts that `apps.notices.services.making` fills in
(`who`, `review`, `model`, `model_path`, `version`, `targets`) and every plain field of the event's payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

REVIEW: Final = "/reviews/{review_id}/"
MODEL: Final = "/models/{model_path}/"
DEPLOYMENTS: Final = "/models/{model_path}/deployments/"
CHECKS: Final = "/models/{model_path}/{version}/checks/"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice.

    `when` and `unless` compare fields of the payload: a tuple lists values, True stands for anything that is not
    empty. `once` says what one person is told of only once: every event, or a round however many events it has.
    """

    key: str
    label: str
    events: tuple[str, ...]
    to: tuple[str, ...]
    title: str
    text: str
    path: str = REVIEW
    when: Mapping[str, Any] = field(default_factory=dict)
    unless: Mapping[str, Any] = field(default_factory=dict)
    once: Literal["event", "round"] = "event"

    def concerns(self, event_type: str, payload: Mapping[str, Any]) -> bool:
        """Whether this event, with this payload, is told as this kind."""
        return (
            event_type in self.events
            and all(_matches(payload.get(name), wanted) for name, wanted in self.when.items())
            and not any(_matches(payload.get(name), barred) for name, barred in self.unless.items())
        )


def _matches(value: Any, wanted: Any) -> bool:
    return bool(value) if wanted is True else value in wanted


_SUBJECT = "{model} version {version}"

KINDS: Final = (
    # An approval can open the next step, so it asks again whoever was not asked in this round yet.
    Kind(
        "review.asked",
        "You are asked to sign",
        ("reviews.round.made", "reviews.decision.recorded"),
        ("asked",),
        "You are asked to sign {review}",
        _SUBJECT + ", round {number}, for {targets}.",
        unless={"outcome": ("reject", "request_changes")},
        once="round",
    ),
    Kind(
        "review.approved",
        "Somebody approved",
        ("reviews.decision.recorded",),
        ("submitter", "signers_of_the_round"),
        "{who} approved {review}",
        _SUBJECT + ", round {number}, as {role}.",
        when={"outcome": ("approve",)},
    ),
    Kind(
        "review.changes",
        "Changes are requested",
        ("reviews.review.changes_requested",),
        ("submitter", "signers"),
        "{who} asked for changes in {review}",
        _SUBJECT + " waits for its submitter; a new round opens it for signature again.",
    ),
    Kind(
        "review.void",
        "Signatures became void",
        ("reviews.round.voided",),
        ("bereaved",),
        "Round {number} of {review} is void",
        _SUBJECT + ": {reason}. Signatures on this round count no more.",
        once="round",
    ),
    Kind(
        "review.blocked",
        "Signed, not promoted",
        ("reviews.review.signed",),
        ("submitter", "signers"),
        "{review} is signed, not promoted",
        _SUBJECT + ". What is missing: {blocked}",
        when={"blocked": True},
    ),
    Kind(
        "review.promoted",
        "A review ended with a promotion",
        ("reviews.review.closed",),
        ("submitter", "signers"),
        "{review} is approved and promoted",
        _SUBJECT + " has entered {targets}.",
        when={"status": ("promoted",)},
    ),
    Kind(
        "review.rejected",
        "A review ended with a rejection",
        ("reviews.review.closed",),
        ("submitter", "signers"),
        "{review} is rejected",
        _SUBJECT + ": {reason}",
        when={"status": ("rejected",)},
    ),
    Kind(
        "review.closed",
        "A review ended otherwise",
        ("reviews.review.closed",),
        ("submitter", "signers"),
        "{review} is closed: {status}",
        _SUBJECT + ": {reason}",
        unless={"status": ("promoted", "rejected")},
    ),
    Kind(
        "review.due",
        "A step you are asked to sign is due soon",
        ("reviews.review.due",),
        ("asked_of_the_step",),
        "{review} is to be signed by {due_day}",
        _SUBJECT + ", round {number}: {title} is due by {due_day}, {due_time} UTC.",
    ),
    Kind(
        "review.overdue",
        "A step of a review is overdue",
        ("reviews.review.overdue",),
        ("asked_of_the_step", "escalated"),
        "{review} is overdue",
        _SUBJECT
        + ", round {number}: {title} was due by {due_day}, {due_time} UTC. A late signature still counts.",
    ),
    Kind(
        "review.expired",
        "A review expired",
        ("reviews.review.expired",),
        ("submitter", "signers"),
        "{review} expired",
        _SUBJECT
        + " waited for {days} days after round {number}. Submit it again to ask for a new review.",
    ),
    Kind(
        "approval.questioned",
        "An approval needs a new review",
        ("reviews.rereview.required",),
        ("submitter", "signers", "model_owner"),
        "Re-review required: " + _SUBJECT,
        "{reason}. The deployment gate denies it until people have signed again.",
    ),
    Kind(
        "rollback.made",
        "A version was put back in an emergency",
        ("reviews.rollback.made",),
        ("submitter", "signers", "model_owner", "rollback_reviewers"),
        "{who} put " + _SUBJECT + " back",
        "Into {target}: {reason}. Somebody else says whether it was right.",
        path="/rollbacks/{rollback}/",
    ),
    Kind(
        "rollback.reviewed",
        "An emergency rollback was reviewed",
        ("reviews.rollback.reviewed",),
        ("rollback_maker", "model_owner"),
        "{who} reviewed the rollback of " + _SUBJECT,
        "It is the rollback into {target}. What she signed is on its page.",
        path="/rollbacks/{rollback}/",
    ),
    Kind(
        "model.change",
        "A change of a model waits for your signature",
        ("reviews.model_change.proposed",),
        ("standing_signers",),
        "You are asked to sign CHG-{change}",
        "{name}: {loosens}. Why: {reason}",
        path="/model-changes/{change}/",
    ),
    Kind(
        "impact.signed",
        "The impact assessment of a model you own is in force",
        ("impact.assessment.signed",),
        ("model_owner",),
        "{who} signed the impact assessment of {model}: level {level}",
        "{total} of 100, which demands at least risk tier {tier} of the model. It is due again on {due_on}.",
        path="/models/{model_path}/impact/",
    ),
    Kind(
        "deployment.recorded",
        "A version of a model you own began to run somewhere",
        ("registry.deployment.recorded",),
        ("model_owner",),
        "{model} v{version} runs in {environment}",
        _SUBJECT + " was recorded in environment {environment} with {traffic} % of the traffic.",
        path=DEPLOYMENTS,
    ),
    Kind(
        "deployment.ended",
        "A version of a model you own stopped running somewhere",
        ("registry.deployment.ended",),
        ("model_owner",),
        "{model} v{version} stopped in {environment}",
        _SUBJECT + " was recorded as stopped in environment {environment}. {reason}",
        path=DEPLOYMENTS,
    ),
    Kind(
        "model.retired",
        "A model you work on is retired",
        ("registry.model.retired",),
        ("model_team",),
        "{model} is retired",
        "{model} takes nothing new from now on: {reason}",
        path=MODEL,
    ),
    Kind(
        "model.restored",
        "A retired model is brought back",
        ("registry.model.restored",),
        ("model_team",),
        "{model} is brought back",
        "{model} can be used again: {reason}",
        path=MODEL,
    ),
    Kind(
        "check.differs",
        "A stored result did not come out again",
        ("checks.recheck.done",),
        ("model_owner", "judges_of_the_checks"),
        "The {kind} result of " + _SUBJECT + " did not come out again",
        "Executed again from the stored bytes, it differs from what is stored, first at {path}. Whoever signed on it should know.",
        path=CHECKS,
        when={"outcome": ("different",)},
    ),
    Kind(
        "policy.proposed",
        "A change of policy waits for your signature",
        ("reviews.policy.proposed",),
        ("policy_signatories",),
        "You are asked to sign POL-{change}",
        "{policy_change}: {differs}. Why: {reason}",
        path="/policies/changes/{change}/",
    ),
    Kind(
        "policy.scheduled",
        "A change of policy is signed for a day",
        ("reviews.policy.scheduled",),
        ("policy_concerned",),
        "{policy_change} comes into force on its day",
        "In force from {effective_at}. {differs}.",
        path="/policies/changes/{change}/",
    ),
    Kind(
        "policy.in_force",
        "A policy came into force",
        ("reviews.policy.activated",),
        ("policy_concerned",),
        "{policy_change} is in force",
        "{differs}. Reviews under way keep the policy they were asked for under.",
        path="/policies/changes/{change}/",
    ),
    Kind(
        "policy.held",
        "A policy did not come into force on its day",
        ("reviews.policy.held",),
        ("policy_concerned",),
        "{policy_change} is not in force",
        "{reason}",
        path="/policies/changes/{change}/",
    ),
    Kind(
        "webhook.off",
        "A webhook was switched off",
        ("notices.webhook.switched_off",),
        ("managers",),
        "The webhook to {host} is switched off",
        "{reason}. What waits for it is held; nothing more is sent to it.",
        path="/system/webhooks/{endpoint}/",
    ),
)

BY_KEY: Final[Mapping[str, Kind]] = {kind.key: kind for kind in KINDS}
EVENTS: Final = tuple(sorted({event for kind in KINDS for event in kind.events}))

# What webhooks can be told of. A new event type is one row.
HOOKED: Final = (
    "checks.definition.saved",
    "checks.measurement.done",
    "checks.measurement.cancelled",
    "checks.measurement.failed",
    "checks.measurement.recalled",
    "checks.uploaded.attached",
    "checks.uploaded.recalled",
    "compliance.bundle.issued",
    "compliance.document.forms_made",
    "compliance.document.issued",
    "compliance.statement.recorded",
    "compliance.uses.acknowledged",
    "engagements.engagement.ended",
    "engagements.engagement.opened",
    "engagements.finding.raised",
    "impact.assessment.saved",
    "impact.assessment.signed",
    "impact.authority.notified",
    "modelcards.card.saved",
    "modelcards.template.chosen",
    "modelcards.template.defined",
    "registry.alias.deleted",
    "registry.alias.set",
    "registry.authorization.minted",
    "registry.authorization.revoked",
    "registry.deployment.changed",
    "registry.deployment.ended",
    "registry.deployment.recorded",
    "registry.environment.changed",
    "registry.environment.created",
    "registry.model.created",
    "registry.model.deleted",
    "registry.model.governance_changed",
    "registry.approval.renewed",
    "registry.model.restored",
    "registry.model.retired",
    "registry.version.deleted",
    "registry.version.left",
    "registry.version.promoted",
    "registry.version.registered",
    "registry.version.stage_set",
    "reviews.decision.recorded",
    "reviews.finding.accepted",
    "reviews.finding.closed",
    "reviews.finding.raised",
    "reviews.finding.reopened",
    "reviews.model_change.closed",
    "reviews.model_change.proposed",
    "reviews.policy.activated",
    "reviews.policy.held",
    "reviews.policy.scheduled",
    "reviews.rereview.required",
    "reviews.review.changes_requested",
    "reviews.review.closed",
    "reviews.review.due",
    "reviews.review.expired",
    "reviews.review.overdue",
    "reviews.review.signed",
    "reviews.review.submitted",
    "reviews.rollback.made",
    "reviews.rollback.reviewed",
    "reviews.round.made",
    "reviews.round.voided",
)
