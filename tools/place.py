"""VAR, the folder of one running site: its lock, who runs in it, and what kind of site it holds."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from tools.osproc import Refusal, private_folder, start_ticks
from tools.processes import ROOT

# All a site writes; a demo that was interrupted is started over by removing these and nothing else.
_CONTENT = ("postgres", "blobs", "queue", "uploads", "static", "secret-key", "demo.json")


class Place:
    """One VAR. Made (mode 0700) when absent; refuses a folder that cannot be written."""

    def __init__(self, var: Path) -> None:
        self.var = var.resolve()
        self._lock: int | None = None
        private_folder(self.var)
        if not os.access(self.var, os.W_OK | os.X_OK):
            raise Refusal(f"The folder {self.var} cannot be written: choose another VAR.")
        self.run = private_folder(self.var / "run")
        self.logs = private_folder(self.var / "log")
        self.demo = self.var / "demo.json"
        self.unfinished = self.var / "demo-unfinished"
        self.database = self.run / "database"
        self._state = self.run / "supervisor.json"

    @classmethod
    def named(cls, default: str) -> Place:
        """The folder VAR names, a relative one below the project."""
        return cls(ROOT / (os.environ.get("VAR") or default))

    def lock(self) -> None:
        """Hold the folder as long as this process lives; refuses when another supervisor does."""
        self._lock = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = self.state()
            raise Refusal(
                f"Countersign already runs in {self.var} (process {state.get('pid', '?')}, "
                f"{state.get('url', 'starting')}): stop it with `make stop`, or choose another VAR."
            ) from None

    def state(self) -> dict[str, Any]:
        """What the supervisor wrote about itself last; empty when it never ran or the file is damaged."""
        try:
            found = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_state(self, url: str, children: dict[str, int]) -> None:
        """Who runs here, by pid and start time: a pid alone may be somebody else's tomorrow."""
        pid = os.getpid()
        state = {
            "pid": pid,
            "ticks": start_ticks(pid),
            "url": url,
            "children": [
                {"kind": kind, "pid": child, "ticks": start_ticks(child)}
                for kind, child in children.items()
            ],
        }
        self._write(self._state, json.dumps(state))

    def forget(self) -> None:
        """Leave in good order: nothing says any more that something runs here."""
        for path in (self._state, self.database):
            path.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write_database(self, **urls: str) -> None:
        """Tell manage.py and the children where the embedded database is."""
        self._write(self.database, "".join(f"{name}={url}\n" for name, url in urls.items()))

    def secret_key(self) -> Path:
        """A key for a demo on a database of its own, kept as long as this folder."""
        path = self.var / "secret-key"
        if not path.exists():
            self._write(path, secrets.token_urlsafe(48))
        return path

    def supervisor(self) -> int:
        """The process id of the supervisor that runs here, verified by its start time; 0 when there is none."""
        state = self.state()
        pid = int(state.get("pid", 0))
        return pid if pid and start_ticks(pid) == state.get("ticks") else 0

    def prepare_demo(self, *, embedded: bool) -> bool:
        """Whether the story is still to be told. An interrupted one is cleared away first.

        Refuses a folder with a site that is no demo: its data would be mixed with invented people.
        """
        has_data = (self.var / "postgres" / "data").exists()
        if self.unfinished.exists():
            if not embedded:
                raise Refusal(
                    "An earlier demo was interrupted on this DATABASE_URL: give it an empty database "
                    f"and remove {self.unfinished}."
                )
            self._clear()
        elif self.demo.exists() and (has_data or not embedded):
            return False
        elif has_data and embedded:
            raise Refusal(
                f"{self.var} holds a site that is not a demo: start it with `make run`, or choose another VAR."
            )
        self.demo.unlink(missing_ok=True)
        self.unfinished.touch(mode=0o600)
        return True

    def demo_told(self, url: str) -> None:
        """The story is whole, or an earlier one is served again, perhaps on another port."""
        if not self.demo.exists():
            raise Refusal(f"The demo's story ended without writing {self.demo}.")
        facts = json.loads(self.demo.read_text(encoding="utf-8"))
        if facts.get("base_url") != url:
            self._write(self.demo, json.dumps(facts | {"base_url": url}, indent=2) + "\n")
        self.unfinished.unlink(missing_ok=True)

    def _clear(self) -> None:
        for name in _CONTENT:
            path = self.var / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _write(self, path: Path, content: str) -> None:
        draft = path.with_name(f".{path.name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        draft.replace(path)
