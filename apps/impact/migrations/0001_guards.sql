-- What is signed is the newest revision, by somebody who gave none of its answers, and the model is at least of the tier that
-- it demands. See apps/reviews/migrations/0002_guards.sql for the manner.

CREATE FUNCTION impact_guard_revision() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE said jsonb := convert_from(NEW.document, 'UTF8')::jsonb;
BEGIN
    IF NEW.digest <> encode(sha256(NEW.document), 'hex') OR said IS DISTINCT FROM NEW.content
       OR (said ->> 'number')::int <> NEW.number OR said #>> '{questionnaire,name}' IS DISTINCT FROM NEW.questionnaire
       OR said ->> 'model' IS DISTINCT FROM (SELECT m.uuid::text FROM registry_registeredmodel m WHERE m.id = NEW.model_id)
       OR NEW.number <> 1 + coalesce((SELECT max(r.number) FROM impact_assessmentrevision r WHERE r.model_id = NEW.model_id), 0) THEN
        RAISE EXCEPTION 'impact assessment %: its bytes are not what the row says', NEW.number USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER impact_revision_guard BEFORE INSERT ON impact_assessmentrevision
    FOR EACH ROW EXECUTE FUNCTION impact_guard_revision();

CREATE FUNCTION impact_guard_signature() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE r record; said jsonb := convert_from(NEW.statement, 'UTF8')::jsonb;
BEGIN
    SELECT * INTO r FROM impact_assessmentrevision x WHERE x.id = NEW.revision_id;
    IF NEW.statement_digest <> encode(sha256(NEW.statement), 'hex') OR said ->> 'digest' IS DISTINCT FROM r.digest
       OR (said #>> '{score,tier}')::int <> NEW.tier OR (said #>> '{score,total}')::int <> NEW.total
       OR said #>> '{score,level}' IS DISTINCT FROM NEW.level OR said ->> 'due_on' IS DISTINCT FROM NEW.due_on::text THEN
        RAISE EXCEPTION 'impact assessment %: the row is not what was signed', NEW.revision_id USING ERRCODE = '42501';
    END IF;
    IF r.model_id <> NEW.model_id OR r.author_id = NEW.user_id
       OR EXISTS (SELECT 1 FROM impact_assessmentrevision x WHERE x.model_id = r.model_id AND x.number > r.number)
       OR EXISTS (SELECT 1 FROM jsonb_each(r.content -> 'answers') a
                    JOIN accounts_user u ON u.uuid::text = a.value ->> 'author' WHERE u.id = NEW.user_id) THEN
        RAISE EXCEPTION 'impact assessment %: it is not open to user %', NEW.revision_id, NEW.user_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER impact_signature_guard BEFORE INSERT ON impact_assessmentsignature
    FOR EACH ROW EXECUTE FUNCTION impact_guard_signature();

-- At the end of the transaction: the signature is in the ledger, and the model has the tier that the newest one demands.
CREATE FUNCTION impact_demand_tier() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['assessment:' || NEW.revision_id]::text[] AND e.type = 'impact.assessment.signed'
                      AND (e.payload ->> 'signature')::bigint = NEW.id AND e.payload ->> 'statement_digest' = NEW.statement_digest
                      AND e.actor_id = NEW.user_id) THEN
        RAISE EXCEPTION 'signature of impact assessment %: it is not in the ledger', NEW.revision_id USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM registry_registeredmodel m WHERE m.id = NEW.model_id AND m.demanded_tier > NEW.tier)
       AND NOT EXISTS (SELECT 1 FROM impact_assessmentsignature s WHERE s.model_id = NEW.model_id AND s.id > NEW.id) THEN
        RAISE EXCEPTION 'model %: its impact assessment demands tier %', NEW.model_id, NEW.tier USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER impact_signature_recorded AFTER INSERT ON impact_assessmentsignature
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION impact_demand_tier();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND (tgname LIKE 'impact\_revision%' OR tgname LIKE 'impact\_signature%') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
