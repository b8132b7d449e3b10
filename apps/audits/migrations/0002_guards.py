"""What the database itself holds the ledger to.

- Events, attempts and verifications are never changed or removed; openings may be removed only.
- An event's leaf hash is the hash of its body; its root has 32 bytes.
- Events have no gaps, and none lies beyond the head: events and head move in one statement.
- The head moves forward only, and onto the root stored with its last event.
"""

from pathlib import Path

from django.db import migrations

from apps.core.migration_ops import append_only

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

UNDO = """
DROP FUNCTION audits_event_follows() CASCADE;
DROP FUNCTION audits_head_forward() CASCADE;
DROP TRIGGER audits_head_rows ON audits_head;
DROP TRIGGER audits_head_truncate ON audits_head;
ALTER TABLE audits_event DROP CONSTRAINT audits_event_leaf, DROP CONSTRAINT audits_event_root;
DELETE FROM audits_head;
"""


class Migration(migrations.Migration):
    dependencies = [("audits", "0001_initial")]

    operations = [
        append_only("audits_event"),
        append_only("audits_attempt"),
        append_only("audits_verification"),
        append_only("audits_opening", erasable=True),
        migrations.RunSQL(SQL, UNDO),
    ]
