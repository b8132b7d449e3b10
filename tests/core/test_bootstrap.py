"""`manage.py bootstrap` on a database of one's own: with two roles, with one, and with one that may too little."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import run
from tools import pg

pytestmark = [pytest.mark.xdist_group("bootstrap"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pg.Server]:
    with pg.Server(tmp_path_factory.mktemp("own"), durable=False) as running:
        running.prepare()
        yield running


def bootstrap(
    server: pg.Server, var: Path, site: str, owner: str = "", database: str = pg.DATABASE
):
    urls = {"DATABASE_URL": server.url(site, database)}
    if owner:
        urls["DATABASE_OWNER_URL"] = server.url(owner, database)
    return run(
        "django", "bootstrap", VAR=str(var), SECRET_KEY="k" * 60, STATIC_MANIFEST="0",
        DJANGO_SETTINGS_MODULE="config.settings", **urls,
    )  # fmt: skip


def test_with_two_roles_the_site_owns_nothing(server: pg.Server, tmp_path: Path):
    done = bootstrap(server, tmp_path, "the_site", pg.OWNER)
    assert done.returncode == 0, done.stderr
    assert "owns its tables" not in done.stderr
    owned = "SELECT count(*) FROM pg_class WHERE relowner = 'the_site'::regrole"
    assert server.sql(owned, pg.DATABASE) == "0"
    held = "SELECT has_table_privilege('the_site', 'audits_event', '{}')"
    assert server.sql(held.format("INSERT"), pg.DATABASE) == "t"
    assert server.sql(held.format("UPDATE"), pg.DATABASE) == "f"
    again = bootstrap(server, tmp_path, "the_site", pg.OWNER)
    assert again.returncode == 0, again.stderr


def test_a_role_that_may_not_be_created_is_named_and_nothing_is_granted(
    server: pg.Server, tmp_path: Path
):
    server.sql("CREATE ROLE humble LOGIN")
    server.sql("CREATE DATABASE humble OWNER humble")
    done = bootstrap(server, tmp_path, "nobody_yet", "humble", database="humble")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "CommandError: The role nobody_yet does not exist and humble may not create it: "
    )
    assert server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'nobody_yet'") == "0"


def test_one_role_for_everything_works_and_says_what_that_means(server: pg.Server, tmp_path: Path):
    server.sql("CREATE ROLE single LOGIN")
    server.sql("CREATE DATABASE single OWNER single")
    done = bootstrap(server, tmp_path, "single", database="single")
    assert done.returncode == 0, done.stderr
    assert "role single owns its tables: triggers are the only guard" in done.stderr
