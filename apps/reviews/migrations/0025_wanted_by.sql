-- The day by which it is wanted is part of what was asked for: it does not change either. See 0002_guards.sql and
-- 0006_policy_guards.sql, whose function this is, with one more column.

CREATE OR REPLACE FUNCTION reviews_guard_review() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF (NEW.id, NEW.version_id, NEW.targets, NEW.submitted_by_id, NEW.justification, NEW.wanted_by, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.version_id, OLD.targets, OLD.submitted_by_id, OLD.justification, OLD.wanted_by, OLD.created_at) THEN
        RAISE EXCEPTION 'review %: what was asked for does not change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF OLD.status IN ('promoted', 'rejected', 'withdrawn') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'review %: it is closed (%)', OLD.id, OLD.status USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
