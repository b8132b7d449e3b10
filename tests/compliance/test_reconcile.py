"""The ledger's answer to somebody who edits the table of documents."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.compliance import reconcile
from tests.compliance.conftest import Story

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE compliance_document SET size = size + 1", "size is"),
        ("UPDATE compliance_document SET review_id = 99", "review is 99"),
        ("DELETE FROM compliance_document", "is not ready"),
        ("UPDATE compliance_document SET status = 'error', error = 'x'", "is not ready"),
    ],
)
def test_the_ledger_names_a_document_row_that_was_edited(story: Story, sql: str, says: str):
    story.issue()
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert says in " ".join(difference.message for difference in reconcile.differences())


def test_a_document_row_made_by_hand_is_named(story: Story):
    document = story.issue()
    document.pk, document.input_digest = None, "0" * 64
    document.uuid = "00000000-0000-4000-8000-000000000000"  # type: ignore[assignment]
    document.save(force_insert=True)
    (difference,) = reconcile.differences()
    assert "never issued" in difference.message
