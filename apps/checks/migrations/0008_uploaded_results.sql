-- An uploaded result does not stand without the event of the ledger that tells who uploaded which bytes and what was read.
CREATE FUNCTION checks_demand_uploaded_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['uploaded:' || NEW.id]::text[]
                      AND e.type = 'checks.uploaded.attached' AND (e.payload ->> 'uploaded')::bigint = NEW.id
                      AND e.payload ->> 'digest' = NEW.digest AND e.payload ->> 'reading' = NEW.reading_digest
                      AND e.payload ->> 'outcome' = NEW.outcome AND e.actor_id = NEW.uploaded_by_id) THEN
        RAISE EXCEPTION 'uploaded result %: the ledger does not tell of it', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER checks_uploaded_recorded AFTER INSERT ON checks_uploadedresult
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION checks_demand_uploaded_told();

CREATE FUNCTION checks_demand_uploaded_recall_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['uploaded:' || NEW.uploaded_id]::text[]
                      AND e.type = 'checks.uploaded.recalled' AND (e.payload ->> 'uploaded')::bigint = NEW.uploaded_id
                      AND e.payload ->> 'reason' = NEW.reason AND e.actor_id = NEW.recalled_by_id) THEN
        RAISE EXCEPTION 'recall of uploaded result %: the ledger does not tell of it', NEW.uploaded_id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER checks_uploadedrecall_recorded AFTER INSERT ON checks_uploadedrecall
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION checks_demand_uploaded_recall_told();

ALTER TABLE checks_uploadedresult ENABLE ALWAYS TRIGGER checks_uploaded_recorded;
ALTER TABLE checks_uploadedrecall ENABLE ALWAYS TRIGGER checks_uploadedrecall_recorded;
