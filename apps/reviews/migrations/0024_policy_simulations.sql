-- A simulation is of an open change, its digest is that of its bytes, and it stands only with its ledger event. See 0002_guards.sql.
CREATE FUNCTION reviews_guard_simulation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM reviews_policychange c WHERE c.id = NEW.change_id AND c.status = 'open') THEN
        RAISE EXCEPTION 'simulation: change % is not open', NEW.change_id USING ERRCODE = '42501';
    END IF;
    IF NEW.digest <> encode(sha256(NEW.result), 'hex') THEN
        RAISE EXCEPTION 'simulation: the digest is not that of the result' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_simulation_guard BEFORE INSERT ON reviews_policysimulation
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_simulation();
CREATE CONSTRAINT TRIGGER reviews_simulation_recorded AFTER INSERT ON reviews_policysimulation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION reviews_demand_event('reviews.policy.simulated', 'simulation', 'id');

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_simulation%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
