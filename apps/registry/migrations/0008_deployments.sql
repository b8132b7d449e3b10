-- What holds for environments and deployments at every door, plain SQL included. See 0002_guards.sql for the manner.

-- An environment keeps its key and its maker; it is retired, never removed.
CREATE FUNCTION registry_guard_environment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF (NEW.id, NEW.key, NEW.created_by_id, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.key, OLD.created_by_id, OLD.created_at) THEN
        RAISE EXCEPTION 'environment %: its key does not change', OLD.key USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER registry_environment_guard BEFORE UPDATE ON registry_environment
    FOR EACH ROW EXECUTE FUNCTION registry_guard_environment();
CREATE TRIGGER registry_environment_keep BEFORE DELETE ON registry_environment
    FOR EACH ROW EXECUTE FUNCTION registry_refuse();
CREATE TRIGGER registry_environment_no_truncate BEFORE TRUNCATE ON registry_environment
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

-- A version is let into a governed environment by an authorization spent in this very transaction; it leaves once.
CREATE FUNCTION registry_guard_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.left_at IS NOT NULL OR NEW.left_at IS NULL
           OR to_jsonb(NEW) - 'left_at' IS DISTINCT FROM to_jsonb(OLD) - 'left_at' THEN
            RAISE EXCEPTION 'entry %: it only ends, once', OLD.id USING ERRCODE = '42501';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.left_at IS NOT NULL OR NEW.environment <> lower(NEW.environment)
       OR NOT EXISTS (SELECT 1 FROM registry_modelversion v WHERE v.id = NEW.version_id AND v.model_id = NEW.model_id)
       OR NOT EXISTS (SELECT 1 FROM registry_authorization a WHERE a.id = NEW.authorization_id AND a.version_id = NEW.version_id
                         AND a.target_kind = 'environment' AND a.target_name = NEW.environment) THEN
        RAISE EXCEPTION 'entry: authorization % is not for version % in environment %',
            NEW.authorization_id, NEW.version_id, NEW.environment USING ERRCODE = '42501';
    END IF;
    PERFORM registry_demand_spent(NEW.version_id, 'environment', NEW.environment);
    RETURN NEW;
END $$;
CREATE TRIGGER registry_entry_guard BEFORE INSERT OR UPDATE ON registry_environmententry
    FOR EACH ROW EXECUTE FUNCTION registry_guard_entry();
CREATE TRIGGER registry_entry_keep BEFORE DELETE ON registry_environmententry
    FOR EACH ROW EXECUTE FUNCTION registry_refuse();
CREATE TRIGGER registry_entry_no_truncate BEFORE TRUNCATE ON registry_environmententry
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

-- Does this authorization let the version run in the environment at this moment?
CREATE FUNCTION registry_may_run(version bigint, environment_key text, approval bigint) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM registry_environmententry e JOIN registry_authorization a ON a.id = e.authorization_id
         WHERE e.version_id = version AND e.environment = environment_key AND e.left_at IS NULL AND a.id = approval
           AND a.version_id = version AND a.target_kind = 'environment' AND a.target_name = environment_key
           AND a.spent_at IS NOT NULL AND a.spent_xact IS NOT NULL AND a.revoked_at IS NULL
           AND clock_timestamp() < a.expires_at)
$$;

