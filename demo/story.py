"""The demo's story, told through the real doors: `python -m demo.story`, on an empty site that is serving.

The MLflow client trains and registers over HTTP; people attach data, ask for review and sign in the pages'
forms; the worker measures and renders. Only the people themselves are made by services directly. Ends by
writing VAR/demo.json (mode 600) with a login and a token per role.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402 - needs the set-up above

from apps.checks.models import Measurement  # noqa: E402
from apps.compliance.models import Document  # noqa: E402
from apps.core import clock  # noqa: E402
from apps.registry.models import RegisteredModel  # noqa: E402
from apps.reviews.models import PolicySimulation  # noqa: E402
from demo import cards, people  # noqa: E402
from demo.browser import Browser, StoryError  # noqa: E402
from demo.people import Person  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "demo" / "data"
CLIENT = ROOT / ".venv-client" / "bin" / "python"
ACS, GERMAN = "employment-ma", "german-credit"
_WAIT = 120.0


def tell() -> None:
    """The whole story, in order."""
    base_url = settings.BASE_URL
    _say("hiring six people")
    cast = people.hire_all()
    dana, vik, rosa = (
        Browser(base_url, cast[role].username, cast[role].password)
        for role in ("contributor", "validator", "approver")
    )
    _say("Adam proposes that files are scanned before production; Rosa signs the policy")
    _scan_files(base_url, cast, rosa)
    _say("Dana trains on ACS Massachusetts 2015 and on German credit with the MLflow client")
    versions = _client("employment", cast["contributor"], base_url)
    baseline, first, second = (int(versions[label]["version"]) for label in versions)
    german = int(_client("german_credit", cast["contributor"], base_url)["version"])
    _say("Somebody registers a scorecard from the internet; its pickle calls a shell")
    _say("Dana attaches evaluation data; the worker measures")
    _attach_acs(dana, baseline, sensitive="disability", year=2018)
    _attach_acs(dana, first, sensitive="sex", year=2017)
    _attach_acs(dana, second, sensitive="sex", year=2018)
    _attach_years(dana, second)
    _attach_german(dana, german)
    everything = [(ACS, baseline), (ACS, first), (ACS, second), (GERMAN, german)]
    for name, number in everything:
        _measure(dana, name, number)
    _measure(dana, ACS, first, ("bias_audit",))
    _wait_for_worker(Measurement.objects.filter(status__in=["queued", "running"]).exists)
    _say("Dana writes the cards and asks for review")
    for name, number in everything:
        cards.write(dana, name, number)
    approved = _submit(
        dana, ACS, first, "Replaces the spreadsheet; sex measured on 69 000 people of 2017."
    )
    _submit(dana, ACS, second, "More rounds, same inputs; measured on 2018.")
    _say("Vik validates and Rosa approves")
    _sign(vik, cast["validator"], approved, "Repeated the measurements; the intervals hold.")
    _sign(rosa, cast["approver"], approved, "Within appetite for an operational use.")
    _say("Dana makes the documents: model card, bias audit report, technical documentation")
    _documents(dana, ACS, first)
    _wait_for_worker(Document.objects.exclude(status__in=["ready", "error"]).exists)
    _say("Adam opens an audit engagement; Aud draws a sample, concludes and writes a note")
    _audit(base_url, cast, dana)
    _write(base_url, cast, approved=first, waiting=second)


def _scan_files(base_url: str, cast: dict[str, Person], rosa: Browser) -> None:
    """A second policy over every model: both hold together, the strictest of each."""
    adam = Browser(base_url, cast["administrator"].username, cast["administrator"].password)
    text = (DATA / "file-safety.yaml").read_text(encoding="utf-8")
    reason = "A pickle that was sent to us called a shell when somebody opened it."
    change = adam.send("/policies/propose/", [("text", text), ("reason", reason)])
    _wait_for_worker(
        lambda: not PolicySimulation.objects.exists()
    )  # she reads what it would change
    rosa.send(
        f"{change}sign/",
        [
            ("approves", "yes"),
            ("comment", "It asks more and lets nothing in."),
            ("password", cast["approver"].password),
        ],
    )


def _client(script: str, person: Person, base_url: str) -> dict[str, Any]:
    """Run a data scientist's script in the MLflow client's own environment; what it prints last."""
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(settings.VAR),
        "MLFLOW_TRACKING_URI": base_url,
        "MLFLOW_TRACKING_TOKEN": person.token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(  # noqa: S603 - our own script
        [CLIENT, "-W", "ignore", "-m", f"demo.client.{script}", DATA],
        env=environ, cwd=settings.VAR, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    if done.returncode:
        raise StoryError(f"demo/client/{script}.py failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _attach_acs(dana: Browser, number: int, *, sensitive: str, year: int) -> None:
    for role, of in (("evaluation", year), ("reference", 2015)):
        dana.send(
            f"/models/{ACS}/{number}/data/",
            [
                ("role", role),
                ("name", f"ACS Massachusetts {of}"),
                ("artifact", f"evaluation/acs_ma_{of}_scored.parquet"),
                ("target", "y_true"),
                ("prediction", "y_pred"),
                ("score", "y_score"),
                ("sensitive", sensitive),
                ("features", "age, schooling"),
                ("favourable", "1"),
            ],
        )


def _attach_years(dana: Browser, number: int) -> None:
    """All four years as the current data: drift is a curve over them."""
    dana.send(
        f"/models/{ACS}/{number}/data/",
        [
            ("role", "current"),
            ("name", "ACS Massachusetts 2015 to 2018"),
            ("artifact", "evaluation/acs_ma_2015_2018_scored.parquet"),
            ("target", "y_true"),
            ("prediction", "y_pred"),
            ("score", "y_score"),
            ("sensitive", "sex"),
            ("features", "age, schooling"),
            ("time", "year"),
            ("favourable", "1"),
        ],
    )


def _attach_german(dana: Browser, number: int) -> None:
    for role, name in (("evaluation", "current"), ("reference", "reference")):
        dana.send(
            f"/models/{GERMAN}/{number}/data/",
            [
                ("role", role),
                ("name", f"German credit, {name}"),
                ("artifact", f"evaluation/german_credit_{name}.csv"),
                ("target", "y_true"),
                ("prediction", "y_pred"),
                ("score", "y_score"),
                ("sensitive", "sex, age_group"),
                ("features", "age, credit_amount, duration_months"),
                ("favourable", "1"),
            ],
        )


def _measure(
    dana: Browser,
    name: str,
    number: int,
    kinds: Sequence[str] = ("performance", "fairness", "drift"),
) -> None:
    page = f"/models/{name}/{number}/checks/"
    for kind in kinds:
        dana.send(page, [("kind", kind)], action=f"{page}run/")


def _submit(dana: Browser, name: str, number: int, why: str) -> str:
    """Ask for Production and @champion; the path of the review."""
    return dana.send(
        f"/models/{name}/{number}/submit/",
        [("targets", "stage:production"), ("targets", "alias:champion"), ("justification", why)],
    )


def _sign(browser: Browser, person: Person, review: str, comment: str) -> None:
    browser.send(
        f"{review}decide/",
        [
            ("outcome", "approve"),
            ("comment", comment),
            ("no_conflict", "on"),
            ("password", person.password),
        ],
    )


def _documents(dana: Browser, name: str, number: int) -> None:
    """One of each kind. She states what she knows; there was no independent auditor, so that stays a gap."""
    page = f"/models/{name}/{number}/documents/"
    dana.send(
        f"{page}ll144_report/statement/",
        [
            ("tool", "Sorts applications by the chance of being employed; a demonstration"),
            ("data_kind", "historical"),
            (
                "data_source",
                "American Community Survey, Massachusetts 2017, by sex; nobody applied for anything.",
            ),
        ],
    )
    dana.send(
        f"{page}annex_iv_dossier/statement/",
        [
            ("provider", "Example Bank, Lisbon"),
            ("forms", "Downloaded from this registry as an MLflow model."),
            ("third_party", "scikit-learn; nothing pre-trained."),
        ],
    )
    for kind in ("model_card", "ll144_report", "annex_iv_dossier"):
        dana.send(page, [("kind", kind)])


def _audit(base_url: str, cast: dict[str, Person], dana: Browser) -> None:
    """Everything about the two models of this year, by the demo's auditor. Dana took a document before, as the auditor sees."""
    adam, aud = (
        Browser(base_url, cast[role].username, cast[role].password)
        for role in ("administrator", "auditor")
    )
    card = Document.objects.filter(status="ready").earliest("pk")
    dana.page(f"/documents/{card.uuid}/forms/card.json")
    aud.send("/audit/checkpoints/", [], action="/audit/checkpoints/new/")
    today = clock.now().date()
    models = RegisteredModel.objects.filter(name__in=(ACS, GERMAN)).values_list("pk", flat=True)
    place = adam.send(
        "/audit/engagements/new/",
        [
            ("act", "open"),
            *(("models", str(pk)) for pk in models),
            ("period_from", f"{today.year}-01-01"),
            ("period_to", today.isoformat()),
            ("framework", "model-approval"),
            ("title", f"Approvals of {today.year}"),
            ("purpose", "Were the models approved by people who did not make them, on evidence that still is what they saw?"),
            ("auditors", cast["auditor"].username),
            ("ends_on", (today + dt.timedelta(days=30)).isoformat()),
        ],
    )  # fmt: skip
    sample = aud.send(f"{place}samples/", [("size", "25"), ("seed", "dice-41635226-demo")])
    aud.send(f"{sample}1/", [("result", "no"), ("text", "Read the evidence; the comment answers it."), ("after", "0")])  # fmt: skip
    note = "The second model was **never submitted**: no decision to look at. Ask the owner why it is registered."
    aud.send(f"{place}notes/", [("text", note)])


def _wait_for_worker(busy: Any) -> None:
    deadline = time.monotonic() + _WAIT
    while busy():
        if time.monotonic() > deadline:
            raise StoryError(
                f"The worker did not finish within {_WAIT:.0f} s; see {settings.VAR}/logs."
            )
        time.sleep(0.2)


def _write(base_url: str, cast: dict[str, Person], *, approved: int, waiting: int) -> None:
    facts = {
        "base_url": base_url,
        "users": {
            role: {"username": p.username, "password": p.password, "token": p.token}
            for role, p in cast.items()
        },
        "approved_version": {"name": ACS, "version": approved},
        "waiting_version": {"name": ACS, "version": waiting},
    }
    path = Path(settings.VAR) / "demo.json"
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(json.dumps(facts, indent=2) + "\n")
    draft.replace(path)


def _say(sentence: str) -> None:
    print(f"  {sentence}", flush=True)  # noqa: T201 - a program for the terminal


if __name__ == "__main__":
    try:
        tell()
    except StoryError as error:
        sys.exit(f"The demo's story stopped: {error}")
