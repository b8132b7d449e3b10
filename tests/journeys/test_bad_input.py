"""Bad input at every door: a clear error in the form of the door, nothing half-written, and the next good try works.

The rows are data: which door, which field, what is put into it. What a good try is stands in `doors`,
what is put in stands in `bad_values`, which goes where in `bad_tables`.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings

from apps.accounts import services as accounts
from apps.accounts.models import AccessToken
from apps.audits import selectors as audits
from apps.checks import services as checks
from apps.checks.selectors import results
from apps.checks.verdicts import Verdict
from apps.core import clock, outbox
from apps.core.models import OutboxMessage
from apps.registry.models import ModelVersion
from tests.journeys import bad_values as bad
from tests.journeys.bad_tables import (
    FIELDS,
    FORMS,
    IDS,
    LISTS,
    PLACES,
    TOKENS,
    TWICE,
    good_now,
)
from tests.journeys.doors import (
    CALLS,
    PAGES,
    Answer,
    World,
    build,
    nothing_left,
    protocol,
    refused_by_page,
    refused_by_protocol,
)
from tests.support import people
from tests.web.browsing import browser

QUICK: Final = ["django.contrib.auth.hashers.MD5PasswordHasher"]

Send = Callable[[World], Answer]


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The world, made once: each test runs in a savepoint inside this transaction."""
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=QUICK):
        outer = transaction.atomic()
        outer._from_testcase = True  # type: ignore[attr-defined]  # as TestCase marks its own
        with outer:
            yield build()
            transaction.set_rollback(True)


@pytest.fixture
def world(built: World, db: None, settings: Settings) -> World:
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    return copy.deepcopy(built)


# --- the protocol -------------------------------------------------------------------------------


def _protocol_rows() -> Iterator[Any]:
    for door, fields in FIELDS.items():
        for field, values in fields.items():
            for name, value in values.items():
                yield pytest.param(door, {field: value}, id=f"{door}-{field}-{name}")
    for door in ("experiment", "run", "batch", "model"):
        for name, body in bad.BODIES.items():
            yield pytest.param(door, body, id=f"{door}-body-{name}")


@pytest.mark.parametrize(("door", "given"), list(_protocol_rows()))
def test_the_protocol(world: World, door: str, given: dict[str, Any] | bytes) -> None:
    call = CALLS[door]
    with nothing_left():
        answer = call.raw(world, given) if isinstance(given, bytes) else call.send(world, given)
    refused_by_protocol(answer)
    assert call.send(world, {}).status_code == 200


@pytest.mark.parametrize("path", bad.PATHS.values(), ids=bad.PATHS.keys())
def test_a_path_of_an_artifact(world: World, path: str) -> None:
    root = world.filled("/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts")
    with nothing_left():
        for method in ("PUT", "GET", "DELETE"):
            body = b"evil" if method == "PUT" else b""
            refused_by_protocol(protocol(world.token, method, f"{root}/{path}", body, ""))
    assert protocol(world.token, "PUT", f"{root}/good.bin", b"good", "").status_code == 200


def _address_rows() -> Iterator[Any]:
    for number in ("0", "-1", str(2**63), "9" * 5_000, "one", "%00", "%c2%b2"):
        for template in (
            "experiments/get?experiment_id={}",
            "model-versions/get?name=fraud&version={}",
            "runs/get?run_id={}",
            "logged-models/{}",
            "registered-models/search?max_results={}",
        ):
            if (number, template.partition("/")[0]) != ("0", "experiments"):
                yield pytest.param("GET", template.format(number), id=f"{template}-{number[:20]}")
    for method in ("HEAD", "OPTIONS", "PATCH", "TRACE"):
        yield pytest.param(method, "runs/create", id=f"{method} of a route")
        yield pytest.param(method, "no/such/route", id=f"{method} of no route")


@pytest.mark.parametrize(("method", "address"), list(_address_rows()))
def test_an_address_of_the_protocol(world: World, method: str, address: str) -> None:
    with nothing_left():
        answer = protocol(world.token, method, f"/api/2.0/mlflow/{address}")
    if method == "HEAD":  # has no body to say it in
        assert answer.status_code == 404
    else:
        refused_by_protocol(answer)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_kind(world: World, kind: str) -> None:
    body = json.dumps({"name": "next"}).encode()
    with nothing_left():
        refused_by_protocol(CALLS["model"].raw(world, body, kind))
    assert CALLS["model"].send(world, {}).status_code == 200


