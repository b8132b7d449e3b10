"""Dossiers made by hand, as plain data: short, long, with gaps, in several scripts."""

from __future__ import annotations

import hashlib
import json

import msgspec

from apps.core.parts import (
    Bar,
    Cell,
    Chart,
    Column,
    Fact,
    Facts,
    Missing,
    Part,
    Table,
    Text,
    cells,
)
from apps.modelcards import schema
from apps.modelcards.card import Card, Computed, Prose, Source, build_sections
from apps.modelcards.dossier import (
    SCHEMA,
    CheckView,
    DecisionView,
    Dossier,
    GateView,
    KeyView,
    LedgerLine,
    LedgerView,
    PersonAndTime,
    ReviewView,
    RoundView,
    Status,
)
from apps.modelcards.machine import (
    About,
    DataSet,
    Energy,
    File,
    Machine,
    Measured,
    Number,
    Package,
)

WHEN = "2026-03-02T14:05:11+00:00"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def prose(key: str, text: str = "") -> Prose:
    words = text or (
        f"The block *{key}* says in plain words what a reader must know, with "
        "[a source](https://example.org/source) and a list:\n\n"
        "- first point, about the population in which the model is used;\n"
        "- second point, about what was left out and why.\n\n"
        "A closing sentence ends it."
    )
    return Prose(words, "Ana Torres", 5, WHEN)


def groups_table(groups: int) -> tuple[Part, ...]:
    rows = [
        (
            f"Group {i:02d}",
            f"{0.31 + i % 7 / 100:.3f}",
            f"{0.28 + i % 7 / 100:.3f}",
            f"{0.35 + i % 7 / 100:.3f}",
        )
        for i in range(groups)
    ]
    bars = tuple(Bar(name, value, low, high) for name, value, low, high in rows)
    return (
        Chart(
            "Selection rate per group, with 95 % intervals",
            "selection rate",
            bars,
            "0.33",
            "overall",
        ),
        Table(
            "Selection rate per group",
            (
                Column("Group"),
                Column("Rate", numeric=True),
                Column("95 % from", numeric=True),
                Column("to", numeric=True),
                Column("n", numeric=True),
                Column("Gap to reference", numeric=True),
                Column("Impact ratio", numeric=True),
                Column("True positive rate", numeric=True),
                Column("False positive rate", numeric=True),
            ),
            tuple(cells(*row, "1 204", "−0.012", "0.963", "0.712", "0.103") for row in rows),
            note="Selected means: predicted 1. Rates with Wilson intervals; groups under 30 rows are shown and not used.",
        ),
    )


def computed(groups: int = 2, params: int = 6, files: int = 4) -> dict[str, Computed]:
    run = Source("run 8f3a51c0", "/runs/8f3a51c0/", digest("run"))
    parameters = Table(
        "Parameters",
        (Column("Name", code=True), Column("Value", code=True)),
        tuple(
            cells(f"parameter_{i}__with_a_long_name", f"value-{i}" * (1 + i % 9))
            for i in range(params)
        ),
    )
    sheet = Table(
        "Data sets",
        (
            Column("Name"),
            Column("Role"),
            Column("Rows", numeric=True),
            Column("SHA-256", code=True),
        ),
        (cells("acs_ma_2016", "evaluation", "35 210", digest("data")),),
    )
    filled: dict[str, Computed] = {
        key: Computed((Missing("Nothing was measured."),)) for key in schema.COMPUTED_BLOCKS
    }
    filled["identity"] = Computed(
        (
            Facts(
                (
                    Fact("Model", Cell("income", "/models/income/")),
                    Fact("Version", Cell("3")),
                    Fact("Digest of the files", Cell(digest("manifest")), code=True),
                )
            ),
        )
    )
    filled["run"] = Computed((parameters,), (run,))
    filled["files"] = Computed(
        (
            Table(
                "Files of the version",
                (
                    Column("Path", code=True),
                    Column("Size", numeric=True),
                    Column("SHA-256", code=True),
                ),
                tuple(
                    cells(f"model/part-{i}/weights.bin", "41.2 MB", digest(str(i)))
                    for i in range(files)
                ),
            ),
        )
    )
    filled["evaluation_sheets"] = Computed(
        (sheet,), (Source("data set acs_ma_2016", "", digest("data")),)
    )
    filled["performance"] = Computed(
        (Text("AUC 0.871 (95 % interval 0.866 to 0.876, n = 35 210)."),),
        (Source("measurement 12"),),
    )
    filled["fairness"] = Computed(
        groups_table(groups), (Source("measurement 13", "/checks/13/", digest("f")),)
    )
    return filled


