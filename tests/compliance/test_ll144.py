"""The bias audit report: the published form, number for number; what only people know is theirs or a gap."""

from __future__ import annotations

import io
import json
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import selectors as checks
from apps.checks import services as checking
from apps.checks.numbers import NBSP
from apps.compliance import kinds, selectors, services, statements
from apps.compliance.models import Document, ReportStatement
from apps.core import blobs
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound, Tampered
from apps.core.parts import Table
from apps.modelcards.report import Report
from apps.registry.models import ModelVersion
from tests import pdfa
from tests.compliance.audited import PRINTED, STATED, audited, measured
from tests.compliance.conftest import Story, work
from tests.compliance.test_documents import inside, pdf_of, words
from tests.support.people import SYSTEM, as_actor
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)
KIND = "ll144_report"


def version_of(story: Story) -> ModelVersion:
    return ModelVersion.objects.select_related("model").get(pk=story.version.pk)


def request(story: Story, user: User | None = None) -> Document:
    return services.request_document(as_actor(user or story.ana), version_of(story), KIND)


def issue(story: Story) -> Document:
    document = request(story)
    work("compliance", lambda message: services.make(message.payload["document"]))
    document.refresh_from_db()
    assert document.is_ready, document.error
    return document


def state(story: Story, user: User | None = None, base: int = 0, **given: str) -> ReportStatement:
    actor = as_actor(user or story.ana)
    return services.record_statement(actor, version_of(story), KIND, given or STATED, base)


def report_of(document: Document) -> Report:
    report = selectors.read_dossier(document).report
    assert report is not None
    return report


def tables_of(report: Report) -> dict[str, Table]:
    return {part.caption: part for part in report.parts() if isinstance(part, Table)}


def gaps_of(report: Report) -> list[str]:
    return [gap for each in report.chapters for entry in each.entries for gap in entry.gaps]


def test_l03_the_rules_own_intersectional_example_comes_out_exactly_as_printed(story: Story):
    audited(story)
    document = issue(story)
    table = tables_of(report_of(document))["Selection rate and impact ratio by sex × race"]
    rows = {(row[0].text, row[1].text): tuple(cell.text for cell in row[2:]) for row in table.rows}
    assert rows == {
        names: (total, selected, f"{rate}{NBSP}%", ratio)
        for names, (total, selected, rate, ratio) in PRINTED.items()
    }
    assert table.note.startswith("250 individuals of unknown category")  # L-05
    text = words(pdf_of(document)).replace(NBSP, " ")
    for (sex, race), (total, selected, rate, ratio) in PRINTED.items():
        assert f"{sex} {race} {total} {selected} {rate} % {ratio}" in text


def test_every_table_stands_beside_the_digest_of_its_result_which_the_file_proves(story: Story):
    row = audited(story)
    document = issue(story)
    entries = [e for c in report_of(document).chapters for e in c.entries]
    tables = [a for e in entries for a in e.answers if any(isinstance(p, Table) for p in a.parts)]
    assert len(tables) == 3
    assert {s.digest for a in tables for s in a.sources} == {row.result_digest}
    files = inside(pdf_of(document))
    assert set(files) == {"ll144-report.json", "check-results.json"}
    [result] = json.loads(files["check-results.json"])["results"]
    held = result["record"]
    assert result["result_digest"] == checks.result_digest(
        held["key"], held["statistics"], held["result"]
    )
    assert row.result_digest in words(pdf_of(document))


def test_nothing_that_people_know_is_made_up(story: Story):
    audited(story)
    document = issue(story)
    assert selectors.read_dossier(document).status.word == "Incomplete"
    gaps = " ".join(gaps_of(report_of(document)))
    for missing in (
        "No independent auditor was named",
        "no statement of independence",
        "When its use began was not stated",
        "Where the data come from was not stated",
        "historical or test data was not stated",
    ):
        assert missing in gaps
    text = words(pdf_of(document))
    assert "INCOMPLETE" in text
    assert "Ana Silva" not in text  # it is meant to be published


def test_a_stated_audit_is_complete_and_says_who_stated_it_and_that_she_is_no_stranger(
    story: Story,
):
    audited(story)
    state(story)
    document = issue(story)
    report = report_of(document)
    assert gaps_of(report) == []
    assert selectors.read_dossier(document).status.word == "Complete in form"
    text = words(pdf_of(document))
    for printed in (*STATED.values(), "Stated by Ana Silva", "attached evaluation data"):
        if printed != "historical":
            assert printed in text
    assert "Historical data" in text
    for never in ("is fair", "unbiased", "compliant", "lawful tool"):
        assert never not in text.lower()


