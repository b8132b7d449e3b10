-- A checkpoint says what the ledger is, or it is not written.
CREATE FUNCTION audits_checkpoint_true() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.audits_event WHERE seq = NEW.size AND root = NEW.root) THEN
        RAISE EXCEPTION 'the ledger has no such root at size %', NEW.size USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audits_checkpoint_true BEFORE INSERT ON audits_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audits_checkpoint_true();
ALTER TABLE audits_checkpoint ENABLE ALWAYS TRIGGER audits_checkpoint_true;

-- A witness forgets nothing: the size it saw of a log only grows, and of one size it saw one root.
CREATE FUNCTION audits_witnessed_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.origin <> OLD.origin OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root) THEN
        RAISE EXCEPTION 'a witnessed log moves forward only: % at size %', OLD.origin, OLD.size
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audits_witnessed_forward BEFORE UPDATE ON audits_witnessed_log
    FOR EACH ROW EXECUTE FUNCTION audits_witnessed_forward();
CREATE TRIGGER audits_witnessed_log_rows BEFORE DELETE ON audits_witnessed_log
    FOR EACH ROW EXECUTE FUNCTION countersign_append_only();
CREATE TRIGGER audits_witnessed_log_truncate BEFORE TRUNCATE ON audits_witnessed_log
    FOR EACH STATEMENT EXECUTE FUNCTION countersign_append_only();
ALTER TABLE audits_witnessed_log ENABLE ALWAYS TRIGGER audits_witnessed_forward;
ALTER TABLE audits_witnessed_log ENABLE ALWAYS TRIGGER audits_witnessed_log_rows;
ALTER TABLE audits_witnessed_log ENABLE ALWAYS TRIGGER audits_witnessed_log_truncate;
