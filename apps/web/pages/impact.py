"""The impact assessment of a model: how it stands, its answers, how each counted, its revisions, two compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.accounts import policy
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.impact import answers as told
from apps.impact import questionnaire as questionnaires
from apps.impact import revisions, scoring, selectors
from apps.impact.models import AssessmentRevision, AssessmentSignature
from apps.impact.questionnaire import Question, Questionnaire
from apps.impact.scoring import Line, Score
from apps.registry import selectors as registry
from apps.registry.models import RegisteredModel
from apps.web import addresses, cells, diffing, query, words
from apps.web.pages.reviews import Waiting
from apps.web.parts import (
    Action,
    Chip,
    Column,
    Crumb,
    Empty,
    Fact,
    Meter,
    Notice,
    PageHeader,
    Row,
    SignBox,
    Table,
    Tone,
)

LEVEL_TONES: dict[str, Tone] = {"I": "good", "II": "info", "III": "warn", "IV": "bad"}


@dataclass(frozen=True, slots=True)
class ScoreBox:
    """The score in short and in whole; `missing` are titles of what is not answered."""

    level: Chip
    total: Meter
    sentence: str
    parts: Table
    lines: Table
    missing: Sequence[str]
    warning: Notice | None
    progress: Sequence[Meter]


@dataclass(frozen=True, slots=True)
class Answered:
    """One question with its answer as people read it; "" is a gap, or does not apply."""

    title: str
    text: str
    note: str
    applies: bool


@dataclass(frozen=True, slots=True)
class ImpactPage:
    header: PageHeader
    notices: Sequence[Notice]
    empty: Empty | None
    score: ScoreBox | None
    sections: Sequence[tuple[str, str, Sequence[Answered]]]
    facts: Sequence[Fact]
    revisions: Table | None
    notifications: Table | None
    notify: Sequence[Action]


def url(model: RegisteredModel, act: str = "") -> str:
    """The page, or one of its acts: edit, sign, compare, notify, lower, json."""
    return reverse(f"web:impact-{act}" if act else "web:impact", args=[model.name])


def header(model: RegisteredModel, title: str) -> PageHeader:
    """The top of one of its pages."""
    return PageHeader(title, crumbs=crumbs(model, title))


def crumbs(model: RegisteredModel, last: str = "") -> list[Crumb]:
    """From the models to the assessment."""
    found = [Crumb("Models", addresses.models()), Crumb(model.name, addresses.model(model.name))]
    return [*found, *([Crumb("Impact assessment", url(model)), Crumb(last)] if last else [Crumb("Impact assessment")])]  # fmt: skip


def shown(model: RegisteredModel, wanted: str) -> AssessmentRevision | None:
    """The revision asked for, else the newest; NotFound for one that does not exist."""
    if not wanted:
        return selectors.latest_revision(model)
    number = query.number(wanted)
    if number is None:
        raise NotFound("There is no such revision.")
    return selectors.get_revision(model, number)


def page(actor: Actor, model: RegisteredModel, wanted: str) -> ImpactPage:
    """How it stands for this reader."""
    verbs = policy.verbs_on(actor, model)
    revision = shown(model, wanted)
    in_force = selectors.signature_in_force(model)
    top = PageHeader(
        f"Impact of {model.name}",
        chips=[_state(in_force, revision)],
        lead="What its use means for people and their rights (FRIA and DPIA), answered once, scored, signed.",
        actions=_actions(actor, model, verbs, revision),
        digest=revision.digest if revision else "",
        crumbs=crumbs(model),
    )
    if revision is None:
        return ImpactPage(top, [], _empty(model, verbs), None, [], [], None, None, [])
    asked, given = questionnaires.load(revision.questionnaire), revisions.answers(revision)
    return ImpactPage(
        header=top,
        notices=list(_notices(model, revision, in_force, verbs)),
        empty=None,
        score=score_box(asked, given),
        sections=[
            (section.key, section.title, [_answered(asked, each, given) for each in section.questions])
            for section in asked.sections
        ],
        facts=_facts(revision, asked),
        revisions=_revisions(model),
        notifications=_notifications(model) if in_force else None,
        notify=[Action("Note a notification", url(model, "notify"), dialog=True)]
        if in_force and "impact.edit" in verbs
        else [],
    )  # fmt: skip


def _empty(model: RegisteredModel, verbs: Collection[str]) -> Empty:
    may = "impact.edit" in verbs
    start = Action("Begin the assessment", url(model, "edit"), "primary", "edit") if may else None
    return Empty(
        "nothing-yet",
        "No impact assessment yet",
        "Process and use, people affected, risks of harm, oversight, measures: the fields of a FRIA and a DPIA in one form. "
        "Signed, it can raise the risk tier of the model, and with it who must sign its versions.",
        action=start,
    )


def _state(in_force: AssessmentSignature | None, revision: AssessmentRevision | None) -> Chip:
    if in_force is None:
        return Chip("Draft", "neutral", "edit") if revision else Chip("None yet", "unknown")
    if in_force.due_on <= selectors.today():
        return Chip("Due again", "warn", "clock")
    return Chip(f"In force, level {in_force.level}", LEVEL_TONES[in_force.level])


def _actions(
    actor: Actor,
    model: RegisteredModel,
    verbs: Collection[str],
    revision: AssessmentRevision | None,
) -> list[Action]:
    found = []
    if revision and not selectors.why_not_sign(actor, revision):
        found.append(Action("Sign it", url(model, "sign"), "primary", "sign", dialog=True))
    if "impact.edit" in verbs and model.retired_at is None and revision:
        found.append(Action("Answer", url(model, "edit"), "", "edit"))
    if revision and revision.number > 1:
        asked = f"?from={revision.number - 1}&to={revision.number}"
        found.append(Action("Compare", url(model, "compare") + asked, "", "compare"))
    if revision:
        href = f"{url(model, 'json')}?revision={revision.number}"
        found.append(Action("Download JSON", href, "", "download", download=True))
        found += _printed(actor, model)
    return found


def _printed(actor: Actor, model: RegisteredModel) -> list[Action]:
    """Where it is made a signed PDF: documents belong to versions, so of the newest one that the reader sees."""
    newest = registry.visible_versions(actor).filter(model=model).order_by("-number").first()
    if newest is None or not policy.can(actor, "review.read", newest):
        return []
    there = addresses.version(model.name, newest.number, "documents/")
    return [Action("As a PDF", there, "", "print")]


def _notices(
    model: RegisteredModel,
    revision: AssessmentRevision,
    in_force: AssessmentSignature | None,
    verbs: Collection[str],
) -> list[Notice]:
    found = []
    latest = selectors.latest_revision(model)
    if latest and latest.pk != revision.pk:
        text = f"This is revision {revision.number}; the newest is {latest.number}."
        found.append(Notice(text, "warn", url=url(model), url_label="Read the newest"))
    if in_force and in_force.revision_id != revision.pk:
        at = f"{url(model)}?revision={in_force.revision.number}"
        text = f"In force is revision {in_force.revision.number}: level {in_force.level}, {in_force.total} of 100."
        found.append(Notice(text, "info", "Not what is in force", url=at))
    if in_force and in_force.due_on <= selectors.today():
        text = "Answer it again for how the model is used now, and have it signed. What it demands of the model stays."
        found.append(Notice(text, "warn", f"It was due again on {words.date(in_force.due_on)}"))
    if in_force and in_force.tier > model.demanded_tier:
        found.append(_lower(model, in_force, verbs))
    return found


def _lower(model: RegisteredModel, row: AssessmentSignature, verbs: Collection[str]) -> Notice:
    """An earlier assessment demanded more: that stays until somebody lowers it, in the open."""
    may = "model.manage" in verbs
    text = f"An earlier assessment demanded tier {model.demanded_tier}, which stays. The one in force demands {row.tier}."
    return Notice(
        text,
        "info",
        "Less is demanded than before",
        url=url(model, "lower") if may else "",
        url_label="Lower what is demanded",
    )


def _facts(revision: AssessmentRevision, asked: Questionnaire) -> list[Fact]:
    facts = [
        Fact("Revision", cells.text(str(revision.number))),
        Fact("Saved by", cells.person(str(revision.author))),
        Fact("Saved", cells.when(revision.created_at)),
        Fact("Questions", cells.mono(asked.name, note=asked.source)),
    ]
    row = getattr(revision, "signature", None)
    if row is None:
        people = ", ".join(str(user) for user in selectors.may_sign(revision)[:6])
        nobody = cells.missing("nobody: give somebody the role approver, risk or legal")
        return [*facts, Fact("May sign", cells.text(people) if people else nobody)]
    return [
        *facts,
        Fact("Signed by", cells.person(row.signer_name)),
        Fact("Signed", cells.when(row.created_at)),
        Fact("Because", cells.text(row.comment)),
        Fact("Due again", cells.text(words.date(row.due_on))),
        Fact("Statement", cells.digest(row.statement_digest)),
    ]


def _revisions(model: RegisteredModel) -> Table:
    rows = [
        Row(
            [
                cells.link(f"Revision {row.number}", f"{url(model)}?revision={row.number}", note=f"{row.author}, {words.ago(row.created_at)}"),
                cells.chip(_signed_chip(row)),
            ]
        )
        for row in selectors.revisions_of(model)[:100]
    ]  # fmt: skip
    return Table("Revisions", [Column("Revision"), Column("State")], rows, fold=False)


def _signed_chip(row: AssessmentRevision) -> Chip:
    signature = getattr(row, "signature", None)
    if signature is None:
        return Chip("Draft", "neutral", "edit")
    return Chip(f"Signed, {signature.level}", LEVEL_TONES[signature.level], "sign")


def _notifications(model: RegisteredModel) -> Table:
    rows = [
        Row(
            [
                cells.text(row.authority, note=f"about revision {row.signature.revision.number}"),
                cells.mono(row.reference),
                cells.text(words.date(row.notified_on)),
                cells.person(str(row.user)),
            ]
        )
        for row in selectors.notifications_of(model)[:100]
    ]
    columns = [Column(name) for name in ("Authority", "Reference", "Day", "Noted by")]
    text = "EU AI Act Art. 27(3): the market surveillance authority is told of the results. Note here when and under what."
    return Table("Notifications", columns, rows, Empty("nothing-yet", "Nobody was told yet", text))


def _answered(asked: Questionnaire, question: Question, given: told.Answers) -> Answered:
    note = "; ".join(question.law)
    text = told.in_words(asked, question, given)
    return Answered(question.title, text, note, told.applies(question, given))


def score_box(asked: Questionnaire, given: told.Answers) -> ScoreBox:
    """The score of these answers, saved or not."""
    found = scoring.score(asked, given)
    titles = asked.questions
    return ScoreBox(
        level=Chip(f"Level {found.level}", LEVEL_TONES[found.level]),
        total=Meter(found.total, 100, f"{found.total} of 100", LEVEL_TONES[found.level]),
        sentence=_sentence(found),
        parts=Table("By dimension", _PARTS, [_part(part) for part in found.parts], dense=True, fold=False),
        lines=Table("How each answer counted", _LINES, [_line(asked, line) for line in found.lines], dense=True),
        missing=[titles[key].title for key in found.missing],
        warning=_warning(found),
        progress=[
            Meter(done, total, f"{form} {done} of {total}", "good" if done == total else "info")
            for form in ("FRIA", "DPIA")
            for done, total in [told.progress(asked, given, form)]
        ],
    )  # fmt: skip


_PARTS = [Column("Dimension"), Column("Points", numeric=True), Column("Weight", numeric=True)]
_LINES = [Column("Question"), Column("Dimension"), Column("Points", numeric=True), Column("Weight", numeric=True)]  # fmt: skip


def _part(part: scoring.Part) -> Row:
    how = "the worst of its questions" if part.combine == "worst" else ""
    return Row([cells.text(part.title, note=how), cells.number(str(part.points)), cells.number(str(part.weight))])  # fmt: skip


def _line(asked: Questionnaire, line: Line) -> Row:
    titles = {dimension.key: dimension.title for dimension in asked.dimensions}
    return Row(
        [
            cells.text(line.title, note=line.why),
            cells.text(titles[line.dimension]),
            cells.number(str(line.points)),
            cells.number(str(line.weight)),
        ]
    )


def _sentence(found: Score) -> str:
    raised = f" {found.raised_by} alone make it so." if found.raised_by else ""
    return f"{found.meaning}{raised}"


def _warning(found: Score) -> Notice | None:
    silent = sum(line.missing for line in found.lines)
    if not silent:
        return None
    text = f"{words.plural(silent, 'question')} with points not answered: each counts as the worst."
    return Notice(text, "warn")


@dataclass(frozen=True, slots=True)
class Difference:
    title: str
    pieces: Sequence[diffing.Piece]


@dataclass(frozen=True, slots=True)
class ComparePage:
    header: PageHeader
    choices: Sequence[int]
    older: AssessmentRevision
    newer: AssessmentRevision
    sentence: str
    differences: Sequence[Difference]


def compare(model: RegisteredModel, older: str, newer: str) -> ComparePage:
    """Two revisions, question by question, word by word; by default the newest two."""
    last = selectors.latest_revision(model)
    if last is None:
        raise NotFound(f"{model.name} has no impact assessment.")
    new = shown(model, newer) or last
    old = shown(model, older or str(max(1, new.number - 1))) or last
    one, other = selectors.score_of(old), selectors.score_of(new)
    return ComparePage(
        header(model, "Two revisions compared"),
        [row.number for row in selectors.revisions_of(model)[:100]],
        old,
        new,
        f"Level {one.level}, {one.total} of 100, becomes level {other.level}, {other.total} of 100.",
        _differences(old, new),
    )


def _differences(old: AssessmentRevision, new: AssessmentRevision) -> list[Difference]:
    before, after = revisions.answers(old), revisions.answers(new)
    asked, now = questionnaires.load(old.questionnaire), questionnaires.load(new.questionnaire)
    found = []
    for key, question in (asked.questions | now.questions).items():
        if before.get(key) == after.get(key):
            continue
        was = told.in_words(asked, asked.questions[key], before) if key in asked.questions else ""
        is_now = told.in_words(now, now.questions[key], after) if key in now.questions else ""
        found.append(Difference(question.title, diffing.text(was, is_now)))
    return found


def sign_box(actor: Actor, revision: AssessmentRevision) -> SignBox:
    """The sentence that is signed."""
    found, model = selectors.score_of(revision), revision.model
    return SignBox(
        title=f"Sign the impact assessment of {model.name}",
        statement=f"You sign that the answers of revision {revision.number} hold: level {found.level}, {found.total} of 100. "
        f"{found.meaning}",
        digest=revision.digest,
        digest_label="Answers",
        as_whom=actor.label,
        submit_label="Sign the assessment",
        action_url=url(model, "sign"),
        cancel_url=url(model),
        fields={"digest": revision.digest},
    )


def waiting(actor: Actor) -> list[Waiting]:
    """At home, for whoever can sign one."""
    return [
        Waiting(
            f"Impact of {row.model.name}",
            url(row.model),
            f"{row.author} answered the last of it, revision {row.number}.",
            Chip("To sign", "info", "sign"),
            Action("Open", url(row.model)),
        )
        for row in selectors.waiting_for(actor)
    ]


def notice(model: RegisteredModel) -> Fact:
    """On the model's page: how its assessment stands."""
    row = selectors.signature_in_force(model)
    if row is None:
        draft = selectors.latest_revision(model)
        label = f"Draft, revision {draft.number}" if draft else "None yet"
        return Fact("Impact", cells.link(label, url(model)))
    late = "due again now" if row.due_on <= selectors.today() else f"due again on {words.date(row.due_on)}"  # fmt: skip
    note = f"{row.total} of 100, at least tier {row.tier}; {late}"
    return Fact("Impact", cells.link(f"Level {row.level}", url(model), note=note))
