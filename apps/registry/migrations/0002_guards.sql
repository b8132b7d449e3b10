-- The registry's rules that hold for every door, plain SQL included (DESIGN section 2, invariant 1).
--
-- Triggers are ENABLE ALWAYS: session_replication_role does not silence them. Refusals are SQLSTATE
-- 42501 (insufficient_privilege). The functions run as the owner, with a search path that a caller's
-- temporary tables cannot shadow. What triggers cannot do: see docs/threat-model.md.

ALTER TABLE registry_authorization ADD COLUMN spent_xact xid8;

CREATE FUNCTION registry_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '%: % is refused; its rows are part of the record', TG_TABLE_NAME, TG_OP
        USING ERRCODE = '42501';
END $$;

-- Is this target governed for this model? With no governed target at all everything but leaving is.
CREATE FUNCTION registry_is_governed(model bigint, target_kind text, target_name text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM registry_registeredmodel m
                    WHERE m.id = model AND m.governance = 'governed')
       AND NOT (target_kind = 'stage' AND lower(target_name) IN ('none', 'archived'))
       AND (NOT EXISTS (SELECT 1 FROM registry_governedtarget)
            OR EXISTS (SELECT 1 FROM registry_governedtarget t
                        WHERE t.kind = target_kind AND t.name = lower(target_name)))
$$;

CREATE FUNCTION registry_is_governed_tag(tag_key text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM registry_governedtarget t
                    WHERE t.kind = 'tag'
                      AND (t.name = lower(tag_key)
                           OR (right(t.name, 1) = '*'
                               AND starts_with(lower(tag_key), left(t.name, -1)))))
$$;

CREATE FUNCTION registry_tag_is_governed(model bigint, tag_key text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM registry_registeredmodel m
                    WHERE m.id = model AND m.governance = 'governed')
       AND registry_is_governed_tag(tag_key)
$$;

