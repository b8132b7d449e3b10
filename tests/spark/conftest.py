"""The engines to compare. What is not installed is deselected: PySpark is half a gigabyte (`make test-spark` has it)."""

from __future__ import annotations

import pytest

from apps.checks.engine import engines

ADDRESSES = {"duckdb": "duckdb://", "spark": "spark://local[2]"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of this folder are of the engine their name gives; the session of Spark is one for all of them."""
    away = [item for item in items if _engine(item) and engines.lacking(ADDRESSES[_engine(item)])]
    for item in items:
        if _engine(item):
            item.add_marker(pytest.mark.xdist_group("engines"))
    if away:
        config.hook.pytest_deselected(items=away)
        items[:] = [item for item in items if item not in away]


def _engine(item: pytest.Item) -> str:
    """The engine that a test is given; "" for tests that need none."""
    call = getattr(item, "callspec", None)
    value = call.params.get("address", "") if call is not None else ""
    return next((name for name, address in ADDRESSES.items() if address == value), "")


@pytest.fixture(params=list(ADDRESSES.values()), ids=list(ADDRESSES))
def address(request: pytest.FixtureRequest) -> str:
    """Of each engine in turn."""
    chosen: str = request.param
    return chosen
