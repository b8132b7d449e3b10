"""5. to 10. of verify_bundle.py: whether the members about one version belong together, and are those that the ledger tells of.

Python 3.9 or later, standard library only; a part of `verify_bundle.pyz`. Each function returns a sentence or raises Wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from verify_ledger import Wrong, hashed, member
from verify_records import (
    IN_TOTO,
    Bundle,
    Part,
    canonical,
    digest,
    opened,
    record,
    require_honest,
)

PREDICATE = "urn:countersign:decision:v1"


def check_version(bundle: Bundle, part: Part) -> str:
    """The version is the one of the index; its manifest has the digest that is its name, under which it was registered."""
    said = part.said = bundle.record(part.folder + "version.json")
    manifest = member(said, "manifest", list, "it")
    if digest(canonical(manifest)) != hashed(said, "manifest_digest", "it"):
        raise Wrong("its manifest is not what its digest says")
    for name in ("model", "version", "manifest_digest"):
        if said[name] != part.entry[name]:
            raise Wrong(f"its {name} is {said[name]}, the index says {part.entry[name]}")
    part.scope = scope_of(bundle, said)
    return f"{said['model']} v{said['version']}, {len(manifest)} files, manifest {said['manifest_digest']}"


def scope_of(bundle: Bundle, said: dict[str, Any]) -> str:
    """Under which scope the ledger tells of the version: that of its registration."""
    found = [
        f"version:{each.payload['version']}"
        for each in bundle.told("registry.version.registered")
        if each.payload["manifest_digest"] == said["manifest_digest"]
        and each.payload["number"] == said["version"]
        and f"version:{each.payload['version']}" in each.scopes
    ]
    scope = said.get("scope") or (found[0] if len(found) == 1 else "")
    if scope not in found:
        raise Wrong("the ledger does not tell that this version was registered with these files")
    return str(scope)


def check_round(bundle: Bundle, part: Part, name: str) -> str:
    """5."""
    said, own = bundle.record(name), bundle.sum(name)
    if own not in {each["digest"] for each in bundle.happened("reviews.round.made", part)}:
        raise Wrong(f"the ledger has no round of evidence with the digest {own}")
    if said["version"]["manifest_digest"] != part.said["manifest_digest"]:
        raise Wrong("it is about other files than the version's")
    if said["files"] != part.said["manifest"]:
        raise Wrong("the files that it lists are not the version's")
    policy = bundle.sum(folder(name) + "policy.json")
    if policy != said["policy"]["digest"]:
        raise Wrong(
            f"the policy beside it has the digest {policy}, it names {said['policy']['digest']}"
        )
    check_card_named(bundle, part, said["card"])
    for entry in said["checks"]:
        check_result_named(bundle, part, entry)
    for entry in said.get("uploaded", []):
        if bundle.sum(f"{part.folder}uploaded/{entry['result']}") != entry["digest"]:
            raise Wrong(f"the uploaded result {entry['name']} is not the one it names")
    part.manifests[str(own)] = (name, said)
    return f"evidence {own}: policy, card, {len(said['checks'])} checks and files are those in the bundle"


def folder(name: str) -> str:
    return name.rpartition("/")[0] + "/"


def check_card_named(bundle: Bundle, part: Part, card: dict[str, Any] | None) -> None:
    if card is None:
        return
    found = bundle.sum(f"{part.folder}card/revision-{card['revision']}.json")
    if found != card["digest"]:
        raise Wrong(f"card revision {card['revision']} is not the one it names")


def check_result_named(bundle: Bundle, part: Part, entry: dict[str, Any]) -> None:
    if entry["measurement"] is None or entry["result_digest"] is None:
        return
    said = bundle.record(f"{part.folder}checks/{entry['measurement']}.json")
    if said["result_digest"] != entry["result_digest"]:
        raise Wrong(f"the result of {entry['kind']} is not the one it names")


def check_statement(bundle: Bundle, part: Part, name: str) -> str:
    """6."""
    said, own = bundle.record(name), str(bundle.sum(name))
    told = [
        each
        for each in bundle.told("reviews.decision.recorded", part)
        if each.payload["statement_digest"] == own
    ]
    if not told:
        raise Wrong(f"the ledger has no decision with the statement {own}")
    event = told[0].payload
    evidence = said["evidence_digest"]
    if evidence not in part.manifests or event["evidence_digest"] != evidence:
        raise Wrong("the evidence that it names is not in the bundle")
    where = part.manifests[evidence][0]
    if folder(where) != folder(name):
        raise Wrong(f"it is about the evidence of another review, {where}")
    for key in ("outcome", "meaning", "role", "step", "signer"):
        if said[key] != event[key]:
            raise Wrong(f"its {key} is {said[key]!r}, the ledger says {event[key]!r}")
    sealed = check_envelope(bundle, part, name, said, event.get("envelope", ""), told[0].at)
    return f"{said['meaning']} as {said['role']} on {said['signed_at']}, by {said['method']}, statement {own}; {sealed}"


def check_envelope(
    bundle: Bundle, part: Part, name: str, said: dict[str, Any], expected: str, at: str
) -> str:
    """6. The site's signature around the statement."""
    if not expected:
        return "no envelope (decided before the site had a key)"
    place = name[: -len(".json")] + ".dsse.json"
    if bundle.sum(place) != expected:
        raise Wrong("its envelope is not the one that the ledger has")
    payload, by = opened(bundle.read(place), bundle.keys, IN_TOTO)
    found = record(payload, "the envelope")
    subjects = {each["name"]: each["digest"]["sha256"] for each in found["subject"]}
    wanted = files_of(part) | {"evidence-manifest.json": said["evidence_digest"]}
    if subjects != wanted or len(found["subject"]) != len(wanted):
        raise Wrong("its envelope is not about the files of this version")
    predicate = found["predicate"]
    if found["predicateType"] != PREDICATE or predicate.pop("statement") != bundle.sum(name):
        raise Wrong("its envelope is about another statement")
    if any(said[key] != value for key, value in predicate.items()):
        raise Wrong("its envelope says something else than the statement")
    require_honest(bundle, by, said["signed_at"], at)
    return f"envelope signed by {by[:16]}"