-- Was an authorization for exactly this version and target spent by this very transaction?
CREATE FUNCTION registry_demand_spent(version bigint, kind text, name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM registry_authorization a
                    WHERE a.version_id = version AND a.target_kind = kind
                      AND a.target_name = lower(name) AND a.spent_xact = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'version % may not enter % %: no authorization was spent for it in this transaction',
            version, kind, name USING ERRCODE = '42501';
    END IF;
END $$;

-- Registered models: never deleted; a model with a submitted version cannot change its governance or
-- name, and one whose governed targets are held cannot become governed behind their back.
CREATE FUNCTION registry_guard_model() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE frozen boolean;
BEGIN
    frozen := EXISTS (SELECT 1 FROM registry_modelversion v
                       WHERE v.model_id = OLD.id AND (v.submitted_review IS NOT NULL OR v.decided));
    IF frozen AND (NEW.governance, NEW.name, NEW.uuid) IS DISTINCT FROM (OLD.governance, OLD.name, OLD.uuid) THEN
        RAISE EXCEPTION 'model %: governance and name are fixed, a version was submitted for review', OLD.id
            USING ERRCODE = '42501';
    END IF;
    IF frozen AND NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN
        RAISE EXCEPTION 'model %: a model with a submitted version is never deleted', OLD.id
            USING ERRCODE = '42501';
    END IF;
    IF NEW.governance = 'governed' AND OLD.governance <> 'governed' AND (
        EXISTS (SELECT 1 FROM registry_modelversion v JOIN registry_governedtarget t
                    ON t.kind = 'stage' AND t.name = lower(v.stage) WHERE v.model_id = OLD.id)
        OR EXISTS (SELECT 1 FROM registry_alias a JOIN registry_governedtarget t
                    ON t.kind = 'alias' AND t.name = lower(a.name) WHERE a.model_id = OLD.id)) THEN
        RAISE EXCEPTION 'model %: clear its governed stages and aliases before it becomes governed', OLD.id
            USING ERRCODE = '42501';
    END IF;
    IF NEW.governance = 'governed' AND OLD.governance <> 'governed' AND (
        EXISTS (SELECT 1 FROM registry_modeltag t
                 WHERE t.model_id = OLD.id AND registry_is_governed_tag(t.key))
        OR EXISTS (SELECT 1 FROM registry_versiontag t JOIN registry_modelversion v ON v.id = t.version_id
                    WHERE v.model_id = OLD.id AND v.deleted_at IS NULL AND registry_is_governed_tag(t.key))) THEN
        RAISE EXCEPTION 'model %: it carries a governed tag that nobody signed for', OLD.id
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER registry_model_guard BEFORE UPDATE ON registry_registeredmodel
    FOR EACH ROW EXECUTE FUNCTION registry_guard_model();
CREATE TRIGGER registry_model_keep BEFORE DELETE ON registry_registeredmodel
    FOR EACH ROW EXECUTE FUNCTION registry_refuse();
CREATE TRIGGER registry_model_no_truncate BEFORE TRUNCATE ON registry_registeredmodel
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

-- A change of governance stands only with its ledger event.
CREATE FUNCTION registry_demand_governance_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.governance IS DISTINCT FROM (
        SELECT e.payload ->> 'governance' FROM audits_event e
         WHERE e.scopes @> ARRAY['model:' || NEW.id]::text[]
           AND e.type IN ('registry.model.created', 'registry.model.governance_changed')
         ORDER BY e.seq DESC LIMIT 1) THEN
        RAISE EXCEPTION 'model %: its governance % is not in the ledger', NEW.id, NEW.governance
            USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER registry_model_governance_recorded
    AFTER INSERT OR UPDATE OF governance ON registry_registeredmodel
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION registry_demand_governance_event();

-- Versions: what was registered never changes; a governed stage needs a spent authorization.
CREATE FUNCTION registry_guard_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF registry_is_governed(NEW.model_id, 'stage', NEW.stage) THEN
        NEW.stage_slot := lower(NEW.stage);
    ELSE
        NEW.stage_slot := NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.uuid, NEW.model_id, NEW.number, NEW.source, NEW.run_id, NEW.run_uuid, NEW.logged_model_id,
            NEW.manifest, NEW.manifest_digest, NEW.total_size, NEW.created_by_id, NEW.created_at)
           IS DISTINCT FROM
           (OLD.id, OLD.uuid, OLD.model_id, OLD.number, OLD.source, OLD.run_id, OLD.run_uuid, OLD.logged_model_id,
            OLD.manifest, OLD.manifest_digest, OLD.total_size, OLD.created_by_id, OLD.created_at) THEN
            RAISE EXCEPTION 'version %: what was registered does not change', OLD.id USING ERRCODE = '42501';
        END IF;
        IF OLD.decided AND (NOT NEW.decided OR NEW.submitted_review IS NULL) THEN
            RAISE EXCEPTION 'version %: a decision was made about it and stays', OLD.id USING ERRCODE = '42501';
        END IF;
        IF OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL
           AND (OLD.decided OR OLD.submitted_review IS NOT NULL OR OLD.stage_slot IS NOT NULL) THEN
            RAISE EXCEPTION 'version %: a submitted version is not deleted', OLD.id USING ERRCODE = '42501';
        END IF;
    END IF;
    IF NEW.stage_slot IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.stage IS DISTINCT FROM OLD.stage) THEN
        PERFORM registry_demand_spent(NEW.id, 'stage', NEW.stage);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER registry_version_guard BEFORE INSERT OR UPDATE ON registry_modelversion
    FOR EACH ROW EXECUTE FUNCTION registry_guard_version();
CREATE TRIGGER registry_version_keep BEFORE DELETE ON registry_modelversion
    FOR EACH ROW EXECUTE FUNCTION registry_refuse();
CREATE TRIGGER registry_version_no_truncate BEFORE TRUNCATE ON registry_modelversion
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

-- Files: only what stands in the manifest, never changed.
CREATE FUNCTION registry_guard_file() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM registry_modelversion v WHERE v.id = NEW.version_id
                    AND v.manifest @> jsonb_build_array(jsonb_build_object(
                        'path', NEW.path, 'digest', NEW.blob_id, 'size', NEW.size))) THEN
        RAISE EXCEPTION 'version %: file % is not in its manifest', NEW.version_id, NEW.path
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER registry_file_guard BEFORE INSERT ON registry_versionfile
    FOR EACH ROW EXECUTE FUNCTION registry_guard_file();
CREATE TRIGGER registry_file_keep BEFORE UPDATE OR DELETE ON registry_versionfile
    FOR EACH ROW EXECUTE FUNCTION registry_refuse();
