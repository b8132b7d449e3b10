"""Batches: each document once, whatever happens to a worker; progress, refusals, cancelling, one zip of what one may read."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import time
import zipfile

import pytest
from django.core.management import call_command

from apps.accounts.models import RoleAssignment, User
from apps.audits.selectors import replay
from apps.compliance import batches, selectors, services
from apps.compliance.models import Batch, BatchItem, Document
from apps.core import blobs
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound, Tampered
from apps.core.models import OutboxMessage
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from tests import factories
from tests.compliance.conftest import Story, work
from tests.support.people import SYSTEM, as_actor
from tests.support.site import eventually
from tests.support.worker import process

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
QUICK = {"HEARTBEAT_SECONDS": "1", "OUTBOX_LEASE_SECONDS": "5", "OUTBOX_MAX_ATTEMPTS": "20"}


def versions(story: Story, count: int) -> list[ModelVersion]:
    actor = as_actor(story.ana)
    made = [factories.version(actor, story.version.model) for _ in range(count - 1)]
    pks = [story.version.pk, *(row.pk for row in made)]
    return list(ModelVersion.objects.filter(pk__in=pks).select_related("model").order_by("number"))


def ask(story: Story, count: int, kind: str = "model_card", user: User | None = None) -> Batch:
    return batches.request(as_actor(user or story.ana), kind, versions(story, count), "of a test")


def work_off() -> None:
    """What a worker does with everything that waits."""

    def do(message: OutboxMessage) -> None:
        if "item" in message.payload:
            batches.make_item(message.payload["item"])
        else:
            services.make(message.payload["document"])

    work("compliance.tasks", do)


def statuses(batch: Batch) -> list[str]:
    return [item.status for item in batches.items_of(batch)]


def taken(user: User, batch: Batch) -> dict[str, bytes]:
    data = b"".join(batches.archive(as_actor(user), batch))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_each_version_gets_its_document_once_and_all_come_in_one_zip(story: Story):
    batch = ask(story, 3)
    before = batches.progress(batch)
    assert (before.total, before.done, before.left, before.is_open) == (3, 0, None, True)
    work_off()
    after = batches.progress(batch)
    assert (after.ready, after.done, after.is_open) == (3, 3, False)
    issued = [event.payload["digest"] for event in replay("compliance.document.issued")]
    files = taken(story.ana, batch)
    assert sorted(hashlib.sha256(data).hexdigest() for data in files.values()) == sorted(issued)
    assert list(files) == [f"income-v{n}-model-card.pdf" for n in (1, 2, 3)]
    again = ask(story, 1)
    work_off()
    assert Document.objects.count() == len(issued) == 3  # the same facts, the same document
    assert statuses(again) == ["ready"]
    call_command("verify_ledger", stdout=io.StringIO())


def test_what_cannot_be_made_is_named_and_keeps_nobody_else(story: Story):
    batch = ask(story, 2, "ll144_report")
    work_off()
    assert statuses(batch) == ["error", "error"]
    assert all("No bias audit" in item.error for item in batches.items_of(batch))
    assert batches.progress(batch).errors == 2
    with pytest.raises(Conflict, match="No document of this batch is ready"):
        batches.archive(as_actor(story.ana), batch)
    mixed = ask(story, 2)
    registry.delete_version(as_actor(story.ana), versions(story, 1)[0])
    work_off()
    assert set(statuses(mixed)) == {"error", "ready"}


def test_cancelled_it_makes_no_more_and_keeps_what_is_made(story: Story):
    batch = ask(story, 3)
    first = BatchItem.objects.filter(batch=batch).earliest("pk")
    batches.make_item(first.pk)
    batches.cancel(as_actor(story.ana), batch)
    work_off()
    assert sorted(statuses(batch)) == ["cancelled", "cancelled", "ready"]
    assert Document.objects.count() == 1
    assert len(taken(story.ana, batch)) == 1
    with pytest.raises(Conflict, match="Nothing of this batch waits"):
        batches.cancel(as_actor(story.ana), batch)


def test_only_who_asked_sees_it_and_only_what_she_may_read_is_in_it(
    story: Story, otto: User, vera: User
):
    with pytest.raises(NotFound):
        batches.request(as_actor(otto), "model_card", versions(story, 1), "x")
    with pytest.raises(Forbidden):
        batches.request(SYSTEM, "model_card", versions(story, 1), "x")
    assert not Batch.objects.exists()
    batch = ask(story, 2, user=vera)
    for stranger in (otto, story.ana):
        with pytest.raises(NotFound):
            batches.get(as_actor(stranger), batch.uuid)
        with pytest.raises(NotFound):
            batches.cancel(as_actor(stranger), batch)
    work_off()
    assert len(taken(vera, batch)) == 2
    RoleAssignment.objects.filter(user=vera).delete()
    with pytest.raises(Conflict):
        batches.archive(as_actor(vera), batch)


def test_rights_are_those_of_the_moment_in_which_it_is_made(story: Story, vera: User):
    batch = ask(story, 2, user=vera)
    RoleAssignment.objects.filter(user=vera).delete()
    work_off()
    assert statuses(batch) == ["error", "error"]
    assert not Document.objects.exists()


@pytest.mark.parametrize("count", [0, batches.MOST + 1])
def test_no_version_or_too_many_are_refused_and_nothing_is_written(story: Story, count: int):
    row = versions(story, 1)[0]
    chosen = [ModelVersion(pk=n, model=row.model) for n in range(count)]
    with pytest.raises(Invalid):
        batches.request(as_actor(story.ana), "model_card", chosen, "x")
    with pytest.raises(NotFound):
        batches.request(as_actor(story.ana), "horoscope", [row], "x")
    assert not Batch.objects.exists()


def test_a_worker_lost_between_two_writes_leaves_work_that_the_next_one_finishes(story: Story):
    batch = ask(story, 1)
    document = services.request_document(as_actor(story.ana), versions(story, 1)[0])
    Document.objects.filter(pk=document.pk).update(status="rendering", step="laying_out")
    BatchItem.objects.filter(batch=batch).update(status="working")
    work_off()
    work_off()
    services.make(document.pk)
    assert statuses(batch) == ["ready"]
    assert len(list(replay("compliance.document.issued"))) == 1
    document.refresh_from_db()
    assert (document.status, document.step) == ("ready", "")


def test_a_damaged_document_breaks_the_zip_off_and_no_program_opens_it(story: Story):
    batch = ask(story, 2)
    work_off()
    victim = Document.objects.latest("pk")
    path = blobs.path(victim.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    written = []
    with pytest.raises(Tampered):
        written.extend(batches.archive(as_actor(story.ana), batch))
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(written)))


def test_a_name_that_is_no_file_name_cannot_leave_the_zip(story: Story):
    batch = ask(story, 1)
    work_off()
    [item] = batches.items_of(batch)
    assert item.document is not None
    item.document.version.model.name = "../../etc/passwd\x00"
    assert "/" not in selectors.file_name(item.document)


def test_a_worker_killed_in_the_middle_of_a_batch_makes_each_document_once(story: Story):
    batch = ask(story, 8)
    killed_at_work = 0
    with process("beat", **QUICK):
        for _ in range(2):
            with process("worker", **QUICK) as worker:
                eventually(lambda: "working" in statuses(batch), 90)
                time.sleep(0.2)
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait(10)
                killed_at_work += "working" in statuses(batch)
        with process("worker", **QUICK):
            eventually(lambda: not batches.progress(batch).is_open, 150)
    assert killed_at_work, "no kill met an item: the test proves nothing"
    assert statuses(batch) == ["ready"] * 8
    issued = [event.payload["document"] for event in replay("compliance.document.issued")]
    assert sorted(issued) == sorted(Document.objects.values_list("pk", flat=True))
    assert len(issued) == 8
