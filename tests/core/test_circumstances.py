"""Bad circumstances: one clear sentence, a non-zero code, nothing half-made, and the next try works."""

from __future__ import annotations

import ctypes.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import local
from tests.support.site import ROOT, environment, free_port, processes_naming, run
from tools import environments, osproc, pg
from tools.osproc import Refusal
from tools.place import Place


def start(var: Path, what: str = "run", **extra: str) -> subprocess.CompletedProcess[str]:
    return run("tools.serve", what, VAR=str(var), **({"PORT": str(free_port())} | extra))


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error of a refused start."""
    assert done.returncode == 1, done.stderr + done.stdout
    (line,) = done.stderr.splitlines()
    assert "Traceback" not in line
    return line


def environment_with(folder: Path, python: str) -> Path:
    """A folder that looks like an environment of that Python."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "bin" / "python").unlink(missing_ok=True)
    (folder / "bin" / "python").symlink_to(python)
    return folder


class TestFolder:
    def test_one_that_cannot_be_made(self, tmp_path: Path):
        (tmp_path / "file").write_text("")
        assert "cannot be made: Not a directory" in sentence(start(tmp_path / "file" / "var"))

    def test_one_that_cannot_be_written(self):
        # Not even root may write there.
        assert "cannot be" in sentence(start(Path("/proc/self/var")))

    def test_settings_say_it_too(self, tmp_path: Path):
        (tmp_path / "file").write_text("")
        done = run("django", "check", VAR=str(tmp_path / "file" / "var"),
                   DJANGO_SETTINGS_MODULE="config.settings")  # fmt: skip
        assert done.returncode == 1
        assert "cannot be made (Not a directory): set VAR" in done.stderr.splitlines()[-1]

    def test_a_database_of_another_version(self, tmp_path: Path):
        data = tmp_path / "var" / "postgres" / "data"
        data.mkdir(parents=True)
        (data / "PG_VERSION").write_text("15\n")
        assert "of PostgreSQL 15, expected one of PostgreSQL 18" in sentence(
            start(tmp_path / "var")
        )
        assert (data / "PG_VERSION").read_text() == "15\n"

    @pytest.mark.parametrize("port", ["0", "70000", "http", "-1"])
    def test_a_port_that_is_none(self, tmp_path: Path, port: str):
        assert f"PORT={port!r}" in sentence(start(tmp_path / "var", PORT=port))


class TestDatabase:
    def test_one_that_does_not_answer(self, tmp_path: Path):
        url = f"postgresql://somebody:secret@127.0.0.1:{free_port()}/db"
        said = sentence(start(tmp_path / "var", DATABASE_URL=url, SECRET_KEY="k" * 50))
        assert said.startswith("Setting up failed: The database at 127.0.0.1 cannot be used: ")
        assert "secret" not in said
        assert not processes_naming(str(tmp_path / "var"))
        assert not (tmp_path / "var" / "postgres").exists()

    def test_one_of_another_kind(self, tmp_path: Path):
        said = sentence(start(tmp_path / "var", DATABASE_URL="mysql://h/d", SECRET_KEY="k" * 50))
        assert "begins with 'mysql': expected postgresql://" in said

    def test_a_real_one_demands_a_real_secret(self, tmp_path: Path):
        said = sentence(start(tmp_path / "var", DATABASE_URL="postgresql://h/d"))
        assert "SECRET_KEY is not set" in said

    def test_a_second_server_on_the_same_data_is_refused(self, tmp_path: Path):
        with pg.Server(tmp_path / "pg", durable=False) as first:
            second = pg.Server(tmp_path / "pg", durable=False)
            with pytest.raises(Refusal, match="Another run already uses"):
                second.start()
            assert first.sql("SELECT 1") == "1"

    def test_its_socket_is_private_and_leaves_no_tcp_port(self, tmp_path: Path):
        deep = tmp_path / "/".join(["deep folder"] * 12)
        with pg.Server(deep, durable=False) as server:
            assert server.sockets.stat().st_mode & 0o777 == 0o700
            assert len(str(server.sockets)) < osproc.SOCKET_FOLDER_LIMIT
            assert server.sql("SHOW listen_addresses") == ""

    def test_a_socket_folder_of_somebody_else_is_refused(self, tmp_path: Path):
        (tmp_path / "link").symlink_to("/")
        with pytest.raises(Refusal, match="belongs to somebody else"):
            osproc.private_folder(tmp_path / "link")


