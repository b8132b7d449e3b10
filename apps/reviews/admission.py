"""May this version run in this target now? What a deployment asks, as gate results; every one must pass.

For running (`may_run`): the model is governed, the target is governed, the version holds it, by an authorization that
was spent on it, is not revoked and has not expired, on evidence of which nothing was recalled or damaged since, and nothing
that its policy names asks for a new review (`rereview`).
An environment is entered by the first deployment recorded in it, so before that its approval is asked as for promotion.
For promotion (`may_enter`): an approval lives and every gate passes at this moment.

Does not re-hash the version's bytes (that reads all of them): whoever deploys compares the digest with what she deploys.
"""

from __future__ import annotations

from collections.abc import Sequence

from apps.core import clock
from apps.core.errors import Tampered
from apps.registry import gates
from apps.registry import selectors as registry
from apps.registry.gates import GateResult
from apps.registry.models import Authorization, ModelVersion
from apps.registry.targets import Target
from apps.reviews import evidence, rereview, selectors
from apps.reviews.in_force import InForce, policy_for
from apps.reviews.models import Round


def may_run(version: ModelVersion, target: Target, digest: str = "") -> list[GateResult]:
    """The conditions under which the version may run in the target, and that its files are those of `digest` if given."""
    if _first_deployment_waits(version, target):
        return may_enter(version, target, digest)
    results = _governed(version, target)
    holds = registry.holds(version, target)
    results.append(_holds(version, target, holds=holds))
    row = registry.entry(version, target) if holds else None
    results += [_approval(row), _evidence(row), _unquestioned(version, row)]
    return [*results, *_digest(version, digest)]


def may_enter(version: ModelVersion, target: Target, digest: str = "") -> list[GateResult]:
    """The conditions under which a promotion into the target would be done now."""
    results = _governed(version, target)
    results.append(_unspent(registry.live_authorization(version, target)))
    return [*results, *gates_of(version, [target]), *_digest(version, digest)]


def gates_of(version: ModelVersion, targets: Sequence[Target]) -> list[GateResult]:
    """Every gate's answer for these targets, under the terms of the policy that counts."""
    terms = policy_of(version).document.terms()
    return gates.evaluate(version, targets, terms)


def policy_of(version: ModelVersion, target: Target | None = None) -> InForce:
    """What counts: the policy of the review that let the version into the target, of the one under way, or those in
    force."""
    row = registry.entry(version, target) if target is not None else None
    review = selectors.find_review(row.review_id) if row is not None else None
    if review is None:
        latest = selectors.latest_review(version)
        review = (
            latest if latest and (latest.state.is_active or latest.state == "promoted") else None
        )
    if review is None:
        return policy_for(version, [target] if target is not None else ())
    return InForce(selectors.document(review), (review.policy_version,))


def _governed(version: ModelVersion, target: Target) -> list[GateResult]:
    model = version.model
    if not model.is_governed:
        fact = f"{model.name} is a sandbox model: nobody approves anything of it."
        return [GateResult("governance", "Governance", "fail", fact)]
    results = [GateResult("governance", "Governance", "pass", f"{model.name} is governed.")]
    if registry.is_governed(model, target):
        fact = f"The policy governs {target.label}."
        return [*results, GateResult("target", "Target", "pass", fact)]
    fact = f"{target.label[:1].upper()}{target.label[1:]} is not governed: holding it shows no approval."
    return [*results, GateResult("target", "Target", "fail", fact)]


def _first_deployment_waits(version: ModelVersion, target: Target) -> bool:
    """Is an environment approved and not entered yet? Recording the first deployment would enter it."""
    if target.kind != "environment" or registry.holds(version, target):
        return False
    return registry.live_authorization(version, target) is not None


def _holds(version: ModelVersion, target: Target, *, holds: bool) -> GateResult:
    if holds:
        return GateResult("holder", "In the target", "pass", f"{version} is in {target.label}.")
    holder = registry.holder(version.model, target)
    who = f"v{holder.number} is" if holder is not None else "No version is"
    fact = f"{version} is not in {target.label}. {who} there now."
    url = registry.review_url(version)
    return GateResult("holder", "In the target", "missing", fact, "See its review", url)


def _approval(row: Authorization | None) -> GateResult:
    key, title = "approval", "Approval"
    if row is None:
        return GateResult(key, title, "missing", "There is no approval by which it would be there.")
    if row.revoked_at is not None:
        fact = f"The approval of REV-{row.review_id} was revoked on {row.revoked_at:%Y-%m-%d}."
        return GateResult(key, title, "fail", fact)
    if row.expires_at <= clock.now():
        fact = f"The approval of REV-{row.review_id} expired on {row.expires_at:%Y-%m-%d}."
        return GateResult(key, title, "fail", fact)
    fact = f"REV-{row.review_id} approved it; that holds until {row.expires_at:%Y-%m-%d}."
    return GateResult(key, title, "pass", fact)


def _unspent(row: Authorization | None) -> GateResult:
    if row is None:
        fact = "No approval waits to be used for this target."
        return GateResult("approval", "Approval", "missing", fact)
    return _approval(row)


def _evidence(row: Authorization | None) -> GateResult:
    key, title = "evidence", "Evidence"
    round_ = Round.objects.filter(pk=row.round_id).first() if row is not None else None
    if row is None or round_ is None:
        return GateResult(key, title, "missing", "No evidence was signed for it.")
    try:
        lost = evidence.lost_items(round_)
    except Tampered as error:
        return GateResult(key, title, "fail", str(error))
    if round_.voided_at is not None:
        lost = [round_.void_reason, *lost]
    if round_.digest != row.evidence_digest:
        lost = ["the approval names other evidence than was signed", *lost]
    if lost:
        return GateResult(key, title, "fail", f"Since the approval: {'; '.join(lost)}.")
    fact = f"What was signed ({row.evidence_digest[:12]}) still stands."
    return GateResult(key, title, "pass", fact)


def _unquestioned(version: ModelVersion, row: Authorization | None) -> GateResult:
    """An approval is suspended while something that its policy names questions it; a new one ends that."""
    key, title = "rereview", "Re-review"
    asking = [each for each in rereview.approvals_of(version) if row and row in each.entries]
    needs = [need for each in asking for need in rereview.of_approval(each)]
    if row is None:
        return GateResult(key, title, "missing", "There is no approval that could be questioned.")
    if not needs:
        return GateResult(key, title, "pass", "Nothing questions the approval.")
    fact = f"Re-review required: {'; '.join(need.reason for need in needs)}."
    url = registry.version_url(version, "submit/")
    return GateResult(key, title, "fail", fact, "Ask for a new review", url)


def _digest(version: ModelVersion, asked: str) -> Sequence[GateResult]:
    if not asked:
        return ()
    key, title = "digest", "Files"
    if asked == version.manifest_digest and version.manifest:
        return (GateResult(key, title, "pass", f"{version} has the files asked about."),)
    fact = f"{version} has other files: its manifest is {version.manifest_digest[:12]}, asked was {asked[:12]}."
    return (GateResult(key, title, "fail", fact),)
