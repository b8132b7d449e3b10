-- The empty ledger: size 0, the root RFC 9162 gives the empty tree, no subtrees.
INSERT INTO audits_head (id, size, root, frontier)
    VALUES (1, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '');

-- An event's leaf hash is the hash of its body.
ALTER TABLE audits_event ADD CONSTRAINT audits_event_leaf
    CHECK (leaf_hash = sha256('\x00'::bytea || body));
ALTER TABLE audits_event ADD CONSTRAINT audits_event_root CHECK (octet_length(root) = 32);

-- Events have no gaps and none lies beyond the head. AFTER triggers of one statement run when all of it is done,
-- so this one sees the head that the same statement moved, and the head's trigger sees the event.
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
