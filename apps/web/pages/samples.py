"""Sample data for /styleguide/: invented, and nowhere else."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from apps.core import clock
from apps.web import cells, charts, diffing, status, words
from apps.web.parts import (
    Action,
    ChartFigure,
    Chip,
    Column,
    Crumb,
    DecisionBox,
    Empty,
    Fact,
    Figure,
    FilterChip,
    Meter,
    Notice,
    PageHeader,
    Paging,
    Requirement,
    Row,
    SignBox,
    Tab,
    Table,
)

SHA = hashlib.sha256(b"sample").hexdigest()


@dataclass(frozen=True, slots=True)
class SampleEvent:
    """Has what an EventView has."""

    seq: int
    type: str
    at: dt.datetime
    actor_id: int | None
    actor_label: str
    actor_kind: str = "human"
    template: str = "web/_sample_event.html"
    leaf_hash: str = SHA
    payload: dict[str, Any] = field(default_factory=dict)


def page(request: HttpRequest) -> dict[str, Any]:
    """Everything the styleguide shows."""
    return {
        "header": header(),
        "tabs": tabs(),
        "chips": [chip for kind in status.STATUSES.values() for chip in kind.values()],
        "box": box(),
        "ready": ready_box(),
        "filters": [FilterChip("finished", "?"), FilterChip("auc above 0.85", "?")],
        "runs": runs(),
        "empties": empties(),
        "events": events(),
        "facts": facts(),
        "figures": figures(),
        "diff": diff(),
        "text_diff": diffing.text(
            "The model scores applicants for personal loans up to 20 000 euro.",
            "The model scores applicants for personal loans and cards up to 25 000 euro.",
        ),
        "charts": chart_figures(),
        "meters": [Meter(3, 4, "3 of 4 sections", "good"), Meter(1, 6, "1 of 6 sections", "warn")],
        "notices": notices(),
        "sign": sign_box(),
        "sha": SHA,
        "code": "import mlflow\nmlflow.set_tracking_uri('http://localhost:8000')",
    }


def header() -> PageHeader:
    return PageHeader(
        title="churn / version 7",
        chips=[status.chip("review", "open"), status.chip("stage", "Staging")],
        aliases=["candidate"],
        digest=SHA,
        meta=[
            cells.person("Ana Silva"),
            cells.text("trained it in run able-finch-12"),
            cells.when(clock.now() - dt.timedelta(hours=3)),
        ],
        actions=[
            Action("Compare", "#", icon="compare"),
            Action("Submit for review", "#", "primary"),
        ],
        crumbs=[Crumb("Models", "/models/"), Crumb("churn", "#"), Crumb("Version 7")],
    )


def tabs() -> list[Tab]:
    return [
        Tab("Overview", "#", current=True),
        Tab("Checks", "#checks", count=4),
        Tab("Card", "#card", chip=Chip("2 gaps", "warn")),
        Tab("History", "#history"),
    ]


def box() -> DecisionBox:
    then = clock.now() - dt.timedelta(hours=5)
    return DecisionBox(
        title="To reach production",
        requirements=[
            Requirement(
                "met", "Performance", "AUC 0.871, limit at least 0.85, n = 40 210", at=then
            ),
            Requirement(
                "failed",
                "Fairness",
                "Selection-rate ratio 0.71 between age groups, limit at least 0.80",
                at=then,
                act=Action("Open", "#"),
            ),
            Requirement(
                "unknown",
                "Drift",
                "Not run: no reference data attached",
                act=Action("Attach data", "#"),
            ),
            Requirement(
                "missing", "Card", "2 of 9 sections are missing", act=Action("Fill in", "#")
            ),
            Requirement(
                "waiting",
                "Review",
                "1 of 2 signed, Vera Lind is asked",
                act=Action("Open REV-142", "#"),
            ),
            Requirement("waived", "File safety", "Waived until 30 June by Otto Berg"),
        ],
        sentence="You trained this version, so another validator must sign.",
    )


def ready_box() -> DecisionBox:
    return DecisionBox(
        title="To reach production",
        requirements=[
            Requirement("met", "Checks", "Performance, fairness and drift within limits"),
            Requirement("met", "Card", "Complete, revision 3"),
            Requirement("met", "Review", "2 of 2 signed"),
        ],
        sentence="Nothing stands in the way.",
        actions=[Action("Promote", "#", "primary", icon="flag")],
        id="ready",
    )


def runs() -> Table:
    then = clock.now() - dt.timedelta(hours=2)
    found = [
        ("able-finch-12", "FINISHED", "0.871", "+0.012", "0.1", then),
        ("calm-otter-3", "FINISHED", "0.859", "", "0.3", then - dt.timedelta(days=1)),
        ("pale-heron-44", "FAILED", "", "", "0.9", then - dt.timedelta(days=9)),
    ]
    rows = [
        Row(
            [
                cells.tick("run", name, name),
                cells.link(name, "#", note="RUN-8f3a"),
                cells.chip(status.chip("run", state)),
                cells.number(auc, delta=delta, note="n = 40 210")
                if auc
                else cells.missing("the run failed"),
                cells.number(rate),
                cells.when(at),
            ]
        )
        for name, state, auc, delta, rate, at in found
    ]
    columns = [
        Column("Choose", hidden_label=True),
        Column("Run", sort_url="?sort=name"),
        Column("Status"),
        Column("AUC", numeric=True, sort_url="?sort=auc", sorted="descending"),
        Column("Learning rate", numeric=True),
        Column("When"),
    ]
    paging = Paging(
        f"{words.span(1, 50)} of {words.thousands(1204)} runs", next_url="?before=9", first_url="?"
    )
    return Table("Runs of churn", columns, rows, paging=paging)


def empties() -> list[Empty]:
    return [
        Empty(
            "nothing-yet",
            "No runs yet",
            "Runs appear here as soon as a client logs one.",
            code="import mlflow\nmlflow.set_tracking_uri('http://localhost:8000')\nwith mlflow.start_run():\n    mlflow.log_metric('auc', 0.87)",
        ),
        Empty(
            "no-match",
            "No run is finished with AUC above 0.99",
            action=Action("Clear the filters", "?"),
        ),
        Empty("not-yours", "This experiment is not shared with you", "Ask Ana Silva, who owns it."),
        Empty("clear", "You are clear", "4 reviews are with others."),
    ]


def events() -> list[SampleEvent]:
    now = clock.now()
    return [
        SampleEvent(
            10482,
            "reviews.decision.recorded",
            now,
            2,
            "Rui Costa",
            payload={
                "text": "approved churn version 7 for production",
                "reason": "Stable on all segments.",
            },
        ),
        SampleEvent(
            10471,
            "checks.measurement.done",
            now - dt.timedelta(minutes=40),
            None,
            "system",
            "system",
            payload={"text": "measured disparity of churn version 7"},
        ),
        SampleEvent(
            10465,
            "registry.version.registered",
            now - dt.timedelta(days=1),
            1,
            "Ana Silva",
            payload={"text": "registered churn version 7"},
        ),
    ]


def facts() -> list[Fact]:
    return [
        Fact("Owner", cells.person("Ana Silva", "#")),
        Fact("Risk tier", cells.text("Tier 1", note="high exposure, decides about people")),
        Fact("Governance", cells.chip(status.chip("governance", "governed"))),
        Fact("Registered", cells.when(clock.now() - dt.timedelta(days=2))),
        Fact("Files", cells.digest(SHA)),
        Fact("Deployed", cells.missing("not deployed")),
    ]


def figures() -> list[Figure]:
    return [
        Figure("AUC", "0.871", "+0.012 on version 6, limit at least 0.85"),
        Figure("Selection-rate ratio", "0.91", "limit at least 0.80, age groups"),
        Figure("Rows", words.thousands(40210), "ACS 2016"),
        Figure("Size", words.size(41_200_000)),
    ]


def diff() -> Table:
    rows = [
        Row(
            [
                cells.mono("learning_rate"),
                cells.number("0.3"),
                cells.number("0.1"),
                cells.number(words.signed(-0.2)),
            ]
        ),
        Row(
            [
                cells.mono("max_depth"),
                cells.number("6"),
                cells.number("6"),
                cells.missing("the same"),
            ],
            same=True,
        ),
        Row(
            [
                cells.mono("auc"),
                cells.number("0.859"),
                cells.number("0.871"),
                cells.number("+0.012"),
            ]
        ),
    ]
    columns = [
        Column("Name"),
        Column("Version 6", numeric=True),
        Column("Version 7", numeric=True),
        Column("Change", numeric=True),
    ]
    return Table(
        "Parameters and metrics of versions 6 and 7", columns, rows, id="sample-diff", dense=True
    )


def chart_figures() -> list[ChartFigure]:
    train = [(step, 0.9 - 0.5 * math.exp(-step / 12)) for step in range(0, 60, 2)]
    valid = [(step, 0.87 - 0.45 * math.exp(-step / 10)) for step in range(0, 60, 2)]
    curve = charts.lines(
        [charts.Series("train", train), charts.Series("validation", valid)], x="step", y="AUC"
    )
    groups = [
        ("18 to 29", 0.68, 0.71, 0.74),
        ("30 to 49", 0.86, 0.88, 0.90),
        ("50 to 64", 0.84, 0.87, 0.90),
    ]
    rates = charts.intervals(groups, x="selection-rate ratio", limit=0.8)
    bins = [
        (words.span(low, low + 10), {"reference": 0.1 + low / 900, "current": 0.16 - low / 900})
        for low in range(20, 80, 10)
    ]
    drift = charts.histogram(bins, x="age", y="share")
    table = Table(
        "AUC by step",
        [
            Column("Step", numeric=True),
            Column("Train", numeric=True),
            Column("Validation", numeric=True),
        ],
        [
            Row(
                [
                    cells.number(str(step)),
                    cells.number(words.decimals(a)),
                    cells.number(words.decimals(b)),
                ]
            )
            for (step, a), (_, b) in zip(train[:5], valid[:5], strict=True)
        ],
        dense=True,
        fold=False,
    )
    return [
        ChartFigure(
            "AUC by step", charts.for_page(curve), table, "60 steps, logged every second one"
        ),
        ChartFigure(
            "Selection rate by age group",
            charts.for_page(rates),
            table,
            "95 % intervals (Newcombe); dashed: limit 0.80",
        ),
        ChartFigure("Age, reference and current", charts.for_page(drift), table, "PSI 0.08"),
    ]


def notices() -> list[Notice]:
    return [
        Notice("The measurement ran on ACS 2016.", "info"),
        Notice("The record is whole to event 10 482.", "good"),
        Notice(
            "Newer evidence exists: the card was edited after this round was made.",
            "warn",
            url="#",
            url_label="Make a new round",
        ),
        Notice(
            "Production needs signatures.",
            "bad",
            "Not yet",
            ["No validator has signed.", "Fairness is not met."],
        ),
    ]


def sign_box() -> SignBox:
    return SignBox(
        title="Sign REV-142",
        statement="You approve churn version 7 for production on this evidence: 5 checks passed, 1 not run for lack of data, card revision 3.",
        digest=SHA,
        as_whom="Vera Lind, validator",
        submit_label="Approve and sign",
        action_url="#",
        cancel_url="#",
    )
