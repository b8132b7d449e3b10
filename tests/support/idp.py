"""The OpenID provider of the tests: Canaille, really, in its own environment and process."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON: Final = ROOT / ".venv-idp" / "bin" / "python"
CLIENT_ID: Final = "countersign"
CLIENT_SECRET: Final = "secret-of-the-tests"


class Idp:
    """A running provider. People are made and changed while it runs."""

    def __init__(self, process: subprocess.Popen[str], log: IO[bytes], issuer: str = "") -> None:
        self._process = process
        self._log = log
        self.issuer = issuer

    def person(
        self,
        user_name: str,
        *,
        password: str,
        name: str,
        email: str,
        groups: tuple[str, ...] = (),
    ) -> str:
        """Make or change somebody; her `sub`."""
        told = {"user_name": user_name, "password": password, "name": name, "email": email}
        return str(self.tell({"do": "person", **told, "groups": groups})["sub"])

    def client(self, **fields: Any) -> None:
        """Change how the site is registered."""
        self.tell({"do": "client", **fields})

    def remove(self, user_name: str) -> None:
        """Somebody leaves."""
        self.tell({"do": "remove", "user_name": user_name})

    def environment(self) -> dict[str, str]:
        """What a site started as a process needs to know of it."""
        return {
            "OIDC_ISSUER": self.issuer,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }

    def configure(self, settings: Any) -> None:
        """The same for a site that runs in this process (pytest-django's `settings`)."""
        settings.OIDC_ISSUER = self.issuer
        settings.OIDC_RP_CLIENT_ID = CLIENT_ID
        settings.OIDC_RP_CLIENT_SECRET = CLIENT_SECRET
        settings.OIDC_TIMEOUT = 60  # the provider wakes slowly on a busy machine

    def tell(self, command: dict[str, Any]) -> dict[str, Any]:
        """One line there, one line back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"the provider ended: {self._log.read().decode()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running(site: str) -> Iterator[Idp]:
    """A provider with `site` (such as http://localhost:8000) as its client, until the block ends."""
    if not PYTHON.exists():
        raise RuntimeError(f"{PYTHON} is missing: `make test` builds the provider's environment")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [PYTHON, Path(__file__).with_name("idp_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            idp = Idp(process, log)
            idp.issuer = idp.tell(
                {
                    "port": _free_port(),
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "client_uri": site,
                    "redirect_uris": [f"{site}/sso/callback/"],
                }
            )["issuer"]
            yield idp
        finally:
            process.kill()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])
