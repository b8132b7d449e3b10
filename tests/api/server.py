"""The site served by its real server in a process of its own, on the test run's database and files."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests.support.site import free_port

ROOT = Path(settings.BASE_DIR)
SCRIPTS = Path(__file__).with_name("client_scripts")
CLIENT = ROOT / ".venv-client/bin/python"
API = "/api/2.0/mlflow/"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The protocol's error code."""
        return str(self.json["error_code"])


@dataclass(frozen=True)
class Server:
    """A running server, and how a test talks to it."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | dict[str, Any] | None = None,
        *,
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. A dictionary is sent as JSON, an iterable of bytes in chunks."""
        sent = dict(headers or {})
        if token:
            sent.setdefault("Authorization", f"Bearer {token}")
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        chunked = body is not None and not isinstance(body, bytes)
        chunked = chunked and "Content-Length" not in sent
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            link.request(method, path, body, sent, encode_chunked=chunked)
            answer = link.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            link.close()

    def get(self, path: str, token: str, **query: str) -> Answer:
        return self.call("GET", f"{API}{path}?{urllib.parse.urlencode(query)}", token=token)

    def post(self, path: str, token: str, **fields: Any) -> Answer:
        return self.call("POST", API + path, fields, token=token)

    def client(self, script: str, token: str, *arguments: str) -> Any:
        """Run a script with the unmodified client; what it printed last, as JSON."""
        done = subprocess.run(
            [CLIENT, SCRIPTS / f"{script}.py", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(settings.VAR),
                "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - the machine's default
                "MLFLOW_TRACKING_URI": self.url,
                "MLFLOW_TRACKING_TOKEN": token,
                "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "GIT_PYTHON_REFRESH": "quiet",
                "PYTHONWARNINGS": "ignore",
            },
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.strip().splitlines()[-1])


@contextmanager
def serving(**chosen: str) -> Iterator[Server]:
    """Granian with the site, on the database the tests use, under these settings; stopped with the block."""
    place = connection.settings_dict
    host = urllib.parse.quote(str(place["HOST"]), safe="")
    database = f"postgresql://{place['USER']}@/{place['NAME']}?host={host}"
    server = Server(free_port())
    environment = os.environ | {
        "DATABASE_URL": database,
        "DATABASE_POOL": "4",
        "SECRET_KEY": settings.SECRET_KEY,
        "VAR": str(settings.VAR),
        "BLOB_ROOT": str(settings.BLOB_ROOT),
        "BASE_URL": settings.BASE_URL,
        "STATIC_MANIFEST": "0",
        "DIE_WITH_PARENT": "1",
        "LOG_LEVEL": "ERROR",
        **chosen,
    }
    log = Path(settings.VAR) / f"server-{server.port}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [
                Path(sys.executable).with_name("granian"),
                *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(server.port)),
                *("--workers", "1", "--blocking-threads", "4", "config.wsgi:application"),
            ],
            cwd=ROOT,
            env=environment,
            stdout=said,
            stderr=said,
        )
    try:
        _await(server, process, log)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


def _await(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            if server.call("GET", "/version").status == 200:
                return
        except OSError:
            time.sleep(0.2)