def files_of(part: Part) -> dict[str, str]:
    return {f"files/{each['path']}": each["digest"] for each in part.said["manifest"]}


def check_sealed(bundle: Bundle, part: Part, name: str) -> str:
    """6. No envelope without its statement."""
    if name[: -len(".dsse.json")] + ".json" not in bundle.members:
        raise Wrong("there is no statement to it")
    return "with its statement"


def check_policy(bundle: Bundle, part: Part, name: str) -> str:
    """5. A policy stands beside a round that names it, or the review has no round yet."""
    bundle.record(name)
    own, beside = bundle.sum(name), folder(name)
    rounds = [said for where, said in part.manifests.values() if folder(where) == beside]
    if any(said["policy"]["digest"] != own for said in rounds):
        raise Wrong("the evidence beside it names another policy")
    return (
        "the policy of its evidence"
        if rounds
        else "of a review without evidence: nobody signed for it"
    )


def check_check(bundle: Bundle, part: Part, name: str) -> str:
    """7."""
    said = bundle.record(name)
    own = digest(canonical({key: said[key] for key in ("key", "result", "statistics")}))
    if own != said["result_digest"]:
        raise Wrong(f"its result has the digest {own}, it says {said['result_digest']}")
    told = {each["result_digest"] for each in bundle.happened("checks.measurement.done", part)}
    if own not in told:
        raise Wrong(f"the ledger has no result with the digest {own}")
    part.results.add(own)
    return f"{said['kind']}, result {own}"


def check_uploaded(bundle: Bundle, part: Part, name: str) -> str:
    """7."""
    own = bundle.sum(name)
    for each in bundle.happened("checks.uploaded.attached", part):
        if each["digest"] == own:
            return f"reported by {each['tool']} as the ledger says"
    raise Wrong(f"the ledger has no uploaded result with the digest {own}")


def check_card(bundle: Bundle, part: Part, name: str) -> str:
    """7."""
    said = bundle.record(name)
    place = f"{part.folder}card/revision-{said['number']}.json"
    if said["version"] != part.said["uuid"] or name != place:
        raise Wrong("it is of another version, or another revision")
    told = {each["digest"] for each in bundle.happened("modelcards.card.saved", part)}
    if bundle.sum(name) not in told:
        raise Wrong("the ledger has no card revision with its digest")
    return f"{len(said['blocks'])} blocks written by people"


def check_document(bundle: Bundle, part: Part, name: str) -> str:
    """8."""
    own = bundle.sum(name)
    for each in bundle.happened("compliance.document.issued", part):
        if f"{part.folder}documents/{each['uuid']}.pdf" == name and each["digest"] == own:
            return f"issued as the ledger says, {each['size']} bytes"
    raise Wrong("the ledger does not say that this file was issued")


def check_file(bundle: Bundle, part: Part, name: str) -> str:
    """9."""
    if files_of(part).get(name[len(part.folder) :]) != bundle.sum(name):
        raise Wrong("it is not a file of the version's manifest")
    return "as in the version's manifest"


def check_files(bundle: Bundle, part: Part) -> str:
    """9. All of them or none."""
    there, wanted = bundle.named("file", part.folder), part.said["manifest"]
    if not bundle.index["with_files"]:
        if there:
            raise Wrong("the index says that there are none")
        return "not in this bundle: compare yours with version.json"
    if len(there) != len(wanted):
        raise Wrong(f"{len(wanted) - len(there)} of {len(wanted)} files are missing")
    return f"all {len(wanted)} files of the version"


CHECKS: list[tuple[str, Callable[[Bundle, Part, str], str]]] = [
    ("check", check_check),
    ("uploaded", check_uploaded),
    ("card", check_card),
    ("evidence", check_round),
    ("policy", check_policy),
    ("statement", check_statement),
    ("envelope", check_sealed),
    ("document", check_document),
    ("file", check_file),
]

# What the ledger tells of, under which name it has the digest, and the kind of member that must have it.
TOLD = [
    ("reviews.round.made", "digest", "evidence"),
    ("reviews.decision.recorded", "statement_digest", "statement"),
    ("modelcards.card.saved", "digest", "card"),
    ("compliance.document.issued", "digest", "document"),
    ("checks.uploaded.attached", "digest", "uploaded"),
]


def check_told(bundle: Bundle, part: Part) -> str:
    """10. Nothing that the ledger tells of was left out, such as a decision against the version."""
    count = 0
    for event, name, kind in TOLD:
        there = {bundle.sum(each) for each in bundle.named(kind, part.folder)}
        for said in bundle.happened(event, part):
            count += 1
            require_there(said[name], there, event)
    for said in bundle.happened("checks.measurement.done", part):
        count += 1
        require_there(said["result_digest"], part.results, "checks.measurement.done")
    outcomes = Counter(
        str(e["outcome"]) for e in bundle.happened("reviews.decision.recorded", part)
    )
    decided = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    return f"the {count} rounds, decisions ({decided or 'none'}), results, card revisions and documents of the ledger are in the bundle"


def require_there(own: str, there: set[Any], event: str) -> None:
    if own not in there:
        raise Wrong(f"the ledger tells of {event} {own}, which is not in the bundle")
