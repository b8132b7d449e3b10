"""The page for use: what is approved says so and asks to be read, what is not says why, files wait where the site says so."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from apps.accounts import services as accounts
from apps.accounts.models import RoleAssignment, User
from apps.audits.selectors import events
from apps.compliance import forms, use_gate, uses
from apps.compliance.models import UseAcknowledgement
from apps.compliance.services import make as make_document
from apps.compliance.services import request_document
from apps.core import canonical
from apps.core.errors import Conflict, Forbidden, Invalid, Tampered
from apps.modelcards import schema
from apps.modelcards import services as cards
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import selectors as reviews
from apps.reviews import services
from apps.reviews.models import Review
from tests import factories
from tests.experiments import makers
from tests.support.people import SYSTEM, as_actor
from tests.support.triggers import triggers_off
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db

USE = "/models/churn/1/use/"


def write(ana: User, version: ModelVersion, **texts: str) -> None:
    latest = version.card_revisions.count()
    content = {key: f"About {key}." for key in schema.REQUIRED_BY_DEFAULT} | texts
    cards.save_card(as_actor(ana), version, content, latest)


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor, "churn"))


@pytest.fixture
def approved(version: ModelVersion, ana: User, vera: User, rui: User, settings: Settings) -> ModelVersion:  # fmt: skip
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    write(
        ana, version, primary_uses="For **renewals** only.", out_of_scope="Never for <b>hiring</b>."
    )
    approve(version, ana, [vera, rui], Target("stage", "production"))
    return version


def approve(version: ModelVersion, ana: User, signers: list[User], target: Target) -> Review:
    review = services.submit(as_actor(ana), version, targets=[target], justification="why")
    for user in signers:
        actor, round_ = as_actor(user), reviews.live_round(review)
        assert round_ is not None
        services.decide(
            actor, review, outcome="approve", evidence_digest=round_.digest, comment="fine",
            proof=factories.proof(actor), no_conflict=True,
        )  # fmt: skip
    version.refresh_from_db()
    return review


def shown(client: Client) -> str:
    answer = client.get(USE)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_version_that_nobody_approved_says_so_and_why_and_offers_nothing(ana: User, version: ModelVersion):  # fmt: skip
    page = shown(browser(ana))
    assert "Not approved" in page
    assert "Never submitted for review: nobody has signed for it." in page
    assert "load_model" not in page
    assert "I read both" not in page


def test_a_version_that_was_replaced_names_the_one_that_is_approved(ana: User, approved: ModelVersion):  # fmt: skip
    factories.version(as_actor(ana), approved.model)
    page = browser(ana).get("/models/churn/2/use/").content.decode()
    assert "Not approved" in page
    assert "Approved is churn v1, in stage Production." in page


def test_an_approved_version_shows_its_uses_and_how_to_load_and_verify(rui: User, approved: ModelVersion):  # fmt: skip
    page = shown(browser(rui))
    assert "For <strong>renewals</strong> only." in page
    assert "<b>hiring" not in page
    assert "&lt;b&gt;hiring&lt;/b&gt;" in page
    assert "models:/churn/1" in page
    assert "model_signing verify certificate" in page
    assert "No document was made of this version yet" in page


def test_the_downloads_are_those_of_the_newest_document(rui: User, approved: ModelVersion):
    document = request_document(as_actor(rui), approved)
    forms.make(document.pk)
    client = browser(rui)
    assert f"/documents/{document.uuid}/forms/card.md" not in shown(
        client
    )  # its PDF is not made yet
    answer = client.get(f"/documents/{document.uuid}/forms/card.md")
    row = forms.find(document, "card.md")
    assert answer["ETag"] == f'"{row.digest}"'
    assert answer["Content-Disposition"] == 'attachment; filename="churn-v1-card.md"'
    assert answer["Content-Type"].startswith("text/markdown")
    assert b"".join(answer).startswith(b"---\n")  # type: ignore[arg-type]
    assert client.get(f"/documents/{document.uuid}/forms/card.exe").status_code == 404


def test_the_download_is_the_card_and_not_a_later_report(rui: User, approved: ModelVersion):
    made = {}
    for kind in ("model_card", "annex_iv_dossier"):
        made[kind] = request_document(as_actor(rui), approved, kind)
        make_document(made[kind].pk)
    page = shown(browser(rui))
    assert f"/documents/{made['model_card'].uuid}/card.pdf" in page
    assert str(made["annex_iv_dossier"].uuid) not in page


def test_reading_is_recorded_once_with_the_wording_and_its_revision(rui: User, approved: ModelVersion):  # fmt: skip
    client = browser(rui)
    said = uses.uses_of(approved)
    assert said.digest in shown(client)
    for _ in range(2):
        assert client.post(USE, {"uses": said.digest}).status_code == 302
    row = UseAcknowledgement.objects.get()
    assert (row.user, row.card_revision, row.uses_digest) == (rui, 1, said.digest)
    (event,) = events(scopes=[f"version:{approved.pk}"], types=["compliance.uses.acknowledged"])
    assert event.payload["card_digest"] == row.card_digest
    page = shown(client)
    assert "I read both" not in page
    assert "You said on" in page


def test_a_newer_wording_is_named_and_counts_when_an_approval_pins_it(
    ana: User, vera: User, rui: User, approved: ModelVersion
):
    actor, said = as_actor(rui), uses.uses_of(approved)
    uses.acknowledge(actor, approved, uses_digest=said.digest)
    same = {"primary_uses": "For **renewals** only.", "out_of_scope": "Never for <b>hiring</b>."}
    write(ana, approved, **same, limitations="Small groups.")
    assert uses.uses_of(approved) == said  # other blocks: nothing newer to read
    write(ana, approved, **same | {"out_of_scope": "Never for hiring or firing."})
    page = shown(browser(rui))
    assert "&lt;b&gt;hiring&lt;/b&gt;" in page
    assert "firing" not in page
    assert "Nobody approved that wording" in page
    assert "/models/churn/1/card/compare/?from=1&amp;to=3" in page
    assert "I read both" not in page
    newest = replace(said, prohibited="Never for hiring or firing.", revision=3)
    unsigned = canonical.digest_of(
        {"primary_uses": newest.intended, "out_of_scope": newest.prohibited}
    )
    with pytest.raises(Conflict, match="otherwise than those you read"):
        uses.acknowledge(actor, approved, uses_digest=unsigned)
    review = approve(approved, ana, [vera, rui], Target("alias", "champion"))
    again = uses.uses_of(approved)
    assert (again.digest, again.revision, again.review, again.newer) == (unsigned, 3, review.pk, 0)
    assert uses.acknowledged(actor, approved, again) is None
    page = shown(browser(rui))
    assert "firing" in page
    assert "I read both" in page
    assert "Nobody approved" not in page
    answer = browser(rui).post(USE, {"uses": said.digest}, follow=True)
    assert "worded otherwise than those you read" in unescape(answer.content.decode())
    uses.acknowledge(actor, approved, uses_digest=unsigned)
    assert list(UseAcknowledgement.objects.values_list("card_revision", flat=True).order_by("pk")) == [1, 3]  # fmt: skip


def test_an_approval_without_a_card_approved_no_uses(ana: User, vera: User, rui: User, version: ModelVersion, settings: Settings):  # fmt: skip
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    approve(version, ana, [vera, rui], Target("stage", "production"))
    write(ana, version, primary_uses="For everything.")
    page = shown(browser(rui))
    assert "For everything." not in page
    assert "The card does not say." in page
    assert "None was approved" in page
    assert "Revision 1 of the card words them otherwise" in page
    assert "I read both" not in page


def test_a_revision_that_is_not_what_was_signed_is_not_shown(rui: User, approved: ModelVersion):
    with triggers_off("modelcards_cardrevision"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE modelcards_cardrevision SET document = convert_to(replace(convert_from(document, 'UTF8'), 'renewals', 'all'), 'UTF8')"
        )
    with pytest.raises(Tampered):
        uses.uses_of(approved)


def test_nobody_acknowledges_what_is_not_written_or_not_theirs(ana: User, otto: User, version: ModelVersion):  # fmt: skip
    with pytest.raises(Invalid, match="does not say yet"):
        uses.acknowledge(as_actor(ana), version, uses_digest="")
    with pytest.raises(Forbidden):
        uses.acknowledge(as_actor(otto), version, uses_digest="")
    assert UseAcknowledgement.objects.count() == 0


def file_of(client: Client, version: ModelVersion) -> int:
    return client.get(f"/models/churn/1/files/{version.manifest[0]['path']}").status_code


def test_files_wait_for_readers_where_the_site_says_so(ana: User, aud: User, approved: ModelVersion, settings: Settings):  # fmt: skip
    reader = browser(aud)
    assert file_of(reader, approved) == 200
    settings.USES_ACKNOWLEDGED_FIRST = True
    refused = reader.get(f"/models/churn/1/files/{approved.manifest[0]['path']}")
    assert refused.status_code == 403
    assert "Say first that you read" in refused.content.decode()
    assert file_of(browser(ana), approved) == 200  # she edits the model
    reader.post(USE, {"uses": uses.uses_of(approved).digest})
    assert file_of(reader, approved) == 200


def test_a_bundle_is_no_way_round_to_the_files(aud: User, approved: ModelVersion, settings: Settings):  # fmt: skip
    settings.USES_ACKNOWLEDGED_FIRST = True
    reader, bundle = browser(aud), "/models/churn/1/bundle/"
    assert reader.post(bundle, {"with_files": "1"}).status_code == 403
    assert reader.post(bundle).status_code == 200  # the record without the files
    reader.post(USE, {"uses": uses.uses_of(approved).digest})
    assert reader.post(bundle, {"with_files": "1"}).status_code == 200


def test_the_bundle_of_a_model_has_its_approved_versions_and_waits_for_readers_too(aud: User, approved: ModelVersion, settings: Settings):  # fmt: skip
    settings.USES_ACKNOWLEDGED_FIRST = True
    factories.version(as_actor(approved.model.owner), approved.model)  # nobody approved this one
    reader, bundle = browser(aud), "/models/churn/bundle/"
    assert reader.get(bundle).content.decode().count("/models/churn/1/documents/") == 1
    assert reader.post(bundle, {"with_files": "1"}).status_code == 403
    answer = reader.post(bundle, {"since": "1"})
    assert answer["Content-Disposition"] == 'attachment; filename="churn-approved-bundle.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:  # type: ignore[attr-defined]
        names = archive.namelist()
    assert {name.split("/")[1] for name in names if name.startswith("versions/")} == {"churn-v1"}
    refused = reader.post(bundle, {"since": "999999999"})
    assert refused.status_code == 422
    assert "The ledger has had 1 to" in refused.content.decode()


def test_the_gate_waits_for_the_person_who_deploys(aud: User, approved: ModelVersion, settings: Settings):  # fmt: skip
    settings.USES_ACKNOWLEDGED_FIRST = True
    (gate,) = use_gate.gates(as_actor(aud), approved)
    assert not gate.passes
    assert gate.act_url.endswith("/models/churn/1/use/")
    uses.acknowledge(as_actor(aud), approved, uses_digest=uses.uses_of(approved).digest)
    assert use_gate.gates(as_actor(aud), approved) == []


@pytest.fixture
def service(aud: User) -> User:
    made = accounts.create_service(SYSTEM, username="ci", display_name="CI", owners=[aud])
    RoleAssignment.objects.create(user=made, role_id="auditor")
    return made


def test_whoever_answers_for_a_service_says_it_for_the_service(
    aud: User, rui: User, service: User, approved: ModelVersion, settings: Settings
):
    reader, said = browser(aud), uses.uses_of(approved)
    assert "For programs" not in shown(reader)
    settings.USES_ACKNOWLEDGED_FIRST = True
    (gate,) = use_gate.gates(as_actor(service), approved)
    assert gate.fact.startswith("Nobody who answers for CI has said that they read")
    reader.post(USE, {"uses": said.digest})  # for herself only
    assert use_gate.must_acknowledge(as_actor(service), approved)
    assert "I read both, for CI" in shown(reader)
    given = {"uses": said.digest, "service": str(service.uuid)}
    assert browser(rui).post(USE, given).status_code == 404
    with pytest.raises(Forbidden, match="answers for CI"):
        uses.acknowledge(as_actor(rui), approved, uses_digest=said.digest, service=service)
    with pytest.raises(Forbidden, match="Only a person"):
        uses.acknowledge(as_actor(service), approved, uses_digest=said.digest)
    assert UseAcknowledgement.objects.count() == 1
    for _ in range(2):
        assert reader.post(USE, given).status_code == 302
    row = UseAcknowledgement.objects.get(service=service)
    assert (row.user, row.uses_digest) == (aud, said.digest)
    page = shown(reader)
    assert "Aud Berg said so on" in page
    assert "I read both, for CI" not in page
    assert use_gate.gates(as_actor(service), approved) == []
    told = events(scopes=[f"version:{approved.pk}"], types=["compliance.uses.acknowledged"])
    assert [event.payload["service_name"] for event in told] == ["CI", ""]
    accounts.set_service_owners(SYSTEM, service, owners=[rui])
    assert use_gate.must_acknowledge(as_actor(service), approved)  # who answers for it now, did not


def test_a_version_that_nobody_approved_is_read_by_whoever_tries_it(aud: User, ana: User, version: ModelVersion, settings: Settings):  # fmt: skip
    write(ana, version, primary_uses="For renewals.")
    assert "For renewals" not in shown(browser(aud))
    settings.USES_ACKNOWLEDGED_FIRST = True
    reader = browser(aud)
    assert file_of(reader, version) == 403
    page = shown(reader)
    assert "Not approved" in page
    assert "For renewals" in page
    assert "load_model" not in page
    reader.post(USE, {"uses": uses.uses_of(version).digest})
    assert file_of(reader, version) == 200


def test_the_pages_of_a_run_are_no_way_round(aud: User, ana: User, settings: Settings):
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    digest = makers.file(actor, run, "model/MLmodel", b"flavors: {}")
    makers.file(actor, run, "notes.txt", b"free")
    model = factories.model(actor, "churn")
    found = registry.create_version(
        actor, model, files=[registry.NewFile("MLmodel", digest, 11)], run=run
    )
    write(ana, found, primary_uses="For renewals.")
    settings.USES_ACKNOWLEDGED_FIRST = True
    reader, place = browser(aud), f"/runs/{run.run_id}/"
    assert reader.get(f"{place}artifacts/model/MLmodel").status_code == 403
    assert reader.get(f"{place}artifacts/notes.txt").status_code == 200
    looked = reader.get(place, {"file": "model/MLmodel"}).content.decode()
    assert "flavors" not in looked
    assert "Not shown yet" in looked
    assert f"{settings.BASE_URL}/models/churn/1/use/" in looked
    assert browser(ana).get(f"{place}artifacts/model/MLmodel").status_code == 200
    reader.post(USE, {"uses": uses.uses_of(found).digest})
    assert reader.get(f"{place}artifacts/model/MLmodel").status_code == 200
    assert "flavors" in reader.get(place, {"file": "model/MLmodel"}).content.decode()