def card(
    *,
    groups: int = 2,
    params: int = 6,
    texts: dict[str, str] | None = None,
    empty: tuple[str, ...] = (),
) -> Card:
    written = {
        key: prose(key, (texts or {}).get(key, ""))
        for key in schema.HUMAN_BLOCKS
        if key not in empty
    }
    return Card(
        schema=schema.SCHEMA,
        model="income",
        version=3,
        sections=build_sections(computed=computed(groups, params), prose=written),
        revision=2,
        digest=digest("card"),
        author="Ana Torres",
        at=WHEN,
    )


def decision(name: str, role: str, *, evidence: str, void: str = "") -> DecisionView:
    statement = json.dumps({"signer": name, "evidence": evidence})
    return DecisionView(
        signer=name,
        signer_id=7,
        role=role,
        step=role,
        outcome="approve",
        meaning="Approved for stage:Production",
        comment="Stable on all groups; the gap for the smallest one is inside its interval.",
        method="password, entered again",
        at=WHEN,
        evidence_digest=evidence,
        statement=statement,
        statement_digest=digest(statement),
        round=1,
        void=void,
    )


def check(kind: str, verdict: str, tone: str) -> CheckView:
    return CheckView(
        kind=kind,
        title=kind.capitalize(),
        verdict=verdict,
        tone=tone,  # type: ignore[arg-type]
        sentence="No disparity above 0.10 between the 2 groups measured (n = 35 210).",
        measurement="13",
        link="/checks/13/",
        measured_at=WHEN,
        result_digest=digest(kind),
        code_version="countersign 0.1.0",
        rows=Table(
            "Held against the limits",
            (
                Column("Quantity"),
                Column("Value", numeric=True),
                Column("Limit", numeric=True),
                Column("Verdict"),
            ),
            (
                (
                    Cell("demographic parity difference"),
                    Cell("0.031"),
                    Cell("≤ 0.10"),
                    Cell("pass", tone="good"),
                ),
            ),
        ),
        record={"value": "0.031"},
    )


def machine() -> Machine:
    """What programs read of the sample version."""
    whole = (
        Number("accuracy", "Accuracy", "0.8125", "0.807", "0.818", 35210, method="Wilson"),
        Number("roc_auc", "ROC AUC", "0.871", "0.866", "0.876", 35210, method="DeLong"),
        Number("mcc", "Matthews correlation", "0.61", n=35210),
    )
    groups = tuple(
        Number("selection_rate", "Selection rate", value, low, high, n, f"sex: {group}", "Wilson")
        for group, value, low, high, n in (
            ("1", "0.312", "0.301", "0.323", 17000),
            ("2", "0.281", "0.27", "0.292", 18210),
        )
    )
    gap = Number(
        "demographic_parity_difference", "Demographic parity difference", "0.031", "0.016", "0.046",
        35210, "sex", "Newcombe",
    )  # fmt: skip
    data = (digest("data"),)
    return Machine(
        uuid="6a1f7c1e-0d6a-4a52-9b0f-3f6f0c1b7a11",
        url="http://localhost:8000/models/income/3/",
        description="Is a person employed?",
        owner="Ana Torres",
        risk_tier=1,
        manifest_digest=digest("manifest"),
        run="8f3a51c0d2b34c4f8f8e0a7f6a5b4c3d",
        files=tuple(
            File(f"model/part-{i}/weights.bin", 41_200_000 + i, digest(str(i))) for i in range(2)
        ),
        datasets=(
            DataSet("acs_ma_2016", "evaluation", digest("data"), "sha256", "parquet", 35210, ("sex",)),
            DataSet("acs_ma_2014", "training", "5c1d2f3a", "as logged by the run's client", source="local"),
        ),
        measured=(
            Measured("fairness", "Disparities between groups", "13", digest("f"), WHEN, "0.95", (*groups, gap), data),
            Measured("performance", "Performance", "12", digest("p"), WHEN, "0.95", whole, data),
        ),
        packages=(
            Package("scikit-learn", "==1.7.2", "model/requirements.txt", "1.7.2"),
            Package("numpy", ">=2,<3", "model/requirements.txt"),
        ),
        about=About(
            license="Apache-2.0",
            languages=("en",),
            base_models=("bert-base-uncased",),
            library_name="sklearn",
            tags=("team:risk",),
        ),
        energy=Energy(
            "emissions.csv", "0.012345", "0.0031", "182.4", "Portugal", "AMD EPYC 7543", "CodeCarbon 3.0.4"
        ),
    )  # fmt: skip


