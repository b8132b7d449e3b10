"""The evidence of a round: one canonical document that names everything a signature covers.

The manifest holds digests, not contents: the version's files, its run, its data sets, the checks' results with
the verdicts they have under the pinned policy, what other tools reported, the card's revision, the targets, the policy. Two manifests
with the same bytes are the same evidence. It also names the ledger's root when it was made, so it cannot be
older or younger than it says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.checks import selectors as checks
from apps.checks.uploaded import selectors as uploaded
from apps.core import blobs, canonical, clock
from apps.core.errors import DomainError, Tampered
from apps.experiments import selectors as experiments
from apps.impact import selectors as impact
from apps.modelcards import selectors as modelcards
from apps.registry import materiality
from apps.registry import selectors as registry
from apps.registry.gates import Fix, GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews.judging import evidence as judging
from apps.reviews.models import PolicyVersion, Review, Round
from apps.reviews.policies.document import PolicyDocument, parse
from apps.reviews.reads import waivers

TYPE = "countersign.evidence.v1"


def authors(version: ModelVersion, submitter: int) -> dict[int, list[str]]:
    """Everybody who made part of what is reviewed, with what each did: none of them may decide."""
    found = {user: list(reasons) for user, reasons in registry.version_authors(version).items()}
    for users, reason in (
        (checks.dataset_authors(version), "attached evaluation data"),
        (uploaded.uploaders(version), "uploaded a result"),
        (modelcards.card_authors(version), "wrote the model card"),
        (impact.authors_in_force(version.model), "answered the impact assessment"),
        ({submitter}, "asked for this review"),
    ):
        for user in users:
            found.setdefault(user, []).append(reason)
    return found


def build(
    review: Review, number: int, document: PolicyDocument, author_ids: Sequence[int]
) -> bytes:
    """The canonical bytes of the next round's manifest."""
    return canonical.dumps(
        {
            "type": TYPE,
            "review": review.pk,
            "round": number,
            **contents(review.version, review.target_list, review.policy_version, document),
            "authors": _uuids(author_ids),
            "ledger": _head(),
        }
    )


def contents(
    version: ModelVersion,
    targets: Sequence[Target],
    policy: PolicyVersion,
    document: PolicyDocument,
) -> dict[str, Any]:
    """What the evidence is now. Compared with a round's manifest it tells what changed since."""
    return {
        "targets": [str(target) for target in targets],
        "policy": {"key": policy.key, "number": policy.number, "digest": policy.digest},
        "version": {
            **registry.facts(version),
            "governance": version.model.governance,
            "risk_tier": version.model.risk_tier,
            "tier_formula": materiality.FORMULA_VERSION,
            "demanded_tier": version.model.demanded_tier,
            "exposure": version.model.exposure,
            "purpose_class": version.model.purpose_class,
            "purpose": version.model.purpose,
        },
        "files": version.manifest,
        "run": _run(version),
        "datasets": list(_datasets(version)),
        "checks": list(_checks(version, document)),
        "uploaded": list(_uploaded(version)),
        "card": _card(version, document),
        "impact": list(_impact(version)),
        "incumbents": [_incumbent(version, target) for target in targets],
    }


def _run(version: ModelVersion) -> dict[str, Any] | None:
    if version.run is None:
        return None
    return {"id": version.run.run_id, "digest": experiments.run_digest(version.run)}


def _datasets(version: ModelVersion) -> Iterator[dict[str, Any]]:
    for row in sorted(checks.datasets_in_force(version).values(), key=lambda row: row.role):
        yield {
            "id": str(row.uuid),
            "role": row.role,
            "name": row.name,
            "digest": row.digest,
            "rows": row.rows,
            "meaning": checks.meaning_of(row),
        }


def _checks(version: ModelVersion, document: PolicyDocument) -> Iterator[dict[str, Any]]:
    for result in checks.results(version, document.gates.checks):
        row = result.measurement
        yield {
            "kind": result.kind,
            "measurement": str(row.uuid) if row else None,
            "key": row.key if row else None,
            "result_digest": (row.result_digest or None) if row else None,
            "verdict": result.verdict.value,
            "sentence": result.sentence,
        }


def _uploaded(version: ModelVersion) -> Iterator[dict[str, Any]]:
    """What other tools reported and somebody uploaded: the newest of each name, by whom, and how many it replaces."""
    for each in uploaded.standing(version):
        row = each.row
        yield {
            "result": str(row.uuid),
            "name": row.name,
            "format": row.format,
            "tool": row.tool,
            "tool_version": row.tool_version,
            "outcome": row.outcome,
            "digest": row.digest,
            "reading": row.reading_digest,
            "uploaded_by": str(row.uploaded_by.uuid),
            "before": each.before,
            "wrong_before": each.wrong_before,
        }


def _card(version: ModelVersion, document: PolicyDocument) -> dict[str, Any] | None:
    revision = modelcards.latest_revision(version)
    if revision is None:
        return None
    gaps = [gap.key for gap in modelcards.gaps(version, document.terms())]
    return {"revision": revision.number, "digest": revision.digest, "gaps": gaps}


