"""What other tools reported about a version, always with whose word it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse

from apps.accounts.selectors import accountable_for_all
from apps.checks.uploaded import selectors
from apps.checks.uploaded.models import UploadedResult
from apps.checks.uploaded.reading import COUNTED, Format, Metric, Reading, State
from apps.checks.uploaded.selectors import Listed
from apps.core.actor import Actor
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from apps.web import cells, status, words
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, Cell, Chip, Column, Empty, Fact, Notice, Row, Table

SHOWN = 50


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The form's page, with what is there already."""

    frame: VersionFrame
    table: Table


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One result: the sentence, whose word it is, what did not pass, the numbers, where it comes from."""

    frame: VersionFrame
    title: str
    chips: Sequence[Chip]
    sentence: str
    notice: Notice
    remarks: Sequence[str]
    items: Table | None
    metrics: Table | None
    same_name: Table | None
    facts: Sequence[Fact]
    acts: Sequence[Action]


def upload(actor: Actor, version: ModelVersion) -> UploadPage:
    """The page on which a results file is uploaded."""
    return UploadPage(frame(actor, version, "checks/"), table(version))


def act(version: ModelVersion) -> Action:
    """The way to the form."""
    url = reverse("web:uploaded-new", args=[version.model.name, version.number])
    return Action("Upload a result", url, icon="upload")


def table(version: ModelVersion) -> Table:
    """The uploaded results, newest first."""
    empty = Empty(
        "nothing-yet",
        "No result of another tool was uploaded",
        "Unit tests, robustness or security tools: their JUnit XML, JSON or in-toto statement is kept with who uploaded it.",
    )
    rows = [_row(version, each) for each in selectors.listed(version, SHOWN)]
    return Table("Reported by other tools", _columns(), rows, empty)


def _columns() -> list[Column]:
    return [Column(label) for label in ("Result", "It says", "Cases", "Tool", "Uploaded by", "When", "State")]  # fmt: skip


def _row(version: ModelVersion, each: Listed) -> Row:
    row = each.row
    recall = selectors.recall_of(row)
    return Row(
        [
            cells.link(row.name, url(version, row), note=Format(row.format).label),
            cells.chip(_says(row, each.state)),
            cells.text(cases(each.counts)),
            cells.text(_tool(row), note=row.get_tool_named_by_display()),
            cells.person(str(row.uploaded_by), machine=row.uploaded_by.kind == "service"),
            cells.when(row.uploaded_at),
            cells.chip(status.chip("uploaded", each.state), note=recall.reason if recall else ""),
        ]
    )


def _says(row: UploadedResult, state: State) -> Chip:
    """What it reported; one that was recalled does not look good."""
    chip = status.chip("reported", row.outcome)
    return replace(chip, tone="quiet", icon=chip.icon_name) if state is State.RECALLED else chip


def url(version: ModelVersion, row: UploadedResult, route: str = "web:uploaded") -> str:
    """Of a page of this result."""
    return reverse(route, args=[version.model.name, version.number, row.uuid])


def cases(counts: Mapping[str, int]) -> str:
    """ "2 failed, 1 skipped, 40 passed", the worst first."""
    said = [
        words.plural(count, "error") if key == "error" else f"{words.thousands(count)} {key}"
        for key in COUNTED
        if (count := counts.get(key, 0))
    ]
    flaky = counts.get("flaky", 0)
    said += [f"{words.thousands(flaky)} of them only when run again"] if flaky else []
    return ", ".join(said) or "none counted"


def _tool(row: UploadedResult) -> str:
    return f"{row.tool} {row.tool_version}".strip()


def pinned(version: ModelVersion, manifest: Mapping[str, Any]) -> Table | None:
    """What a round names of them; None where it names none."""
    named = evidence.results_in(manifest)
    rows = selectors.named(version, list(named)) if named else {}
    lines = [_pinned(version, entry, rows.get(key)) for key, entry in named.items()]
    columns = [
        Column(label) for label in ("Result", "It said", "Uploaded by", "Replaces", "SHA-256")
    ]
    return Table("Reported by other tools", columns, lines) if lines else None


def _pinned(version: ModelVersion, entry: Mapping[str, Any], row: UploadedResult | None) -> Row:
    tool = f"{entry['tool']} {entry['tool_version']}".strip()
    if row is None:
        name, by = (
            cells.text(entry["name"], note=f"{tool}; the row is gone"),
            cells.missing("it is gone"),
        )
    else:
        name = cells.link(entry["name"], url(version, row), note=tool)
        by = cells.text(str(row.uploaded_by), note=words.date(row.uploaded_at.date()))
    return Row(
        [
            name,
            cells.chip(status.chip("reported", entry["outcome"])),
            by,
            _replaces(entry["before"], entry["wrong_before"]),
            cells.digest(entry["digest"]),
        ]
    )


def _replaces(before: int, wrong: int) -> Cell:
    """How often it was uploaded before: a result repeated until it passes is seen to be."""
    if not before:
        return cells.text("none before it")
    note = f"{wrong} of them did not pass" if wrong else "all passed"
    return cells.text(f"{words.thousands(before)} before it", note=note)


def result(actor: Actor, version: ModelVersion, row: UploadedResult) -> ResultPage:
    """One result with everything that was read from it."""
    top = frame(actor, version, "checks/")
    found = selectors.reading_of(row)
    state = selectors.state_of(version, row)
    return ResultPage(
        frame=top,
        title=row.name,
        chips=[_says(row, state), status.chip("uploaded", state)],
        sentence=f"{_tool(row)} reported: {_told(found)}.",
        notice=_notice(version, row),
        remarks=found.remarks,
        items=_items(found),
        metrics=_metrics(found),
        same_name=_same_name(version, row),
        facts=list(_facts(row, found)),
        acts=_acts(version, row, may_recall="check.recall" in top.verbs),
    )


def _same_name(version: ModelVersion, row: UploadedResult) -> Table | None:
    """What else was uploaded under its name, newest first; None for nothing."""
    rows = selectors.listed(version, SHOWN, name=row.name)
    if len(rows) < 2:
        return None
    lines = [
        Row(
            [
                cells.link(words.utc(each.row.uploaded_at), url(version, each.row)),
                cells.chip(_says(each.row, each.state), note=cases(each.counts)),
                cells.person(str(each.row.uploaded_by)),
                cells.chip(status.chip("uploaded", each.state)),
            ]
        )
        for each in rows
    ]
    columns = [Column(label) for label in ("Uploaded", "It says", "By", "State")]
    return Table("Uploaded under this name", columns, lines)


def _told(found: Reading) -> str:
    """The counted cases and how many numbers there are, or what is there instead."""
    said = [cases(found.counts)] if any(found.counts.values()) else []
    said += [words.plural(len(found.metrics), "number")] if found.metrics else []
    nothing = "no case" if found.statement is None else "a statement that counts no case"
    return ", ".join(said) or nothing


def _notice(version: ModelVersion, row: UploadedResult) -> Notice:
    """Whose word it is. An author's upload is the author's word about her own work, and looks like it."""
    recall = selectors.recall_of(row)
    if recall is not None:
        said = (
            f"{recall.recalled_by} recalled it on {words.utc(recall.recalled_at)}: {recall.reason}"
        )
        return Notice(said, "warn", "It counts no more")
    who = f"{row.uploaded_by} uploaded it on {words.utc(row.uploaded_at)}"
    text = (
        f"It is what {row.tool} wrote into a file; {who}. The file is whole, and where it names files they are of this "
        "version. Whether the tool ran, on what, and what it would report today was not checked."
    )
    own = _authorship(version, row)
    if own:
        return Notice(
            f"{text} {own}",
            "warn",
            "Countersign did not measure this, and an author of the version uploaded it",
        )
    return Notice(text, "info", "Countersign did not measure this")


def _authorship(version: ModelVersion, row: UploadedResult) -> str:
    """What the uploader, or who answers for the service, did to the version; "" for nothing."""
    people = accountable_for_all({row.uploaded_by_id})[row.uploaded_by_id]
    did = [reason for user, reasons in registry.version_authors(version).items() if user in people for reason in reasons]  # fmt: skip
    return f"Whoever uploaded it also {', '.join(dict.fromkeys(did))}." if did else ""


def _items(found: Reading) -> Table | None:
    if not found.items:
        return None
    left = f", and {words.thousands(found.items_left)} more in the file" if found.items_left else ""
    rows = [
        Row(
            [
                cells.text(item.name),
                cells.chip(status.chip("case", item.outcome)),
                cells.text(item.message) if item.message else cells.missing("it says nothing more"),
                cells.number(words.thousands(item.line)),
            ]
        )
        for item in found.items
    ]
    columns = [Column("Case"), Column("Outcome"), Column("Message"), Column("Line", numeric=True)]
    return Table(f"What did not pass{left}", columns, rows)


def _metrics(found: Reading) -> Table | None:
    if not found.metrics:
        return None
    columns = [Column("Metric"), Column("Value", numeric=True), Column("Interval"), Column("n", numeric=True), Column("Held against")]  # fmt: skip
    return Table(
        "Numbers as the tool wrote them", columns, [_metric(each) for each in found.metrics]
    )


def _metric(metric: Metric) -> Row:
    held = metric.limit or "no limit given"
    verdict = {True: "passed", False: "failed", None: "unjudged"}[metric.passed]
    return Row(
        [
            cells.text(metric.name),
            cells.number(metric.value, note=metric.unit),
            cells.text(f"{metric.low} to {metric.high}", note=f"level {metric.level}")
            if metric.low
            else cells.missing("no interval"),
            cells.number(words.thousands(metric.n))
            if metric.n is not None
            else cells.missing("not counted"),
            cells.chip(status.chip("reported", verdict), note=held),
        ]
    )


def _facts(row: UploadedResult, found: Reading) -> list[Fact]:
    facts = [
        Fact(
            "Uploaded by",
            cells.person(str(row.uploaded_by), machine=row.uploaded_by.kind == "service"),
        ),
        Fact("Uploaded", cells.when(row.uploaded_at)),
        Fact("Tool", cells.text(_tool(row), note=row.get_tool_named_by_display())),
        Fact(
            "It says it ran",
            cells.when(row.ran_at, missing_reason="the file does not say when"),
        ),
        Fact("Format", cells.text(Format(row.format).label, note=found.reader)),
    ]
    if found.seconds:
        facts.append(Fact("Seconds of all cases", cells.number(found.seconds)))
    facts += [Fact("About", cell) for cell in _about(found)]
    facts += _statement(found)
    facts += [
        Fact(
            "File",
            cells.mono(row.file_name) if row.file_name else cells.missing("no name was given"),
        ),
        Fact("Size", cells.number(words.size(row.blob.size))),
        Fact("SHA-256", cells.digest(row.digest)),
        Fact("Digest of what was read", cells.digest(row.reading_digest)),
    ]
    return facts


def _about(found: Reading) -> list[Cell]:
    """The files that it names, or that it names none: then only the uploader says what it is about."""
    if not found.subjects:
        return [
            cells.text(
                "The file names nothing", note="that it is about this version, the uploader says"
            )
        ]
    return [
        cells.mono(each.file, note=f"named {each.name}" if each.name else "")
        for each in found.subjects
    ]


def _statement(found: Reading) -> list[Fact]:
    said = found.statement
    if said is None:
        return []
    facts = [
        Fact(
            "Predicate",
            cells.mono(said.predicate_type, note="" if said.understood else "not understood"),
        ),
    ]
    if said.enveloped:
        keys = ", ".join(said.signers)
        facts.append(
            Fact("Signature", cells.text("signature not checked", note=f"key, as it says: {keys}"))
        )
    else:
        facts.append(Fact("Signature", cells.text("none: a plain statement")))
    if said.url:
        facts.append(Fact("Where it says it ran", cells.mono(said.url)))
    return facts


def _acts(version: ModelVersion, row: UploadedResult, *, may_recall: bool) -> list[Action]:
    acts = [
        Action(
            "Download the file",
            url(version, row, "web:uploaded-file"),
            icon="download",
            download=True,
        )
    ]
    if may_recall and selectors.recall_of(row) is None:
        acts.append(Action("Recall…", url(version, row, "web:uploaded-recall"), "danger", "undo"))
    return acts
