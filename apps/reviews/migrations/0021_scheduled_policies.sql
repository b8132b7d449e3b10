-- A change may name the moment from which it is to be in force; the bytes that are signed say it. It is scheduled only with
-- its signatures, and in force not before the moment. See 0006_policy_guards.sql. A minute is left for clocks that differ.

CREATE OR REPLACE FUNCTION reviews_guard_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE current bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT f.version_id INTO current FROM reviews_policy_in_force f WHERE f.key = NEW.key;
        IF NEW.status <> 'open' OR NEW.digest <> encode(sha256(NEW.manifest), 'hex')
           OR NEW.replaces_id IS DISTINCT FROM current
           OR NEW.needed <> (CASE WHEN NEW.loosens = '[]'::jsonb THEN 1 ELSE 2 END)
           OR (NEW.version_id IS NULL AND (current IS NULL OR NEW.loosens = '[]'::jsonb))
           OR NOT coalesce((SELECT v.key = NEW.key AND cardinality(v.parts) = 0
                              FROM reviews_policyversion v WHERE v.id = NEW.version_id), NEW.version_id IS NULL) THEN
            RAISE EXCEPTION 'policy %: the proposal is not about what is in force', NEW.key USING ERRCODE = '42501';
        END IF;
        IF NEW.effective_at IS DISTINCT FROM (convert_from(NEW.manifest, 'UTF8')::jsonb ->> 'effective_at')::timestamptz
           OR coalesce(NEW.effective_at <= NEW.proposed_at, false) THEN
            RAISE EXCEPTION 'policy %: the moment is not ahead, or not the one that is signed', NEW.key USING ERRCODE = '42501';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.status NOT IN ('open', 'scheduled')
       OR (OLD.status = 'scheduled' AND NEW.status NOT IN ('scheduled', 'activated', 'withdrawn'))
       OR (NEW.id, NEW.key, NEW.version_id, NEW.replaces_id, NEW.reason, NEW.loosens, NEW.needed, NEW.manifest, NEW.digest,
           NEW.proposed_by_id, NEW.proposed_at, NEW.effective_at)
          IS DISTINCT FROM
          (OLD.id, OLD.key, OLD.version_id, OLD.replaces_id, OLD.reason, OLD.loosens, OLD.needed, OLD.manifest, OLD.digest,
           OLD.proposed_by_id, OLD.proposed_at, OLD.effective_at) THEN
        RAISE EXCEPTION 'policy change %: it is closed, or what was proposed would change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF NEW.status = 'scheduled' AND (NEW.effective_at IS NULL
       OR EXISTS (SELECT 1 FROM reviews_policysignature s WHERE s.change_id = NEW.id AND NOT s.approves)
       OR NEW.needed > (SELECT count(DISTINCT s.user_id) FROM reviews_policysignature s
                         WHERE s.change_id = NEW.id AND s.approves AND s.user_id <> NEW.proposed_by_id)) THEN
        RAISE EXCEPTION 'policy change %: it names no moment, or does not have its signatures', OLD.id USING ERRCODE = '42501';
    END IF;
    IF NEW.status = 'activated' AND NEW.effective_at > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'policy change %: it comes into force later', OLD.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

CREATE CONSTRAINT TRIGGER reviews_policychange_scheduled AFTER UPDATE ON reviews_policychange
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'scheduled' AND OLD.status <> 'scheduled')
    EXECUTE FUNCTION reviews_demand_event('reviews.policy.scheduled', 'policychange', 'id');

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
