"""The impact assessment of a version's model: FRIA and DPIA in the order of the law, its score, what follows, who signed.

Which revision: the one in force; where none was ever signed, the newest, stamped as a draft. Guarantee: every question is
printed with its answer, who gave it and when, or as a gap; the score is computed from the bytes whose SHA-256 is in the
margin, and those bytes are enclosed, with the statement that was signed. Not said: that the answers are true.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.accounts.models import User
from apps.compliance.reports import impact_lines as lines
from apps.compliance.reports.base import Assembled
from apps.compliance.reports.impact_follows import follows
from apps.compliance.reports.impact_score import chapter as score_chapter
from apps.core import canonical
from apps.core.parts import Cell, Fact, Facts, Text
from apps.impact import answers as told
from apps.impact import questionnaire as questionnaires
from apps.impact import revisions, scoring, selectors
from apps.impact.models import AssessmentRevision, AssessmentSignature
from apps.impact.questionnaire import Question, Questionnaire
from apps.impact.scoring import Score
from apps.modelcards import dossier as dossiers
from apps.modelcards import schema
from apps.modelcards.card import Card, Prose, Source
from apps.modelcards.collect import moment
from apps.modelcards.dossier import Dossier, Status
from apps.modelcards.report import Answer, Chapter, Enclosed, Entry, Report
from apps.registry.models import ModelVersion

TITLE = "Impact assessment, EU AI Act Art. 27 and GDPR Art. 35"
TEMPLATE = "impact-report/1"
DOCUMENT, STATEMENT, QUESTIONS = "assessment.json", "assessment-statement.json", "questionnaire.json"  # fmt: skip


def why_not(version: ModelVersion) -> str:
    """Why there is nothing to print; empty if there is."""
    if AssessmentRevision.objects.filter(model=version.model_id).exists():
        return ""
    return (
        "Nobody has begun an impact assessment of this model. Answer it on the model's page first."
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What the report is made from. `entries` are the answers with author and time, `people` the authors by UUID."""

    version: ModelVersion
    row: AssessmentRevision
    signature: AssessmentSignature | None
    newest: AssessmentRevision
    asked: Questionnaire
    entries: Mapping[str, Any]
    people: Mapping[str, User]
    score: Score

    @property
    def given(self) -> dict[str, Any]:
        return {key: entry["value"] for key, entry in self.entries.items()}

    @property
    def source(self) -> Source:
        link = f"{selectors.url(self.version.model)}?revision={self.row.number}"
        return Source(f"impact assessment, revision {self.row.number}", link, self.row.digest)


def assemble(version: ModelVersion) -> Assembled:
    """The assessment in force, else the newest draft. Raises Tampered where its bytes, or the questionnaire's, are not what
    their digest says."""
    held = _held(version)
    report = _report(held)
    dossier = Dossier(
        schema=dossiers.SCHEMA,
        document=TITLE,
        site="Countersign",
        base_url=settings.BASE_URL,
        as_of=_as_of(held).isoformat(),
        status=_status(held),
        key_facts=tuple(_key_facts(held)),
        card=Card(schema.SCHEMA, version.model.name, version.number, ()),
        template=TEMPLATE,
        notes=tuple(_notes(held)),
        report=report,
    )
    return Assembled(dossier, None, None)


def _held(version: ModelVersion) -> Held:
    newest = selectors.latest_revision(version.model)
    assert newest is not None  # noqa: S101 -- `why_not` was asked before
    signature = selectors.signature_in_force(version.model)
    row = signature.revision if signature is not None else newest
    entries = revisions.verified(row)["answers"]
    authors = {entry["author"] for entry in entries.values()}
    return Held(
        version=version,
        row=row,
        signature=signature,
        newest=newest,
        asked=questionnaires.load(row.questionnaire),
        entries=entries,
        people={str(user.uuid): user for user in User.objects.filter(uuid__in=authors)},
        score=selectors.score_of(row),
    )


def _is_due(held: Held) -> bool:
    return held.signature is not None and held.signature.due_on <= selectors.today()


def _as_of(held: Held) -> dt.datetime:
    """The newest thing that it tells of."""
    times = [held.row.created_at, held.newest.created_at]
    if held.signature is not None:
        times += [held.signature.created_at]
        times += [row.created_at for row in held.signature.notifications.all()]
        if _is_due(held):
            times += [dt.datetime.combine(held.signature.due_on, dt.time(), dt.UTC)]
    return max(times)


