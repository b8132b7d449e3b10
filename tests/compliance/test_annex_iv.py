"""The technical documentation: all nine blocks in their order, each line with its evidence or a visible gap."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from apps.accounts.models import User
from apps.compliance import selectors, services
from apps.compliance.models import Document
from apps.compliance.reports import annex
from apps.compliance.reports.annex_sources import SOURCES
from apps.core.errors import Conflict
from apps.impact.models import AssessmentRevision
from apps.modelcards.report import Entry, Report
from apps.registry.models import ModelVersion
from tests import pdfa
from tests.compliance.conftest import Story, work
from tests.compliance.test_documents import inside, pdf_of, words
from tests.impact.samples import save, sign, whole
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)
KIND = "annex_iv_dossier"


def version_of(story: Story) -> ModelVersion:
    return ModelVersion.objects.select_related("model").get(pk=story.version.pk)


def request(story: Story) -> Document:
    return services.request_document(as_actor(story.ana), version_of(story), KIND)


def issue(story: Story) -> Document:
    document = request(story)
    work("compliance", lambda message: services.make(message.payload["document"]))
    document.refresh_from_db()
    assert document.is_ready, document.error
    return document


def state(story: Story, base: int = 0, **given: str) -> None:
    services.record_statement(as_actor(story.ana), version_of(story), KIND, given, base)


def report_of(document: Document) -> Report:
    report = selectors.read_dossier(document).report
    assert report is not None
    return report


def entry_of(report: Report, ref: str, title: str = "") -> Entry:
    return next(
        entry
        for chapter in report.chapters
        for entry in chapter.entries
        if entry.ref == f"Annex IV, {ref}" and title in entry.title
    )


def test_aia11_the_mapping_has_all_nine_blocks_and_every_source_exists():
    found = annex.annex()
    assert [block.number for block in found.blocks] == list(range(1, 10))
    assert {name for name in found.named() if name.startswith("record.")} == set(SOURCES)
    named = {name.partition(".")[2] for name in found.named() if name.startswith("stated.")}
    assert named == set(found.fields)
    first = [line.ref for line in found.blocks[0].lines]
    assert first == [f"1({letter})" for letter in "abcdefgh"]
    assert {line.ref for line in found.blocks[1].lines} == {f"2({letter})" for letter in "abcdefgh"}


def test_aia11_a_signed_version_is_documented_in_the_order_of_the_annex(story: Story):
    story.measure().write().submit()
    story.sign(story.vera)
    story.sign(story.rui)
    state(story, provider="Example Bank, Lisbon", standards="None; see the policy.")
    document = issue(story)
    report = report_of(document)
    assert [chapter.mark for chapter in report.chapters] == [str(n) for n in range(1, 10)]
    first = entry_of(report, "1(a)")
    assert first.state == "answered"
    log = entry_of(report, "2(g)", "Test logs")
    assert log.state == "answered"
    told = json.dumps(json.loads(inside(pdf_of(document))["annex-iv.json"]))
    for each in ("Vera Lund", "Rui Costa", "Example Bank, Lisbon", "About oversight: a sentence."):
        assert each in told
    assert entry_of(report, "3", "Accuracy for the persons").state == "answered"
    text = words(pdf_of(document))
    assert "APPROVED" in text
    positions = [text.rindex(c.title) for c in report.chapters]
    assert positions == sorted(positions)
    assert pdfa.problems({"report": pdf_of(document)}) == {"report": []}
    call_command("verify_ledger", stdout=io.StringIO())


def test_every_answer_names_its_source_or_its_author_and_time(story: Story):
    story.measure().write()
    state(story, provider="Example Bank")
    for chapter in report_of(issue(story)).chapters:
        for entry in chapter.entries:
            assert entry.answers or entry.gaps, entry.title
            for answer in entry.answers:
                assert answer.prose or answer.sources, (entry.title, answer.title)
                if answer.prose:
                    assert answer.prose.author == "Ana Silva"
                    assert answer.prose.at


def test_an_empty_record_is_nine_blocks_of_gaps_and_never_called_complete(story: Story):
    document = issue(story)
    report = report_of(document)
    assert report.answered < report.asked / 3
    declaration = entry_of(report, "8, Art. 47")
    assert declaration.state == "gap"
    assert "Only once it is signed" in declaration.gaps[0]
    text = words(pdf_of(document))
    assert "NOT REVIEWED" in text
    assert f"{report.answered} of {report.asked} lines answered" in text
    for chapter in report.chapters:
        assert chapter.answered + chapter.in_part + chapter.missing == chapter.asked


def test_the_meter_counts_a_line_only_when_all_that_it_needs_is_there(story: Story):
    before = report_of(issue(story)).chapters[0]
    state(story, interactions="Called by the branch's desk application.")
    after = report_of(issue(story)).chapters[0]
    assert after.answered == before.answered + 1
    part = entry_of(report_of(issue(story)), "1(a)")
    assert part.state == "in part"  # the identity is known, the provider is not
    assert after.eightieths == 80 * after.answered // after.asked


def test_the_impact_assessment_in_force_stands_where_the_annex_asks_for_risks(
    story: Story, rui: User
):
    risks = "Foreseeable unintended outcomes"
    save(as_actor(story.ana), story.version.model, whole())
    before = entry_of(report_of(issue(story)), "3", risks)
    assert not any("Impact" in answer.title for answer in before.answers)  # a draft counts nothing
    row = AssessmentRevision.objects.get()
    sign(as_actor(rui), row)
    report = report_of(issue(story))
    found = next(a for a in entry_of(report, "3", risks).answers if "Impact" in a.title)
    assert found.sources[0].digest == row.digest
    assert "An applicant is refused." in str(found.parts)
    assert "Rui Costa" in str(found.parts)
    # Shown, and not what answers the line: its gap stays.
    assert entry_of(report, "3", risks).gaps == before.gaps
    later = entry_of(report, "5", "Risks that were found")
    assert "See above, 3" in str(later.answers)


def test_computing_resources_are_what_was_logged_or_else_what_was_stated(story: Story):
    gaps = entry_of(report_of(issue(story)), "2(c)").gaps
    assert any("Computing resources" in gap for gap in gaps)
    state(story, compute="Two hours on eight cores.")
    assert not any(
        "Computing resources" in gap for gap in entry_of(report_of(issue(story)), "2(c)").gaps
    )


def test_a_sandbox_model_is_refused_in_words(story: Story):
    version = version_of(story)
    version.model.governance = "sandbox"
    with pytest.raises(Conflict, match="This model is a sandbox"):
        services.request_document(as_actor(story.ana), version, KIND)
    assert not Document.objects.exists()


def test_the_same_record_is_the_same_documentation(story: Story):
    first = issue(story)
    assert request(story).pk == first.pk
    story.write()
    assert request(story).pk != first.pk


def test_assembling_takes_no_more_queries_for_more_findings_and_versions(
    story: Story, django_assert_max_num_queries
):
    story.write()
    with django_assert_max_num_queries(140):
        request(story)
