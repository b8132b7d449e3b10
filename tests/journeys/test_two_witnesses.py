"""Two whole sites, each in processes and a database of its own, cosign each other's checkpoints over HTTP."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apps.audits import notes
from tests.support.outside import verify
from tests.support.site import Site, eventually, free_port


def _key(name: str) -> tuple[str, str, str]:
    """A private key in PEM, and the two forms in which others are told the public one."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    log = notes.Verifier(f"{name}/ledger", notes.PLAIN, public)
    witness = notes.Verifier(f"{name}/witness", notes.WITNESS, public)
    return pem, str(log), str(witness)


def _site(
    folder: Path, port: int, own: tuple[str, str, str], other: tuple[str, str, str], at: int
) -> Site:
    settings = {
        "LEDGER_KEY": own[0],
        "SIGNING_NAME": own[1].partition("/")[0],
        "CHECKPOINT_SECONDS": "5",
        "CHECKPOINT_KEPT": f"file:{folder}-kept",
        "CHECKPOINT_WITNESSES": f"http://localhost:{at}/witness {other[2]}",
        "WITNESS_FOR": other[1],
        "WORKER_PROCESSES": "1",
    }
    Path(f"{folder}-kept").mkdir()
    return Site(folder, port, settings)


_WHOLE = """
from apps.audits import selectors
found = selectors.latest_checkpoint()
print(found.note.decode() if found and found.witnesses else "", end="")
"""


def _cosigned(site: Site) -> str:
    """The newest checkpoint with its cosignatures; nothing while it has none."""
    said = site.manage("shell", "--no-imports", "-c", _WHOLE)
    return said if "—" in said else ""


_SIZE = "from apps.audits import selectors; print(selectors.head().size)"


def _at_rest(site: Site) -> bool:
    """Whether the newest event is under a cosigned checkpoint."""
    note = _cosigned(site)
    size = int(site.manage("shell", "--no-imports", "-c", _SIZE))
    return bool(note) and notes.checkpoint(notes.parse(note.encode()).text).size == size


def test_two_sites_cosign_each_other_and_neither_grows_by_it(tmp_path: Path) -> None:
    one, other = _key("one.example"), _key("other.example")
    ports = free_port(), free_port()
    first = _site(tmp_path / "one", ports[0], one, other, ports[1])
    second = _site(tmp_path / "other", ports[1], other, one, ports[0])
    try:
        first.start()
        second.start()
        for site, own, witness in ((first, one, other), (second, other, one)):
            eventually(lambda site=site: _cosigned(site), seconds=120, what="a cosignature")
            note = _cosigned(site)
            name = site.var.name
            (tmp_path / f"{name}.checkpoint").write_text(note)
            keys = ("--key", own[1], "--key", witness[2])
            done = verify(tmp_path, "--checkpoint", f"{name}.checkpoint", *keys)
            assert done.status == 0, done.text
            assert f"cosigned by {witness[2].partition('+')[0]}" in done.text
            assert list(Path(f"{site.var}-kept").glob("*.checkpoint"))
            exported = tmp_path / f"{name}.jsonl"
            site.manage("verify_ledger", "--export", str(exported))
            whole = verify(
                tmp_path, "--export", exported, "--checkpoint", f"{name}.checkpoint", *keys
            )
            assert whole.status == 0, whole.text
        # Were a cosignature an event, each would make the other's ledger grow and this would not come to rest.
        for site in (first, second):
            eventually(lambda site=site: _at_rest(site), seconds=120, what="all of it cosigned")
    finally:
        for site in (first, second):
            if site.process is not None:
                site.stop()
