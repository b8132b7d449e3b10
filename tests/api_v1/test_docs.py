"""docs/api.md lists every route with its rule, as the table of the code has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.accounts.verbs import SCOPES_OF_VERB
from apps.api.v1.problems import KINDS, UNEXPECTED
from apps.api.v1.route import Route
from apps.api.v1.routes import ROUTES

DOCUMENT = (Path(settings.BASE_DIR) / "docs/api.md").read_text()
LINES = re.findall(r"^\| (GET|POST) \| `(\S+)` \| `(\S+)` \| ([^|]+) \|", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.label)
def test_every_route_is_documented_with_its_rule(route: Route) -> None:
    address = "/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route.path)
    scopes = ", ".join(f"`{scope}`" for scope in sorted(SCOPES_OF_VERB.get(route.verb, ())))
    told = (route.method, address, route.verb, scopes or "none: a session")
    assert told in LINES


def test_the_document_names_no_route_that_is_not_there() -> None:
    assert len(LINES) == len(ROUTES)


@pytest.mark.parametrize("code", sorted({kind.code for kind in [*KINDS.values(), UNEXPECTED]}))
def test_every_problem_is_documented(code: str) -> None:
    assert f"`{code}`" in DOCUMENT