# --- who asks -----------------------------------------------------------------------------------


def _expire(world: World) -> None:
    AccessToken.objects.update(expiry=clock.now() - dt.timedelta(seconds=1))


def _revoke(world: World) -> None:
    accounts.revoke_token(people.as_actor(world.ana), AccessToken.objects.get())


def _deactivate(world: World) -> None:
    accounts.deactivate_user(people.as_actor(world.ada), world.ana, reason="left")


def _demote(world: World) -> None:
    accounts.revoke_role(people.as_actor(world.ada), "contributor", world.ana)


MEANWHILE: Final[dict[str, tuple[Callable[[World], None], str]]] = {
    "the token expired": (_expire, "UNAUTHENTICATED"),
    "the token was revoked": (_revoke, "UNAUTHENTICATED"),
    "the person was deactivated": (_deactivate, "UNAUTHENTICATED"),
    "the role was lost": (_demote, "PERMISSION_DENIED"),
}


@pytest.mark.parametrize("case", MEANWHILE)
def test_a_token_that_was_good_before(world: World, case: str) -> None:
    happens, code = MEANWHILE[case]
    assert CALLS["model"].send(world, {}).status_code == 200
    happens(world)
    with nothing_left():
        for door in ("model", "experiment"):
            refused_by_protocol(CALLS[door].send(world, {"name": "another"}), code=code)


@pytest.mark.parametrize("token", TOKENS, ids=range(len(TOKENS)))
@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Digest", ""])
def test_a_token_that_never_was(world: World, scheme: str, token: str) -> None:
    with nothing_left():
        answer = browser().get(
            "/api/2.0/mlflow/experiments/get?experiment_id=0",
            headers={"Authorization": f"{scheme} {token}"},
        )
    refused_by_protocol(answer, code="UNAUTHENTICATED")


def test_the_session_of_somebody_who_was_deactivated(world: World) -> None:
    client = browser(world.ana)
    assert client.get("/models/").status_code == 200
    _deactivate(world)
    with nothing_left():
        for answer in (client.get("/models/"), client.post("/models/fraud/1/describe/", {"description": "x"})):  # fmt: skip
            assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/sign-in/")  # type: ignore[attr-defined]


def test_a_signer_who_lost_the_role_meanwhile(world: World) -> None:
    decide = PAGES["decide"]
    assert decide.client(world).get(world.filled(decide.path)).status_code == 200
    accounts.revoke_role(people.as_actor(world.ada), "validator", world.vera)
    accounts.grant_role(people.SYSTEM, "viewer", world.vera)
    with nothing_left():
        answer = decide.send(world, {})
    refused_by_page(answer)
    assert answer.status_code == 403
    assert audits.attempts(act="POST web:review-decide")
    accounts.grant_role(people.SYSTEM, "validator", world.vera)
    assert decide.send(world, {}).status_code == decide.done


# --- the pages ----------------------------------------------------------------------------------


def _form_rows() -> Iterator[Any]:
    for door, fields in FORMS.items():
        for field, values in fields.items():
            for name, value in values.items():
                change = partial_send(door, {field: value})
                yield pytest.param(door, change, id=f"{door}-{field}-{name}")
    yield from _body_rows()
    yield from _file_rows()


def _body_rows() -> Iterator[Any]:
    for door in ("sign in", "new model", "data", "decide", "card", "grant"):
        for name, (body, kind) in bad.F_BODIES.items():
            yield pytest.param(door, raw_send(door, body, kind), id=f"{door}-body-{name}")


def _file_rows() -> Iterator[Any]:
    for name, data in bad.DATA_FILES.items():
        send = partial_send("data", {}, {"file": ("data.csv", data)})
        yield pytest.param("data", send, id=f"data-file-{name}")
    for name, file in bad.MODEL_FILES.items():
        for door in ("new model", "new version"):
            send = partial_send(door, {}, {"files": file})
            yield pytest.param(door, send, id=f"{door}-file-{name}")


def partial_send(
    door: str, changes: dict[str, Any], files: dict[str, tuple[str, bytes]] | None = None
) -> Send:
    return lambda world: PAGES[door].send(world, changes, files)


def raw_send(door: str, body: bytes, kind: str) -> Send:
    return lambda world: PAGES[door].raw(world, body, kind)


