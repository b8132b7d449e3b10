-- A recheck is of a measurement that has a result, the next of its number, and written only when the last one has ended.
CREATE FUNCTION checks_guard_recheck() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE last bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM checks_measurement m WHERE m.id = NEW.measurement_id AND m.result IS NOT NULL) THEN
        RAISE EXCEPTION 'recheck: measurement % has no result', NEW.measurement_id USING ERRCODE = '42501';
    END IF;
    SELECT max(r.number) INTO last FROM checks_recheck r WHERE r.measurement_id = NEW.measurement_id;
    IF NEW.number <> coalesce(last, 0) + 1 THEN
        RAISE EXCEPTION 'recheck: % is not the next of measurement %', NEW.number, NEW.measurement_id USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM checks_recheck r WHERE r.measurement_id = NEW.measurement_id
                AND NOT EXISTS (SELECT 1 FROM checks_recheckresult d WHERE d.recheck_id = r.id)) THEN
        RAISE EXCEPTION 'recheck: one of measurement % still waits', NEW.measurement_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checks_recheck_guard BEFORE INSERT ON checks_recheck
    FOR EACH ROW EXECUTE FUNCTION checks_guard_recheck();

-- Neither row stands without the event of the ledger that tells of it.
CREATE FUNCTION checks_demand_recheck_asked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['measurement:' || NEW.measurement_id]::text[]
                      AND e.type = 'checks.recheck.requested' AND (e.payload ->> 'recheck')::bigint = NEW.id
                      AND e.actor_id = NEW.requested_by_id) THEN
        RAISE EXCEPTION 'recheck %: the ledger does not tell who asked for it', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER checks_recheck_recorded AFTER INSERT ON checks_recheck
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION checks_demand_recheck_asked();

CREATE FUNCTION checks_demand_recheck_done() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE measured bigint;
BEGIN
    SELECT r.measurement_id INTO measured FROM checks_recheck r WHERE r.id = NEW.recheck_id;
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['measurement:' || measured]::text[]
                      AND e.type = 'checks.recheck.done' AND (e.payload ->> 'recheck')::bigint = NEW.recheck_id
                      AND e.payload ->> 'digest' = NEW.digest) THEN
        RAISE EXCEPTION 'recheck %: the ledger does not tell this result', NEW.recheck_id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER checks_recheckresult_recorded AFTER INSERT ON checks_recheckresult
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION checks_demand_recheck_done();

ALTER TABLE checks_recheck ENABLE ALWAYS TRIGGER checks_recheck_guard;
ALTER TABLE checks_recheck ENABLE ALWAYS TRIGGER checks_recheck_recorded;
ALTER TABLE checks_recheckresult ENABLE ALWAYS TRIGGER checks_recheckresult_recorded;
