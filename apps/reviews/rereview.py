"""What questions an approval by which a version was let in (SR 26-2: re-review by trigger, not by calendar alone).

`found` reads it from the record at this moment, so no gate answers stale; `standing` are the rows that were written
down when it was found (by the worker) or declared (by a person), which stay although what caused them was mended: mended
evidence was signed by nobody. Both end with the next approval, or when the version leaves the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.accounts import policy
from apps.checks import selectors as checks
from apps.checks.uploaded import selectors as uploaded
from apps.checks.verdicts import accepts
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Tampered
from apps.registry import selectors as registry
from apps.registry.models import Authorization, ModelVersion, RegisteredModel
from apps.registry.selectors import visible_models
from apps.reviews import evidence, selectors
from apps.reviews.models import (
    ACTIVE,
    ALWAYS,
    SETTLED,
    Finding,
    Rereview,
    RereviewTrigger,
    Review,
    Round,
)
from apps.reviews.policies.document import PolicyDocument
from apps.reviews.reads import waivers


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that questions an approval; `reason` is a sentence without its full stop."""

    trigger: RereviewTrigger
    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A review by which a version holds targets now, with the round that was signed and what it was spent on."""

    review: Review
    round: Round
    entries: tuple[Authorization, ...]


def approvals_of(version: ModelVersion) -> list[Approval]:
    """The approvals by which the version is where it is; none if it is nowhere."""
    by_review: dict[int, list[Authorization]] = {}
    for target in registry.held_governed_of([version.pk]).get(version.pk, ()):
        row = registry.entry(version, target)
        if row is not None:
            by_review.setdefault(row.review_id, []).append(row)
    found = []
    for review_id, rows in sorted(by_review.items()):
        review = selectors.find_review(review_id)
        round_ = Round.objects.filter(pk=rows[0].round_id).first()
        if review is not None and round_ is not None:
            found.append(Approval(review, round_, tuple(rows)))
    return found


def needs(version: ModelVersion) -> list[Need]:
    """Everything that questions the approvals by which the version is in its targets; [] if they stand."""
    return [need for each in approvals_of(version) for need in of_approval(each)]


def of_approval(approval: Approval) -> list[Need]:
    """What is written down about the approval and what is found now, each item once."""
    written = [
        Need(RereviewTrigger(row.trigger), row.item, row.reason)
        for row in Rereview.objects.filter(review=approval.review).order_by("pk")
    ]
    known = {(need.trigger, need.item) for need in written}
    return written + [n for n in found(approval) if (n.trigger, n.item) not in known]


def found(approval: Approval) -> list[Need]:
    """What the record says now. Only the triggers that the policy names count, and those that always do."""
    document = selectors.document(approval.review)
    wanted = {*document.rereview_on, *(trigger.value for trigger in ALWAYS)}
    try:
        manifest = evidence.read(approval.round)
    except Tampered:  # the gate and the ledger say so; nothing can be compared with it
        return []
    return [
        Need(trigger, item, reason)
        for trigger, look in _LOOK.items()
        if trigger in wanted
        for item, reason in look(approval, document, manifest)
    ]


Seen = Iterator[tuple[str, str]]


def _recalled(approval: Approval, document: PolicyDocument, manifest: dict[str, Any]) -> Seen:
    named = {row["measurement"]: row["kind"] for row in manifest["checks"] if row["measurement"]}
    for row in checks.recalled(list(named)):
        kind = named[str(row.uuid)]
        yield (
            f"measurement:{row.uuid}",
            f"the {kind} result that was signed was recalled: {row.recall_reason}",
        )
    for result in uploaded.recalled(list(evidence.results_in(manifest))):
        yield (
            f"uploaded:{result.uuid}",
            f"the uploaded result {result.name} that was signed was recalled: {result.recall.reason}",
        )


def _blocking(approval: Approval, document: PolicyDocument, manifest: dict[str, Any]) -> Seen:
    rows = Finding.objects.filter(version=approval.review.version, blocking=True)
    for row in rows.exclude(state__in=SETTLED).order_by("number"):
        yield f"finding:{row.pk}", f"{row.key} ({row.severity}) is open and blocks"


def _unmet(approval: Approval, document: PolicyDocument, manifest: dict[str, Any]) -> Seen:
    """A newer result than the signed one that does not satisfy, and a waiver of a check that ended since."""
    version, accepted = approval.review.version, document.gates.accept_inconclusive
    signed = {row["kind"]: row["measurement"] for row in manifest["checks"]}
    then = waivers.in_force(version, max(row.spent_at for row in approval.entries if row.spent_at))
    now = waivers.in_force(version, clock.now())
    for result in checks.results(version, document.gates.checks):
        key, row = f"checks.{result.kind}", result.measurement
        if accepts(result.verdict, result.kind, accepted) or key in now:
            continue
        if key in then:
            yield f"waiver:{then[key].pk}", f"the waiver of the {result.kind} check has ended"
        elif result.assessment is not None and row and str(row.uuid) != signed.get(result.kind):
            yield f"measurement:{row.uuid}", result.sentence.removesuffix(".")


def _other_data(approval: Approval, document: PolicyDocument, manifest: dict[str, Any]) -> Seen:
    signed = {(row["role"], row["digest"], row["meaning"]) for row in manifest["datasets"]}
    rows = checks.datasets_in_force(approval.review.version).values()
    for row in sorted(rows, key=lambda row: row.role):
        if (row.role, row.digest, checks.meaning_of(row)) not in signed:
            yield (
                f"data:{row.role}:{row.digest}",
                f"the {row.role} data are {row.name} now, which nobody signed for",
            )


_DEMANDED = "tier demanded by its impact assessment"


def _other_use(approval: Approval, document: PolicyDocument, manifest: dict[str, Any]) -> Seen:
    model, then = approval.review.version.model, manifest["version"]
    named = {
        "exposure": "exposure",
        "purpose_class": "use",
        "purpose": "purpose",
        "demanded_tier": _DEMANDED,
    }
    for name, label in named.items():
        old, now = then.get(name), getattr(model, name)
        if old is not None and old != now:
            yield f"{name}:{now}"[:200], f"the model's {label} was {old!r} and is {now!r} now"


def _over(approval: Approval, document: PolicyDocument, manifest: dict[str, Any]) -> Seen:
    for row in approval.entries:
        if row.expires_at <= clock.now():
            yield (
                f"authorization:{row.pk}",
                f"the approval for {row.target.label} expired on {row.expires_at:%d %b %Y}",
            )


_LOOK: dict[RereviewTrigger, Callable[[Approval, PolicyDocument, dict[str, Any]], Seen]] = {
    RereviewTrigger.RECALL: _recalled,
    RereviewTrigger.FINDING: _blocking,
    RereviewTrigger.CHECKS: _unmet,
    RereviewTrigger.DATA: _other_data,
    RereviewTrigger.USE: _other_use,
    RereviewTrigger.EXPIRY: _over,
}


def standing(versions: Sequence[int] | QuerySet[ModelVersion]) -> dict[int, list[Rereview]]:
    """What is written down about the approvals that these versions hold targets by, by version; a constant number of
    queries. What the worker has not written down yet is not in it: `needs` of one version is."""
    rows = Rereview.objects.filter(review__version__in=versions).select_related(
        "review__version__model", "declared_by"
    )
    by_version: dict[int, list[Rereview]] = {}
    current = _current_reviews({row.review.version_id for row in rows})
    for row in rows.order_by("pk"):
        if row.review_id in current:
            by_version.setdefault(row.review.version_id, []).append(row)
    return by_version


def _current_reviews(versions: set[int]) -> set[int]:
    """The reviews by which these versions are in governed targets now."""
    held = registry.held_governed_of(versions)
    entries = Authorization.objects.filter(version__in=versions, spent_at__isnull=False)
    newest: dict[tuple[int, str, str], int] = {}
    for row in entries.order_by("spent_at", "pk"):
        newest[row.version_id, row.target_kind, row.target_name] = row.review_id
    return {
        newest[version, target.kind, target.name]
        for version, targets in held.items()
        for target in targets
        if (version, target.kind, target.name) in newest
    }


def open_for(actor: Actor) -> dict[ModelVersion, list[Rereview]]:
    """The versions that the actor may see and whose approval is questioned, with why."""
    return _questioned(visible_models(actor))


def to_renew(actor: Actor) -> dict[ModelVersion, list[Rereview]]:
    """Those of them that the actor may submit again and that are under no review yet."""
    models = RegisteredModel.objects.filter(
        policy.where_may(actor, "review.submit", RegisteredModel), deleted_at__isnull=True
    )
    found_rows = _questioned(models)
    under = Review.objects.filter(version__in=found_rows, status__in=[s.value for s in ACTIVE])
    busy = set(under.values_list("version", flat=True))
    return {version: why for version, why in found_rows.items() if version.pk not in busy}


def _questioned(models: QuerySet[RegisteredModel]) -> dict[ModelVersion, list[Rereview]]:
    rows = ModelVersion.objects.filter(
        model__in=models, reviews__rereviews__isnull=False, deleted_at__isnull=True
    ).distinct()
    found_rows = standing(rows)
    by_pk = {row.pk: row for row in rows.filter(pk__in=found_rows).select_related("model")}
    return {by_pk[pk]: why for pk, why in sorted(found_rows.items())}


def in_use(**which: Any) -> list[ModelVersion]:
    """The versions (all, or those matching) that are in a governed target by an approval, whoever asks."""
    entered = Authorization.objects.filter(spent_at__isnull=False).values("version")
    rows = ModelVersion.objects.filter(pk__in=entered, deleted_at__isnull=True, **which)
    held = registry.held_governed_of(rows.values_list("pk", flat=True))
    return list(rows.filter(pk__in=held).select_related("model", "run").order_by("pk"))


def in_use_of(payload: Mapping[str, Any]) -> list[ModelVersion]:
    """Those of `in_use` that an event's payload is about: its version, else every version of its model."""
    version = payload.get("version")
    return in_use(pk=version) if version else in_use(model=payload["model"])