@pytest.mark.parametrize(("door", "send"), list(_form_rows()))
def test_a_form(world: World, door: str, send: Send) -> None:
    with nothing_left():
        answer = send(world)
    refused_by_page(answer)
    again = PAGES[door].send(world, good_now(door, world))
    assert again.status_code == PAGES[door].done, again.content


@pytest.mark.parametrize("door", TWICE)
def test_a_form_sent_twice_acts_once(world: World, door: str) -> None:
    page = PAGES[door]
    form = world.filled({**page.good, **good_now(door, world)})
    first = page.send(world, form)
    assert first.status_code == page.done, first.content
    with nothing_left():
        second = page.send(world, form)
    assert second.status_code == TWICE[door], second.content
    if second.status_code >= 400:
        refused_by_page(second)


@pytest.mark.parametrize("door", ["experiment", "model"])
def test_a_call_sent_twice_acts_once(world: World, door: str) -> None:
    assert CALLS[door].send(world, {}).status_code == 200
    with nothing_left():
        refused_by_protocol(CALLS[door].send(world, {}), code="RESOURCE_ALREADY_EXISTS")


@pytest.mark.parametrize("value", bad.QUERIES.values(), ids=bad.QUERIES.keys())
@pytest.mark.parametrize("address", LISTS)
def test_a_search_or_filter(world: World, address: str, value: str) -> None:
    client = browser(world.eve)
    client.raise_request_exception = False
    with nothing_left():
        answer = client.get(address.format(value))
    assert answer.status_code in {200, 302, 404, 409, 422}, answer.content
    if answer.status_code >= 400 and "setup" not in address:
        refused_by_page(answer)
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("number", IDS, ids=[each[:20] for each in IDS])
@pytest.mark.parametrize("place", PLACES)
def test_a_page_of_what_is_not_there(world: World, place: str, number: str) -> None:
    client = browser(world.eve)
    client.raise_request_exception = False
    with nothing_left():
        answer = client.get(place.format(number))
    assert answer.status_code == 404
    refused_by_page(answer)


THIN: Final[dict[str, bytes]] = {
    "one row": b"y,p,s,g\n1,1,0.9,a\n",
    "one class": b"y,p,s,g\n" + b"1,1,0.9,a\n1,0,0.1,b\n" * 20,
    "one decision": b"y,p,s,g\n" + b"1,1,0.9,a\n0,1,0.1,b\n" * 20,
    "one group": bad.DATA.replace(b",b\n", b",a\n"),
    "a group of one": bad.DATA + b"1,1,0.7,only\n",
    "a group per row": b"y,p,s,g\n" + b"".join(b"%d,1,0.5,g%d\n" % (n % 2, n) for n in range(40)),
    "infinite scores": bad.DATA + b"1,1,inf,a\n0,0,-inf,b\n",
    "some scores of NaN": bad.DATA + b"1,1,NaN,a\n0,0,,b\n",
    "no groups named": bad.DATA.replace(b",a\n", b",\n").replace(b",b\n", b",\n"),
}
LIMITS: Final = {
    "performance": {"roc_auc": {"min": "0.70"}},
    "fairness": {"features": ["g"], "demographic_parity_difference": {"max": "0.10"}},
}


@pytest.mark.parametrize("case", THIN)
def test_data_too_thin_to_judge(world: World, case: str) -> None:
    """Sound files that say next to nothing: refused with a sentence, or measured and never passed for fair."""
    answer = PAGES["data"].send(world, {}, {"file": ("data.csv", THIN[case])})
    if answer.status_code != 302:
        return refused_by_page(answer)
    client = browser(world.ana)
    assert client.post("/models/fraud/1/checks/run/", {"kind": "all"}).status_code == 302
    for row in OutboxMessage.objects.filter(finished_at=None, task__endswith="run_measurement"):
        with outbox.claimed(row.pk) as message:
            assert message is not None
            checks.run_measurement(message)
    found = {
        each.kind: each for each in results(ModelVersion.objects.get(model__name="fraud"), LIMITS)
    }
    assert found["fairness"].verdict is not Verdict.PASS
    assert all(len(each.sentence) > 10 for each in found.values())
    page = client.get("/models/fraud/1/checks/")
    assert page.status_code == 200
    for each in found.values():
        assert each.measurement is not None
        assert each.measurement.status in {"done", "error"}
        address = f"/models/fraud/1/checks/{each.measurement.uuid}/"
        assert client.get(address).status_code == 200
    return None
