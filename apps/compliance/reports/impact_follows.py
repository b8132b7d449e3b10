"""What an assessment demands: the tier of its model, whose signatures that adds under the policies in force, who is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from apps.core.parts import Cell, Column, Fact, Facts, Table, Text, cells
from apps.impact import selectors
from apps.impact.models import AssessmentSignature
from apps.impact.scoring import Score
from apps.modelcards.report import Answer, Chapter, Entry
from apps.registry.materiality import effective, risk_tier
from apps.registry.models import RegisteredModel
from apps.reviews import in_force


def follows(model: RegisteredModel, score: Score, signature: AssessmentSignature | None) -> Chapter:
    """Part 5. The law asks for one line of it, that an authority is told."""
    return Chapter(
        "follows",
        "5",
        "What follows from it",
        (_tier(model, score, signature), _signers(model, score), _authority(model, signature)),
    )


def _declared(model: RegisteredModel) -> int:
    """The tier that exposure and use make by themselves."""
    return risk_tier(model.exposure, model.purpose_class)


def _tier(model: RegisteredModel, score: Score, signature: AssessmentSignature | None) -> Entry:
    raised = "as soon as it is signed" if signature is None else "since it was signed"
    facts = [
        Fact("It demands", Cell(f"tier {score.tier} at least, {raised}")),
        Fact("By exposure and use", Cell(f"tier {_declared(model)}")),
        Fact("Demanded so far", Cell(f"tier {model.demanded_tier} at least")),
        Fact("The model is now", Cell(f"tier {model.risk_tier} of 3 (1 is the highest)")),
    ]
    if signature is not None:
        facts.append(Fact("To be made again by", Cell(f"{signature.due_on.day} {signature.due_on:%B %Y}")))  # fmt: skip
    told = "The tier is the highest of these. It never falls by itself: a lower one takes a signed change."
    answer = Answer("", parts=(Facts(tuple(facts)), Text(told)))
    return Entry("", "The risk tier", (answer,), asked=False)


def _signers(model: RegisteredModel, score: Score) -> Entry:
    """Under the policies in force: who signs a version with and without what is demanded here."""
    before, after = _declared(model), effective(_declared(model), score.tier)
    title = "Whose signatures that adds"
    if before == after:
        text = f"None: the model is of tier {before} by its exposure and use already."
        return Entry("", title, (Answer("", parts=(Text(text),)),), asked=False)
    then, now = in_force.at_tier(model, before), in_force.at_tier(model, after)
    rows = tuple(_rows(_asked(then), _asked(now)))
    head = (Column("Signs as"), Column(f"At tier {before}", numeric=True), Column(f"At tier {after}", numeric=True), Column("Added", numeric=True))  # fmt: skip
    note = f"How many different people sign a version. At tier {before}: {then}. At tier {after}: {now}."
    table = Table("Signatures under the policies in force", head, tuple(cells(*row) for row in rows), note)  # fmt: skip
    return Entry("", title, (Answer("", parts=(Text(_in_words(rows)), table)),), asked=False)


def _asked(policy: in_force.InForce) -> Counter[str]:
    found: Counter[str] = Counter()
    for step in policy.document.steps:
        found[step.role] += step.count
    return found


def _rows(then: Counter[str], now: Counter[str]) -> Iterator[tuple[str, str, str, str]]:
    for role in sorted({*then, *now}):
        more = now[role] - then[role]
        yield role, str(then[role]), str(now[role]), f"+{more}" if more > 0 else str(more)


def _in_words(rows: tuple[tuple[str, str, str, str], ...]) -> str:
    added = [f"{more} as {role}" for role, _, _, more in rows if more.startswith("+")]
    if not added:
        return "No policy in force asks more people of the higher tier."
    return f"Added to what a version takes: {', '.join(added)}."


def _authority(model: RegisteredModel, signature: AssessmentSignature | None) -> Entry:
    """EU AI Act Art. 27(3). A duty of the deployers that Art. 27(1) names; whether this is one is not known here."""
    ref, title = "Art. 27(3)", "Telling the market surveillance authority of the results"
    rows = [] if signature is None else list(selectors.notifications_of(model))
    if not rows:
        gap = "No authority was told, as far as is noted here. It is a duty of the deployers that Art. 27(1) names."
        return Entry(ref, title, gaps=(gap,), asked=False)
    head = (Column("Authority"), Column("Reference", code=True), Column("Day"), Column("Noted by"), Column("Revision", numeric=True))  # fmt: skip
    table = Table("Told", head, tuple(
        cells(row.authority, row.reference, row.notified_on.isoformat(), str(row.user), str(row.signature.revision.number))
        for row in rows
    ))  # fmt: skip
    return Entry(ref, title, (Answer("", parts=(table,)),), asked=False)
