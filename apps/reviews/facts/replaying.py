"""The facts of many cases at once, for the simulation of policies: a constant number of queries a chunk.

A past review is taken as it was in its newest decided round, at the moment of that round's last decision: the
results, data and card that its manifest names, its decisions, and the findings, waivers and conflicts as they were. A
version in a governed target is taken as it is now, with the signatures by which it entered.

As they are now, since no evidence says how they were: the tags and the team of a model, and what a run recorded (it was
sealed). Facts that no policy asks about are not read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from django.db.models import Max, QuerySet

from apps.core import canonical, clock
from apps.modelcards import facts as card_facts
from apps.registry import selectors as registry
from apps.registry.models import Authorization, ModelTag
from apps.registry.targets import Target
from apps.reviews.facts.replayed import Facts, Needs, Row, tags_of
from apps.reviews.judging.rules import RuleFacts
from apps.reviews.models import Decision, Round
from apps.reviews.policies.simulate import Case, Memory, PastRound, Signature

CHUNK = 1000


@dataclass(slots=True)
class Read:
    """What was read beside the cases: how many there are, and what could not be replayed."""

    count: int = 0
    unreadable: list[str] = field(default_factory=list)


def past(
    needs: Needs, memory: Memory, read: Read, wanted: Callable[[Case], bool]
) -> Iterator[list[Case]]:
    """Every review that somebody decided about, oldest first, in chunks; `wanted` is asked of a case that knows only
    its targets and how its model stands, and leaves out the others."""
    newest = Decision.objects.values("review_id").annotate(
        last=Max("round_id"), at=Max("created_at")
    )
    after = 0
    while True:
        found = list(newest.filter(review_id__gt=after).order_by("review_id")[:CHUNK])
        if not found:
            return
        after = found[-1]["review_id"]
        yield _chunk(
            list(_past_rows([row["last"] for row in found], read)), needs, memory, read, wanted
        )


def _past_rows(ids: Sequence[int], read: Read) -> Iterator[Row]:
    decisions = _decisions(ids)
    for row in _rounds(ids):
        read.count += 1
        data = bytes(row.manifest)
        if canonical.digest(data) != row.digest:
            read.unreadable.append(f"{row}: the manifest is not what its digest says")
            continue
        manifest = msgspec.json.decode(data)
        targets = tuple(Target.parse(text) for text in manifest["targets"])
        given = decisions[row.pk]
        yield Row(row, max(each.created_at for each in given), manifest, targets, given)


def _rounds(ids: Sequence[int]) -> QuerySet[Round]:
    rows = Round.objects.filter(pk__in=ids).select_related(
        "review__version__model__team", "review__policy_version"
    )
    return rows.defer("review__version__manifest", "review__justification").order_by("review_id")


def _decisions(rounds: Sequence[int]) -> dict[int, list[Signature]]:
    found: dict[int, list[Signature]] = defaultdict(list)
    rows = Decision.objects.filter(round_id__in=rounds).order_by("pk")
    for pk, round_, user, other, name, step, role, outcome, digest, at in rows.values_list(
        "pk", "round_id", "user_id", "on_behalf_of_id", "signer_name", "step", "role", "outcome", "evidence_digest", "created_at",
    ):  # fmt: skip
        people = frozenset(filter(None, (user, other)))
        found[round_].append(Signature(pk, user, name, step, role, outcome, digest, people, at))
    return found


def in_use(
    needs: Needs, memory: Memory, read: Read, wanted: Callable[[Case], bool]
) -> Iterator[list[Case]]:
    """Every version now in a governed target by an approval, as it stands now, in chunks."""
    held: dict[int, list[Authorization]] = defaultdict(list)
    for row in registry.entries_in_force():
        held[row.version_id].append(row)
    now = clock.now()
    versions = sorted(held)
    for start in range(0, len(versions), CHUNK):
        some = versions[start : start + CHUNK]
        newest = {held[pk][-1].round_id: held[pk] for pk in some}
        decisions = _decisions(list(newest))
        rows = []
        for round_ in _rounds(list(newest)):
            read.count += 1
            targets = tuple(sorted(entry.target for entry in newest[round_.pk]))
            rows.append(Row(round_, now, None, targets, decisions[round_.pk]))
        yield _chunk(rows, needs, memory, read, wanted)


def _chunk(
    rows: Sequence[Row], needs: Needs, memory: Memory, read: Read, wanted: Callable[[Case], bool]
) -> list[Case]:
    tags = tags_of(ModelTag.objects.filter(model_id__in={row.version.model_id for row in rows}))
    outlines = [(row, _outline(row, tags)) for row in rows]
    kept = [(row, outline) for row, outline in outlines if wanted(outline)]
    if not kept:
        return []
    facts = Facts([row for row, _ in kept], needs, memory)
    return [facts.case(row, outline) for row, outline in kept]


def _outline(row: Row, tags: Mapping[int, Mapping[str, str]]) -> Case:
    """The case with how its model stands, and nothing of what was found about it yet."""
    version, review = row.version, row.review
    model = version.model
    tier = row.manifest["version"]["risk_tier"] if row.manifest is not None else model.risk_tier
    kept_out: frozenset[int] = frozenset()
    return Case(
        what="version" if row.manifest is None else "review",
        pk=version.pk if row.manifest is None else review.pk,
        version=version.pk,
        label=f"{model.name} v{version.number}" if row.manifest is None else review.key,
        ended=review.status,
        targets=row.targets,
        tier=tier,
        team=model.team.key if model.team is not None else "",
        tags=tuple(tags.get(model.pk, {}).items()),
        round=PastRound(
            row.round.pk, row.round.number, row.round.digest, row.round.authors, row.round.owner_id, kept_out
        ),
        decisions=row.decisions,
        checks={},
        card=card_facts.NOTHING,
        waived={},
        findings=(),
        rules=RuleFacts(row.at, version.number),
    )  # fmt: skip
