-- What holds for findings at every door, plain SQL included. See 0002_guards.sql.

-- A finding never changes but for its state, which is what its last entry says.
CREATE FUNCTION reviews_guard_finding() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE last text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'finding of version %: it begins open', NEW.version_id USING ERRCODE = '42501';
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - 'state' IS DISTINCT FROM to_jsonb(OLD) - 'state' THEN
        RAISE EXCEPTION 'finding %: what was found does not change', OLD.id USING ERRCODE = '42501';
    END IF;
    SELECT e.kind INTO last FROM reviews_findingentry e WHERE e.finding_id = NEW.id ORDER BY e.number DESC LIMIT 1;
    IF NEW.state IS DISTINCT FROM (CASE WHEN last IN ('raised', 'reopened') THEN 'open' ELSE last END) THEN
        RAISE EXCEPTION 'finding %: its history does not say %', OLD.id, NEW.state USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_finding_guard BEFORE INSERT OR UPDATE ON reviews_finding
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_finding();
CREATE TRIGGER reviews_finding_keep BEFORE DELETE ON reviews_finding
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse();
CREATE TRIGGER reviews_finding_no_truncate BEFORE TRUNCATE ON reviews_finding
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse();

-- An entry follows from the state before it; whoever judges is no author of any round and did not answer.
-- The table of what is possible: apps.reviews.models.findings.POSSIBLE_FROM.
CREATE FUNCTION reviews_guard_finding_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE f record; last record; possible boolean;
BEGIN
    SELECT version_id, state INTO f FROM reviews_finding WHERE id = NEW.finding_id;
    SELECT number, kind INTO last FROM reviews_findingentry WHERE finding_id = NEW.finding_id ORDER BY number DESC LIMIT 1;
    IF NEW.number <> coalesce(last.number, 0) + 1 OR (NEW.kind = 'raised') <> (NEW.number = 1) THEN
        RAISE EXCEPTION 'finding %: entry % does not follow', NEW.finding_id, NEW.number USING ERRCODE = '42501';
    END IF;
    possible := CASE NEW.kind
        WHEN 'raised' THEN f.state = 'open'
        WHEN 'responded' THEN f.state IN ('open', 'responded', 'retest_failed')
        WHEN 'retest_passed' THEN f.state = 'responded'
        WHEN 'retest_failed' THEN f.state = 'responded'
        WHEN 'closed' THEN f.state = 'retest_passed' AND NEW.evidence <> ''
        WHEN 'accepted' THEN f.state IN ('open', 'responded', 'retest_failed')
                             AND NEW.reauthenticated_at IS NOT NULL AND NEW.role <> ''
        WHEN 'reopened' THEN f.state IN ('closed', 'accepted')
        ELSE false END;
    IF NOT coalesce(possible, false) THEN
        RAISE EXCEPTION 'finding %: % is not possible while it is %', NEW.finding_id, NEW.kind, f.state
            USING ERRCODE = '42501';
    END IF;
    IF NEW.digest <> encode(sha256(NEW.statement), 'hex') THEN
        RAISE EXCEPTION 'finding %: the digest is not that of the statement', NEW.finding_id USING ERRCODE = '42501';
    END IF;
    IF NEW.kind IN ('retest_passed', 'retest_failed', 'closed', 'accepted') AND (
        EXISTS (SELECT 1 FROM reviews_round rd JOIN reviews_review rv ON rv.id = rd.review_id
                 WHERE rv.version_id = f.version_id AND NEW.user_id = ANY (rd.authors))
        OR EXISTS (SELECT 1 FROM reviews_findingentry e
                    WHERE e.finding_id = NEW.finding_id AND e.kind = 'responded' AND e.user_id = NEW.user_id)) THEN
        RAISE EXCEPTION 'finding %: user % is an author of the version or of the answer', NEW.finding_id, NEW.user_id
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_finding_entry_guard BEFORE INSERT ON reviews_findingentry
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_finding_entry();

-- An entry stands only with its ledger event, and a finding only in the state of its last entry.
CREATE FUNCTION reviews_demand_finding_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['finding:' || NEW.finding_id]::text[]
                      AND e.type LIKE 'reviews.finding.%'
                      AND (e.payload ->> 'entry')::bigint = NEW.id
                      AND e.payload ->> 'digest' = NEW.digest
                      AND e.actor_id = NEW.user_id) THEN
        RAISE EXCEPTION 'finding entry %: it is not in the ledger', NEW.id USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_finding f
                WHERE f.id = NEW.finding_id
                  AND f.state <> (SELECT CASE WHEN e.kind IN ('raised', 'reopened') THEN 'open' ELSE e.kind END
                                    FROM reviews_findingentry e WHERE e.finding_id = f.id
                                   ORDER BY e.number DESC LIMIT 1)) THEN
        RAISE EXCEPTION 'finding %: its state is not that of its last entry', NEW.finding_id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_finding_entry_recorded AFTER INSERT ON reviews_findingentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_finding_event();

-- A finding without a first entry would be one that nobody raised.
CREATE FUNCTION reviews_demand_finding_raised() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM reviews_findingentry e
                    WHERE e.finding_id = NEW.id AND e.number = 1 AND e.user_id = NEW.raised_by_id) THEN
        RAISE EXCEPTION 'finding %: nobody raised it', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_finding_raised AFTER INSERT ON reviews_finding
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_finding_raised();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_finding%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
