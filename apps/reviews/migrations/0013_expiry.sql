-- A request expires when its policy's review_days are over after its newest round, not before, and stays so; nothing
-- is signed after it. See 0002_guards.sql. A minute is left for clocks that differ and for a signature under way.

CREATE FUNCTION reviews_expires_at(of_review bigint) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT max(r.created_at) + max((p.document ->> 'review_days')::integer) * interval '24 hours'
      FROM reviews_review v JOIN reviews_policyversion p ON p.id = v.policy_version_id
      JOIN reviews_round r ON r.review_id = v.id WHERE v.id = of_review
$$;

CREATE FUNCTION reviews_guard_expiry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'review: none begins as expired' USING ERRCODE = '42501';
    END IF;
    IF NEW.status <> 'expired' THEN
        RAISE EXCEPTION 'review %: it is closed (expired)', OLD.id USING ERRCODE = '42501';
    END IF;
    IF OLD.status NOT IN ('open', 'changes_requested')
       OR EXISTS (SELECT 1 FROM reviews_round r WHERE r.review_id = NEW.id AND r.voided_at IS NULL)
       OR NOT coalesce(reviews_expires_at(NEW.id) <= NEW.closed_at, false)
       OR NEW.closed_at > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'review %: it has not expired', OLD.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_review_expiry BEFORE UPDATE ON reviews_review
    FOR EACH ROW WHEN ((NEW.status = 'expired') IS DISTINCT FROM (OLD.status = 'expired'))
    EXECUTE FUNCTION reviews_guard_expiry();
CREATE TRIGGER reviews_review_not_born_expired BEFORE INSERT ON reviews_review
    FOR EACH ROW WHEN (NEW.status = 'expired') EXECUTE FUNCTION reviews_guard_expiry();
CREATE CONSTRAINT TRIGGER reviews_review_expired AFTER UPDATE ON reviews_review
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'expired' AND OLD.status <> 'expired')
    EXECUTE FUNCTION reviews_demand_event('reviews.review.expired', 'review', 'id');

CREATE FUNCTION reviews_guard_decision_time() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.created_at >= reviews_expires_at(NEW.review_id) + interval '1 minute' THEN
        RAISE EXCEPTION 'decision: review % has expired', NEW.review_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_decision_in_time BEFORE INSERT ON reviews_decision
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_decision_time();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
