"""The list of models, one model, and registering by upload."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from apps.accounts.models import User
from apps.registry import services
from apps.registry.models import ModelVersion, RegisteredModel
from tests import factories
from tests.support.people import as_actor, hire
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db

PARQUET = b"PAR1" + b"\x00" * 20 + b"PAR1"
ONNX = b"\x08\x09\x12\x03one\x3a\x02\x0a\x00"
GOOD = {
    "MLmodel": b"flavors:\n  sklearn: {}\n",
    "model.pkl": pickle.dumps({"weights": [1, 2, 3]}),
    "model.onnx": ONNX,
    "sample.parquet": PARQUET,
    "signature.json": b'{"inputs": []}',
}


def file(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def form(**changes: object) -> dict[str, object]:
    return {
        "name": "churn",
        "purpose": "who may leave",
        "exposure": "medium",
        "purpose_class": "operational",
        "files": [file(name, data) for name, data in GOOD.items()],
        **changes,
    }


def test_a_model_is_registered_by_uploading_its_files(ana: User) -> None:
    answer = browser(ana).post("/models/new/", form())
    assert (answer.status_code, answer.get("Location")) == (302, "/models/churn/1/"), answer.content
    version = ModelVersion.objects.get()
    assert [entry["path"] for entry in version.manifest] == sorted(GOOD)
    assert (version.source, version.model.purpose) == ("upload", "who may leave")
    assert version.model.risk_tier == 2
    assert version.model.governance == "governed"
    page = browser(ana).get("/models/churn/1/files/").content.decode()
    assert "model.onnx" in page
    back = browser(ana).get("/models/churn/1/files/model.onnx")
    assert b"".join(back.streaming_content) == ONNX  # type: ignore[attr-defined]
    assert "attachment" in back["Content-Disposition"]


def test_a_folder_keeps_the_paths_inside_it(ana: User) -> None:
    boundary = "----folder"
    parts = [
        ("name", None, b"churn"),
        ("exposure", None, b"low"),
        ("purpose_class", None, b"decision"),
    ]
    parts += [
        ("folder", "mymodel/MLmodel", GOOD["MLmodel"]),
        ("folder", "mymodel/data/model.pkl", GOOD["model.pkl"]),
    ]
    body = b""
    for name, filename, data in parts:
        disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        body += (
            f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + data + b"\r\n"
        )
    body += f"--{boundary}--\r\n".encode()
    answer = browser(ana).post(
        "/models/new/", data=body, content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert answer.status_code == 302, answer.content
    manifest = ModelVersion.objects.get().manifest
    assert [entry["path"] for entry in manifest] == ["MLmodel", "data/model.pkl"]


WRONG = {
    "model.pkl": b"not a pickle.",
    "cut.pkl": pickle.dumps([1, 2, 3])[:-1],
    "model.joblib": b"joblib? no",
    "model.onnx": b"\x00\x01\x02",
    "cut.onnx": ONNX[:-1],
    "no-graph.onnx": b"\x08\x09\x12\x03one",
    "data.parquet": b"PAR1 but not to its end",
    "short.parquet": b"PAR1",
    "signature.json": b"{not json",
    "MLmodel": b"just: yaml\n",
    "conda.yaml": b"a: [1, 2",
    "requirements.txt": b"\xff\xfe not utf-8",
    "weights.safetensors": b"\x00" * 32,
    "weights.npy": b"NUMPY",
    "weights.h5": b"HDF",
    "empty.bin": b"",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_not_what_it_says_registers_nothing(ana: User, name: str) -> None:
    files = [file(good, data) for good, data in GOOD.items() if good != name]
    with nothing_written():
        answer = browser(ana).post("/models/new/", form(files=[*files, file(name, WRONG[name])]))
    assert answer.status_code == 422
    html = answer.content.decode()
    assert f"{name}: it is" in html
    assert 'href="#id_files"' in html, "the summary leads to the field"
    assert "who may leave" in html, "what was typed is still there"


def test_nothing_is_unpickled(ana: User, tmp_path: object) -> None:
    trap = io.BytesIO()
    marker = f"{tmp_path}/executed"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str, str]]:
            return open, (marker, "w")

    pickle.dump(Trap(), trap)
    answer = browser(ana).post("/models/new/", form(files=[file("model.pkl", trap.getvalue())]))
    assert answer.status_code == 302
    assert not Path(marker).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"files": []}, "Choose at least one file"),
        ({"name": ""}, "This is needed."),
        ({"name": "a/b"}, "not a model name"),
        ({"name": "a:b"}, "not a model name"),
        ({"exposure": "enormous"}, "Choose one of the list."),
    ],
)
def test_a_wrong_field_registers_nothing(ana: User, changes: dict[str, object], words: str) -> None:
    with nothing_written():
        answer = browser(ana).post("/models/new/", form(**changes))
    assert (answer.status_code, words in answer.content.decode()) == (422, True)


def test_two_files_of_one_name_register_nothing(ana: User) -> None:
    twice = [file("a.bin", b"1"), file("a.bin", b"2")]
    with nothing_written():
        answer = browser(ana).post("/models/new/", form(files=twice))
    assert (answer.status_code, b"a.bin is given twice" in answer.content) == (422, True)


def test_a_path_that_escapes_registers_nothing(ana: User) -> None:
    boundary = "----escape"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="../../etc/x.bin"\r\n\r\nboo\r\n'
        f"--{boundary}--\r\n"
    ).encode()
    with nothing_written():
        answer = browser(ana).post(
            "/models/new/", data=body, content_type=f"multipart/form-data; boundary={boundary}"
        )
    assert answer.status_code == 422


def test_a_taken_name_is_said_beside_the_name(ana: User, otto: User, omar: User) -> None:
    factories.model(as_actor(ana), "churn")
    with nothing_written():
        answer = browser(ana).post("/models/new/", form())
    assert (answer.status_code, b"already exists" in answer.content) == (422, True)


def test_the_upload_form_demands_its_token(ana: User) -> None:
    with nothing_written():
        assert browser(ana, enforce_csrf=True).post("/models/new/", form()).status_code == 403


def test_somebody_who_may_not_make_models_is_refused(otto: User, vera: User) -> None:
    for person in (otto, vera):
        with nothing_written():
            assert browser(person).post("/models/new/", form()).status_code == 403


def test_only_an_administrator_is_offered_a_sandbox(ana: User) -> None:
    assert b"sandbox" not in browser(ana).get("/models/new/").content
    browser(ana).post("/models/new/", form(governance="sandbox"))
    assert RegisteredModel.objects.get().governance == "governed"


def test_a_version_is_added_by_upload(ana: User) -> None:
    model = factories.model(as_actor(ana), "churn")
    factories.version(as_actor(ana), model)
    answer = browser(ana).post("/models/churn/versions/new/", {"files": [file("model.onnx", ONNX)]})
    assert answer["Location"] == "/models/churn/2/"
    with nothing_written():
        answer = browser(ana).post(
            "/models/churn/versions/new/", {"files": [file("m.onnx", b"no")]}
        )
    assert answer.status_code == 422


def test_the_tier_is_shown_while_choosing(omar: User, ana: User) -> None:
    factories.model(as_actor(ana), "churn")
    url = "/models/churn/settings/?exposure=low&purpose_class=informational"
    answer = browser(ana).get(url, headers={"HX-Request": "true"})
    assert b"Risk tier <strong>3</strong>" in answer.content
    assert b"<html" not in answer.content


def test_settings_change_and_are_recorded(ana: User, rui: User) -> None:
    model = factories.model(as_actor(ana), "churn")
    page = browser(ana).get("/models/churn/settings/").content.decode()
    assert "Governance</label>" not in page
    answer = browser(ana).post(
        "/models/churn/settings/",
        {
            "owner": ana.pk,
            "team": "",
            "exposure": "low",
            "purpose_class": "informational",
            "purpose": "p",
        },
    )
    assert answer.status_code == 302, answer.content
    model.refresh_from_db()
    assert (model.risk_tier, model.purpose) == (3, "p")
    assert browser(rui).get("/models/churn/settings/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_governance_takes_an_administrator_and_a_reason(ana: User) -> None:
    both = hire("adele", "Adele", "administrator", "viewer")
    model = factories.model(as_actor(ana), "churn")
    client = browser(both)
    data = {"act": "governance", "governance": "sandbox", "reason": ""}
    with nothing_written():
        assert client.post("/models/churn/settings/", data).status_code == 422
    assert client.post("/models/churn/settings/", {**data, "reason": "a toy"}).status_code == 302
    model.refresh_from_db()
    assert model.governance == "sandbox"
    for page in ("/models/", "/models/churn/"):
        assert "andbox" in browser(ana).get(page).content.decode()
    factories.version(as_actor(ana), model)
    page = browser(ana).get("/models/churn/1/").content.decode()
    assert "Sandbox: not governed" in page
    assert "To reach" not in page


def test_the_list_filters(ana: User) -> None:
    actor = as_actor(ana)
    factories.model(actor, "churn")
    other = factories.model(actor, "fraud")
    services.update_model(actor, other, exposure="low", purpose_class="informational")
    client = browser(ana)
    for query, shown, hidden in (
        ("q=chu", "churn", "fraud"),
        ("tier=3", "fraud", "churn"),
        (f"owner={ana.pk}&q=fraud", "fraud", "churn"),
        ("before=churn", "fraud", "churn"),
    ):
        page = client.get(f"/models/?{query}").content.decode()
        assert f'href="/models/{shown}/"' in page, query
        assert f'href="/models/{hidden}/"' not in page, query
    assert "No model matches" in client.get("/models/?governance=sandbox").content.decode()
    assert client.get("/models/?tier=x&owner=y&governance=z&before=%00").status_code == 200


def test_a_stranger_sees_no_model(ana: User, otto: User) -> None:
    factories.version(as_actor(ana), factories.model(as_actor(ana), "churn"))
    assert b"/models/churn/" not in browser(otto).get("/models/").content
    for page in (
        "",
        "settings/",
        "1/",
        "1/files/",
        "1/history/",
        "1/compare/",
        "1/lineage/",
        "1/submit/",
    ):
        assert browser(otto).get(f"/models/churn/{page}").status_code == 404, page


def test_the_list_asks_as_much_for_a_hundred_models_as_for_ten(ana: User) -> None:
    actor, client, counts = as_actor(ana), browser(ana), []
    for total in (10, 45):
        for number in range(RegisteredModel.objects.count(), total):
            model = factories.model(actor, f"m-{number:03}")
            version = factories.version(actor, model)
            services.set_alias(actor, version, alias="candidate")
        client.get("/models/")
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/models/").content.decode()
        assert page.count("@candidate") == total
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_model_of_many_versions_asks_as_much_as_one_of_few(ana: User) -> None:
    actor, client, counts = as_actor(ana), browser(ana), []
    model = factories.model(actor, "churn")
    for total in (20, 60):
        for _ in range(ModelVersion.objects.count(), total):
            factories.version(actor, model)
        client.get("/models/churn/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/models/churn/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_home_page_says_what_to_do(ana: User, otto: User, vera: User) -> None:
    page = browser(ana).get("/").content.decode()
    assert "No models yet" in page
    assert "mlflow.set_tracking_uri" in page
    factories.version(as_actor(ana), factories.model(as_actor(ana), "churn"))
    page = browser(ana).get("/").content.decode()
    assert "Needs you" in page
    assert "churn v1" in page
    assert "churn" not in browser(otto).get("/").content.decode()
    assert "You are clear" in browser(vera).get("/").content.decode()


def test_names_that_need_quoting_work(ana: User) -> None:
    actor = as_actor(ana)
    name = "50% off? #1 & <b>"
    factories.version(actor, factories.model(actor, name))
    client = browser(ana)
    page = client.get("/models/").content.decode()
    assert name not in page
    base = reverse("web:model", args=[name])
    assert escape(base) in page
    for path in ("", "1/", "1/submit/", "1/files/", "1/compare/", "settings/"):
        assert client.get(base + path).status_code == 200, path
