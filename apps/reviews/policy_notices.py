"""What people are told of a change of policy, and whom it concerns."""

from __future__ import annotations

from apps.accounts import policy as rights
from apps.registry.models import Governance, RegisteredModel
from apps.reviews import in_force
from apps.reviews.models import PolicyChange
from apps.reviews.policies import compare, saying
from apps.reviews.policies.document import parse
from apps.reviews.reads import policies as policy_list


def find(number: object) -> PolicyChange | None:
    """The change of that number, whoever asks."""
    return policy_list.changes().filter(pk=number).first() if isinstance(number, int) else None


def told(change: PolicyChange) -> dict[str, str]:
    """`policy_change`: what is put in place of what; `differs`: every difference in words."""
    old = parse(change.replaces.document) if change.replaces else None
    new = parse(change.version.document) if change.version else None
    if new is None:
        return {
            "policy_change": f"The retirement of {change.replaces}",
            "differs": "It asks for nothing any more",
        }
    if old is None:
        return {"policy_change": str(change.version), "differs": f"A new policy: {new.title}"}
    return {
        "policy_change": str(change.version),
        "differs": "; ".join(saying.sentences(compare.redline(old, new))),
    }


def concerned(change: PolicyChange) -> set[int]:
    """Who proposed and signed it, and who owns a governed model that it covers, or covered."""
    documents = [parse(row.document) for row in (change.version, change.replaces) if row]
    models = RegisteredModel.objects.filter(
        deleted_at__isnull=True, governance=Governance.GOVERNED, owner__isnull=False
    )
    owners = {
        model.owner_id
        for model in models.select_related("team").prefetch_related("tags")
        for document in documents
        if in_force.covers(document, model, [(tag.key, tag.value) for tag in model.tags.all()])
    }
    signers = {row.user_id for row in change.signatures.all()}
    return owners | signers | {change.proposed_by_id}


def may_sign(change: PolicyChange) -> set[int]:
    """Who may sign it: everybody with the right on the whole site but its proposer."""
    people = rights.who_may("policy.sign", None).exclude(pk=change.proposed_by_id)
    return set(people.values_list("pk", flat=True))