-- A deployment is recorded, and gets another share, only where the version may run. A minute is left for clocks that differ.
CREATE FUNCTION registry_guard_deployment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE env record; governs boolean; others numeric; late timestamptz := clock_timestamp() + interval '1 minute';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.ended_at IS NOT NULL THEN
            RAISE EXCEPTION 'deployment %: it has ended', OLD.id USING ERRCODE = '42501';
        END IF;
        IF to_jsonb(NEW) - ARRAY['traffic', 'traffic_since', 'ended_at', 'ended_by_id', 'end_reason']
           IS DISTINCT FROM to_jsonb(OLD) - ARRAY['traffic', 'traffic_since', 'ended_at', 'ended_by_id', 'end_reason'] THEN
            RAISE EXCEPTION 'deployment %: what was recorded does not change', OLD.id USING ERRCODE = '42501';
        END IF;
        IF (NEW.ended_at IS NULL) <> (NEW.ended_by_id IS NULL) OR NEW.ended_at > late
           OR (NEW.ended_at IS NOT NULL AND (NEW.traffic, NEW.traffic_since) IS DISTINCT FROM (OLD.traffic, OLD.traffic_since))
           OR ((NEW.traffic = OLD.traffic) AND NEW.traffic_since IS DISTINCT FROM OLD.traffic_since)
           OR NEW.traffic_since < OLD.traffic_since OR NEW.traffic_since > late THEN
            RAISE EXCEPTION 'deployment %: it ends, or its share changes, at a moment of its own', OLD.id USING ERRCODE = '42501';
        END IF;
        IF NEW.traffic = OLD.traffic THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.ended_at IS NOT NULL OR NEW.ended_by_id IS NOT NULL OR NEW.started_at > late OR NEW.traffic_since <> NEW.started_at THEN
        RAISE EXCEPTION 'deployment: it begins running, at a moment that has come' USING ERRCODE = '42501';
    END IF;
    -- Whoever adds to the shares of a model waits for its row, so that two at once never add up to more than all.
    PERFORM 1 FROM registry_registeredmodel m WHERE m.id = NEW.model_id FOR UPDATE;
    SELECT e.key, e.retired_at INTO env FROM registry_environment e WHERE e.id = NEW.environment_id;
    IF TG_OP = 'INSERT' AND (env.retired_at IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM registry_modelversion v JOIN registry_registeredmodel m ON m.id = v.model_id
         WHERE v.id = NEW.version_id AND v.model_id = NEW.model_id AND v.deleted_at IS NULL AND m.deleted_at IS NULL
           AND v.created_at <= NEW.started_at)) THEN
        RAISE EXCEPTION 'deployment: version % is no live version of model %, or environment % is retired',
            NEW.version_id, NEW.model_id, env.key USING ERRCODE = '42501';
    END IF;
    governs := registry_is_governed(NEW.model_id, 'environment', env.key);
    IF (TG_OP = 'INSERT' AND NEW.governed <> governs)
       OR (governs AND NOT coalesce(registry_may_run(NEW.version_id, env.key, NEW.authorization_id), false))
       OR EXISTS (SELECT 1 FROM registry_authorization a WHERE a.id = NEW.authorization_id AND a.minted_at > NEW.started_at) THEN
        RAISE EXCEPTION 'version % may not run in environment %: no valid approval of it was spent there', NEW.version_id, env.key
            USING ERRCODE = '42501';
    END IF;
    SELECT coalesce(sum(d.traffic), 0) INTO others FROM registry_deployment d
     WHERE d.model_id = NEW.model_id AND d.environment_id = NEW.environment_id AND d.ended_at IS NULL AND d.id IS DISTINCT FROM NEW.id;
    IF others + NEW.traffic > 100 THEN
        RAISE EXCEPTION 'deployment: % and % of the traffic in environment % are more than all of it', others, NEW.traffic, env.key
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER registry_deployment_guard BEFORE INSERT OR UPDATE ON registry_deployment
    FOR EACH ROW EXECUTE FUNCTION registry_guard_deployment();
CREATE TRIGGER registry_deployment_keep BEFORE DELETE ON registry_deployment
    FOR EACH ROW EXECUTE FUNCTION registry_refuse();
CREATE TRIGGER registry_deployment_no_truncate BEFORE TRUNCATE ON registry_deployment
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

-- The history of shares is written here and nowhere else.
CREATE FUNCTION registry_note_share() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.traffic IS DISTINCT FROM OLD.traffic THEN
        INSERT INTO registry_deploymentshare (deployment_id, traffic, since) VALUES (NEW.id, NEW.traffic, NEW.traffic_since);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER registry_deployment_share AFTER INSERT OR UPDATE ON registry_deployment
    FOR EACH ROW EXECUTE FUNCTION registry_note_share();
CREATE TRIGGER registry_share_keep BEFORE UPDATE OR DELETE ON registry_deploymentshare
    FOR EACH ROW EXECUTE FUNCTION registry_refuse();
CREATE TRIGGER registry_share_no_truncate BEFORE TRUNCATE ON registry_deploymentshare
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

-- A deployment, its share and its end stand only as the ledger tells them.
CREATE FUNCTION registry_demand_deployment_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE told record;
BEGIN
    SELECT e.type, e.payload ->> 'traffic' AS traffic, e.actor_id INTO told FROM audits_event e
     WHERE e.scopes @> ARRAY['deployment:' || NEW.id]::text[] AND e.type LIKE 'registry.deployment.%'
     ORDER BY e.seq DESC LIMIT 1;
    IF told IS NULL OR (TG_OP = 'INSERT' AND told.actor_id IS DISTINCT FROM NEW.recorded_by_id)
       OR (NEW.ended_at IS NOT NULL AND (told.type <> 'registry.deployment.ended' OR told.actor_id IS DISTINCT FROM NEW.ended_by_id))
       OR (NEW.ended_at IS NULL AND told.traffic::numeric IS DISTINCT FROM NEW.traffic) THEN
        RAISE EXCEPTION 'deployment %: it is not in the ledger', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER registry_deployment_recorded AFTER INSERT OR UPDATE ON registry_deployment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry_demand_deployment_event();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'registry\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