def test_the_page_to_publish_is_one_file_that_fetches_nothing_and_leads_nowhere_inside(
    story: Story,
):
    audited(story)
    state(story)
    page = selectors.read_page(issue(story))
    assert page.startswith("<!doctype html>")
    for outside in ("src=", "@import", "<script", "/models/", 'rel="stylesheet"', "url("):
        assert outside not in page
    for sex, race in PRINTED:
        assert f"<td>{race}</td>" in page.replace("\n", "") or race in page, (sex, race)
    assert "0.841" in page
    assert "250 individuals" in page


def test_l04_a_small_category_is_shown_without_a_ratio_and_needs_a_justification(story: Story):
    counts: dict[tuple[str | None, ...], tuple[int, int]] = {
        ("Male", "White"): (500, 1000),
        ("Female", "White"): (400, 1000),
        ("Male", "Asian"): (9, 10),
    }
    audited(story, counts, exclude_below="0.02")
    report = report_of(issue(story))
    table = tables_of(report)["Selection rate and impact ratio by race"]
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert rows["Asian"] == ["10", "9", f"90.0{NBSP}%", "left out"]
    assert any("higher rate than White" in p.text for p in report.parts() if hasattr(p, "text"))
    assert any("justification" in gap for gap in gaps_of(report))
    state(story, exclusion_justification="Ten people say nothing.")
    report = report_of(issue(story))
    assert not any("justification" in gap for gap in gaps_of(report))
    assert "Ten people say nothing." in words(pdf_of(issue(story)))


def test_a_table_that_was_not_measured_is_a_gap_and_not_left_out(story: Story):
    audited(story, {("f",): (40, 100), ("m",): (50, 100)}, names=("gender",))
    gaps = gaps_of(report_of(issue(story)))
    assert any("No table by race/ethnicity: the audit measured gender" in gap for gap in gaps)
    assert any("No table by sex by race/ethnicity" in gap for gap in gaps)
    assert not any(gap.startswith("No table by sex:") for gap in gaps)


def test_columns_of_other_names_are_taken_as_stated(story: Story):
    counts = {("f", "a"): (40, 100), ("m", "a"): (50, 100), ("m", "b"): (50, 100)}
    audited(story, counts, names=("SEX_CD", "RAC1P"))
    assert any("No table by sex:" in gap for gap in gaps_of(report_of(issue(story))))
    state(story, sex_column="SEX_CD", race_column="RAC1P")
    assert not any("No table" in gap for gap in gaps_of(report_of(issue(story))))


def test_without_an_audit_it_is_refused_in_words_and_nothing_is_written(story: Story):
    with pytest.raises(Conflict, match="No bias audit of this version was measured"):
        request(story)
    assert not Document.objects.exists()
    with pytest.raises(NotFound, match="no such kind"):
        services.request_document(as_actor(story.ana), version_of(story), "horoscope")


def test_an_audit_of_data_that_were_replaced_is_none(story: Story):
    audited(story)
    request(story)
    story.measure()
    with pytest.raises(Conflict, match="on the data now in force"):
        request(story)


def test_the_same_audit_gives_the_same_report_and_a_new_one_a_new_report(story: Story):
    audited(story)
    first = issue(story)
    assert request(story, story.vera).pk == first.pk
    state(story)
    second = issue(story)
    assert second.pk != first.pk
    measured(story, exclude_below="0.01")
    third = issue(story)
    assert len({first.pk, second.pk, third.pk}) == 3
    issued = [event.payload["kind"] for event in replay("compliance.document.issued")]
    assert issued == [KIND] * 3
    call_command("verify_ledger", stdout=io.StringIO())


