-- A reminder is about a step with a deadline of a live round of an open review, is not made before its time, and stands
-- only with its ledger event. That it is made once is the constraint reviews_reminded_once. See 0002_guards.sql.
CREATE FUNCTION reviews_guard_reminder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE r record; wanted jsonb;
BEGIN
    SELECT rd.created_at, p.document INTO r
      FROM reviews_round rd JOIN reviews_review rv ON rv.id = rd.review_id
      JOIN reviews_policyversion p ON p.id = rv.policy_version_id
     WHERE rd.id = NEW.round_id AND rd.voided_at IS NULL AND rv.status = 'open';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'reminder: round % is not open for signature', NEW.round_id USING ERRCODE = '42501';
    END IF;
    SELECT s INTO wanted FROM jsonb_array_elements(r.document -> 'steps') s
     WHERE s ->> 'key' = NEW.step AND s ->> 'deadline_days' IS NOT NULL;
    IF wanted IS NULL
       OR NEW.due_at < r.created_at + (wanted ->> 'deadline_days')::integer * interval '24 hours'
       OR NEW.created_at > clock_timestamp() + interval '1 minute'
       OR (NEW.kind = 'overdue' AND NEW.created_at < NEW.due_at)
       OR (NEW.kind = 'due' AND (NEW.created_at >= NEW.due_at OR NEW.created_at
             < NEW.due_at - coalesce((wanted ->> 'remind_days')::integer, 2) * interval '24 hours')) THEN
        RAISE EXCEPTION 'reminder: step % of round % is not %', NEW.step, NEW.round_id, NEW.kind USING ERRCODE = '42501';
    END IF;
    IF (coalesce(reviews_counted(NEW.round_id, r.document) ->> NEW.step, '0'))::integer >= (wanted ->> 'count')::integer THEN
        RAISE EXCEPTION 'reminder: step % of round % has its signatures', NEW.step, NEW.round_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_reminder_guard BEFORE INSERT ON reviews_reminder
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_reminder();
CREATE CONSTRAINT TRIGGER reviews_reminder_due_recorded AFTER INSERT ON reviews_reminder
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'due')
    EXECUTE FUNCTION reviews_demand_event('reviews.review.due', 'reminder', 'id');
CREATE CONSTRAINT TRIGGER reviews_reminder_overdue_recorded AFTER INSERT ON reviews_reminder
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'overdue')
    EXECUTE FUNCTION reviews_demand_event('reviews.review.overdue', 'reminder', 'id');

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
