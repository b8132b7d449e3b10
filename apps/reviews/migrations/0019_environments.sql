-- Environments are governed like stages and aliases. See 0006_policy_guards.sql.

-- What is governed follows from what is in force, at once. Nothing may hold a target that becomes governed by it, since
-- nobody signed for that. What runs in an environment is a fact, not a claim: it stays recorded, as ungoverned. And the
-- last policy stays, since without one nothing could be approved.
CREATE OR REPLACE FUNCTION reviews_project_targets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE held text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM reviews_policy_in_force) THEN
        RAISE EXCEPTION 'policy %: it is the last one', NEW.key USING ERRCODE = '42501';
    END IF;
    CREATE TEMP TABLE reviews_wanted ON COMMIT DROP AS
    SELECT DISTINCT k.kind, lower(k.name) AS name
      FROM reviews_policy_in_force f JOIN reviews_policyversion v ON v.id = f.version_id
     CROSS JOIN LATERAL (
        SELECT 'stage' AS kind, x AS name FROM jsonb_array_elements_text(coalesce(v.document #> '{governs,stages}', '[]')) x
        UNION ALL SELECT 'alias', x FROM jsonb_array_elements_text(coalesce(v.document #> '{governs,aliases}', '[]')) x
        UNION ALL SELECT 'environment', x FROM jsonb_array_elements_text(coalesce(v.document #> '{governs,environments}', '[]')) x
        UNION ALL SELECT 'tag', x FROM jsonb_array_elements_text(coalesce(v.document #> '{governs,tags}', '[]')) x
        UNION ALL SELECT 'scope', x FROM jsonb_object_keys(coalesce(v.document #> '{applies_to,tags}', '{}')) x) k;
    SELECT string_agg(DISTINCT m.name || ' (' || w.kind || ' ' || w.name || ')', ', ') INTO held
      FROM reviews_wanted w JOIN registry_registeredmodel m ON m.governance = 'governed' AND m.deleted_at IS NULL
     WHERE NOT EXISTS (SELECT 1 FROM registry_governedtarget g WHERE g.kind = w.kind AND g.name = w.name)
       AND ((w.kind = 'stage' AND EXISTS (SELECT 1 FROM registry_modelversion v WHERE v.model_id = m.id AND lower(v.stage) = w.name))
         OR (w.kind = 'alias' AND EXISTS (SELECT 1 FROM registry_alias a WHERE a.model_id = m.id AND lower(a.name) = w.name))
         OR (w.kind = 'tag' AND EXISTS (
                SELECT 1 FROM (SELECT t.key FROM registry_modeltag t WHERE t.model_id = m.id
                               UNION SELECT t.key FROM registry_versiontag t JOIN registry_modelversion v ON v.id = t.version_id
                                      WHERE v.model_id = m.id AND v.deleted_at IS NULL) carried
                 WHERE lower(carried.key) = w.name
                    OR (right(w.name, 1) = '*' AND starts_with(lower(carried.key), left(w.name, -1))))));
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'policy %: nobody signed for what holds its targets: %', NEW.key, held USING ERRCODE = '42501';
    END IF;
    DELETE FROM registry_governedtarget g
     WHERE NOT EXISTS (SELECT 1 FROM reviews_wanted w WHERE w.kind = g.kind AND w.name = g.name);
    INSERT INTO registry_governedtarget (kind, name)
    SELECT w.kind, w.name FROM reviews_wanted w
     WHERE NOT EXISTS (SELECT 1 FROM registry_governedtarget g WHERE g.kind = w.kind AND g.name = w.name);
    DROP TABLE reviews_wanted;
    RETURN NULL;
END $$;

-- Policies in force that named environments in vain until now.
INSERT INTO registry_governedtarget (kind, name)
SELECT DISTINCT 'environment', lower(x) FROM reviews_policy_in_force f JOIN reviews_policyversion v ON v.id = f.version_id
 CROSS JOIN LATERAL jsonb_array_elements_text(coalesce(v.document #> '{governs,environments}', '[]')) x;

-- Nothing begins to run, or gets more to do, on evidence that is void.
CREATE FUNCTION reviews_guard_deployment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM registry_authorization a JOIN reviews_round r ON r.id = a.round_id
                WHERE a.id = NEW.authorization_id AND r.voided_at IS NOT NULL) THEN
        RAISE EXCEPTION 'deployment: the evidence behind authorization % is void', NEW.authorization_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_deployment_evidence BEFORE INSERT OR UPDATE OF traffic ON registry_deployment
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_deployment();
ALTER TABLE registry_deployment ENABLE ALWAYS TRIGGER reviews_deployment_evidence;

-- Nothing is asked for a retired model, and none is retired while something is.
CREATE FUNCTION reviews_guard_retired() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'reviews_review' THEN
        IF EXISTS (SELECT 1 FROM registry_modelversion v JOIN registry_registeredmodel m ON m.id = v.model_id
                    WHERE v.id = NEW.version_id AND m.retired_at IS NOT NULL) THEN
            RAISE EXCEPTION 'review: the model of version % is retired', NEW.version_id USING ERRCODE = '42501';
        END IF;
    ELSIF EXISTS (SELECT 1 FROM reviews_review r JOIN registry_modelversion v ON v.id = r.version_id
                   WHERE v.model_id = NEW.id AND r.status IN ('open', 'changes_requested', 'signed')) THEN
        RAISE EXCEPTION 'model %: a review of it is under way', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_review_not_retired BEFORE INSERT ON reviews_review
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_retired();
CREATE TRIGGER reviews_model_not_under_review BEFORE UPDATE ON registry_registeredmodel
    FOR EACH ROW WHEN (NEW.retired_at IS NOT NULL AND OLD.retired_at IS NULL) EXECUTE FUNCTION reviews_guard_retired();
ALTER TABLE reviews_review ENABLE ALWAYS TRIGGER reviews_review_not_retired;
ALTER TABLE registry_registeredmodel ENABLE ALWAYS TRIGGER reviews_model_not_under_review;
