"""The main job from end to end, with nothing replaced: server, worker, Chromium, MLflow client, OpenID provider.

An administrator sets the site up; Dana comes in from the company's provider, takes a token, trains and registers
with the MLflow client, attaches data, runs the checks, writes the card and asks for review; the client cannot
promote; Vik and Rosa sign; the version is in production; the PDF is downloaded, its attachments taken out and
checked against the ledger's export by the stand-alone verifier; the auditor takes the bundle away and verifies it without us.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support import idp, outside, site

pytestmark = pytest.mark.timeout(1200)

CHROMIUM = "/usr/bin/chromium"
CLIENT = site.ROOT / ".venv-client" / "bin" / "python"
TEMPORARY, PASSWORD = "temporary-password-of-theirs", "violet-harbour-lantern-42"
CARD = "Made for this journey; it says what a card must say."


@dataclass(slots=True)
class World:
    """Everything that runs."""

    site: site.Site
    idp: idp.Idp
    browser: Browser
    folder: Path
    pages: dict[str, Page] = field(default_factory=dict)

    def page(self, who: str) -> Page:
        """A browser window of this person's own."""
        if who not in self.pages:
            context = self.browser.new_context(base_url=self.site.url, accept_downloads=True)
            context.set_default_timeout(60_000)
            self.pages[who] = context.new_page()
        return self.pages[who]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    port = site.free_port()
    with idp.running(f"http://localhost:{port}") as provider, sync_playwright() as playwright:
        running = site.Site(
            tmp_path / "var", port, {**provider.environment(), "OIDC_TIMEOUT": "60"}
        )
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        try:
            running.start(seconds=240)
            yield World(running, provider, browser, tmp_path)
        finally:
            browser.close()
            running.stop()


def fill(page: Page, button: str, **values: str) -> None:
    """Fill in the fields by name and press the button."""
    form = page.locator("form", has=page.get_by_role("button", name=button)).last
    for name, value in values.items():
        box = form.locator(f"[name={name}]")
        if box.evaluate("element => element.tagName") == "SELECT":
            box.select_option(value)
        else:
            box.fill(value)
    form.get_by_role("button", name=button).click()


def test_the_main_job(world: World) -> None:
    set_up(world)
    hire(world, "vik", "Vik Lund", "validator")
    hire(world, "rosa", "Rosa Almeida", "approver")
    hire(world, "aud", "Aud Berg", "auditor")
    dana = sign_in_by_provider(world)
    token = take_token(dana)
    trained = client(world, token, "-m", "tests.journeys.client_trains")
    assert int(json.loads(trained)["version"]) == 1
    attach(dana)
    run_checks(dana)
    write_card(dana)
    review = submit(dana)
    the_client_cannot_promote(world, token, review)
    sign(world, "vik", review, "I repeated the measurements.")
    sign(world, "rosa", review, "Within appetite.")
    dana.goto("/models/credit/1/")
    expect(dana.locator("main")).to_contain_text("Production")
    the_client_loads_the_champion(world, token)
    pdf = download_card(world, dana)
    verify(world, pdf)
    verify_bundle(world, pdf)


def set_up(world: World) -> None:
    """The first administrator, with the token that the server prints; her directory group for data scientists."""
    token = re.search(r"Set-up token: (\S+)", world.site.manage("setup_token"))
    assert token is not None
    page = world.page("ada")
    page.goto("/setup/")
    fill(
        page,
        "Become the administrator",
        setup_token=token.group(1),
        username="ada",
        display_name="Ada Okafor",
        password=PASSWORD,
        again=PASSWORD,
    )
    page.wait_for_load_state()
    page.goto("/people/groups/")
    if "/sign-in/" in page.url:
        fill(page, "Sign in", username="ada", password=PASSWORD)
        page.wait_for_url("**/people/groups/")
    fill(page, "Map it", name="data-science", role="contributor", place="site")
    expect(page.locator("main")).to_contain_text("data-science")


def hire(world: World, username: str, name: str, role: str) -> None:
    """An account with a temporary password and a role; its holder chooses her own password."""
    ada = world.page("ada")
    ada.goto("/people/new/")
    fill(ada, "Make the account", username=username, display_name=name, password=TEMPORARY)
    ada.wait_for_url(re.compile(r"/people/\d+/"))
    fill(ada, "Grant", role=role, place="site")
    expect(ada.locator("#roles")).to_contain_text(role.capitalize())
    page = world.page(username)
    page.goto("/sign-in/")
    fill(page, "Sign in", username=username, password=TEMPORARY)
    page.wait_for_url("**/account/password/**")
    page.locator("[name=current]").fill(TEMPORARY)
    page.locator("[name=new]").fill(PASSWORD)
    page.locator("[name=again]").fill(PASSWORD)
    page.locator("[name=again]").press("Enter")
    page.wait_for_url(lambda url: "/account/password/" not in url)


