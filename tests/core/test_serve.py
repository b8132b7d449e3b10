"""The supervisor with real processes: what dies comes back, what is stopped is gone, the next start works."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import (
    Site,
    environment,
    eventually,
    free_port,
    processes_naming,
    run,
    serving,
)

pytestmark = [pytest.mark.xdist_group("serve"), pytest.mark.timeout(600)]

DEEP = "a folder with spaces/" + "/".join(["rather-deep"] * 9)


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One site for the module, in a folder whose name is too long for a socket and has spaces."""
    if (
        "PYTEST_XDIST_WORKER" in os.environ
    ):  # these tests follow one another: one worker runs them all
        first = next(item for item in request.session.items if "test_serve.py" in item.nodeid)
        assert first.nodeid.endswith("@serve"), "pytest-xdist did not group the tests"
    folder = tmp_path_factory.mktemp("serve") / DEEP
    folder.mkdir(parents=True)
    with serving(folder / "var", WORKER_PROCESSES="1") as running:
        yield running


def cpu_seconds(site: Site) -> float:
    """The processor time that the supervisor and all it started have used so far."""
    assert site.process is not None
    total = 0
    for pid in (site.process.pid, *(site.pid(kind) for kind in ("web", "worker", "beat"))):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(ticks) for ticks in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def test_an_empty_site_answers_and_prints_how_the_first_administrator_is_made(site: Site):
    assert site.get("/health") == 200
    said = site.said.read_text()
    assert "Set-up token: " in said
    assert f"{site.url}/setup/" in said
    assert stat.S_IMODE(site.var.stat().st_mode) == 0o700
    for secret in ("secret-key", "run/database", "run/supervisor.json"):
        assert stat.S_IMODE((site.var / secret).stat().st_mode) == 0o600


def test_the_site_serves_as_a_role_that_owns_nothing(site: Site):
    source = (
        "from django.db import connection as c; k = c.cursor();"
        "k.execute('select current_user, (select count(*) from pg_class where relowner ="
        " current_user::regrole)'); print(k.fetchone())"
    )
    assert "('countersign_app', 0)" in site.manage("shell", "--no-imports", "-c", source)


def test_worker_and_beat_leave_signs_of_life(site: Site):
    source = (
        "from apps.core.outbox import queue_state as q; s = q();"
        "print([w.pid for w in s.workers], s.beat_alive)"
    )
    expected = f"[{site.pid('worker')}] True"
    eventually(lambda: expected in site.manage("shell", "--no-imports", "-c", source), 30, expected)


def test_a_second_supervisor_of_the_same_folder_is_refused_and_harms_nothing(site: Site):
    second = run("tools.serve", "run", VAR=str(site.var), PORT=str(free_port()))
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "already runs" in second.stderr
    assert site.url in second.stderr
    assert site.get("/health") == 200


def test_a_port_in_use_is_one_sentence_and_leaves_nothing_running(site: Site, tmp_path: Path):
    refused = run("tools.serve", "run", VAR=str(tmp_path / "other"), PORT=str(site.port))
    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"Port {site.port} on 127.0.0.1 is in use: choose another, for example PORT={site.port + 1}."
    )
    assert not (tmp_path / "other" / "postgres").exists()
    assert not processes_naming(str(tmp_path / "other"))


def test_a_demo_is_refused_where_a_real_site_lives(tmp_path: Path, site: Site):
    real = tmp_path / "var"
    (real / "postgres" / "data").mkdir(parents=True)
    refused = run("tools.serve", "demo", VAR=str(real), PORT=str(free_port()))
    assert refused.returncode == 1
    assert "not a demo" in refused.stderr


@pytest.mark.parametrize("kind", ["worker", "web", "beat"])
def test_a_process_that_is_killed_comes_back(site: Site, kind: str):
    killed = site.pid(kind)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: site.pid(kind) not in {0, killed}, 60, f"{kind} started again")
    eventually(lambda: site.get("/health") == 200, 60, "the site answers")


def test_a_killed_database_comes_back(site: Site):
    pid = int((site.var / "postgres/data/postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: "database ended" in site.said.read_text(), 60)
    eventually(
        lambda: (
            run("django", "ready", VAR=str(site.var)).returncode == 0
            if (site.var / "postgres/data/postmaster.pid").exists()
            else False
        ),
        60,
        "the database is ready again",
    )


def test_after_kill_minus_9_nothing_is_left_and_the_next_start_is_quick(site: Site):
    assert site.process is not None
    mine = {site.pid(kind) for kind in ("web", "worker", "beat")}
    assert mine <= set(processes_naming(str(site.var)))
    site.process.kill()
    site.process.wait()
    eventually(lambda: not processes_naming(str(site.var)), 60, "every process is gone")
    # What such an end leaves: a state file that names dead processes, a half-made data folder, a stale pid.
    (site.var / "postgres" / "data.new-1").mkdir()
    (site.var / "postgres" / "data" / "postmaster.pid").write_text("1\n/elsewhere\n")
    site.start()
    # Work, not time: other tests run beside this one. On two idle cores it is well under 20 seconds.
    assert cpu_seconds(site) < 20
    assert not (site.var / "postgres" / "data.new-1").exists()
    assert "Set-up token: " in site.said.read_text()


def test_sigterm_stops_in_good_order(site: Site):
    assert site.stop(signal.SIGTERM) == 0
    assert not processes_naming(str(site.var))
    assert not (site.var / "run" / "supervisor.json").exists()
    assert "database system is shut down" in (site.var / "postgres/postgres.log").read_text()


def test_a_detached_site_returns_when_serving_and_make_stop_ends_it(site: Site):
    port = str(free_port())
    started = run("tools.serve", "run", VAR=str(site.var), PORT=port, DETACH="1")
    assert started.returncode == 0, started.stderr + started.stdout
    assert f"serving at http://localhost:{port}" in started.stdout
    stopped = run("tools.serve", "stop", VAR=str(site.var))
    assert stopped.returncode == 0
    assert "Stopped" in stopped.stdout
    assert not processes_naming(str(site.var))
    again = run("tools.serve", "stop", VAR=str(site.var))
    assert (again.returncode, again.stdout.startswith("Nothing runs")) == (0, True)


def test_a_detached_start_that_fails_says_so_and_returns_non_zero(tmp_path: Path):
    (tmp_path / "var" / "postgres" / "data").mkdir(parents=True)
    refused = run(
        "tools.serve", "run", VAR=str(tmp_path / "var"), PORT=str(free_port()), DETACH="1"
    )
    assert refused.returncode == 1
    assert "is not a PostgreSQL database" in refused.stdout
    assert not processes_naming(str(tmp_path / "var"))


def test_stop_spares_a_stranger_that_got_the_same_process_id(tmp_path: Path):
    state = tmp_path / "var" / "run"
    state.mkdir(parents=True)
    (state / "supervisor.json").write_text(
        f'{{"pid": {os.getpid()}, "ticks": 12345, "children": []}}'
    )
    stopped = run("tools.serve", "stop", VAR=str(tmp_path / "var"))
    assert "Nothing runs" in stopped.stdout


def test_one_process_alone_needs_a_database(tmp_path: Path):
    for kind in ("web", "worker", "beat"):
        refused = run("tools.serve", kind, VAR=str(tmp_path / "var"))
        assert refused.returncode == 1
        assert refused.stderr.startswith("No database: ")
    assert "PATH" in environment()
