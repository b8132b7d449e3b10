-- What holds for retired models at every door, plain SQL included. See 0002_guards.sql for the manner.

-- A retired model takes nothing new. What only ends (a stage left, an alias removed, a deployment over) is let through.
CREATE FUNCTION registry_refuse_retired() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE of_model bigint;
BEGIN
    of_model := coalesce((to_jsonb(NEW) ->> 'model_id')::bigint,
                         (SELECT v.model_id FROM registry_modelversion v WHERE v.id = (to_jsonb(NEW) ->> 'version_id')::bigint));
    IF EXISTS (SELECT 1 FROM registry_registeredmodel m WHERE m.id = of_model AND m.retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'model % is retired: % on % is refused', of_model, TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER registry_version_not_retired BEFORE INSERT ON registry_modelversion
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_retired();
CREATE TRIGGER registry_stage_not_retired BEFORE UPDATE ON registry_modelversion
    FOR EACH ROW WHEN (NEW.stage IS DISTINCT FROM OLD.stage AND NEW.stage NOT IN ('None', 'Archived'))
    EXECUTE FUNCTION registry_refuse_retired();
CREATE TRIGGER registry_alias_not_retired BEFORE INSERT OR UPDATE ON registry_alias
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_retired();
CREATE TRIGGER registry_authorization_not_retired BEFORE INSERT ON registry_authorization
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_retired();
CREATE TRIGGER registry_entry_not_retired BEFORE INSERT ON registry_environmententry
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_retired();
CREATE TRIGGER registry_deployment_not_retired BEFORE INSERT ON registry_deployment
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_retired();

-- A model is retired while nothing of it is in use; it keeps its name and is never deleted then.
CREATE FUNCTION registry_guard_retirement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'model: none begins as retired' USING ERRCODE = '42501';
    END IF;
    IF (OLD.retired_at IS NOT NULL AND NEW.retired_at IS NOT NULL) OR (NEW.retired_at IS NULL AND NEW.successor_id IS NOT NULL) THEN
        RAISE EXCEPTION 'model %: its retirement does not change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF NEW.retired_at IS NULL THEN
        RETURN NEW;
    END IF;
    IF NEW.deleted_at IS NOT NULL OR NEW.successor_id = NEW.id OR (NEW.successor_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM registry_registeredmodel s WHERE s.id = NEW.successor_id AND s.retired_at IS NULL AND s.deleted_at IS NULL)) THEN
        RAISE EXCEPTION 'model %: its successor is itself, retired or deleted', OLD.id USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM registry_modelversion v WHERE v.model_id = NEW.id AND v.stage_slot IS NOT NULL)
       OR EXISTS (SELECT 1 FROM registry_alias a WHERE a.model_id = NEW.id AND registry_is_governed(NEW.id, 'alias', a.name))
       OR EXISTS (SELECT 1 FROM registry_environmententry e JOIN registry_authorization a ON a.id = e.authorization_id
                   WHERE e.model_id = NEW.id AND e.left_at IS NULL AND a.expires_at > clock_timestamp())
       OR EXISTS (SELECT 1 FROM registry_deployment d WHERE d.model_id = NEW.id AND d.ended_at IS NULL) THEN
        RAISE EXCEPTION 'model %: a version of it is in a governed target or runs', OLD.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER registry_model_retirement BEFORE UPDATE ON registry_registeredmodel
    FOR EACH ROW WHEN ((NEW.retired_at, NEW.successor_id) IS DISTINCT FROM (OLD.retired_at, OLD.successor_id))
    EXECUTE FUNCTION registry_guard_retirement();
CREATE TRIGGER registry_model_not_born_retired BEFORE INSERT ON registry_registeredmodel
    FOR EACH ROW WHEN (NEW.retired_at IS NOT NULL OR NEW.successor_id IS NOT NULL) EXECUTE FUNCTION registry_guard_retirement();

CREATE FUNCTION registry_keep_retired() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'model %: it is retired, so it keeps its name and is not deleted', OLD.id USING ERRCODE = '42501';
END $$;
CREATE TRIGGER registry_model_retired_stays BEFORE UPDATE ON registry_registeredmodel
    FOR EACH ROW WHEN (OLD.retired_at IS NOT NULL AND NEW.retired_at IS NOT NULL
                       AND (NEW.deleted_at, NEW.name, NEW.governance) IS DISTINCT FROM (OLD.deleted_at, OLD.name, OLD.governance))
    EXECUTE FUNCTION registry_keep_retired();

-- A retirement stands only as its last row and the ledger tell it.
CREATE FUNCTION registry_demand_retirement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE told record; last record;
BEGIN
    SELECT r.id, r.kind, r.successor_id, r.user_id INTO last FROM registry_modelretirement r
     WHERE r.model_id = NEW.id ORDER BY r.id DESC LIMIT 1;
    SELECT e.type, (e.payload ->> 'retirement')::bigint AS retirement, e.actor_id INTO told FROM audits_event e
     WHERE e.scopes @> ARRAY['model:' || NEW.id]::text[] AND e.type IN ('registry.model.retired', 'registry.model.restored')
     ORDER BY e.seq DESC LIMIT 1;
    IF last IS NULL OR told IS NULL OR told.retirement <> last.id OR told.actor_id IS DISTINCT FROM last.user_id
       OR told.type <> 'registry.model.' || last.kind
       OR (last.kind = 'retired') <> (NEW.retired_at IS NOT NULL) OR last.successor_id IS DISTINCT FROM NEW.successor_id THEN
        RAISE EXCEPTION 'model %: its retirement is not in the ledger', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER registry_model_retirement_recorded AFTER UPDATE ON registry_registeredmodel
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((NEW.retired_at, NEW.successor_id) IS DISTINCT FROM (OLD.retired_at, OLD.successor_id))
    EXECUTE FUNCTION registry_demand_retirement();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'registry\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
