"""The cure for transactional tests (tests/support/flush.py) leaves nothing open behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase

from apps.audits.models import Event, Head
from apps.core import outbox
from tests.support.ledger import append_some


def _messages() -> set[Path]:
    return set(Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]).glob("*"))


def _trigger_states() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal")
        return dict(cursor.fetchall())


class TestFlush(TransactionTestCase):
    def test_a_flush_empties_the_ledger_and_leaves_every_trigger_as_it_was(self) -> None:
        before = _trigger_states()
        append_some(3)
        with transaction.atomic():
            outbox.enqueue("tests.nobody", {})
        assert _messages()
        call_command("flush", interactive=False, verbosity=0)
        assert Event.objects.count() == 0
        assert _messages() == set()
        assert Head.objects.get().size == 0
        assert _trigger_states() == before
        assert before["audits_event_truncate"] == "A"
        with pytest.raises(DatabaseError, match="append-only: TRUNCATE refused on audits_event"):
            connection.cursor().execute("TRUNCATE audits_event")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", [1, 2])
def test_each_transactional_test_starts_with_an_empty_ledger(_round: int) -> None:
    assert Head.objects.get().size == 0
    append_some(2)
    assert Head.objects.get().size == 2
