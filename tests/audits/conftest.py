from __future__ import annotations

import pytest

from tests.support.ledger import thing_template

__all__ = ["thing_template"]


@pytest.fixture(autouse=True)
def _recordable(thing_template: None) -> None:
    """Every test here may record `ThingDone`."""