def _status(held: Held) -> Status:
    score, row = held.score, held.signature
    said = f"Level {score.level}, {score.total} of 100: the model must be of tier {score.tier} at least."  # fmt: skip
    if row is None:
        return Status(
            "Draft", "warn", f"Nobody has signed it, so it counts for nothing yet. As answered: {said}"
        )  # fmt: skip
    until = f"{row.due_on.day} {row.due_on:%B %Y}"
    if _is_due(held):
        return Status("Due again", "warn", f"{said} It was to be made again by {until}.")
    return Status("In force", "good", f"{said} To be made again by {until}.")


def _key_facts(held: Held) -> Iterator[Fact]:
    row, signature = held.row, held.signature
    yield Fact("Model", Cell(held.version.model.name))
    yield Fact("Asked for with version", Cell(str(held.version.number)))
    yield Fact("Revision", Cell(f"{row.number}, saved {moment(row.created_at)}"))
    yield Fact("Level", Cell(f"{held.score.level} of IV"))
    yield Fact("Points", Cell(f"{held.score.total} of 100, 100 the worst"))
    yield Fact("Demands at least", Cell(f"tier {held.score.tier} of 3 (1 is the highest)"))
    yield Fact("Signed by", Cell(signature.signer_name if signature else "nobody"))
    yield Fact("Signed", Cell(moment(signature.created_at) if signature else "not yet"))
    for form in ("FRIA", "DPIA"):
        done, total = told.progress(held.asked, held.given, form)
        yield Fact(f"{form} questions", Cell(f"{done} of {total} answered"))
    yield Fact("Digest of the answers", Cell(row.digest), code=True)
    digest = questionnaires.PUBLISHED[held.asked.name]
    yield Fact(f"Digest of {held.asked.name}", Cell(digest), code=True)


def _notes(held: Held) -> Iterator[str]:
    if held.newest.pk != held.row.pk:
        yield (
            f"There is a newer draft, revision {held.newest.number}, saved {moment(held.newest.created_at)} and not signed. "
            f"These pages show revision {held.row.number}, which is in force."
        )
    yield (
        "The assessment is about the use of the model, whatever its version. It is no legal classification: whether a "
        "system is high-risk is for people to say."
    )


def _report(held: Held) -> Report:
    return Report(
        schema="countersign.impact-report/1",
        law=f"{lines.FRIA_LAW}; {lines.DPIA_LAW}",
        lead=(
            "What the use of the model means for people and their rights, as people who know it answered. Each answer says "
            "who gave it and when; what is not answered is marked and counts as the worst. A question that both laws ask is "
            "answered once and printed in both parts."
        ),
        chapters=(
            _law(held, "fria", "1", "Fundamental rights impact assessment, Art. 27(1) AI Act", lines.FRIA),
            _dpia(held),
            _rest(held),
            score_chapter(held.asked, held.given, held.score),
            follows(held.version.model, held.score, held.signature),
            Chapter("signature", "6", "Signature and record", tuple(_signing(held))),
        ),
        margin=("impact assessment", held.row.digest),
        file="impact-report.json",
        about="These pages as data: every line, answer and gap",
        heading=held.version.model.name,
        enclosed=tuple(_enclosed(held)),
        verify=tuple(_steps(held)),
        limits="that the answers are true, which whoever signed says, and that nobody is harmed. Points compare assessments "
        "by one table; they measure no harm.",
    )  # fmt: skip


def _law(held: Held, key: str, mark: str, title: str, of: Iterable[lines.Line]) -> Chapter:
    entries = tuple(
        _entry(held, line.ref, line.title, lines.of(held.asked, line), asked=True) for line in of
    )
    return Chapter(key, mark, title, entries)


def _dpia(held: Held) -> Chapter:
    """Where no personal data are processed, GDPR Art. 35 asks for nothing."""
    title = "Data protection impact assessment, Art. 35(7) GDPR"
    if held.given.get("personal_data") != "no":
        return _law(held, "dpia", "2", title, lines.DPIA)
    question = held.asked.questions["personal_data"]
    answers = (_answer(held, question), Answer("", parts=(Text(
        "As answered, no personal data are processed, so the General Data Protection Regulation asks for no assessment."
    ),)))  # fmt: skip
    entry = Entry("Art. 35(1)", "Whether personal data are processed", answers, asked=False)
    return Chapter("dpia", "2", title, (entry,))


def _rest(held: Held) -> Chapter:
    """What neither list names, each question with its own law."""
    entries = (
        _entry(held, "; ".join(each.law), each.title, [each], asked=True)
        for each in lines.others(held.asked)
    )
    return Chapter("rest", "3", "Effect on a person, and what else counts", tuple(entries))


