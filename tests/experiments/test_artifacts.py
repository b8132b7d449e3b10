"""Files: by content, whole or not at all, only where a path can mean one place."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from apps.accounts.models import User
from apps.core import blobs
from apps.core.errors import Conflict, Invalid, NotFound
from apps.core.models import Blob
from apps.experiments import paths, selectors, services
from apps.experiments.models import Artifact, Run
from apps.experiments.selectors import Entry
from tests.experiments import makers
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(ana: User) -> Run:
    return makers.run(as_actor(ana), makers.experiment(as_actor(ana)))


def test_a_file_is_a_path_to_bytes_by_their_digest(ana: User, run: Run) -> None:
    digest = makers.file(as_actor(ana), run, "plots/roc.png", b"first")
    again = makers.file(as_actor(ana), run, "copy.png", b"first")
    assert digest == again
    assert Blob.objects.filter(digest=digest).count() == 1
    assert [f.path for f in selectors.artifacts_under(run)] == ["copy.png", "plots/roc.png"]
    assert selectors.get_artifact(run, "plots/roc.png").size == 5


def test_overwriting_moves_the_pointer_and_the_old_bytes_stay(ana: User, run: Run) -> None:
    old = makers.file(as_actor(ana), run, "model.bin", b"old")
    new = makers.file(as_actor(ana), run, "model.bin", b"new")
    assert selectors.get_artifact(run, "model.bin").digest == new
    assert blobs.read_all(old) == b"old"
    assert Artifact.objects.count() == 1


def test_a_folder_lists_its_direct_members(ana: User, run: Run) -> None:
    for path in ("a/b/c.txt", "a/d.txt", "a.txt", "ab/e.txt"):
        makers.file(as_actor(ana), run, path)
    assert selectors.list_folder(run) == [
        Entry("a", is_dir=True),
        Entry("a.txt", is_dir=False, size=5),
        Entry("ab", is_dir=True),
    ]
    assert [entry.name for entry in selectors.list_folder(run, "a")] == ["b", "d.txt"]
    assert selectors.list_folder(run, "nothing") == []
    assert selectors.list_folder(run, "a.txt") == []


def test_deleting_takes_a_file_or_all_below_and_nothing_beside(ana: User, run: Run) -> None:
    for path in ("a/b.txt", "a/c/d.txt", "a.txt", "ab.txt"):
        makers.file(as_actor(ana), run, path)
    assert services.delete_artifacts(as_actor(ana), run, "a") == 2
    assert [f.path for f in selectors.artifacts_under(run)] == ["a.txt", "ab.txt"]
    assert services.delete_artifacts(as_actor(ana), run, "missing") == 0
    assert services.delete_artifacts(as_actor(ana), run) == 2


def test_a_path_is_a_file_or_a_folder(ana: User, run: Run) -> None:
    makers.file(as_actor(ana), run, "a/b.txt")
    for path in ("a", "a/b.txt/c"):
        with pytest.raises(Conflict):
            makers.file(as_actor(ana), run, path)
    assert [f.path for f in selectors.artifacts_under(run)] == ["a/b.txt"]


@pytest.mark.parametrize("announced", [3, 5, 0])
def test_another_length_than_announced_leaves_nothing(ana: User, run: Run, announced: int) -> None:
    with pytest.raises(Invalid):
        services.put_artifact(as_actor(ana), run, "f", io.BytesIO(b"four"), size=announced)
    assert not Artifact.objects.exists()
    assert not Blob.objects.exists()


def test_an_upload_that_breaks_off_leaves_what_was_there(ana: User, run: Run) -> None:
    makers.file(as_actor(ana), run, "f", b"before")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError("connection lost")

    with pytest.raises(OSError, match="connection lost"):
        services.put_artifact(as_actor(ana), run, "f", broken())
    assert blobs.read_all(selectors.get_artifact(run, "f").digest) == b"before"


def test_what_is_too_large_is_refused(ana: User, run: Run) -> None:
    with pytest.raises(Invalid):
        services.put_artifact(as_actor(ana), run, "f", io.BytesIO(b"12345"), max_size=4)
    assert not Artifact.objects.exists()


BAD_PATHS = [
    "", "/", "..", "../x", "a/../b", "a/..", "/etc/passwd", "//x", "a//b", "a/./b", ".", "./a",
    "%2e%2e/x", "a/%2E%2E/b", "%252e%252e/x", "%25252e%25252e/x", "a%2f..%2fb", "..%5c..", "a\\b",
    "a%5cb", "C:/x", "c:x", "file:x", "a#b", "a%23b", "a\x00b", "a%00b", "a\nb", "a%0ab", "x" * 1025,
    "%2fetc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_could_mean_another_place_is_refused(ana: User, run: Run, path: str) -> None:
    with pytest.raises(Invalid, match="Invalid path"):
        paths.safe(path)
    with pytest.raises(Invalid):
        makers.file(as_actor(ana), run, path)
    assert not Artifact.objects.exists()


@pytest.mark.parametrize(
    "path", ["a", "a/b", "a b/ü.txt", "50%.txt", "a%20b", "..a/b..", ".hidden", "a:b/c"]
)
def test_an_ordinary_path_is_kept_as_it_is(ana: User, run: Run, path: str) -> None:
    if ":" in path.split("/")[0]:
        path = f"x/{path}"
    makers.file(as_actor(ana), run, path)
    assert [f.path for f in selectors.artifacts_under(run)] == [path]


def test_what_is_not_there_is_not_found(run: Run) -> None:
    assert selectors.find_artifact(run, "x") is None
    with pytest.raises(NotFound):
        selectors.get_artifact(run, "x")