def sign_in_by_provider(world: World) -> Page:
    """Dana has no password here: the company's provider knows her, and her group gives her the role."""
    world.idp.person(
        "dana",
        password=PASSWORD,
        name="Dana Whitfield",
        email="dana@bank.example",
        groups=("data-science",),
    )
    page = world.page("dana")
    page.goto("/sign-in/")
    page.get_by_role("link", name=re.compile("Sign in with")).click()
    page.locator("input[name=login]").fill("dana")
    page.locator("input[name=login]").press("Enter")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: url.startswith(world.site.url) or "consent" in url)
    if not page.url.startswith(world.site.url):
        page.get_by_role("button", name=re.compile("accept", re.IGNORECASE)).click()
        page.wait_for_url(f"{world.site.url}/**")
    expect(page.locator("body")).to_contain_text("Dana")
    return page


def take_token(page: Page) -> str:
    """A token for the client, shown once."""
    page.goto("/account/tokens/")
    page.locator("[name=name]").fill("laptop")
    page.locator("[name=name]").press("Enter")
    token = page.locator("#raw-token").inner_text().strip()
    page.goto("/account/tokens/")
    assert token not in page.content()
    return token


def client(world: World, token: str, *arguments: str) -> str:
    """Run Python in the MLflow client's environment, pointed at the site; what it printed."""
    done = subprocess.run(
        [CLIENT, "-W", "ignore", *arguments],
        cwd=site.ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(world.folder),
            "MLFLOW_TRACKING_URI": world.site.url,
            "MLFLOW_TRACKING_TOKEN": token,
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


def attach(page: Page) -> None:
    for role, name in (("evaluation", "current"), ("reference", "reference")):
        page.goto("/models/credit/1/data/")
        fill(
            page,
            "Attach the data",
            role=role,
            artifact=f"evaluation/{name}.parquet",
            target="y_true",
            prediction="y_pred",
            score="y_score",
            sensitive="sex",
            features="x",
            favourable="1",
        )
        page.wait_for_url("**/checks/")


def run_checks(page: Page) -> None:
    """The worker measures while the page follows."""
    page.get_by_role("button", name="Run all checks").click()
    for title in ("Performance", "Fairness", "Drift"):
        item = page.locator("#checks li", has_text=title).first
        expect(item).to_contain_text("Passed", timeout=120_000)


def write_card(page: Page) -> None:
    page.goto("/models/credit/1/card/edit/")
    for box in page.locator("textarea").all():
        box.fill(CARD)
    page.get_by_role("button", name="Save as a new revision").click()
    page.wait_for_url("**/models/credit/1/card/")
    expect(page.locator("main")).not_to_contain_text("The card has gaps")


def submit(page: Page) -> str:
    """Ask for production and @champion; the review's path."""
    page.goto("/models/credit/1/submit/")
    for box in page.locator("[name=targets]").all():
        if box.get_attribute("value") in {"stage:production", "alias:champion"}:
            box.check()
        else:
            box.uncheck()
    page.locator("[name=justification]").fill("Replaces the spreadsheet.")
    page.locator("form:has([name=justification]) button.button-primary").click()
    page.wait_for_url(re.compile(r"/reviews/\d+/"))
    return page.url.removeprefix(page.url.split("/reviews/")[0])


def the_client_cannot_promote(world: World, token: str, review: str) -> None:
    code = (
        "import mlflow, json\n"
        "c = mlflow.MlflowClient(); said = []\n"
        "for act in (lambda: c.transition_model_version_stage('credit', '1', 'Production'),\n"
        "            lambda: c.set_registered_model_alias('credit', 'champion', '1')):\n"
        "    try: act(); said.append('done')\n"
        "    except mlflow.exceptions.RestException as error: said.append(str(error))\n"
        "print(json.dumps(said))"
    )
    for sentence in json.loads(client(world, token, "-c", code)):
        assert sentence.startswith("PERMISSION_DENIED")
        assert review in sentence


def sign(world: World, who: str, review: str, comment: str) -> None:
    """Sign in the page's dialog, with the password once more; the receipt names the ledger's event."""
    page = world.page(who)
    page.goto(f"{review}decide/")
    page.locator("[name=outcome][value=approve]").check()
    page.locator("[name=comment]").fill(comment)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=no_conflict]").check()
    page.locator("form:has([name=outcome]) button[type=submit]").click()
    page.wait_for_url(re.compile(rf"{review}decisions/\d+/"))
    expect(page.locator("main")).to_contain_text("approved")