def test_two_at_once_ask_for_the_same_report(story: Story):
    audited(story)
    start, found = threading.Barrier(2), []

    def ask() -> None:
        try:
            start.wait()
            found.append(request(story).pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 2
    assert len(set(found)) == Document.objects.count() == 1


def test_a_recalled_audit_is_reported_no_more(story: Story):
    row = audited(story)
    issue(story)
    checking.recall_measurement(as_actor(story.vera), row, reason="the labels were wrong")
    with pytest.raises(Conflict):
        request(story)


def test_counts_that_are_not_what_the_digest_says_are_refused(story: Story):
    row = audited(story)
    with triggers_off("checks_measurement"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE checks_measurement SET result = jsonb_set(result, '{unknown}', '0') WHERE id = %s",
            [row.pk],
        )
    with pytest.raises(Tampered, match="not what its digest says"):
        request(story)
    assert not Document.objects.exists()


def test_a_damaged_file_is_refused_and_not_sent(story: Story):
    audited(story)
    document = issue(story)
    path = blobs.path(document.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(Tampered):
        pdf_of(document)


def test_a_changed_statement_is_refused_and_the_ledger_tells(story: Story):
    audited(story)
    row = state(story)
    with triggers_off("compliance_reportstatement"), connection.cursor() as cursor:
        cursor.execute(
            'UPDATE compliance_reportstatement SET texts = texts || \'{"auditor": "Ourselves"}\' WHERE id = %s',
            [row.pk],
        )
    with pytest.raises(Tampered, match="Statement 1"):
        request(story)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_ledger", stdout=out, stderr=out)
    assert f"statement:{row.pk}" in out.getvalue()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"auditor": "x", "data_kind": "guess"}, "data_kind"),
        ({"distribution_date": "5 January"}, "distribution_date"),
        ({"distribution_date": "2026-02-30"}, "distribution_date"),
        ({"independence": "We are."}, "auditor"),
        ({"data_kind": "test"}, "test_data_reason"),
        ({"test_data_reason": "too few", "data_kind": "historical"}, "data_kind"),
        ({"auditor": "x" * 301}, "auditor"),
        ({"data_source": "x" * 10_001}, "data_source"),
        ({"auditor": "a\nb"}, "auditor"),
        ({"auditor": "\x00"}, "auditor"),
        ({"auditor": "\u202egrebsnesor"}, "auditor"),
        ({"auditor": 7}, "auditor"),
        ({"verdict": "fair"}, "verdict"),
        ({}, "__all__"),
        ({"auditor": "   "}, "__all__"),
    ],
)
def test_a_bad_statement_is_refused_field_by_field_and_nothing_is_written(
    story: Story, given: dict[str, str], field: str
):
    with pytest.raises(Invalid) as refused:
        services.record_statement(as_actor(story.ana), version_of(story), KIND, given, 0)
    assert field in refused.value.fields
    assert not ReportStatement.objects.exists()
    assert list(replay("compliance.statement.recorded")) == []


def test_who_may_not_write_states_nothing(story: Story, aud: User, otto: User):
    for user in (aud, otto):
        with pytest.raises(Forbidden):
            state(story, user)
    with pytest.raises(Forbidden, match="made by a person"):
        services.record_statement(SYSTEM, version_of(story), KIND, STATED, 0)
    with pytest.raises(NotFound, match="Nothing is to be stated"):
        services.record_statement(
            as_actor(story.ana), version_of(story), "model_card", {"auditor": "x"}, 0
        )


def test_two_who_state_at_once_do_not_overwrite_each_other(story: Story):
    state(story)
    with pytest.raises(Conflict, match="Ana Silva saved statement 1"):
        state(story, base=0, auditor="Another")
    assert state(story, base=1).number == 1  # nothing changed, nothing recorded
    assert state(story, base=1, auditor="Another").number == 2
    found = statements.latest(version_of(story), KIND)
    assert found is not None
    assert found.texts == {"auditor": "Another"}


HOSTILE = "<script>alert(1)</script> {{ 7|add:7 }} مرحبا 山田太郎 עברית"


def test_hostile_and_foreign_names_are_printed_as_text(story: Story):
    counts: dict[tuple[str | None, ...], tuple[int, int]] = {
        ("شركة المثال", HOSTILE): (40, 100),
        ("山田太郎", "b"): (50, 100),
    }
    audited(story, counts)
    state(story, auditor=HOSTILE, tool='"><img src=x>')
    document = issue(story)
    page = selectors.read_page(document)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "山田太郎" in words(pdf_of(document))
    assert pdfa.problems({"report": pdf_of(document)}) == {"report": []}


def test_every_kind_has_a_file_name_and_a_title_of_its_own():
    assert len({kind.file for kind in kinds.KINDS.values()}) == len(kinds.KINDS)
    assert len({kind.title for kind in kinds.KINDS.values()}) == len(kinds.KINDS)
