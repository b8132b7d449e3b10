-- What decides which policies count for a model, at every door, plain SQL included. See 0002_guards.sql for the manner.

ALTER TABLE reviews_modelchange ADD COLUMN applied_xact xid8;

-- Which policy counts for which governed target, for a model of this tier, team and tags ({"key": ["value", ...]}, keys
-- in lower case). All that cover it; where none does, all of them. The same rule as apps.reviews.coverage.counting.
CREATE FUNCTION reviews_counting(tier integer, team text, tags jsonb) RETURNS TABLE (target text, policy bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH about AS (
        SELECT k.target, v.id AS policy,
               (coalesce(v.document #> '{applies_to,tiers}', '[]') = '[]' OR v.document #> '{applies_to,tiers}' @> to_jsonb(tier))
               AND (coalesce(v.document #> '{applies_to,teams}', '[]') = '[]' OR v.document #> '{applies_to,teams}' ? team)
               AND NOT EXISTS (
                   SELECT 1 FROM jsonb_each(coalesce(v.document #> '{applies_to,tags}', '{}')) wanted
                    WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text(coalesce(tags -> lower(wanted.key), '[]')) value
                                       WHERE wanted.value ? value)) AS covers
          FROM reviews_policy_in_force f JOIN reviews_policyversion v ON v.id = f.version_id
         CROSS JOIN LATERAL (
            SELECT 'stage:' || lower(x) AS target FROM jsonb_array_elements_text(coalesce(v.document #> '{governs,stages}', '[]')) x
            UNION SELECT 'alias:' || lower(x) FROM jsonb_array_elements_text(coalesce(v.document #> '{governs,aliases}', '[]')) x
            UNION SELECT 'environment:' || lower(x)
              FROM jsonb_array_elements_text(coalesce(v.document #> '{governs,environments}', '[]')) x) k)
    SELECT a.target, a.policy FROM about a
     WHERE a.covers OR NOT EXISTS (SELECT 1 FROM about o WHERE o.target = a.target AND o.covers)
$$;

CREATE FUNCTION reviews_lets_go(tier integer, old_team text, old_tags jsonb, new_team text, new_tags jsonb) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT * FROM reviews_counting(tier, old_team, old_tags)
                   EXCEPT SELECT * FROM reviews_counting(tier, new_team, new_tags))
$$;

CREATE FUNCTION reviews_team_key(team bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce((SELECT t.key FROM accounts_team t WHERE t.id = team), '')
$$;

-- The tags of a model but for one row, with one tag more if a key is given.
CREATE FUNCTION reviews_tags_with(of_model bigint, without bigint, tag_key text, tag_value text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(k.key, k.found), '{}') FROM (
        SELECT p.key, jsonb_agg(p.value) AS found FROM (
            SELECT lower(t.key) AS key, t.value FROM registry_modeltag t
             WHERE t.model_id = of_model AND t.id IS DISTINCT FROM without
            UNION ALL SELECT lower(tag_key), tag_value WHERE tag_key IS NOT NULL) p GROUP BY p.key) k
$$;

-- Materiality is exposure times purpose, formula 1 (apps.registry.materiality).
CREATE FUNCTION reviews_risk_tier(exposure text, purpose_class text) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN score >= 6 THEN 1 WHEN score >= 3 THEN 2 ELSE 3 END FROM (
        SELECT (CASE exposure WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 END)
             * (CASE purpose_class WHEN 'informational' THEN 1 WHEN 'operational' THEN 2 WHEN 'decision' THEN 3 END) AS score) s
     WHERE score IS NOT NULL
$$;

CREATE FUNCTION reviews_guard_standing() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE tags jsonb;
BEGIN
    IF NEW.risk_tier IS DISTINCT FROM reviews_risk_tier(NEW.exposure, NEW.purpose_class) THEN
        RAISE EXCEPTION 'model %: its risk tier is not what exposure and purpose make', NEW.id USING ERRCODE = '42501';
    END IF;
    IF TG_OP = 'INSERT' OR NOT EXISTS (SELECT 1 FROM registry_modelversion v WHERE v.model_id = NEW.id) THEN
        RETURN NEW;
    END IF;
    tags := reviews_tags_with(NEW.id, NULL, NULL, NULL);
    IF (NEW.risk_tier > OLD.risk_tier
        OR (NEW.team_id IS DISTINCT FROM OLD.team_id
            AND reviews_lets_go(NEW.risk_tier, reviews_team_key(OLD.team_id), tags, reviews_team_key(NEW.team_id), tags)))
       AND NOT EXISTS (
            SELECT 1 FROM reviews_modelchange c
             WHERE c.model_id = NEW.id AND c.applied_xact = pg_current_xact_id()
               AND c.after ->> 'exposure' = NEW.exposure AND c.after ->> 'purpose_class' = NEW.purpose_class
               AND c.after ->> 'team' = reviews_team_key(NEW.team_id)) THEN
        RAISE EXCEPTION 'model %: this lets a policy go or lowers the risk tier, and nobody signed for it', NEW.id
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_model_standing BEFORE INSERT OR UPDATE ON registry_registeredmodel
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_standing();

CREATE FUNCTION reviews_guard_scope_tag() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE m record; row_id bigint; tag_key text; tag_value text; new_key text;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.model_id, NEW.key, NEW.id) IS DISTINCT FROM (OLD.model_id, OLD.key, OLD.id) THEN
        RAISE EXCEPTION 'tag %: only its value changes', OLD.id USING ERRCODE = '42501';
    END IF;
    IF TG_OP = 'DELETE' THEN
        tag_key := OLD.key; row_id := OLD.id;
    ELSE
        tag_key := NEW.key; tag_value := NEW.value; new_key := NEW.key; row_id := NEW.id;
    END IF;
    SELECT x.id, x.risk_tier, reviews_team_key(x.team_id) AS team INTO m
      FROM registry_registeredmodel x WHERE x.id = (CASE WHEN TG_OP = 'DELETE' THEN OLD.model_id ELSE NEW.model_id END);
    IF EXISTS (SELECT 1 FROM registry_governedtarget g WHERE g.kind = 'scope' AND g.name = lower(tag_key))
       AND EXISTS (SELECT 1 FROM registry_modelversion v WHERE v.model_id = m.id)
       AND reviews_lets_go(m.risk_tier, m.team, reviews_tags_with(m.id, NULL, NULL, NULL),
                           m.team, reviews_tags_with(m.id, row_id, new_key, tag_value))
       AND NOT EXISTS (
            SELECT 1 FROM reviews_modelchange c WHERE c.model_id = m.id AND c.applied_xact = pg_current_xact_id()
               AND c.after -> 'tags' @> jsonb_build_object(tag_key, tag_value)) THEN
        RAISE EXCEPTION 'tag % of model %: this lets a policy go, and nobody signed for it', tag_key, m.id USING ERRCODE = '42501';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER reviews_scope_tag BEFORE INSERT OR UPDATE OR DELETE ON registry_modeltag
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_scope_tag();
CREATE TRIGGER reviews_scope_tag_no_truncate BEFORE TRUNCATE ON registry_modeltag
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse();

-- A change never changes; it closes once, and is applied only with somebody else's signature, in one transaction.
CREATE FUNCTION reviews_guard_model_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'open' OR NEW.applied_xact IS NOT NULL OR NEW.digest <> encode(sha256(NEW.manifest), 'hex')
           OR convert_from(NEW.manifest, 'UTF8')::jsonb -> 'after' IS DISTINCT FROM NEW.after
           OR convert_from(NEW.manifest, 'UTF8')::jsonb -> 'before' IS DISTINCT FROM NEW.before
           OR convert_from(NEW.manifest, 'UTF8')::jsonb ->> 'model' IS DISTINCT FROM
              (SELECT m.uuid::text FROM registry_registeredmodel m WHERE m.id = NEW.model_id) THEN
            RAISE EXCEPTION 'model change: what is to be signed is not what is proposed' USING ERRCODE = '42501';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.status <> 'open' OR NEW.status = 'open' OR NEW.applied_xact IS NOT NULL
       OR (NEW.id, NEW.model_id, NEW.before, NEW.after, NEW.loosens, NEW.reason, NEW.manifest, NEW.digest, NEW.proposed_by_id, NEW.proposed_at)
          IS DISTINCT FROM
          (OLD.id, OLD.model_id, OLD.before, OLD.after, OLD.loosens, OLD.reason, OLD.manifest, OLD.digest, OLD.proposed_by_id, OLD.proposed_at) THEN
        RAISE EXCEPTION 'model change %: it is closed, or what was proposed would change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF NEW.status = 'applied' THEN
        IF NOT EXISTS (SELECT 1 FROM reviews_modelchangesignature s JOIN registry_registeredmodel m ON m.id = NEW.model_id
                        WHERE s.change_id = NEW.id AND s.approves AND s.user_id <> NEW.proposed_by_id AND s.user_id <> m.owner_id) THEN
            RAISE EXCEPTION 'model change %: nobody signed for it', OLD.id USING ERRCODE = '42501';
        END IF;
        NEW.applied_xact := pg_current_xact_id();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_modelchange_guard BEFORE INSERT OR UPDATE ON reviews_modelchange
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_model_change();
CREATE TRIGGER reviews_modelchange_keep BEFORE DELETE ON reviews_modelchange
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse();
CREATE TRIGGER reviews_modelchange_no_truncate BEFORE TRUNCATE ON reviews_modelchange
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse();

-- A signature is about an open change of somebody else's, and stands only with its ledger event.
CREATE FUNCTION reviews_guard_model_change_signature() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.statement_digest <> encode(sha256(NEW.statement), 'hex')
       OR NOT EXISTS (SELECT 1 FROM reviews_modelchange c JOIN registry_registeredmodel m ON m.id = c.model_id
                       WHERE c.id = NEW.change_id AND c.status = 'open' AND c.proposed_by_id <> NEW.user_id
                         AND m.owner_id <> NEW.user_id
                         AND convert_from(NEW.statement, 'UTF8')::jsonb ->> 'digest' = c.digest
                         AND (convert_from(NEW.statement, 'UTF8')::jsonb ->> 'approves')::boolean = NEW.approves) THEN
        RAISE EXCEPTION 'model change %: it is not open to user %', NEW.change_id, NEW.user_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_modelchangesignature_guard BEFORE INSERT ON reviews_modelchangesignature
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_model_change_signature();

CREATE FUNCTION reviews_demand_model_change_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['modelchange:' || NEW.change_id]::text[]
                      AND e.type = 'reviews.model_change.signed'
                      AND (e.payload ->> 'signature')::bigint = NEW.id
                      AND e.payload ->> 'statement_digest' = NEW.statement_digest
                      AND e.actor_id = NEW.user_id) THEN
        RAISE EXCEPTION 'signature of model change %: it is not in the ledger', NEW.change_id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_modelchangesignature_recorded AFTER INSERT ON reviews_modelchangesignature
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_model_change_event();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal
                AND (tgname LIKE 'reviews\_modelchange%' OR tgname LIKE 'reviews\_scope\_tag%' OR tgname = 'reviews_model_standing') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