class TestSystem:
    def test_a_missing_library_is_named_with_the_command_that_brings_it(self, tmp_path: Path):
        """In a mount namespace of its own the library is an empty file."""
        library = subprocess.run(
            ["sh", "-c", "/sbin/ldconfig -p | grep -m1 'libpango-1.0.so.0 ' | sed 's/.*=> //'"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        assert ctypes.util.find_library("pango-1.0")
        done = subprocess.run(
            ["unshare", "-rm", "sh", "-c",
             'mount --bind /dev/null "$1" && exec "$2" -m tools.serve run',
             "sh", library, sys.executable],
            cwd=ROOT, env=environment(VAR=str(tmp_path / "var"), PORT=str(free_port())),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert sentence(done) == (
            "Missing on this system: Pango; install with: "
            "sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        )
        assert not (tmp_path / "var" / "postgres").exists()

    def test_a_python_that_is_too_old(self, tmp_path: Path):
        old = tmp_path / "python3"
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
        done = subprocess.run(
            ["make", "run", f"PYTHON={old}"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert "needs Python 3.11 or newer" in done.stderr

    def test_requirements_that_cannot_be_had_leave_no_stamp(self, tmp_path: Path):
        bad = tmp_path / "bad.txt"
        bad.write_text(f"six==0.0.999 --hash=sha256:{'0' * 64}\n")
        folder = environment_with(tmp_path / ".venv-bad", sys.executable)
        with pytest.raises(Refusal, match=r"Installing bad\.txt into \.venv-bad failed"):
            environments.provide(folder, [bad])
        assert not list(folder.glob("*-installed"))

    def test_an_environment_is_kept_while_its_requirements_are_the_same(self, tmp_path: Path):
        empty = tmp_path / "empty.txt"
        empty.write_text("# nothing\n")
        folder = environment_with(tmp_path / ".venv-test", sys.executable)
        environments.provide(folder, [empty])
        environment_with(folder, "/bin/false")  # a second installation would fail now
        environments.provide(folder, [empty])
        empty.write_text("# something else\n")
        environments.provide(folder, [empty])  # made anew: the python in it does not work
        assert (folder / "bin" / "python").resolve() != Path("/bin/false")


class TestDemo:
    def test_a_new_folder_gets_the_story_and_is_marked_until_it_is_told(self, tmp_path: Path):
        place = Place(tmp_path / "var")
        assert place.prepare_demo(embedded=True)
        assert place.unfinished.exists()
        with pytest.raises(Refusal, match="without writing"):
            place.demo_told("http://localhost:1")
        place.demo.write_text('{"base_url": "http://localhost:1", "users": {}}')
        place.demo_told("http://localhost:2")
        assert not place.unfinished.exists()
        assert json.loads(place.demo.read_text())["base_url"] == "http://localhost:2"
        assert place.demo.stat().st_mode & 0o777 == 0o600

    def test_a_second_start_keeps_the_story(self, tmp_path: Path):
        place = Place(tmp_path / "var")
        place.demo.write_text("{}")
        (place.var / "postgres" / "data").mkdir(parents=True)
        assert not place.prepare_demo(embedded=True)

    def test_an_interrupted_one_is_started_over_and_nothing_else_is_removed(self, tmp_path: Path):
        place = Place(tmp_path / "var")
        place.prepare_demo(embedded=True)
        (place.var / "postgres" / "data").mkdir(parents=True)
        (place.var / "blobs").mkdir()
        (place.var / "mine.txt").write_text("kept")
        assert place.prepare_demo(embedded=True)
        assert not (place.var / "postgres").exists()
        assert not (place.var / "blobs").exists()
        assert (place.var / "mine.txt").read_text() == "kept"

    def test_on_a_database_of_the_users_own_nothing_is_removed(self, tmp_path: Path):
        place = Place(tmp_path / "var")
        place.prepare_demo(embedded=False)
        with pytest.raises(Refusal, match="empty database"):
            place.prepare_demo(embedded=False)


class TestSecretKey:
    def test_it_is_made_once_and_private(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("SECRET_KEY", raising=False)
        first = local.secret_key(tmp_path, may_generate=True)
        assert len(first) >= 50
        assert local.secret_key(tmp_path, may_generate=True) == first
        assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600

    def test_it_may_come_from_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("SECRET_KEY", raising=False)
        (tmp_path / "key").write_text("from-a-file\n")
        monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
        assert local.secret_key(tmp_path, may_generate=False) == "from-a-file"

    def test_a_production_site_without_one_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.delenv("SECRET_KEY", raising=False)
        with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is not set"):
            local.secret_key(tmp_path, may_generate=False)
        assert not (tmp_path / "secret-key").exists()
