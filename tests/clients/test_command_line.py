"""The command line against the running site: it says 0 for an allowance and for nothing else."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest

from apps.core import blobs
from apps.reviews.models import Review
from tests import factories
from tests.api.server import Server
from tests.api_v1.conftest import Cast
from tests.clients.conftest import Run
from tests.support.people import as_actor, token_for

GATE = ("gate", "check", "--model", "credit", "--target", "stage:production")


@pytest.fixture
def site(server: Server, cast: Cast) -> dict[str, str]:
    return {"url": server.url, "token": token_for(cast.ana, "read")}


def folder(cast: Cast, place: Path) -> Path:
    """The files of the version, as somebody about to deploy them has them."""
    for file in cast.version.manifest:
        path = place / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blobs.read_all(file["digest"]))
    return place


def test_the_gate_denies_before_the_approval_and_allows_after(
    site: dict[str, str], cast: Cast, run: Run
) -> None:
    denied = run(*GATE, "--version", "1", **site)
    assert denied.code == 1
    assert "deny: credit v1 for stage:production" in denied.out
    assert "[missing] In the target: credit v1 is not in stage Production." in denied.out
    cast.promote()
    assert run(*GATE, "--version", "1", **site).code == 0
    allowed = run(*GATE, "--alias", "champion", "--json", program="python", **site)
    assert (allowed.code, allowed.json["decision"], allowed.json["version"]) == (0, "allow", 1)


def test_the_digest_of_a_folder_is_the_sites_own(
    site: dict[str, str], cast: Cast, run: Run, tmp_path: Path
) -> None:
    cast.version = factories.version(
        as_actor(cast.ana),
        cast.model,
        files={
            "MLmodel": b"flavors: {}\n",
            "data/z.bin": b"\x00" * 70_000,
            "data/A b.txt": b"words\n",
            "caf\u00e9/\u2603 \U0001f4a1.txt": b"snow\n",
            "\uffe5.txt": b"yen\n",
            'quote"d.txt': b"quoted\n",
        },
    )
    cast.promote()
    files = folder(cast, tmp_path / "model")
    asked = (*GATE, "--version", "2", "--digest-of", str(files), "--json")
    allowed = run(*asked, **site)
    assert (allowed.code, allowed.json["digest"]) == (0, f"sha256:{cast.version.manifest_digest}")
    (files / "data/A b.txt").write_bytes(b"other\n")
    denied = run(*asked, **site)
    assert denied.code == 1
    assert "other files" in denied.out


def test_one_file_more_is_another_set_of_files(
    site: dict[str, str], cast: Cast, run: Run, tmp_path: Path
) -> None:
    cast.promote()
    files = folder(cast, tmp_path / "model")
    asked = (*GATE, "--version", "1", "--digest-of", str(files))
    assert run(*asked, **site).code == 0
    (files / "extra.py").write_bytes(b"import os\n")
    assert run(*asked, **site).code == 1


def test_a_folder_that_cannot_be_hashed_is_wrong_usage(
    site: dict[str, str], cast: Cast, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    for place in (tmp_path, tmp_path / "nothing"):
        said = run(*GATE, "--version", "1", "--digest-of", str(place), **site)
        assert said.code == 2, said


def test_a_review_is_submitted_listed_and_shown(
    server: Server, cast: Cast, run: Run, site: dict[str, str]
) -> None:
    wanted = ("reviews", "submit", "--model", "credit", "--version", "1")
    wanted = (*wanted, "--target", "stage:production", "--justification", "for the release")
    wanted = (*wanted, "--wanted-by", "2999-01-31")
    refused = run(*wanted, **site)
    assert refused.code == 1
    assert "scope registry" in refused.err
    may = {**site, "token": token_for(cast.ana, "registry")}
    made = run(*wanted, **may)
    assert made.code == 0, made
    review = Review.objects.get()
    assert review.key in made.out
    assert review.wanted_by == dt.date(2999, 1, 31)
    again = run(*wanted, **may)
    assert (again.code, "under review already" in again.err) == (1, True)
    assert f"{review.key}  open" in run("reviews", "list", "--status", "open", **site).out
    shown = run("reviews", "show", review.key, **site)
    assert (shown.code, "asked as validator: Vera Lund" in shown.out) == (0, True)
    assert run("reviews", "show", "99999", **site).code == 1
    assert run("reviews", "list", "--status", "odd", **site).code == 2


def test_who_may_answers_with_its_exit_code(site: dict[str, str], run: Run) -> None:
    said = run("who-may", "--verb", "review.sign.approver", "--model", "credit", **site)
    assert (said.code, "Rui Costa" in said.out) == (1, True)
    assert run("who-may", "--verb", "model.read", "--model", "credit", **site).code == 0


@pytest.mark.parametrize("token", ["cs_nobodys", "nonsense", "\u2603", ""])
def test_a_credential_that_is_not_taken_never_allows(
    site: dict[str, str], cast: Cast, run: Run, token: str
) -> None:
    cast.promote()
    said = run(*GATE, "--version", "1", url=site["url"], token=token)
    assert said.code == (3 if token.isascii() and token else 2)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("gate", "check"),
        (*GATE,),
        (*GATE, "--version", "1", "--alias", "champion"),
        (*GATE, "--version", "x"),
        (*GATE, "--version", "1", "--digest", "md5:1"),
        ("gate", "check", "--model", "credit", "--version", "1", "--target", "moon"),
        (*GATE, "--version", "1", "--timeout", "0"),
    ],
)
def test_wrong_usage_is_2(site: dict[str, str], run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments, **site).code == 2


def test_what_is_installed_needs_nothing_else(installed: Path) -> None:
    listed: Any = subprocess.run(
        [installed / "python", "-c", "import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert listed.stdout.strip() == "['countersign']"
