"""J4: Ivy audits. From the scope wizard over controls, proofs, downloads and her old checkpoint to a sample, a note and a finding."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.audits.checkpoints import make_checkpoint
from apps.core import clock
from apps.engagements.models import Engagement, Sample
from apps.reviews.models import Finding
from tests import factories
from tests.journeys import stage as at
from tests.journeys.bank import Bank
from tests.journeys.stage import Stage, main, region
from tests.support.people import SYSTEM, as_actor, hire

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def open_by_the_wizard(page: Page) -> None:
    """Without JavaScript: search, choose, preview, open; a mistake is named beside its field."""
    page.goto("/audit/engagements/")
    page.get_by_role("link", name="Open an engagement").first.click()
    page.get_by_label("Find models by name").fill("nothing of that name")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("status").first).to_contain_text("No other model")
    page.get_by_label("Find models by name").fill("cred")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("checkbox", name="credit", exact=True).check()
    page.get_by_role("radio", name=re.compile("^Model approval")).check()
    page.get_by_role("button", name="See what falls into it").click()
    preview = page.locator("#preview")
    for label, count in (
        ("Models", "1"),
        ("Versions", "1"),
        ("Decisions", "4"),
        ("Documents", "0"),
    ):
        expect(preview).to_contain_text(re.compile(rf"{label}\s*{count}"))
    expect(page.get_by_role("checkbox", name="credit", exact=True)).to_be_checked()
    page.get_by_label("Title of the engagement").fill("Small loans 2026")
    page.get_by_label("Purpose").fill("Is each approval what it says?")
    page.get_by_role("textbox", name="Auditors").fill("dana")
    page.get_by_label("Last day of the engagement").fill(
        (clock.now().date() + dt.timedelta(days=14)).isoformat()
    )
    page.get_by_role("button", name="Open the engagement").click()
    expect(main(page)).to_contain_text("nobody audits their own work")
    assert not Engagement.objects.exists()
    page.get_by_role("textbox", name="Auditors").fill("ivy")
    page.get_by_role("button", name="Open the engagement").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Small loans 2026")


def test_an_audit_from_the_scope_to_a_finding(stage: Stage, cast: Bank, tmp_path: Path) -> None:
    kept = make_checkpoint(SYSTEM).note  # what she saved last year
    review = cast.submit()
    cast.sign(review, cast.vik, cast.vera, cast.rosa, cast.leo)
    factories.model(cast.trainer, "churn")
    ivy = hire("ivy", "Ivy Stone")
    make_checkpoint(SYSTEM)

    # 1. a time-boxed login; 2. the scope wizard, by whoever may give the role, with JavaScript off
    plain = stage.browser.new_context(base_url=stage.url, java_script_enabled=False)
    adam = plain.new_page()
    at.sign_in(adam, cast.adam)
    open_by_the_wizard(adam)
    engagement = Engagement.objects.get()
    page = stage.window(ivy)
    page.goto("/models/churn/")
    expect(main(page)).not_to_contain_text("Versions")  # another model is not hers

    # 3. controls, evidence, signatures, log proofs, each with its state
    home = f"/audit/engagements/{engagement.pk}/"
    page.goto(home)
    row = page.get_by_role("row", name=re.compile("^MA-1 Four eyes"))
    expect(row).to_contain_text("Verified")
    expect(row).to_contain_text("4 people approved, none of them among the authors.")
    expect(page.get_by_role("row", name=re.compile("^MA-8"))).to_contain_text("Not answered")
    at.no_barrier(page)
    page.goto(home)
    row.get_by_role("link", name=re.compile("^Signatures")).click()
    expect(region(page, "Signatures")).to_contain_text("DSSE envelope, signed by key")
    at.no_barrier(page, page.url.partition("#")[0])
    region(page, "Log proofs").get_by_role("link", name=re.compile("^EVT-")).first.click()
    expect(page.get_by_role("heading", name="Proof that it stands in the record")).to_be_visible()

    # 4. the bundle, one click
    page.goto(f"{home}documents/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Bundle").click()
    bundle = tmp_path / "bundle.zip"
    download.value.save_as(bundle)
    assert "bundle.json" in zipfile.ZipFile(bundle).namelist()

    # 5. the checkpoint she kept, a forked one, garbage
    page.goto(f"{home}checkpoint/")
    file = tmp_path / "kept.checkpoint"
    file.write_bytes(kept)
    page.get_by_label("The file you kept").set_input_files(file)
    page.get_by_role("button", name="Compare it with the record").click()
    expect(region(page, "The one you kept")).to_contain_text("begins with exactly its")
    _size, root = kept.split(b"\n")[1:3]
    forked = kept.replace(root, b"A" * 43 + b"=")
    for text, says in (
        (forked.decode(), "No key that ever signed"),
        ("hello", "Not a signed note"),
    ):
        page.get_by_label("Or its text").fill(text)
        page.get_by_role("button", name="Compare it with the record").click()
        expect(main(page)).to_contain_text(says)

    # 6. a sample, a conclusion, a note, a finding
    page.goto(f"{home}samples/")
    page.get_by_label("How many decisions?").fill("3")
    page.get_by_label("Seed").fill("dice-41635226")
    page.get_by_role("button", name="Draw and record").click()
    sample = Sample.objects.get()
    expect(region(page, "How it was drawn")).to_contain_text("dice-41635226")
    first = sample.items.select_related("decision").order_by("position")[0]
    said = f"dice-41635226:{first.decision.statement_digest}".encode()
    assert hashlib.sha256(said).hexdigest() == first.ticket
    page.get_by_role("link", name=re.compile(r"^1\. ")).click()
    page.get_by_role("radio", name="Exception", exact=True).check()
    page.get_by_role("button", name="Record the conclusion").click()
    expect(main(page)).to_contain_text("This is needed.")  # an exception says why
    page.get_by_role("textbox", name="Note").fill("The comment does not say what was read.")
    page.get_by_role("button", name="Record the conclusion").click()
    expect(page.get_by_role("row", name=re.compile(r"^1\. "))).to_contain_text("Exception")
    page.get_by_role("link", name=re.compile(r"^1\. ")).click()
    at.no_barrier(page)
    page.get_by_role("link", name="Write a note").click()
    page.get_by_role("textbox", name="Note").fill("Asked Vik; he **cannot** say either.")
    page.get_by_role("button", name="Record the note").click()
    expect(region(page, "Workpaper notes")).to_contain_text("on sample 1, decision 1")
    region(page, "Workpaper notes").get_by_role("link", name="sample 1, decision 1").click()
    page.get_by_role("link", name="Raise a finding").click()
    page.get_by_label("What is wrong, in one line").fill("Comments say nothing")
    page.get_by_label("What you saw").fill("Three of three sampled.")
    page.get_by_role("radio", name="Medium").check()
    page.get_by_role("button", name="Raise the finding").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Comments say nothing")
    page.get_by_role("link", name="Small loans 2026").click()
    expect(page.get_by_role("row", name=re.compile("F-1 Comments say nothing"))).to_be_visible()
    assert Finding.objects.get().raised_by == ivy

    # who else took what: addresses are withheld from her, and proven; the report is in the ledger
    page.goto(f"{home}exports/")
    expect(page.get_by_role("row", name=re.compile("^Ivy Stone"))).to_contain_text("Bundle")
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (JSON)").click()
    report = tmp_path / "report.json"
    download.value.save_as(report)
    assert json.loads(report.read_bytes())["samples"][0]["items"][0]["conclusions"][0]["exception"]
    (event,) = audits.events(scopes=None, types=["engagements.report.issued"])
    assert event.payload["digest"] == hashlib.sha256(report.read_bytes()).hexdigest()

    # closed: the window that is open gets nothing more
    adam.goto(f"{home}close/")
    adam.get_by_label("Why").fill("Done.")
    adam.get_by_role("button", name="Close the engagement").click()
    page.goto(home)
    expect(main(page)).to_contain_text("is over, and with it the access that it gave")
    page.goto("/models/credit/1/")
    expect(main(page)).not_to_contain_text("Overview")
    assert User.objects.get(username="ivy").lent_roles.filter(ended_at__isnull=True).count() == 0
    assert as_actor(ivy).site_verbs == frozenset()
