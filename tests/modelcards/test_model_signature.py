"""The OpenSSF signature, verified by the real tool in its own environment."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.core import signing
from apps.core.errors import Invalid
from apps.modelcards.machine import File
from apps.modelcards.renderers.model_signature import signed

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / ".venv-signing" / "bin" / "model_signing"
CONTENT = {
    "MLmodel": b"flavors: {}\n",
    "data/model.skops": b"x" * 5000,
    "data/ü 文 name.txt": b"words",
    "z.bin": b"",
}

Verify = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def key(settings: LazySettings, tmp_path: Path) -> signing.DocumentKey:
    settings.VAR = tmp_path / "var"
    settings.DOCUMENT_KEY = ""
    settings.KEYS_MADE_WHEN_NEEDED = True
    return signing.document_key()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "model"
    for path, data in CONTENT.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


@pytest.fixture
def verify(key: signing.DocumentKey, folder: Path, tmp_path: Path) -> Verify:
    """What a consumer does: the files, the signature beside them, the certificate that she trusts."""
    (tmp_path / "model.sig").write_bytes(signed("income", files(), key))
    (tmp_path / "signer.pem").write_text(key.certificate_pem)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                str(TOOL), "verify", "certificate", str(folder),
                "--signature", str(tmp_path / "model.sig"),
                "--certificate_chain", str(tmp_path / "signer.pem"),
            ],
            capture_output=True, text=True, check=False, timeout=120,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )  # fmt: skip

    return run


def files() -> list[File]:
    return [
        File(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in CONTENT.items()
    ]


def test_the_tool_verifies_the_files_and_refuses_every_other_state_of_them(verify: Verify, folder: Path):  # fmt: skip
    done = verify()
    assert done.returncode == 0, done.stderr + done.stdout

    changed = folder / "data" / "model.skops"
    changed.write_bytes(b"y" + b"x" * 4999)
    said = refusal(verify)
    assert "Hash mismatch" in said
    assert "data/model.skops" in said
    changed.write_bytes(CONTENT["data/model.skops"])

    (folder / "extra.py").write_text("import os")
    assert "Extra files found" in refusal(verify)
    (folder / "extra.py").unlink()

    (folder / "z.bin").unlink()
    assert "Missing files" in refusal(verify)


def test_the_tool_refuses_the_signature_of_another_key(verify: Verify, tmp_path: Path, settings: LazySettings):  # fmt: skip
    settings.VAR = tmp_path / "elsewhere"
    (tmp_path / "signer.pem").write_text(signing.document_key().certificate_pem)
    assert refusal(verify)


def refusal(verify: Verify) -> str:
    done = verify()
    assert done.returncode != 0
    return done.stderr + done.stdout


def test_the_same_files_and_key_give_the_same_bytes(key: signing.DocumentKey):
    assert signed("income", files(), key) == signed("income", files(), key)


def test_nothing_is_signed_where_there_are_no_files(key: signing.DocumentKey):
    with pytest.raises(Invalid, match="nothing to sign"):
        signed("income", [], key)