def the_client_loads_the_champion(world: World, token: str) -> None:
    code = (
        "import mlflow, json, numpy as np\n"
        "m = mlflow.pyfunc.load_model('models:/credit@champion')\n"
        "print(json.dumps([int(v) for v in m.predict(np.array([[-3.0], [3.0]]))]))"
    )
    assert json.loads(client(world, token, "-c", code)) == [0, 1]


def download_card(world: World, page: Page) -> Path:
    page.goto("/models/credit/1/documents/")
    page.get_by_role("button", name="Make the model card").click()
    link = page.get_by_role("link", name="Download the PDF")
    page.wait_for_url(re.compile("/documents/[0-9a-f-]{36}/"))
    expect(page.locator("#document-state article")).to_be_visible(timeout=120_000)
    page.reload()
    with page.expect_download() as download:
        link.click()
    path = world.folder / "card.pdf"
    download.value.save_as(path)
    return path


def verify(world: World, pdf: Path) -> None:
    """Attachments out of the PDF, export out of the auditor's page, the verifier in an empty environment."""
    reader = pypdf.PdfReader(pdf)
    attached = {name: contents[0] for name, contents in reader.attachments.items()}
    manifest = attached["evidence-manifest.json"]
    digest = hashlib.sha256(manifest).hexdigest()
    for page in reader.pages:
        assert digest in page.extract_text().replace("\n", "").replace(" ", "")
    for decision in json.loads(attached["decisions.json"])["decisions"]:
        assert decision["evidence_digest"] == digest
    extract = world.folder / "extract.json"
    extract.write_bytes(attached["ledger-extract.json"])
    auditor = world.page("aud")
    auditor.goto("/audit/")
    with auditor.expect_download() as download:
        auditor.get_by_role("link", name=re.compile("Export")).first.click()
    export = world.folder / "ledger.jsonl"
    download.value.save_as(export)
    verdict = outside.verify(world.folder, "--export", export, "--extract", extract)
    assert verdict.status == 0, verdict.text
    assert recorded(export, hashlib.sha256(pdf.read_bytes()).hexdigest())
    assert recorded(export, digest)
    assert json.loads(world.site.manage("verify_ledger", "--json"))["ok"] is True


def verify_bundle(world: World, pdf: Path) -> None:
    """The auditor takes everything about the version away, and verifies it where there is nothing of ours: by the program that is in
    it, with only Python, and by the page that is in it, from disk with the network off, under the key that the operator told her. Without
    the key nobody vouches for it; a changed byte turns both red."""
    auditor = world.page("aud")
    auditor.goto("/models/credit/1/documents/")
    with auditor.expect_download() as download:
        auditor.get_by_role("button", name=re.compile("With the files")).click()
    empty = world.folder / "empty"
    empty.mkdir()
    bundle = empty / "bundle.zip"
    download.value.save_as(bundle)
    with zipfile.ZipFile(bundle) as archive:
        archive.extract("verify_bundle.pyz", empty)
        archive.extract("verify.html", empty)
        issued = [archive.read(name) for name in archive.namelist() if name.endswith(".pdf")]
    assert pdf.read_bytes() in issued
    damaged = empty / "damaged.zip"
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    page = world.browser.new_context(offline=True).new_page()
    page.goto((empty / "verify.html").as_uri())
    told = re.search(r"\S+\+[0-9a-f]{8}\+A[A-Za-z0-9+/=]+", world.site.manage("keys", "list"))
    assert told
    for path, key, status, word in (
        (bundle, told[0], 0, "PASS"),
        (bundle, "", 3, "NOT PROVEN"),
        (damaged, told[0], 1, "FAIL"),
    ):
        page.fill("#key", key)
        run = subprocess.run(
            [sys.executable, "-I", "-S", "verify_bundle.pyz", path.name, *(["--key", key] if key else [])],
            cwd=empty, env={}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert (run.returncode, word in run.stdout) == (status, True), run.stdout + run.stderr
        page.set_input_files("#file", path)
        expect(page.locator("#verdict")).to_contain_text(word)


def recorded(export: Path, digest: str) -> bool:
    """An event of the exported ledger names this digest."""
    entries = (json.loads(line) for line in export.read_text().splitlines())
    bodies = (base64.b64decode(entry["body"]).decode() for entry in entries if "body" in entry)
    return any(digest in body for body in bodies)
