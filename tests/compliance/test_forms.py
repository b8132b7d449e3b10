"""The forms of an issued document: made once, kept, told to the ledger, read by the libraries they are for."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import threading
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from django.db import connections
from huggingface_hub import ModelCard
from jsonschema import Draft202012Validator

from apps.accounts.models import User
from apps.api.v1.documents import card_schema
from apps.audits.selectors import events
from apps.compliance import forms, reconcile
from apps.compliance.models import Document, DocumentForm, Form
from apps.core import blobs, signing
from apps.core.errors import Conflict, NotFound
from apps.experiments.models import Run
from apps.experiments.services import experiments, put_artifact, runs
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from tests import factories
from tests.compliance.conftest import Story, work
from tests.support.people import as_actor
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)

TOOL = Path(__file__).resolve().parents[2] / ".venv-signing" / "bin" / "model_signing"
EMISSIONS = b"timestamp,project_name,run_id,duration,emissions,energy_consumed\n2026-03-01,x,a,10,0.5,1.25\n"


def data_of(document: Document, form: str) -> bytes:
    return b"".join(forms.read(forms.find(document, form)))


def test_an_issued_document_gets_its_forms_by_the_event_and_each_library_takes_its_own(
    story: Story, tmp_path: Path
):
    story.measure().write().submit()
    document = story.issue()
    assert work("compliance", lambda message: forms.make(message.payload["document"])) == 1

    card = data_of(document, Form.JSON)
    assert hashlib.sha256(card).hexdigest() == document.input_digest
    Draft202012Validator(card_schema()).validate(json.loads(card))

    readme = data_of(document, Form.MARKDOWN).decode()
    found = ModelCard(readme)
    assert document.input_digest in readme
    assert found.data.eval_results is not None
    accuracy = next(each for each in found.data.eval_results if each.metric_type == "accuracy")
    machine = json.loads(card)["machine"]
    measured = next(each for each in machine["measured"] if each["kind"] == "performance")
    told = {each["key"]: each for each in measured["numbers"]}
    assert accuracy.metric_value == float(told["accuracy"]["value"])
    assert next(iter(told)) == "accuracy"  # in the order of the card, not of the database
    evaluation = next(each for each in machine["datasets"] if each["use"] == "evaluation")
    assert accuracy.dataset_revision == evaluation["digest"]

    bom = data_of(document, Form.MLBOM).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bom) is None
    assert document.input_digest in bom
    assert verified_by_the_tool(document, story.version, tmp_path).returncode == 0

    fairness = next(each for each in machine["measured"] if each["kind"] == "fairness")
    assert {each.get("of", "").partition(":")[0] for each in fairness["numbers"]} == {"sex"}
    drift = next(each for each in machine["measured"] if each["kind"] == "drift")
    assert {each["of"].partition(":")[0] for each in drift["numbers"]} == {"column"}

    (event,) = events(scopes=[f"version:{story.version.pk}"], types=["compliance.document.forms_made"])  # fmt: skip
    assert event.payload["input_digest"] == document.input_digest
    assert event.payload["signed_by"] == signing.document_key().key_id
    assert {name: each["digest"] for name, each in event.payload["forms"].items()} == {
        row.form: row.digest for row in forms.forms_of(document)
    }
    assert list(reconcile.differences()) == []


def verified_by_the_tool(
    document: Document, version: ModelVersion, folder: Path
) -> subprocess.CompletedProcess[str]:
    """What a consumer does with the version's files and two of the forms."""
    for entry in version.manifest:
        place = folder / "model" / entry["path"]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"".join(blobs.read(entry["digest"])))
    for form in (Form.SIGNATURE, Form.CERTIFICATE):
        (folder / form).write_bytes(data_of(document, form))
    (folder / "model" / "registered_model_meta").write_text("what the client leaves")
    return subprocess.run(
        [
            str(TOOL), "verify", "certificate", "model", "--signature", "model.sig",
            "--certificate_chain", "signer.pem", "--ignore-paths", "model/registered_model_meta",
        ],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def asked(story: Story) -> Document:
    """A document that was asked for; its PDF is of no matter here."""
    return story.request()


def test_made_twice_or_by_two_at_once_they_are_made_once(asked: Document):
    errors: list[BaseException] = []

    def make() -> None:
        try:
            forms.make(asked.pk)
        except BaseException as error:  # noqa: BLE001 - shown to the test
            errors.append(error)
        finally:
            connections.close_all()

    both = [threading.Thread(target=make) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    forms.make(asked.pk)
    assert errors == []
    assert DocumentForm.objects.count() == len(Form)
    of = [f"document:{asked.uuid}"]
    assert len(events(scopes=of, types=["compliance.document.forms_made"])) == 1


def test_a_later_key_does_not_change_what_was_signed(asked: Document):
    forms.make(asked.pk)
    before = data_of(asked, Form.SIGNATURE)
    signing.create(signing.DOCUMENTS, replace=True)
    forms.make(asked.pk)
    assert data_of(asked, Form.SIGNATURE) == before


def test_a_form_that_is_not_there_yet_or_none_says_which(asked: Document):
    with pytest.raises(Conflict, match="queued"):
        forms.find(asked, Form.JSON)
    with pytest.raises(NotFound, match="no such form"):
        forms.find(asked, "card.exe")


def test_a_version_without_files_is_not_signed_for(ana: User):
    actor = as_actor(ana)
    version = registry.create_version(actor, factories.model(actor, "empty"), files=[])
    document = Story(ana, ana, ana, version).request()
    forms.make(document.pk)
    assert [row.form for row in forms.forms_of(document)] == [Form.JSON, Form.MARKDOWN, Form.MLBOM]


def test_reconciliation_finds_a_form_that_the_ledger_does_not_tell(asked: Document):
    forms.make(asked.pk)
    with triggers_off("compliance_documentform"):
        DocumentForm.objects.filter(form=Form.MARKDOWN).delete()
    (found,) = reconcile.differences()
    assert "its forms are" in str(found)


def trained_with(ana: User, emissions: bytes) -> Document:
    """A document about a version whose run left this file."""
    actor = as_actor(ana)
    experiment = experiments.create_experiment(actor, name="trials")
    made = runs.create_run(actor, experiment_id=experiment.pk, run_name="able-finch")
    run = Run.objects.get(run_id=made.run_id)
    put_artifact(actor, run, "logs/emissions.csv", io.BytesIO(emissions))
    version = factories.version(actor, factories.model(actor, "green"), run=run)
    document = Story(ana, ana, ana, version).request()
    forms.make(document.pk)
    return document


def test_the_energy_of_the_run_is_in_the_card_and_in_the_bom(ana: User):
    document = trained_with(ana, EMISSIONS)
    assert "| Energy of the run | 1.25 kWh |" in data_of(document, Form.MARKDOWN).decode()
    bom = json.loads(data_of(document, Form.MLBOM))
    considerations = bom["metadata"]["component"]["modelCard"]["considerations"]
    (used,) = considerations["environmentalConsiderations"]["energyConsumptions"]
    assert used["activityEnergyCost"]["value"] == 1.25
    assert used["co2CostEquivalent"]["value"] == 0.0005


def test_a_hostile_table_of_energy_is_refused_in_words_and_the_rest_is_made(ana: User):
    document = trained_with(ana, b"emissions\n-3\n")
    readme = data_of(document, Form.MARKDOWN).decode()
    said = "**Missing.** The energy of the run was not read: logs/emissions.csv says '-3' kg"
    assert said in readme
    assert "countersign:energy:refused" in data_of(document, Form.MLBOM).decode()
