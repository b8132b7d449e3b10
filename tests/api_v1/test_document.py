"""The OpenAPI document describes what is served; requests made from it find no crash and no way past the rights."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client
from django.test.utils import override_settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pytest_django import DjangoDbBlocker
from schemathesis import GenerationMode

from apps.accounts.models import RoleVerb
from apps.api.v1.document import openapi
from apps.api.v1.routes import ROUTES
from apps.checks.models import Measurement
from apps.registry.models import Deployment, Environment, RegisteredModel
from apps.reviews.models import Decision, Review, Round
from tests.api_v1.test_matrix import FOR_ALL
from tests.api_v1.world import BODIES, placeholders
from tests.web.test_permission_matrix import undone
from tests.web.world import ANONYMOUS, OUTSIDER, VISITORS, World, build

pytestmark = pytest.mark.django_db

EXAMPLES = 4
BY_NAME = {route.name: route for route in ROUTES}


def test_the_document_is_valid_and_complete() -> None:
    out = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    told = {
        (method.upper(), operation["operationId"])
        for methods in openapi()["paths"].values()
        for method, operation in methods.items()
    }
    assert told == {(route.method, route.name) for route in ROUTES}
    assert openapi()["openapi"].startswith("3.1")


def test_only_signing_asks_for_a_session_alone() -> None:
    for methods in openapi()["paths"].values():
        for operation in methods.values():
            alone = operation["security"] == [{"session": []}]
            assert alone == BY_NAME[operation["operationId"]].interactive


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), undone():
        yield build()


@pytest.fixture(scope="module")
def operations() -> list[Any]:
    """The document, read by schemathesis."""
    whole = json.loads(json.dumps(openapi()))
    return [found.ok() for found in schemathesis.openapi.from_dict(whole).get_all_operations()]


@pytest.mark.parametrize("visitor", VISITORS)
def test_generated_requests_meet_no_crash_and_no_way_past_the_rights(
    visitor: str, world: World, operations: list[Any]
) -> None:
    seen: dict[str, set[int]] = {}
    for operation in operations:
        name = operation.definition.raw["operationId"]
        seen[name] = _try(operation, name, visitor, world)
    assert set(seen) == set(BY_NAME)
    # The requests reach the handlers: some are answered, and for whoever may, with success.
    answered = {name for name, codes in seen.items() if codes & {200, 201}}
    assert answered if visitor != ANONYMOUS else not answered


def _try(operation: Any, name: str, visitor: str, world: World) -> set[int]:
    """A handful of requests, well-formed and not, about things that exist and not; the statuses of their answers."""
    codes: set[int] = set()
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=right | wrong, real=st.booleans())
    def check(case: Any, real: bool) -> None:
        with undone():
            before = _state()
            answer = _send(case, visitor, world, real=real)
            codes.add(answer.status_code)
            assert answer.status_code < 500, answer.content
            _conforms(operation, answer)
            if not _may(name, visitor, world):
                assert answer.status_code >= 400, (name, visitor)
            if not (BY_NAME[name].mutates and answer.status_code in {200, 201}):
                assert _state() == before

    check()
    return codes


def _may(name: str, visitor: str, world: World) -> bool:
    """Whether the visitor can have success here; an outsider has it with lists that show nothing."""
    if visitor == ANONYMOUS:
        return False
    route = BY_NAME[name]
    if visitor == OUTSIDER:
        return name in FOR_ALL
    if name == "delegation-end":  # of other people: whoever manages people
        return visitor == "administrator"
    verbs = RoleVerb.objects.filter(role_id=visitor, verb__startswith=route.verb)
    signs = "password" in BODIES.get(name, lambda w: {})(world)
    return verbs.exists() and not signs  # the generated password is nobody's


def _send(case: Any, visitor: str, world: World, *, real: bool) -> Any:
    client = Client(raise_request_exception=False)
    user = world.visitors[visitor]
    if user is not None:
        client.force_login(user)
    if real:
        known = {key.strip("<>").split(":")[1]: value for key, value in placeholders(world).items()}
        for key in case.path_parameters or {}:
            found = known[key]
            case.path_parameters[key] = found if isinstance(found, int) else str(found)
        if isinstance(case.body, dict) and "model" in case.body:
            case.body.update(model=world.model.name)
    request = case.as_transport_kwargs(base_url="http://testserver")
    data = json.dumps(request["json"]) if "json" in request else request.get("data") or b""
    kind = (request.get("headers") or {}).get("Content-Type", "application/json")
    url = request["url"].removeprefix("http://testserver")
    query = dict(request.get("params") or {})
    with override_settings(PROMOTION_GATES=["apps.reviews.gates.quorum_signed"]):
        return client.generic(
            request["method"],
            url,
            data,
            kind,
            query_params={key: "" if value is None else value for key, value in query.items()},
        )


def _conforms(operation: Any, answer: Any) -> None:
    """The answer's status is documented and its body has the documented shape."""
    if answer.status_code in {404, 405} and answer["Content-Type"] == "application/problem+json":
        return  # a drawn word can make another address of it
    told = operation.definition.raw["responses"]
    assert str(answer.status_code) in told, (answer.status_code, answer.content)
    kind = answer["Content-Type"].partition(";")[0]
    shape = told[str(answer.status_code)]["content"][kind]["schema"]
    binary = shape == {"type": "string", "format": "binary"}
    assert binary or kind != "application/octet-stream"
    if binary:
        return
    whole = {**shape, "components": openapi()["components"]}
    body = answer.getvalue()  # of a download, chunk by chunk
    said = json.loads(body) if kind.endswith("json") else body.decode("utf-8", "replace")
    Draft202012Validator(whole).validate(said)


def _state() -> tuple[Any, ...]:
    """What only acts may change."""
    return (
        list(Review.objects.order_by("pk").values_list("pk", "status")),
        Round.objects.count(),
        Decision.objects.count(),
        list(Deployment.objects.order_by("pk").values_list("pk", "traffic", "ended_at")),
        list(Environment.objects.order_by("pk").values_list("key", "title", "retired_at")),
        RegisteredModel.objects.exclude(retired_at=None).count(),
        list(Measurement.objects.order_by("pk").values_list("pk", "status")),
    )
