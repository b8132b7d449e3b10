"""A pytest plugin (`-p tests.pgplugin`): the run's own PostgreSQL, unless DATABASE_URL names one.

It must be a plugin: pytest-django reads the settings before any conftest.py is imported. The server lives in a
temporary folder, belongs to the controlling process (xdist's workers inherit the address) and is gone after it,
however it ends. The site's folder VAR is a temporary one too, so that no test touches the developer's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tools import pg
from tools.osproc import Refusal

_started: list[tuple[pg.Server, Path]] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Before pytest-django imports the settings: a wrapper runs ahead of every plain hook."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _prepare()
    else:  # a queue of its own, as it has a database of its own
        os.environ["VAR"] = os.path.join(os.environ["VAR"], worker)  # noqa: PTH118
    return (yield)


def _prepare() -> None:
    folder = Path(tempfile.mkdtemp(prefix="cs-test-"))
    os.environ["VAR"] = str(folder / "var")
    # Production refuses to invent a secret; the tests are explicit about theirs.
    os.environ.setdefault("SECRET_KEY", "a-key-for-the-tests-only-" + "0" * 40)
    os.environ.setdefault("KEYS_MADE_WHEN_NEEDED", "1")
    # Style sheets and scripts are read from their sources: nothing has been collected.
    os.environ.setdefault("STATIC_MANIFEST", "0")
    server = pg.Server(folder / "pg", durable=False)
    _started.append((server, folder))
    if "DATABASE_URL" in os.environ:
        return
    try:
        server.start()
    except Refusal as refusal:
        raise pytest.UsageError(str(refusal)) from refusal
    os.environ["DATABASE_URL"] = server.url(pg.SUPERUSER)
    os.environ.pop("DATABASE_OWNER_URL", None)


def pytest_unconfigure() -> None:
    """Stop the server and remove what the run wrote."""
    while _started:
        server, folder = _started.pop()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
