"""Pictures of every page: `make shots`. Two themes, two widths; with data, empty, and with an error.

Starts the demo and an empty site of its own below var/shots (or looks at a demo that runs: SHOTS_URL with SHOTS_DEMO,
the path of its demo.json), signs people in through the form, follows the links of the pages and photographs each route
once per set. For the errors it sends every form that has required fields without them.

Ends with code 1 when a page has a fault, breaks the content policy, scrolls sideways or is never reached: a picture
that nobody looks at finds nothing, but these it can find by itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import sync_playwright

from tools.camera import Camera, Site

ROOT: Final = Path(__file__).resolve().parent.parent
OUT: Final = ROOT / "shots"
CHROMIUM: Final = "/usr/bin/chromium"
# Whoever sees most comes last: the first who reaches a route is who is shown there.
CAST: Final = ("contributor", "owner", "validator", "approver", "auditor", "administrator")
PASSWORD: Final = "a-sentence-for-the-pictures-1"  # noqa: S105 - of a site that lives for a minute


def main() -> int:
    """Take them all; 0 when nothing was found wrong."""
    shutil.rmtree(OUT, ignore_errors=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM)
        camera = Camera(browser, OUT)
        with _demo() as (url, users):
            _with_data(camera, Site(url, "data"), users)
        if "SHOTS_URL" not in os.environ:
            with _running("run", ROOT / "var" / "shots" / "empty", fresh=True) as (url, said):
                _empty(camera, Site(url, "empty"), said)
        browser.close()
    camera.contact_sheet()
    for problem in camera.problems:
        _say(problem)
    _say(f"{camera.taken} pictures in {OUT.name}/, {len(camera.problems)} problems")
    return 1 if camera.problems else 0


def _with_data(camera: Camera, site: Site, users: dict[str, dict[str, str]]) -> None:
    camera.look(site, "stranger", ["/sign-in/", "/setup/", "/nowhere/"])
    for role in CAST:
        person = users[role]
        camera.sign_in(site, role, person["username"], person["password"])
        camera.walk(site, role)
    camera.look(site, "contributor", ["/search/?q=employment", *_comparison(camera, site)])
    errors = Site(site.url, "error", camera.people_of(site))
    camera.wrong_sign_in(errors)
    for role in CAST:
        camera.send_forms_empty(errors, role, camera.seen_by(site, role))
    camera.look(errors, "contributor", ["/people/", "/nowhere/"])


def _comparison(camera: Camera, site: Site) -> list[str]:
    """The page that a form leads to and no link: two of the runs that were seen, side by side."""
    paths = camera.seen_by(site, "contributor")
    runs = [path.split("/")[2] for path in paths if re.fullmatch(r"/runs/[0-9a-f]{32}/", path)]
    return [f"/runs/compare/?run={runs[0]}&run={runs[1]}"] if len(runs) > 1 else []


def _empty(camera: Camera, site: Site, said: str) -> None:
    token = re.search(r"token=([\w-]+)|([\w-]{30,})", said)
    if token is None:
        raise SystemExit(f"the empty site printed no set-up token:\n{said}")
    camera.look(site, "stranger", ["/sign-in/", "/setup/"])
    camera.set_up(site, token[1] or token[2], "ada", PASSWORD)
    camera.sign_in(site, "administrator", "ada", PASSWORD)
    camera.walk(site, "administrator")


@contextmanager
def _demo() -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """A demo with its logins: the one that runs already, or our own."""
    if "SHOTS_URL" in os.environ:
        told: dict[str, Any] = json.loads(Path(os.environ["SHOTS_DEMO"]).read_text())
        yield os.environ["SHOTS_URL"].rstrip("/"), told["users"]
        return
    folder = ROOT / "var" / "shots" / "demo"
    with _running("demo", folder) as (url, _):
        told = json.loads((folder / "demo.json").read_text())
        yield url, told["users"]


@contextmanager
def _running(kind: str, folder: Path, *, fresh: bool = False) -> Iterator[tuple[str, str]]:
    """A site of that kind on a free port, stopped afterwards: its address and what it printed."""
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    inherited = {"DATABASE_URL", "DATABASE_OWNER_URL", "SECRET_KEY"}
    own = {"VAR": str(folder), "PORT": str(port), "BASE_URL": url, "DETACH": "1"}
    environ = {key: value for key, value in os.environ.items() if key not in inherited} | own
    serve = [sys.executable, "-m", "tools.serve"]
    started = subprocess.run(
        [*serve, kind], cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, check=False
    )
    if started.returncode:
        raise SystemExit(f"the site for the pictures did not start:\n{started.stdout}")
    try:
        yield url, started.stdout
    finally:
        subprocess.run(
            [*serve, "stop"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, check=False
        )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
