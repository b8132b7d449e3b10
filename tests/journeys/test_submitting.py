"""J1: Dana submits a model for review. From plain autologging to frozen bytes, and what is said when something lacks."""

from __future__ import annotations

import io
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.experiments.models import Run
from apps.registry.models import ModelVersion
from apps.reviews.models import Review
from tests import factories
from tests.checks import flow
from tests.checks.files.samples import SYSTEM
from tests.experiments import makers
from tests.journeys import stage as at
from tests.journeys.stage import Stage, main, region, requirement
from tests.reviews.test_policies import put_in_force
from tests.support import site, worker
from tests.support.people import as_actor, hire, token_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

CLIENT = site.ROOT / ".venv-client" / "bin" / "python"


@dataclass(slots=True)
class Team:
    """Dana trains, Vik validates, Rosa approves, Adam administers."""

    dana: User
    vik: User
    rosa: User
    adam: User


@pytest.fixture
def team(db: None) -> Team:
    return Team(
        hire("dana", "Dana Whitfield", "contributor"),
        hire("vik", "Vik Lund", "validator"),
        hire("rosa", "Rosa Almeida", "approver"),
        hire("adam", "Adam Novák", "administrator"),
    )


def autolog(stage: Stage, dana: User, home: Path) -> str:
    """Dana's script in the MLflow client's own environment; the run's id."""
    done = subprocess.run(
        [CLIENT, "-W", "ignore", "-m", "tests.journeys.client_autologs"],
        cwd=site.ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "MLFLOW_TRACKING_URI": stage.url,
            "MLFLOW_TRACKING_TOKEN": token_for(dana),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


def attach(page: Page, role: str, file: str) -> None:
    page.goto("/models/credit/1/data/")
    form = region(page, "Attach data")
    form.get_by_label("What is it for").select_option(role)
    form.locator("[name=artifact]").fill(f"evaluation/{file}.parquet")
    for name, value in (
        ("target", "y_true"),
        ("prediction", "y_pred"),
        ("score", "y_score"),
        ("sensitive", "sex"),
        ("features", "x"),
        ("favourable", "1"),
    ):
        form.locator(f"[name={name}]").fill(value)
    form.get_by_role("button", name="Attach the data").click()
    page.wait_for_url("**/checks/")


def test_from_autologging_to_frozen_bytes(stage: Stage, team: Team, tmp_path: Path) -> None:
    # 1. plain autologging: the run appears
    autolog(stage, team.dana, tmp_path)
    dana = stage.window(team.dana)
    dana.goto("/experiments/")
    dana.get_by_role("link", name="credit scoring").first.click()
    dana.get_by_role("link", name="scorecard").first.click()
    expect(dana.get_by_role("heading", level=1)).to_contain_text("scorecard")

    # 2. registering: every byte with its digest, and the tier that follows from the answers
    dana.get_by_role("link", name="Register a version").click()
    fixed = dana.get_by_role("region", name=re.compile("What is fixed: Logged model"))
    expect(fixed.get_by_role("row", name=re.compile("MLmodel"))).to_contain_text(
        re.compile("[0-9a-f]{8}…[0-9a-f]{4}")
    )
    expect(region(dana, "Data it used")).to_contain_text("train")
    expect(dana.get_by_role("complementary", name="Where it comes from")).to_contain_text(
        "requirements.txt"
    )
    tier = dana.get_by_text(re.compile("^Risk tier"))
    expect(tier).to_contain_text("Risk tier 1 of 3")
    dana.get_by_label("Exposure").select_option("low")
    expect(tier).to_contain_text("Risk tier 2 of 3 (1 is the highest): low exposure")
    dana.get_by_label("Exposure").select_option("high")
    expect(tier).to_contain_text("Risk tier 1 of 3")
    dana.get_by_role("button", name="Register these files").click()
    expect(main(dana)).to_contain_text("This is needed.")
    at.no_barrier(dana)
    dana.get_by_role("combobox", name="Model", exact=True).fill("credit")
    dana.get_by_label("Purpose").fill("Decides about small loans")
    dana.get_by_role("button", name="Register these files").click()
    expect(main(dana)).to_contain_text("credit v1 is registered.")

    # 3. what the policies ask, each with its state and its act
    box = dana.get_by_role("region", name=re.compile("^To reach stage Production"))
    expect(box).to_contain_text("3 checks not run (drift, fairness, performance).")
    expect(requirement(dana, "Model card")).to_contain_text(re.compile("missing", re.I))
    at.no_barrier(dana)

    with worker.process("worker"):
        # 5. the missing checks, followed while they wait and run
        attach(dana, "evaluation", "current")
        attach(dana, "reference", "reference")
        dana.get_by_role("button", name="Run all checks").click()
        expect(main(dana)).to_contain_text(re.compile("in the queue|no worker is running"))
        for title in ("Performance", "Fairness", "Drift"):
            row = dana.get_by_role("listitem").filter(has=dana.get_by_role("link", name=title))
            expect(row.first).to_contain_text("Passed", timeout=90_000)

    # 4. the card: people write what only they know, the rest fills itself in and is locked
    dana.get_by_role("link", name="Card", exact=True).click()
    expect(main(dana)).to_contain_text("20 000")
    dana.goto("/models/credit/1/card/edit/")
    expect(main(dana)).to_contain_text("What the model is (required)")
    expect(main(dana)).to_contain_text("Files fills itself in: Every file of the version")
    at.no_barrier(dana)
    for box_ in dana.get_by_role("textbox").all():
        if box_.evaluate("element => element.tagName") == "TEXTAREA":
            box_.fill("It says what a card must say.")
    dana.get_by_role("button", name="Save as a new revision").click()
    dana.wait_for_url("**/models/credit/1/card/")
    expect(main(dana)).not_to_contain_text("The card has gaps")

    # 6. submitting: who will be asked, what freezes, what is missing
    dana.goto("/models/credit/1/")
    dana.get_by_role("link", name="Submit for review").click()
    aside = dana.get_by_role("complementary", name="What submitting does")
    expect(aside).to_contain_text(re.compile(r"Independent validation, 1 of\s*Vik Lund"))
    expect(aside).to_contain_text(re.compile(r"Risk approval, 1 of\s*Rosa Almeida"))
    expect(aside).to_contain_text("by SHA-256")
    expect(main(dana)).to_contain_text(
        "Nothing is missing: with the last signature the version is promoted."
    )
    expect(main(dana)).to_contain_text("Submitting closes run scorecard")
    dana.get_by_role("button", name="Submit for review").click()
    expect(main(dana)).to_contain_text("This is needed.")
    at.no_barrier(dana, "/models/credit/1/submit/")
    dana.get_by_label("Why should it?").fill("Replaces the spreadsheet.")
    dana.get_by_label("Alias @champion").check()
    wish = dana.get_by_label("By which day would you like it to be there?")
    wish.fill("2020-01-31")
    dana.get_by_role("button", name="Submit for review").click()
    expect(main(dana)).to_contain_text("2020-01-31 is over")
    expect(dana.get_by_label("Why should it?")).to_have_value("Replaces the spreadsheet.")
    wish.fill("2999-01-31")
    dana.get_by_role("button", name="Submit for review").click()
    expect(main(dana)).to_contain_text("credit v1 is submitted. Its evidence is fixed as round 1.")
    expect(region(dana, "In brief")).to_contain_text("You count for none of these.")
    expect(region(dana, "In brief")).to_contain_text("31 January 2999")
    dana.goto("/models/credit/1/data/")
    expect(main(dana)).to_contain_text(f"REV-{Review.objects.get().pk}")
    expect(dana.get_by_role("button", name="Attach the data")).to_have_count(0)


def made(team: Team, **tags: str) -> tuple[Run, ModelVersion]:
    """A run with a model folder and these tags, and version 1 of credit made of it."""
    actor = as_actor(team.dana)
    run = makers.run(actor, makers.experiment(actor, "credit scoring"), name="scorecard", tags=tags)
    makers.file(actor, run, "model/MLmodel", b"flavors: {}\n")
    run = makers.ended(actor, run)
    return run, factories.version(actor, factories.model(actor, "credit"), run=run)


def test_uncommitted_code_is_said_before_and_after_registering(stage: Stage, team: Team) -> None:
    put_in_force(as_actor(team.adam), as_actor(team.vik), gates__clean_commit=True)
    tags = {"mlflow.source.git.commit": "4f2a" * 10, "mlflow.source.git.dirty": "true"}
    run, _ = made(team, **tags)
    dana = stage.window(team.dana)
    dana.goto(f"/runs/{run.run_id}/register/")
    expect(dana.get_by_role("complementary", name="Where it comes from")).to_contain_text(
        "with changes that are in no commit"
    )
    dana.goto("/models/credit/1/")
    expect(requirement(dana, "Rules")).to_contain_text("The run was made from uncommitted changes.")
    dana.goto("/models/credit/1/submit/")
    expect(requirement(dana, "Rules")).to_contain_text("The run was made from uncommitted changes.")
    expect(main(dana)).to_contain_text("the version is not promoted before these hold")


def test_a_group_too_small_is_explained_and_does_not_pass(stage: Stage, team: Team) -> None:
    _, version = made(team)
    rows = b"y,p,s,g\n" + b"1,1,0.9,a\n0,0,0.1,a\n" * 200 + b"1,1,0.9,b\n0,0,0.2,b\n"
    columns = {"target": "y", "prediction": "p", "score": "s", "sensitive": ["g"]}
    flow.attach(version, team.dana, stream=io.BytesIO(rows), mapping=columns)
    flow.done(version, team.dana, "fairness")
    dana = stage.window(team.dana)
    dana.goto("/models/credit/1/checks/")
    row = dana.get_by_role("listitem").filter(has=dana.get_by_role("link", name="Fairness"))
    expect(row).to_contain_text("Too little data")
    expect(row).to_contain_text("comparing takes two. Too small: b (2 rows).")
    at.no_barrier(dana)
    dana.goto("/models/credit/1/checks/")
    row.get_by_role("link", name="Fairness").click()
    expect(main(dana)).to_contain_text("Too little data")
    at.no_barrier(dana)
    dana.goto("/models/credit/1/submit/")
    expect(requirement(dana, "Checks")).to_contain_text("too little data (fairness)")


def test_a_pickle_that_runs_code_is_named_and_stops_the_promotion(stage: Stage, team: Team) -> None:
    limits = {"files": {}, "performance": {"roc_auc": {"min": "0.70"}}}
    put_in_force(as_actor(team.adam), as_actor(team.vik), as_actor(team.rosa), gates__checks=limits)
    actor = as_actor(team.dana)
    files = {"MLmodel": b"flavors: {}\n", "model.pkl": SYSTEM.stream(4)}
    version = factories.version(actor, factories.model(actor, "credit"), files=files)
    flow.done(version, team.dana, "files")
    dana = stage.window(team.dana)
    dana.goto("/models/credit/1/checks/")
    row = dana.get_by_role("listitem").filter(has=dana.get_by_role("link", name="File safety"))
    expect(row).to_contain_text("Failed")
    expect(row).to_contain_text("model.pkl calls os.system")
    row.get_by_role("link", name="File safety").click()
    expect(main(dana)).to_contain_text("os.system")
    at.no_barrier(dana)
    dana.goto("/models/credit/1/submit/")
    expect(requirement(dana, "Checks")).to_contain_text("1 failed (files)")
    dana.get_by_label("Why should it?").fill("Better than the last one.")
    dana.get_by_role("button", name="Submit for review").click()
    expect(region(dana, "In brief")).to_contain_text("Not yet: Checks")
    claim = region(dana, "Claim, evidence and clause")
    expect(claim.get_by_role("row", name=re.compile("File safety"))).to_contain_text("os.system")


def test_files_that_changed_since_the_preview_are_not_registered(stage: Stage, team: Team) -> None:
    actor = as_actor(team.dana)
    run = makers.run(actor, makers.experiment(actor, "credit scoring"), name="scorecard")
    makers.file(actor, run, "model/MLmodel", b"flavors: {}\n")
    dana = stage.window(team.dana)
    dana.goto(f"/runs/{run.run_id}/register/")
    dana.get_by_role("combobox", name="Model", exact=True).fill("credit")
    makers.file(actor, run, "model/weights.bin", b"other weights")
    dana.get_by_role("button", name="Register these files").click()
    expect(main(dana)).to_contain_text(
        "The files changed since you looked, so nothing was registered."
    )
    assert not ModelVersion.objects.exists()
    expect(dana.get_by_role("row", name=re.compile("weights.bin"))).to_be_visible()
    dana.get_by_role("button", name="Register these files").click()
    expect(main(dana)).to_contain_text("credit v1 is registered.")
    version = ModelVersion.objects.get()
    assert [each["path"] for each in version.manifest] == ["MLmodel", "weights.bin"]
    assert version.source == f"runs:/{run.run_id}/model"
    assert version.run_id == run.pk


def test_a_run_without_a_model_says_how_to_log_one(stage: Stage, team: Team) -> None:
    actor = as_actor(team.dana)
    run = makers.run(actor, makers.experiment(actor, "credit scoring"), name="scorecard")
    dana = stage.window(team.dana)
    dana.goto(f"/runs/{run.run_id}/register/")
    expect(main(dana)).to_contain_text("This run has no model to register")
    expect(dana.get_by_role("link", name="Upload files")).to_be_visible()
    at.no_barrier(dana)