def _impact(version: ModelVersion) -> Iterator[dict[str, Any]]:
    """The impact assessment in force, if there is one; a draft is none."""
    found = impact.in_force(version.model)
    if found is not None:
        yield found.plain()


def _incumbent(version: ModelVersion, target: Target) -> dict[str, Any]:
    held = registry.holder(version.model, target)
    return {
        "target": str(target),
        "number": held.number if held else None,
        "manifest_digest": held.manifest_digest if held else None,
    }


def _uuids(user_ids: Sequence[int]) -> list[str]:
    rows = User.objects.filter(pk__in=user_ids).values_list("uuid", flat=True)
    return sorted(str(uuid) for uuid in rows)


def _head() -> dict[str, Any]:
    head = audits.head()
    return {"size": head.size, "root": head.root}


def read(round_: Round) -> dict[str, Any]:
    """A round's manifest as data; raises Tampered if its bytes are not what its digest says."""
    data = bytes(round_.manifest)
    if canonical.digest(data) != round_.digest:
        raise Tampered(f"{round_}: the manifest is not what its digest says.")
    manifest: dict[str, Any] = json.loads(data)
    return manifest


def damaged_bytes(version: ModelVersion) -> str:
    """The first file or data set whose bytes are gone or changed, in a sentence; "" if all are whole.

    Reads every byte; call it outside of transactions.
    """
    try:
        blobs.check_all(_stored_files(version))
    except DomainError as error:
        return error.message
    return ""


def _stored_files(version: ModelVersion) -> Iterator[tuple[str, str]]:
    """Everything whose bytes are evidence, as (name, digest): of a data set of several files its manifest, then each of them."""
    for entry in version.manifest:
        yield f"file {entry['path']}", entry["digest"]
    for row in checks.datasets_in_force(version).values():
        yield f"data set {row.name}", row.digest
        if row.parts:
            for part in checks.files_of(row):
                yield f"data set {row.name}, {part.name}", part.digest


# What ends a round although nobody asked for it (DESIGN section 5): an item recalled or replaced. A draft edit of the card,
# a sibling's promotion (a new incumbent) and newer measurements do not; they show as newer evidence.
def lost_items(round_: Round) -> list[str]:
    """Items of the round that no longer stand, each in a sentence."""
    manifest = read(round_)
    named = {
        entry["measurement"]: entry["kind"] for entry in manifest["checks"] if entry["measurement"]
    }
    lost = [
        f"the {named[str(row.uuid)]} result was recalled: {row.recall_reason}"
        for row in checks.recalled(list(named))
    ]
    return lost + [
        f"the uploaded result {row.name} was recalled: {row.recall.reason}"
        for row in uploaded.recalled(list(results_in(manifest)))
    ]


def results_in(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The uploaded results that a manifest names, by their uuid; one made before they were evidence names none."""
    return {entry["result"]: entry for entry in manifest.get("uploaded", ())}


def satisfies(round_: Round, again: Callable[[], Sequence[Fix]] = tuple) -> GateResult:
    """Whether the signed evidence satisfies the pinned policy by itself; `again` tells the acts of a new round.

    Newer measurements do not help: people signed for these. What is waived by a signature in force is put aside.
    """
    review = round_.review
    document = parse(review.policy_version.document)
    accepted = {str(kind): why for kind, why in document.gates.accept_inconclusive.items()}
    waived = waivers.in_force(review.version, clock.now())
    manifest, url = read(round_), f"/reviews/{review.pk}/"
    found = judging.judge(manifest, accepted, waived, (), url)
    return found if found.passes else judging.judge(manifest, accepted, waived, again(), url)


def shortcomings(round_: Round) -> list[str]:
    """What the signed evidence lacks, each in a clause; [] if nothing."""
    return [leaf.clause for leaf in satisfies(round_).children if not leaf.passes]


LABELS = {
    "version": "the model's settings",
    "files": "files",
    "run": "the run",
    "datasets": "data sets",
    "checks": "check results",
    "uploaded": "uploaded results",
    "card": "the card",
    "impact": "the impact assessment",
    "incumbents": "the version in the target",
    "policy": "the policy",
}


def newer(round_: Round, document: PolicyDocument) -> list[str]:
    """The parts of the evidence that changed since the round was made, in words; [] if none did."""
    review = round_.review
    then, now = (
        read(round_),
        contents(review.version, review.target_list, review.policy_version, document),
    )
    # A round made before a fact was part of the evidence says nothing about it.
    now["version"] = {key: value for key, value in now["version"].items() if key in then["version"]}
    return [label for key, label in LABELS.items() if then.get(key, []) != now[key]]


def tier_since(round_: Round) -> tuple[int, int] | None:
    """The risk tier when the round was made and now, if they differ."""
    then, now = read(round_)["version"]["risk_tier"], round_.review.version.model.risk_tier
    return (then, now) if then != now else None


def between(older: Round, newer_: Round) -> list[str]:
    """The parts that differ between two rounds of one review, in words; [] if the evidence is the same."""
    then, now = read(older), read(newer_)
    return [label for key, label in LABELS.items() if then.get(key, []) != now.get(key, [])]
