"""The bias audit report of New York City's Local Law 144, in the form that its rules demand of a published summary.

Sources: NYC Administrative Code 20-870 to 20-872; 6 RCNY 5-300 to 5-304, each line names its paragraph.
Guarantee: every number is read from the stored result, whose digest was computed again and stands beside each table; it
is rounded for print and never computed here. What only people know (who audited, on whose data, since when the tool is
used) is taken from the statement, with its author and time, or is a visible gap.
Not said: that a rate or a ratio is lawful, or that the auditor is independent. Nothing in it names anybody who works
here but whoever recorded the statement: it is meant to be published.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote

from django.conf import settings

from apps.checks import selectors as checks
from apps.checks.library.bias_audit import BiasAuditResult, Category, CategoryTable
from apps.checks.models import Measurement
from apps.checks.numbers import CROSS, MISSING, NBSP, grouped, listed, plural, shown
from apps.compliance.assembly.checks import record
from apps.compliance.models import ReportStatement
from apps.compliance.reports.base import Assembled, prose, stated
from apps.compliance.reports.fields import Field, Texts
from apps.compliance.statements import latest
from apps.core.errors import Conflict, Tampered
from apps.core.parts import Cell, Column, Fact, Facts, Part, Table, Text, cells
from apps.modelcards import dossier as dossiers
from apps.modelcards import schema
from apps.modelcards.card import Card, Source
from apps.modelcards.collect import moment
from apps.modelcards.dossier import CheckView, Dossier, Status
from apps.modelcards.report import Answer, Chapter, Entry, Report
from apps.registry.models import ModelVersion
from apps.reviews import evidence

KIND = "bias_audit"
TITLE = "Bias audit report, NYC Local Law 144"
TEMPLATE = "ll144-report/1"
LAW = "NYC Administrative Code 20-871 and 6 RCNY 5-300 to 5-304"
_SEX = frozenset({"sex", "gender"})
_RACE = frozenset({"race", "ethnicity", "race_ethnicity", "race/ethnicity", "race or ethnicity"})
_YEAR = dt.timedelta(days=365)

FIELDS = (
    Field("tool", "The tool, as candidates would know it", "Its name and what it decides; with its vendor, if there is one.", "line"),
    Field("distribution_date", "Distribution date", "When the employer or agency began using this tool (6 RCNY 5-300, 5-303(a)(2)).", "date"),
    Field("auditor", "Independent auditor", "The person or firm that did the audit. Nobody is named unless you do.", "line"),
    Field("independence", "Statement of independence", "The auditor's own words: took no part in using, developing or distributing the tool; not employed by, and no financial interest in, the employer or the vendor (6 RCNY 5-300)."),
    Field("data_kind", "Data", "Historical data first; test data only where those are too few (6 RCNY 5-302).", "choice", (("historical", "Historical data"), ("test", "Test data"))),
    Field("data_source", "Source and explanation of the data", "Whose applicants, which positions, from when to when, how categories were learned (6 RCNY 5-303(a)(1))."),
    Field("test_data_reason", "Why test data, and how they were made", "Only for test data: why historical data were not used, how the test data were generated and obtained (6 RCNY 5-302(b))."),
    Field("sex_column", "Column with the sex categories", "Only if it is not called sex or gender.", "line"),
    Field("race_column", "Column with the race/ethnicity categories", "Only if it is not called race or ethnicity.", "line"),
    Field("exclusion_justification", "Why categories below 2 % are left out of the ratio", "The auditor's justification, if the measurement holds none (6 RCNY 5-301(d))."),
)  # fmt: skip


def together(texts: Texts) -> Texts:
    """What is refused beside its field: test data without their explanation, independence of nobody."""
    wrong = {}
    if texts.get("data_kind") == "test" and "test_data_reason" not in texts:
        wrong["test_data_reason"] = "Test data need it (6 RCNY 5-302(b))."
    if texts.get("data_kind") != "test" and "test_data_reason" in texts:
        wrong["data_kind"] = (
            "You explain test data; choose them here, or leave the explanation out."
        )
    if "independence" in texts and "auditor" not in texts:
        wrong["auditor"] = "Whose independence? Name the auditor."
    return wrong


def why_not(version: ModelVersion) -> str:
    """Why there is nothing to report; empty if there is."""
    if checks.latest(version, KIND) is not None:
        return ""
    return "No bias audit of this version was measured on the data now in force. Run the check “Bias audit” first."


@dataclass(frozen=True, slots=True)
class _Audit:
    """What the report is made from."""

    version: ModelVersion
    row: Measurement
    result: BiasAuditResult
    statement: ReportStatement | None

    @property
    def texts(self) -> Texts:
        return self.statement.texts if self.statement else {}

    @property
    def source(self) -> Source:
        name = quote(self.version.model.name, safe="")
        link = f"/models/{name}/{self.version.number}/checks/{self.row.uuid}/"
        return Source(f"measurement {self.row.uuid.hex[:8]}", link, self.row.result_digest)

    @property
    def done(self) -> dt.datetime:
        if self.row.finished_at is None:
            raise Tampered("The measurement is done and has no time.")
        return self.row.finished_at

    @property
    def justification(self) -> str:
        return self.result.justification or self.texts.get("exclusion_justification", "")

    def columns(self) -> tuple[str, str]:
        """The columns of sex and of race/ethnicity, as stated or by their usual names; empty where there is none."""
        measured = [name for table in self.result.tables for name in table.features]
        return (
            self.texts.get("sex_column") or _called(measured, _SEX),
            self.texts.get("race_column") or _called(measured, _RACE),
        )


def _called(measured: Sequence[str], names: frozenset[str]) -> str:
    return next((each for each in measured if each.casefold() in names), "")


def assemble(version: ModelVersion) -> Assembled:
    """The report on the newest audit of the data in force. Raises Conflict where none was measured, Tampered where the
    stored result is not what its digest says."""
    row = checks.latest(version, KIND)
    if row is None:
        raise Conflict(why_not(version))
    if checks.result_digest(row.key, row.statistics, row.result) != row.result_digest:
        raise Tampered(f"Measurement {row.uuid}: counts and numbers are not what its digest says.")
    result = checks.result_of(row)
    assert isinstance(result, BiasAuditResult)  # noqa: S101 -- the kind of the row decides
    audit = _Audit(version, row, result, latest(version, "ll144_report"))
    return Assembled(_dossier(audit), None, None)


def _dossier(audit: _Audit) -> Dossier:
    model, row = audit.version.model, audit.row
    statement = audit.statement
    newest = max(audit.done, statement.created_at) if statement else audit.done
    report = _report(audit)
    return Dossier(
        schema=dossiers.SCHEMA,
        document=TITLE,
        site="Countersign",
        base_url=settings.BASE_URL,
        as_of=newest.isoformat(),
        status=_status(report),
        key_facts=_key_facts(audit),
        card=Card(
            schema=schema.SCHEMA, model=model.name, version=audit.version.number, sections=()
        ),
        template=TEMPLATE,
        checks=(
            CheckView(
                kind=KIND,
                title="Bias audit",
                verdict="",
                tone="",
                sentence="",
                measurement=str(row.uuid),
                link=audit.source.link,
                measured_at=audit.done.isoformat(),
                result_digest=row.result_digest,
                code_version=row.code_version,
                record=record(row, ""),
            ),
        ),
        report=report,
    )


def _status(report: Report) -> Status:
    missing = report.asked - report.answered
    if missing:
        return Status(
            "Incomplete",
            "warn",
            f"{missing} of the {report.asked} things that a published summary must hold are missing; each is marked.",
        )
    return Status(
        "Complete in form",
        "info",
        f"All {report.asked} things that a published summary must hold are here. What they mean is for its readers.",
    )


def _key_facts(audit: _Audit) -> tuple[Fact, ...]:
    texts = audit.texts
    data = next((str(each.get("digest", "")) for each in audit.row.inputs), "")
    missing = "Not stated"
    return (
        Fact("Tool", Cell(texts.get("tool", missing))),
        Fact("Model and version", Cell(f"{audit.version.model.name} v{audit.version.number}")),
        Fact("Date of the audit", Cell(_day(audit.done))),
        Fact("Independent auditor", Cell(texts.get("auditor", missing))),
        Fact("Distribution date", Cell(texts.get("distribution_date", missing))),
        Fact("Individuals assessed", Cell(grouped(audit.result.rows.counted))),
        Fact("Digest of the result", Cell(audit.row.result_digest), code=True),
        Fact("Digest of the data", Cell(data or "none"), code=True),
        Fact("Digest of the files", Cell(audit.version.manifest_digest), code=True),
    )


def _report(audit: _Audit) -> Report:
    return Report(
        schema="countersign.ll144-report/1",
        law=LAW,
        lead=(
            "A summary of results in the form that the rules on automated employment decision tools ask to be published. "
            "It sets out counts, rates and ratios. The rules set no threshold, and none is applied here."
        ),
        chapters=(
            Chapter("audit", "1", "The audit", tuple(_about(audit))),
            Chapter("results", "2", "Results", tuple(_results(audit))),
            Chapter("method", "3", "How the numbers were computed", (_method(audit),)),
        ),
        margin=("audit result", audit.row.result_digest),
        file="ll144-report.json",
        about="This report as data: every table, statement and gap",
    )


def _about(audit: _Audit) -> Iterator[Entry]:
    statement = audit.statement
    yield Entry("5-303(a)(1)", "Date of the most recent bias audit", (_date(audit),))
    yield stated(
        "20-871", "The tool", statement, "tool", "Which tool this is about was not stated."
    )
    yield stated("5-303(a)(2)", "Distribution date of the tool", statement, "distribution_date", "When its use began was not stated.")  # fmt: skip
    yield _auditor(audit)
    yield stated("5-303(a)(1)", "Source and explanation of the data", statement, "data_source", "Where the data come from was not stated.", _data(audit))  # fmt: skip
    yield _data_kind(audit)


def _date(audit: _Audit) -> Answer:
    until = _day(audit.done + _YEAR)
    told = (
        f"{_day(audit.done)}, when the numbers below were measured ({moment(audit.done)}). The tool may be used on this audit "
        f"for one year, until {until} (Administrative Code 20-871(a)(1))."
    )
    return Answer("", parts=(Text(told),), sources=(audit.source,))


def _auditor(audit: _Audit) -> Entry:
    """Who audited, in their words; and whether whoever recorded it made part of what was audited."""
    texts, statement = audit.texts, audit.statement
    answers, gaps = [], []
    for key, title, gap in (
        ("auditor", "Auditor", "No independent auditor was named."),
        ("independence", "Statement of independence", "There is no statement of independence."),
    ):
        if key in texts and statement is not None:
            answers.append(Answer(title, prose=prose(statement, key)))
        else:
            gaps.append(gap)
    if answers and statement is not None:
        answers.append(Answer("", parts=(Text(_recorder(audit.version, statement)),)))
    return Entry("20-870, 5-300", "The independent auditor", tuple(answers), tuple(gaps))


def _recorder(version: ModelVersion, statement: ReportStatement) -> str:
    did = evidence.authors(version, statement.author_id).get(statement.author_id, [])
    part = [each for each in did if each != "asked for this review"]
    about = (
        f"took part in what was audited: {', '.join(part)}"
        if part
        else "took no part in what was audited"
    )
    return f"Recorded here by {statement.author}, who {about}, as far as this site's record goes. The site cannot know whether an auditor is independent."  # fmt: skip


def _data(audit: _Audit) -> Answer:
    result = audit.result
    left = "; ".join(
        f"{grouped(n)} left out: {why}" for why, n in result.rows.excluded.items() if n
    )
    rows = [
        Fact("Individuals assessed", Cell(grouped(result.rows.counted))),
        Fact("Rows of the data", Cell(grouped(result.rows.total))),
        Fact("Left out", Cell(left or "none")),
        Fact("Selected means", Cell(f"predicted “{result.favourable}”")),
    ]
    rows += [
        Fact(f"SHA-256, {each.get('part', 'data')}", Cell(str(each.get("digest", ""))), code=True)
        for each in audit.row.inputs
    ]
    return Answer("What was measured", parts=(Facts(tuple(rows)),), sources=(audit.source,))


def _data_kind(audit: _Audit) -> Entry:
    ref, title, statement = "5-302", "Historical or test data", audit.statement
    kind = audit.texts.get("data_kind")
    if kind is None or statement is None:
        return Entry(
            ref, title, gaps=("Whether these are historical or test data was not stated.",)
        )
    said = dict(next(f for f in FIELDS if f.key == "data_kind").choices)[kind]
    answers = [Answer("", prose=prose(statement, "data_kind", said))]
    if kind == "test":
        why = "Why test data, and how they were made"
        answers.append(Answer(why, prose=prose(statement, "test_data_reason")))
    return Entry(ref, title, tuple(answers))


def _results(audit: _Audit) -> Iterator[Entry]:
    sex, race = audit.columns()
    yield _tables(audit, "Sex categories", (sex,), "sex")
    yield _tables(audit, "Race/ethnicity categories", (race,), "race/ethnicity")
    yield _tables(audit, "Intersectional categories of sex, ethnicity and race", (sex, race), "sex by race/ethnicity")  # fmt: skip
    yield _unknown(audit)
    yield _excluded(audit)
    wanted = {frozenset({sex}), frozenset({race}), frozenset({sex, race})}
    further = [t for t in audit.result.tables if frozenset(t.features) not in wanted]
    for table in further:
        title = f"Further categories: {table.label}"
        entry = _tables(audit, title, table.features, table.label)
        yield Entry("", title, entry.answers, entry.gaps, asked=False)


def _tables(audit: _Audit, title: str, features: Sequence[str], what: str) -> Entry:
    """The selection table and, where there are scores, the scoring table of one grouping; or the gap."""
    found = [
        Answer("", parts=tuple(_parts(table, scored)), sources=(audit.source,))
        for table, scored in _of(audit.result, features)
    ]
    gap = f"No table by {what}: {_why_none(audit, features)}"
    return Entry("5-301(b), (c), 5-303(a)(1)", title, tuple(found), () if found else (gap,))


def _of(result: BiasAuditResult, features: Sequence[str]) -> Iterator[tuple[CategoryTable, bool]]:
    wanted = frozenset(features)
    scores = result.scored.tables if result.scored else ()
    for tables, scored in ((result.tables, False), (scores, True)):
        yield from ((t, scored) for t in tables if frozenset(t.features) == wanted)


def _why_none(audit: _Audit, features: Sequence[str]) -> str:
    measured = listed([table.label for table in audit.result.tables]) or "nothing"
    for refused in audit.result.refused:
        if frozenset(refused.features) == frozenset(features):
            return f"{CROSS.join(refused.features)} was not measured, {refused.reason}."
    return f"the audit measured {measured}."


def _parts(table: CategoryTable, scored: bool) -> Iterator[Part]:
    rate, chosen = (
        ("Scoring rate", "Above the median") if scored else ("Selection rate", "Selected")
    )
    if table.ahead and table.best:
        highest = CROSS.join(map(str, table.best))
        yield Text(
            f"A category that is left out of the ratio has a higher rate than {highest}, which the others are compared "
            f"with: {listed(list(table.ahead), 8)}.",
            tone="warn",
        )
    head = (
        *(Column(name) for name in table.features),
        Column("Applicants", numeric=True),
        Column(chosen, numeric=True),
        Column(rate, numeric=True),
        Column("Impact ratio", numeric=True),
    )
    note = (
        f"{plural(table.unknown, 'individual')} of unknown category {'is' if table.unknown == 1 else 'are'} not in the "
        "calculations above."
    )
    rows = tuple(_category(category) for category in table.categories)
    yield Table(f"{rate} and impact ratio by {table.label}", head, rows, note=note)


def _category(category: Category) -> tuple[Cell, ...]:
    ratio = "left out" if category.excluded else MISSING
    return cells(
        *(str(each) for each in category.values),
        grouped(category.total),
        grouped(category.selected),
        per_cent(category.rate.value),
        shown(category.ratio.value) if category.ratio is not None else ratio,
    )


def per_cent(value: str | None) -> str:
    """`43.9 %` of "0.43902…", rounded half up; a dash where there is no number."""
    if value is None:
        return MISSING
    rounded = (Decimal(value) * 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return f"{rounded:f}{NBSP}%"


def _unknown(audit: _Audit) -> Entry:
    count = audit.result.unknown
    told = (
        f"The tool assessed {plural(count, 'individual')} who {'falls' if count == 1 else 'fall'} within an unknown category "
        "of at least one of the columns above. They are in no calculation that needs that category."
    )
    return Entry("5-303(a)(1)", "Individuals of unknown category", (Answer("", parts=(Text(told),), sources=(audit.source,)),))  # fmt: skip


def _excluded(audit: _Audit) -> Entry:
    ref, title = "5-301(d)", "Categories left out of the impact ratio"
    scores = audit.result.scored.tables if audit.result.scored else ()
    out = sorted(
        {
            c.label
            for table in (*audit.result.tables, *scores)
            for c in table.categories
            if c.excluded
        }
    )
    if not out:
        told = Text("No category is left out of the impact ratio for its size.")
        return Entry(ref, title, (Answer("", parts=(told,), sources=(audit.source,)),))
    share = per_cent(audit.result.exclude_below)
    told = Text(
        f"Below {share} of the individuals of known category, shown with count and rate and without a ratio: "
        f"{listed(out, 20)}."
    )
    answers = [Answer("", parts=(told,), sources=(audit.source,))]
    if audit.result.justification:
        parts = (Text(audit.result.justification),)
        answers.append(Answer("Justification", parts=parts, sources=(audit.source,)))
    elif audit.justification and audit.statement is not None:
        stated_ = prose(audit.statement, "exclusion_justification")
        answers.append(Answer("Justification", prose=stated_))
    gap = "The auditor's justification for leaving them out is missing."
    return Entry(ref, title, tuple(answers), () if audit.justification else (gap,))


def _method(audit: _Audit) -> Entry:
    parts: list[Part] = [
        Text(
            "Selection rate: selected divided by the individuals of the category. Impact ratio: the rate of the category "
            "divided by that of the most selected category that is not left out (6 RCNY 5-301(b))."
        )
    ]
    scored = audit.result.scored
    if scored is not None:
        over = (
            "a known category in every column" if audit.result.median_over == "known" else "a score"
        )
        parts.append(
            Text(
                f"Scoring rate: the share of the category with a score above the median of the sample; a score at the "
                f"median is not above it. The highest scoring rate is the reference (6 RCNY 5-301(c)). The median is "
                f"{shown(scored.median or None)}, over {plural(scored.median_rows, 'individual')} with {over}."
            )
        )
    parts.append(
        Text(
            "Rates are printed with one digit of a per cent and ratios with three digits, rounded from the exact counts. "
            "check-results.json holds the counts and the unrounded numbers; their SHA-256 is the digest beside each table."
        )
    )
    return Entry(
        "", "Formulas", (Answer("", parts=tuple(parts), sources=(audit.source,)),), asked=False
    )


def _day(at: dt.datetime) -> str:
    utc = at.astimezone(dt.UTC)
    return f"{utc.day} {utc:%B %Y}"
