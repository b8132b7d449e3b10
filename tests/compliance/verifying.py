"""The two verifiers of bundles as somebody else would run them: on an empty machine, and in a browser from disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from apps.compliance import bundles

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PROVEN, WRONG, OPEN = 0, 1, 3
_JUDGED = re.compile(r"^(PASS|FAIL|NOT PROVEN|NOT RUN)")
_WORDS = {"PASS": PROVEN, "FAIL": WRONG, "NOT PROVEN": OPEN, "NOT RUN": 2}


def verified(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """What the verifier says in an empty folder: no project, no packages, no environment."""
    home = path.parent / "empty"
    home.mkdir(exist_ok=True)
    (home / "verify_bundle.pyz").write_bytes(bundles.verifier())
    run = subprocess.run(
        [sys.executable, "-S", "-E", "verify_bundle.pyz", str(path), "--json", *options],
        cwd=home, env={}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode in {PROVEN, WRONG, OPEN}, run.stderr
    said = json.loads(run.stdout)
    assert said["status"] == run.returncode
    return run.returncode, said


def program() -> Any:
    """The verifier in this process, for speed."""
    sys.path.insert(0, str(TOOLS))
    try:
        import verify_bundle  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    return verify_bundle


NOTHING_KEPT = program().Kept([], [], [], [], [])


def states(said: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["name"], item["state"]) for item in said["items"]]


class VerifyPage:
    """verify.html in a real browser, from file://, with the network off."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto((TOOLS / "verify.html").as_uri())

    def given(self, *, key: str = "", kept: bytes | None = None) -> None:
        self.page.fill("#key", key)
        files = [] if kept is None else [_file("kept.txt", kept)]
        self.page.set_input_files("#kept", files=files)

    def judge(self, data: bytes, name: str = "b.zip") -> tuple[int, list[tuple[str, str]], str]:
        """Status, the items with their states, and the verdict's words."""
        verdict = self.page.locator("#verdict")
        self.page.evaluate("() => { document.getElementById('verdict').textContent = ''; }")
        self.page.set_input_files("#file", files=[_file(name, data)])
        expect(verdict).to_have_text(_JUDGED, timeout=60_000)
        words = verdict.text_content() or ""
        found = _JUDGED.match(words)
        assert found
        shown = self.page.evaluate(
            "() => [...document.querySelectorAll('#items li')].map((li) => [li.children[1].textContent, li.children[0].className])"
        )
        return _WORDS[found[1]], [(name, state) for name, state in shown], words


def _file(name: str, data: bytes) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


@contextmanager
def in_browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[VerifyPage]:
    """The page; nothing may have been raised in it at the end."""
    with monkeypatch.context() as patch, sync_playwright() as play:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = play.chromium.launch(executable_path="/usr/bin/chromium")
        page = VerifyPage(browser.new_context(offline=True).new_page())
        yield page
        browser.close()
    assert page.errors == []
