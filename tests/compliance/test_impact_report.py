"""The impact assessment as a document: FRIA and DPIA in the law's order, every answer with its author, gaps, score, signature."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from apps.accounts.models import User
from apps.compliance import batches, selectors, services
from apps.compliance.models import Document
from apps.compliance.reports import impact_lines
from apps.core import clock
from apps.core.errors import Conflict, Tampered
from apps.impact import questionnaire, scoring
from apps.impact.models import AssessmentRevision
from apps.impact.services import note_notification
from apps.modelcards.report import Entry, Report
from apps.registry.models import ModelVersion
from tests import pdfa
from tests.compliance.conftest import Story, work
from tests.compliance.test_batches import statuses, work_off
from tests.compliance.test_documents import inside, pdf_of, words
from tests.impact.samples import moderate, save, sign, whole
from tests.support.people import as_actor
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)
KIND = "impact_report"


def version_of(story: Story) -> ModelVersion:
    return ModelVersion.objects.select_related("model").get(pk=story.version.pk)


def answer(story: Story, answers: dict[str, Any] | None = None) -> AssessmentRevision:
    return save(as_actor(story.ana), story.version.model, answers)


def issue(story: Story) -> Document:
    document = services.request_document(as_actor(story.ana), version_of(story), KIND)
    work("compliance", lambda message: services.make(message.payload["document"]))
    document.refresh_from_db()
    assert document.is_ready, document.error
    return document


def report_of(document: Document) -> Report:
    report = selectors.read_dossier(document).report
    assert report is not None
    return report


def entries(report: Report) -> list[Entry]:
    return [entry for chapter in report.chapters for entry in chapter.entries]


def entry_of(report: Report, ref: str, title: str = "") -> Entry:
    return next(each for each in entries(report) if each.ref == ref and title in each.title)


def test_aia27_every_letter_has_questions_and_no_question_is_left_out():
    asked = questionnaire.current()
    named = [line.ref for line in impact_lines.FRIA]
    assert named == [f"Art. 27(1)({letter})" for letter in "abcdef"]
    assert [line.ref for line in impact_lines.DPIA][:4] == [f"Art. 35(7)({x})" for x in "abcd"]
    assert all(impact_lines.of(asked, line) for line in (*impact_lines.FRIA, *impact_lines.DPIA))
    found = {q.key for line in (*impact_lines.FRIA, *impact_lines.DPIA) for q in impact_lines.of(asked, line)}  # fmt: skip
    assert found | {each.key for each in impact_lines.others(asked)} == set(asked.questions)


def test_a_signed_assessment_is_printed_in_the_order_of_both_laws(story: Story, rui: User):
    row = answer(story, moderate())
    signature = sign(as_actor(rui), row)
    note_notification(
        as_actor(story.ana), story.version.model, authority="CNIL", reference="2026-7", notified_on=clock.now().date(),
    )  # fmt: skip
    document = issue(story)
    report, text = report_of(document), words(pdf_of(document))
    refs = [entry.ref for entry in report.chapters[0].entries]
    assert refs == [line.ref for line in impact_lines.FRIA]
    assert [entry.ref for entry in report.chapters[1].entries] == [
        line.ref for line in impact_lines.DPIA
    ]
    places = [text.index(f"{line.title} {line.ref}") for line in impact_lines.FRIA]
    assert places == sorted(places)
    for each in ("IN FORCE", "Level II", "Rui Costa", "CNIL", "2026-7", row.digest, signature.statement_digest):  # fmt: skip
        assert each in text or each in text.replace(" ", ""), each
    assert not any(entry.gaps for entry in entries(report) if entry.asked)


def test_every_answer_names_who_gave_it_and_when(story: Story, vera: User):
    answer(story, whole() | {"personal_data": "yes"})
    given = whole() | {"personal_data": "yes", "purpose": "In Vera's words."}
    save(as_actor(vera), story.version.model, given)
    report = report_of(issue(story))
    told = {a.prose.text: a.prose for e in entries(report) for a in e.answers if a.prose}
    assert told["In Vera's words."].author == "Vera Lund"
    assert told["About process."].author == "Ana Silva"
    assert all(each.at for each in told.values())
    asked = questionnaire.current()
    printed = {a.title for e in entries(report) for a in e.answers} | {e.title for e in entries(report)}  # fmt: skip
    for question in asked.questions.values():
        assert question.title in printed


def test_a_draft_says_so_and_shows_each_gap(story: Story):
    answer(story, {"purpose": "To sort letters.", "wrong": {"likelihood": 2}})
    document = issue(story)
    report, text = report_of(document), words(pdf_of(document))
    assert "DRAFT" in text
    assert "Nobody has signed this revision" in text
    first = entry_of(report, "Art. 27(1)(a)")
    assert (first.state, len(first.gaps)) == ("in part", 1)
    assert entry_of(report, "Art. 27(1)(b)").state == "gap"
    risk = entry_of(report, "Art. 27(1)(d)").gaps
    assert "A wrong or unfair decision about a person: no severity and no text was given." in risk
    score = next(chapter for chapter in report.chapters if chapter.key == "score")
    assert "not answered: counts as the worst" in json.dumps(
        [row.text for entry in score.entries for a in entry.answers for part in a.parts for cells in getattr(part, "rows", ()) if isinstance(cells, tuple) for row in cells]
    )  # fmt: skip


def test_the_one_in_force_is_printed_not_a_newer_draft(story: Story, rui: User):
    sign(as_actor(rui), answer(story))
    answer(story, whole() | {"purpose": "Something else."})
    document = issue(story)
    text = words(pdf_of(document))
    assert "There is a newer draft, revision 2" in text
    assert "Something else." not in text


def test_without_personal_data_the_gdpr_asks_for_nothing(story: Story):
    answer(story, whole() | {"personal_data": "no"})
    (entry,) = report_of(issue(story)).chapters[1].entries
    assert not entry.asked
    assert "asks for no assessment" in str(entry.answers)


def test_the_score_is_the_one_that_was_signed_and_its_sum_is_written_out(story: Story, rui: User):
    row = answer(story, moderate())
    signature = sign(as_actor(rui), row)
    report = report_of(issue(story))
    told = str(next(chapter for chapter in report.chapters if chapter.key == "score"))
    found = scoring.score(questionnaire.current(), moderate())
    assert f"{signature.total} of 100" in told
    assert f"/ 14, rounded up, is {found.total}" in told


def test_what_it_demands_names_whose_signature_is_added(story: Story):
    model = story.version.model
    with triggers_off("registry_registeredmodel"):
        type(model).objects.filter(pk=model.pk).update(
            exposure="low", purpose_class="informational", risk_tier=3
        )
    answer(story, whole(worst=True))
    report = report_of(issue(story))
    told = str(next(chapter for chapter in report.chapters if chapter.key == "follows"))
    assert "tier 1 at least, as soon as it is signed" in told
    assert "Signatures under the policies in force" in told
    assert "No authority was told" in told


def test_its_digests_are_those_of_the_files_inside(story: Story, rui: User):
    row = answer(story, moderate())
    signature = sign(as_actor(rui), row)
    data = pdf_of(issue(story))
    files = inside(data)
    assert set(files) == {"impact-report.json", "assessment.json", "assessment-statement.json", "questionnaire.json"}  # fmt: skip
    assert hashlib.sha256(files["assessment.json"]).hexdigest() == row.digest
    assert hashlib.sha256(files["assessment-statement.json"]).hexdigest() == signature.statement_digest  # fmt: skip
    assert hashlib.sha256(files["questionnaire.json"]).hexdigest() == questionnaire.PUBLISHED[row.questionnaire]  # fmt: skip
    assert pdfa.problems({"impact": data}) == {"impact": []}


def test_the_same_answers_are_the_same_document_and_a_signature_makes_another(
    story: Story, rui: User
):
    row = answer(story)
    first = issue(story)
    assert issue(story).pk == first.pk
    sign(as_actor(rui), row)
    second = issue(story)
    assert second.pk != first.pk
    first.refresh_from_db()
    assert first.is_ready


def test_a_model_without_an_assessment_is_refused_in_words(story: Story):
    with pytest.raises(Conflict, match="Nobody has begun an impact assessment"):
        services.request_document(as_actor(story.ana), version_of(story), KIND)
    batch = batches.request(as_actor(story.ana), KIND, [version_of(story)], "of a test")
    work_off()
    assert statuses(batch) == ["error"]
    answer(story)
    batch = batches.request(as_actor(story.ana), KIND, [version_of(story)], "of a test")
    work_off()
    assert statuses(batch) == ["ready"]


def test_an_assessment_whose_bytes_were_changed_is_printed_nowhere(story: Story):
    row = answer(story)
    with triggers_off("impact_assessmentrevision"):
        AssessmentRevision.objects.filter(pk=row.pk).update(document=b"{}")
    with pytest.raises(Tampered):
        services.request_document(as_actor(story.ana), version_of(story), KIND)
    assert not Document.objects.exists()


def test_hostile_words_stay_words(story: Story):
    answer(story, whole() | {"purpose": "<script>alert(1)</script> ![x](file:///etc/passwd) [l](http://10.0.0.1/)", "process": "שלום עולם، مرحبا بالعالم"})  # fmt: skip
    text = words(pdf_of(issue(story)))
    assert "alert(1)" in text
