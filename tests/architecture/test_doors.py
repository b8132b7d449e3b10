"""No way round: every route that changes anything stands in a table with its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.verbs import VERBS
from apps.api.mlflow.routes import PREFIXES
from apps.api.mlflow.routes import ROUTES as MLFLOW
from apps.api.mlflow.views import unknown as no_protocol
from apps.api.v1.routes import ROUTES as API
from apps.api.v1.urls import unknown as no_api
from config.doors import WEB, acts

READS = {"GET", "HEAD", "OPTIONS"}


def test_every_page_that_takes_more_than_reads_has_a_rule() -> None:
    changing = {name for name, view in _pages() if _methods(view) - READS}
    assert sorted(changing - set(WEB)) == [], "add these to config/doors.py with their rule"


def test_the_table_of_the_pages_names_no_route_that_only_reads_or_is_gone() -> None:
    changing = {name for name, view in _pages() if _methods(view) - READS}
    assert sorted(set(WEB) - changing) == []


def test_the_protocols_serve_nothing_that_their_tables_lack() -> None:
    listed = {f"{prefix}/{r.version}/{r.path}" for r in MLFLOW for prefix in PREFIXES}
    listed |= {f"api/v1/{route.path}" for route in API} | {"api/v1/docs/", "version"}
    assert sorted(set(_protocols()) - listed) == []


def test_every_rule_of_the_protocols_is_a_right_and_nothing_is_without_a_rule() -> None:
    for act in acts():
        assert act.rule, act
        if act.door != "web":
            assert any(verb.startswith(act.rule) for verb in VERBS), act
    assert {act.door for act in acts()} == {"mlflow", "api", "web"}


def _methods(view: Callable[..., Any] | None) -> set[str]:
    """What the view says it takes; one that says nothing takes everything."""
    while view is not None:
        for cell in getattr(view, "__closure__", None) or ():
            said = cell.cell_contents
            if isinstance(said, list | tuple) and said and all(str(m).isupper() for m in said):
                return {str(method) for method in said}
        view = getattr(view, "__wrapped__", None)
    return {"ANY"}


def _pages() -> Iterator[tuple[str, Callable[..., Any]]]:
    return (
        (name, pattern.callback)
        for name, _, pattern in _walk(get_resolver().url_patterns, "", "")
        if not name.startswith("api:")
    )


def _protocols() -> Iterator[str]:
    return (
        path
        for name, path, pattern in _walk(get_resolver().url_patterns, "", "")
        if name.startswith("api:") and pattern.callback not in {no_protocol, no_api}
    )


def _walk(
    patterns: list[URLPattern | URLResolver], names: str, path: str
) -> Iterator[tuple[str, str, URLPattern]]:
    for pattern in patterns:
        where = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            space = f"{names}{pattern.namespace}:" if pattern.namespace else names
            yield from _walk(pattern.url_patterns, space, where)
        else:
            yield f"{names}{pattern.name or ''}", where, pattern