CREATE TRIGGER registry_file_no_truncate BEFORE TRUNCATE ON registry_versionfile
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

-- Aliases: of the same model; a governed one needs a spent authorization.
CREATE FUNCTION registry_guard_alias() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM registry_modelversion v
                    WHERE v.id = NEW.version_id AND v.model_id = NEW.model_id AND v.deleted_at IS NULL) THEN
        RAISE EXCEPTION 'alias %: version % is not a live version of model %', NEW.name, NEW.version_id, NEW.model_id
            USING ERRCODE = '42501';
    END IF;
    IF registry_is_governed(NEW.model_id, 'alias', NEW.name)
       AND (TG_OP = 'INSERT' OR (NEW.version_id, NEW.model_id, NEW.name)
                                IS DISTINCT FROM (OLD.version_id, OLD.model_id, OLD.name)) THEN
        PERFORM registry_demand_spent(NEW.version_id, 'alias', NEW.name);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER registry_alias_guard BEFORE INSERT OR UPDATE ON registry_alias
    FOR EACH ROW EXECUTE FUNCTION registry_guard_alias();
CREATE TRIGGER registry_alias_no_truncate BEFORE TRUNCATE ON registry_alias
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

-- Tags: a governed tag of a governed model is set by nobody.
CREATE FUNCTION registry_guard_version_tag() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF registry_tag_is_governed((SELECT v.model_id FROM registry_modelversion v WHERE v.id = NEW.version_id), NEW.key) THEN
        RAISE EXCEPTION 'tag % is governed', NEW.key USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION registry_guard_model_tag() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF registry_tag_is_governed(NEW.model_id, NEW.key) THEN
        RAISE EXCEPTION 'tag % is governed', NEW.key USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER registry_version_tag_guard BEFORE INSERT OR UPDATE ON registry_versiontag
    FOR EACH ROW EXECUTE FUNCTION registry_guard_version_tag();
CREATE TRIGGER registry_model_tag_guard BEFORE INSERT OR UPDATE ON registry_modeltag
    FOR EACH ROW EXECUTE FUNCTION registry_guard_model_tag();

-- Authorizations: written once, spent or revoked once, never otherwise changed.
CREATE FUNCTION registry_guard_authorization() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.spent_at IS NOT NULL OR NEW.spent_xact IS NOT NULL OR NEW.revoked_at IS NOT NULL THEN
            RAISE EXCEPTION 'an authorization is minted unspent' USING ERRCODE = '42501';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.spent_at IS NOT NULL OR OLD.spent_xact IS NOT NULL OR OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'authorization %: already spent or revoked', OLD.id USING ERRCODE = '42501';
    END IF;
    IF (NEW.id, NEW.version_id, NEW.target_kind, NEW.target_name, NEW.review_id, NEW.round_id,
        NEW.evidence_digest, NEW.terms, NEW.minted_at, NEW.expires_at)
       IS DISTINCT FROM
       (OLD.id, OLD.version_id, OLD.target_kind, OLD.target_name, OLD.review_id, OLD.round_id,
        OLD.evidence_digest, OLD.terms, OLD.minted_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'authorization %: its terms do not change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF (NEW.spent_at IS NOT NULL) = (NEW.revoked_at IS NOT NULL) THEN
        RAISE EXCEPTION 'authorization %: spend it or revoke it', OLD.id USING ERRCODE = '42501';
    END IF;
    NEW.spent_xact := CASE WHEN NEW.spent_at IS NULL THEN NULL ELSE pg_current_xact_id() END;
    IF NEW.spent_at IS NOT NULL AND clock_timestamp() >= OLD.expires_at THEN
        RAISE EXCEPTION 'authorization %: expired', OLD.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER registry_authorization_guard BEFORE INSERT OR UPDATE ON registry_authorization
    FOR EACH ROW EXECUTE FUNCTION registry_guard_authorization();
CREATE TRIGGER registry_authorization_keep BEFORE DELETE ON registry_authorization
    FOR EACH ROW EXECUTE FUNCTION registry_refuse();
CREATE TRIGGER registry_authorization_no_truncate BEFORE TRUNCATE ON registry_authorization
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'registry\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
