"""What the database itself holds the ledger to.

- Events, attempts and verifications are never changed or removed; openings may be removed only.
- An event's leaf hash is the hash of its body; its root has 32 bytes.
- Events have no gaps, and none lies beyond the head: events and head move in one statement.
- The head moves forward only, and onto the root stored with its last event.
"""

from django.db import migrations

from apps.core.migration_ops import append_only

EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

FIRST_HEAD = f"""
INSERT INTO audits_head (id, size, root, frontier) VALUES (1, 0, '\\x{EMPTY_ROOT}', '');
"""

HASHES = """
ALTER TABLE audits_event ADD CONSTRAINT audits_event_leaf
    CHECK (leaf_hash = sha256('\\x00'::bytea || body));
ALTER TABLE audits_event ADD CONSTRAINT audits_event_root CHECK (octet_length(root) = 32);
"""

# AFTER triggers of one statement run when all of it is done, so the event's trigger sees the head
# that the same statement moved, and the head's trigger sees the event.
GAPLESS = """
CREATE FUNCTION audits_event_follows() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.seq > 1 AND NOT EXISTS (SELECT FROM public.audits_event WHERE seq = NEW.seq - 1) THEN
        RAISE EXCEPTION 'event % has no predecessor', NEW.seq USING ERRCODE = '42501';
    END IF;
    IF NOT EXISTS (SELECT FROM public.audits_head WHERE id = 1 AND size >= NEW.seq) OR NEW.seq < 1 THEN
        RAISE EXCEPTION 'event % lies beyond the head', NEW.seq USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audits_event_follows AFTER INSERT ON audits_event
    FOR EACH ROW EXECUTE FUNCTION audits_event_follows();
ALTER TABLE audits_event ENABLE ALWAYS TRIGGER audits_event_follows;

CREATE FUNCTION audits_head_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.size <= OLD.size THEN
        RAISE EXCEPTION 'the head moves forward only: size % to %', OLD.size, NEW.size
            USING ERRCODE = '42501';
    END IF;
    IF NOT EXISTS (SELECT FROM public.audits_event WHERE seq = NEW.size AND root = NEW.root) THEN
        RAISE EXCEPTION 'the head at size % is not the root of event %', NEW.size, NEW.size
            USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audits_head_forward AFTER UPDATE ON audits_head
    FOR EACH ROW EXECUTE FUNCTION audits_head_forward();
ALTER TABLE audits_head ENABLE ALWAYS TRIGGER audits_head_forward;

CREATE TRIGGER audits_head_rows BEFORE DELETE ON audits_head
    FOR EACH ROW EXECUTE FUNCTION countersign_append_only();
CREATE TRIGGER audits_head_truncate BEFORE TRUNCATE ON audits_head
    FOR EACH STATEMENT EXECUTE FUNCTION countersign_append_only();
ALTER TABLE audits_head ENABLE ALWAYS TRIGGER audits_head_rows;
ALTER TABLE audits_head ENABLE ALWAYS TRIGGER audits_head_truncate;
"""

UNDO = """
DROP TRIGGER audits_event_follows ON audits_event;
DROP TRIGGER audits_head_forward ON audits_head;
DROP TRIGGER audits_head_rows ON audits_head;
DROP TRIGGER audits_head_truncate ON audits_head;
DROP FUNCTION audits_event_follows();
DROP FUNCTION audits_head_forward();
"""


class Migration(migrations.Migration):
    dependencies = [("audits", "0001_initial")]

    operations = [
        migrations.RunSQL(FIRST_HEAD, "DELETE FROM audits_head"),
        migrations.RunSQL(
            HASHES,
            "ALTER TABLE audits_event DROP CONSTRAINT audits_event_leaf, DROP CONSTRAINT audits_event_root",
        ),
        append_only("audits_event"),
        append_only("audits_attempt"),
        append_only("audits_verification"),
        append_only("audits_opening", erasable=True),
        migrations.RunSQL(GAPLESS, UNDO),
    ]