def _entry(held: Held, ref: str, title: str, questions: list[Question], *, asked: bool) -> Entry:
    answers, gaps = [], []
    for question in questions:
        if not told.applies(question, held.given):
            answers.append(_does_not_apply(held, question))
            continue
        if question.key in held.entries:
            answers.append(_answer(held, question, titled=question.title != title))
        if not told.is_answered(question, held.given):
            gaps.append(_gap(held, question))
    return Entry(ref, title, tuple(answers), tuple(gaps), asked)


def _does_not_apply(held: Held, question: Question) -> Answer:
    assert question.when is not None  # noqa: S101 -- what hangs on nothing applies
    before = held.asked.questions[question.when.question]
    return Answer(question.title, parts=(Text(f"Does not apply, after the answer to: {before.title}"),))  # fmt: skip


def _gap(held: Held, question: Question) -> str:
    given = held.given.get(question.key)
    if question.type == "risk" and isinstance(given, Mapping):
        lacks = [part for part in told.RISK_PARTS if part not in given]
        return f"{question.title}: no {' and no '.join(lacks)} was given."
    return f"Not answered: {question.title}"


def _answer(held: Held, question: Question, *, titled: bool = True) -> Answer:
    entry = held.entries[question.key]
    value, words = entry["value"], told.in_words(held.asked, question, held.given)
    parts: tuple[Text, ...] = ()
    if question.type == "risk":
        parts, words = (_risk(held, question, value),), value.get("text", "")
    author = held.people[entry["author"]]
    prose = Prose(words or "No words were given.", str(author), author.pk, entry["at"])
    return Answer(question.title if titled else "", prose=prose, parts=parts)


def _risk(held: Held, question: Question, value: Mapping[str, Any]) -> Text:
    scales = (("likelihood", held.asked.likelihood), ("severity", held.asked.severity))
    steps = [
        f"{part} {value[part]} ({scale.labels[value[part] - 1].lower()})"
        if part in value
        else f"{part} not given, which counts as 4"
        for part, scale in scales
    ]
    points = scoring.points(question, value)
    return Text(f"{steps[0].capitalize()}, {steps[1]}: {points} of 100 points.")


def _signing(held: Held) -> Iterator[Entry]:
    yield _signed(held)
    row = held.row
    facts = Facts(
        (
            Fact("Revision", Cell(str(row.number))),
            Fact("Saved by", Cell(str(row.author))),
            Fact("Saved", Cell(moment(row.created_at))),
            Fact("SHA-256", Cell(row.digest), code=True),
            Fact("Questionnaire", Cell(f"{held.asked.name}: {held.asked.title}")),
            Fact("SHA-256 of questions", Cell(questionnaires.PUBLISHED[held.asked.name]), code=True),
        )
    )  # fmt: skip
    answer = Answer("", parts=(facts,), sources=(held.source,))
    yield Entry("", "The revision", (answer,), asked=False)


def _signed(held: Held) -> Entry:
    title, row = "Signed by somebody who gave none of the answers", held.signature
    if row is None:
        return Entry("", title, gaps=("Nobody has signed this revision: it is a draft.",))
    facts = Facts(
        (
            Fact("Printed name", Cell(row.signer_name)),
            Fact("Date and time", Cell(moment(row.created_at))),
            Fact("Meaning", Cell(row.meaning)),
            Fact("Proof of identity", Cell(row.method)),
            Fact("SHA-256 of statement", Cell(row.statement_digest), code=True),
        )
    )
    why = Prose(row.comment, row.signer_name, row.user_id, row.created_at.isoformat())
    return Entry("", title, (Answer("", parts=(facts,)), Answer("Why the answers hold", prose=why)))


def _enclosed(held: Held) -> Iterator[Enclosed]:
    yield Enclosed(
        DOCUMENT, "The answers with author and time, as digested", bytes(held.row.document).decode()
    )
    if held.signature is not None:
        yield Enclosed(
            STATEMENT, "The statement that was signed", bytes(held.signature.statement).decode()
        )
    yield Enclosed(QUESTIONS, "The questions, their law and points", _questions(held))


def _questions(held: Held) -> str:
    """In the canonical form, which is what its digest is of."""
    return canonical.dumps(questionnaires.plain(held.asked.name)).decode()


def _steps(held: Held) -> Iterator[str]:
    yield (
        f"The digest in every page's margin is the SHA-256 of {DOCUMENT}, the digest of the questionnaire that of {QUESTIONS}. "
        "From these two the score follows by the rules of part 4."
    )
    if held.signature is not None:
        yield (
            f"{STATEMENT} is what was signed: it names that digest, the score and the signer, and its own SHA-256 is printed "
            "beside the signature and told by the ledger (impact.assessment.signed)."
        )