def dossier(
    card_: Card | None = None, *, events: int = 12, reviewed: bool = True, void: str = ""
) -> Dossier:
    manifest = json.dumps({"card": digest("card"), "run": digest("run")}, sort_keys=True)
    evidence = digest(manifest) if reviewed else ""
    lines = tuple(
        LedgerLine(
            i,
            WHEN,
            "registry.version.registered",
            "registered income v3",
            "Ana Torres",
            digest(str(i)),
        )
        for i in range(1, events + 1)
    )
    shown = card_ or card()
    return Dossier(
        schema=SCHEMA,
        document="Model card",
        site="Countersign",
        base_url="http://localhost:8000",
        as_of=WHEN,
        status=Status(
            "Approved",
            "good",
            "Two people signed for exactly the evidence below; it was promoted to Production.",
        )
        if reviewed
        else Status(
            "No review",
            "unknown",
            "This version was never submitted for review: nobody has signed for it.",
        ),
        key_facts=(
            Fact("Model and version", Cell("income v3")),
            Fact("Owner", Cell("Ana Torres")),
            Fact("Risk tier", Cell("1 of 3 (highest)")),
            Fact("Governance", Cell("Governed")),
            Fact("Stage and aliases", Cell("Production, @champion")),
            Fact("Card", Cell("revision 2, 2 March 2026")),
            Fact("Digest of the files", Cell(digest("manifest")), code=True),
            Fact("Card revision", Cell(digest("card")), code=True),
            Fact("Policy", Cell("builtin v1")),
        ),
        card=shown,
        template="model-card/1",
        evidence_digest=evidence,
        gates=(
            GateView("Checks", "Met", "good", "performance, fairness and drift assessed"),
            GateView("Card", "Met", "good", "every required block answered"),
        ),
        checks=(
            check("performance", "PASS", "good"),
            check("fairness", "PASS", "good"),
            check("drift", "INCONCLUSIVE", "warn"),
        ),
        review=ReviewView(
            142,
            "/reviews/142/",
            ("stage:Production",),
            "promoted",
            "Replaces v2, adds tenure.",
            PersonAndTime("Ana Torres", WHEN),
            "builtin v1",
            digest("policy"),
            WHEN,
        )
        if reviewed
        else None,
        round=RoundView(
            1,
            evidence,
            "live",
            WHEN,
            1041,
            manifest,
            Table(
                "Items of the manifest",
                (Column("Item"), Column("What"), Column("SHA-256", code=True)),
                (
                    cells("card", "revision 2", digest("card")),
                    cells("run", "8f3a51c0", digest("run")),
                ),
            ),
        )
        if reviewed
        else None,
        decisions=(
            decision("Vera Lind", "Validator", evidence=evidence, void=void),
            decision("Rui Costa", "Approver", evidence=evidence, void=void),
        )
        if reviewed
        else (),
        ledger=LedgerView(1045, digest("root"), lines, json.dumps({"schema": "extract"})),
        machine=machine(),
        keys=(KeyView(digest("key"), "ledger", "ed25519", "countersign.example", "00" * 32, WHEN),),
    )


def renamed(of: Dossier, name: str) -> Dossier:
    """The same dossier with a model, an owner, a signer and an event of that name."""
    return msgspec.structs.replace(
        of,
        card=msgspec.structs.replace(of.card, model=name),
        key_facts=(Fact(name, Cell(name)),),
        decisions=(decision(name, name, evidence="0" * 64),),
        notes=(name,),
    )
