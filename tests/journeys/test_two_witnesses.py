"""Two whole sites, each in processes and a database of its own, cosign each other's checkpoints over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apps.audits import notes
from config import local
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
        "OUTBOX_BACKOFF_SECONDS": "1",
        "WORKER_PROCESSES": "1",
    }
    Path(f"{folder}-kept").mkdir()
    return Site(folder, port, settings)


_NEWEST = """
SELECT head.size, made.size, made.note, (SELECT string_agg(line, '') FROM audits_cosignature WHERE checkpoint_id = made.id)
FROM audits_head head, audits_checkpoint made ORDER BY made.size DESC LIMIT 1
"""


def _cosigned(site: Site) -> bytes:
    """The newest checkpoint with its cosignature, once that covers the newest event; nothing before. Were a cosignature an
    event, each site would make the other's ledger grow and this would not come to rest."""
    with psycopg.connect(local.running_database(site.var, "DATABASE_URL")) as link:
        found = link.execute(_NEWEST).fetchone()
    if found is None or found[3] is None or found[0] != found[1]:
        return b""
    return bytes(found[2]) + found[3].encode()


@pytest.mark.timeout(900)
def test_two_sites_cosign_each_other_and_neither_grows_by_it(tmp_path: Path) -> None:
    one, other = _key("one.example"), _key("other.example")
    ports = free_port(), free_port()
    first = _site(tmp_path / "one", ports[0], one, other, ports[1])
    second = _site(tmp_path / "other", ports[1], other, one, ports[0])
    try:
        with ThreadPoolExecutor(2) as both:
            list(both.map(Site.start, (first, second)))
        for site, own, witness in ((first, one, other), (second, other, one)):
            seen = [b""]
            eventually(
                lambda site=site, seen=seen: seen.append(_cosigned(site)) or seen[-1],
                seconds=200,
                what="a cosignature",
            )
            name = f"{site.var.name}.checkpoint"
            (tmp_path / name).write_bytes(seen[-1])
            done = verify(tmp_path, "--checkpoint", name, "--key", own[1], "--key", witness[2])
            assert done.status == 0, done.text
            assert f"cosigned by {witness[2].partition('+')[0]}" in done.text
            assert list(Path(f"{site.var}-kept").glob("*.checkpoint"))
    finally:
        for site in (first, second):
            if site.process is not None:
                site.stop()
