-- What holds for policies at every door, plain SQL included. See registry/migrations/0002_guards.sql for the manner.

-- The versions in force: the newest activation of each key, unless it retired the policy.
CREATE VIEW reviews_policy_in_force AS
SELECT a.key, a.version_id
  FROM (SELECT DISTINCT ON (key) key, version_id FROM reviews_policyactivation ORDER BY key, id DESC) a
 WHERE a.version_id IS NOT NULL;

-- A combination asks for at least the signers of each of its parts, and its parts are in force.
CREATE FUNCTION reviews_guard_policy_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE part record; wanted jsonb;
BEGIN
    IF cardinality(NEW.parts) = 1 THEN
        RAISE EXCEPTION 'policy %: a combination has two parts or more', NEW.key USING ERRCODE = '42501';
    END IF;
    IF cardinality(NEW.parts) <> (SELECT count(*) FROM reviews_policy_in_force f WHERE f.version_id = ANY (NEW.parts)) THEN
        RAISE EXCEPTION 'policy %: a part of it is not in force', NEW.key USING ERRCODE = '42501';
    END IF;
    FOR part IN SELECT v.document FROM reviews_policyversion v WHERE v.id = ANY (NEW.parts) LOOP
        FOR wanted IN SELECT * FROM jsonb_array_elements(part.document -> 'steps') LOOP
            IF NOT EXISTS (SELECT 1 FROM jsonb_array_elements(NEW.document -> 'steps') s
                            WHERE s ->> 'role' = wanted ->> 'role'
                              AND (s ->> 'count')::integer >= (wanted ->> 'count')::integer) THEN
                RAISE EXCEPTION 'policy %: it asks for fewer signers than a part of it', NEW.key USING ERRCODE = '42501';
            END IF;
        END LOOP;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_policy_guard BEFORE INSERT ON reviews_policyversion
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_policy_version();

CREATE FUNCTION reviews_policy_is_in_force(version bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN cardinality(v.parts) = 0
                THEN EXISTS (SELECT 1 FROM reviews_policy_in_force f WHERE f.version_id = v.id)
                ELSE cardinality(v.parts) = (SELECT count(*) FROM reviews_policy_in_force f WHERE f.version_id = ANY (v.parts))
           END
      FROM reviews_policyversion v WHERE v.id = version
$$;

-- A review is asked for under a policy in force; another one can take its place only while no round lives.
CREATE FUNCTION reviews_guard_review_policy() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT coalesce(reviews_policy_is_in_force(NEW.policy_version_id), false) THEN
        RAISE EXCEPTION 'review: policy version % is not in force', NEW.policy_version_id USING ERRCODE = '42501';
    END IF;
    IF TG_OP = 'UPDATE' AND EXISTS (SELECT 1 FROM reviews_round r WHERE r.review_id = NEW.id AND r.voided_at IS NULL) THEN
        RAISE EXCEPTION 'review %: a round lives under its policy', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_review_policy BEFORE INSERT ON reviews_review
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_review_policy();
CREATE TRIGGER reviews_review_rebase BEFORE UPDATE ON reviews_review
    FOR EACH ROW WHEN (NEW.policy_version_id IS DISTINCT FROM OLD.policy_version_id)
    EXECUTE FUNCTION reviews_guard_review_policy();

CREATE OR REPLACE FUNCTION reviews_guard_review() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF (NEW.id, NEW.version_id, NEW.targets, NEW.submitted_by_id, NEW.justification, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.version_id, OLD.targets, OLD.submitted_by_id, OLD.justification, OLD.created_at) THEN
        RAISE EXCEPTION 'review %: what was asked for does not change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF OLD.status IN ('promoted', 'rejected', 'withdrawn') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'review %: it is closed (%)', OLD.id, OLD.status USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

-- A round's owner of record does not change either.
CREATE FUNCTION reviews_guard_round_owner() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'round %: evidence does not change', OLD.id USING ERRCODE = '42501';
END $$;
CREATE TRIGGER reviews_round_owner BEFORE UPDATE ON reviews_round
    FOR EACH ROW WHEN (NEW.owner_id IS DISTINCT FROM OLD.owner_id) EXECUTE FUNCTION reviews_guard_round_owner();

-- The approvals of a round that count for a step: in its role, by no author, by the owner only where she may,
-- and after the steps before it were complete (21 CFR 11.10(f)).
CREATE FUNCTION reviews_signed(of_round bigint, wanted jsonb, policy jsonb, before_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE total bigint := 0; d record; earlier text; missing boolean;
BEGIN
    FOR d IN SELECT DISTINCT ON (x.user_id) x.id, x.user_id FROM reviews_decision x JOIN reviews_round r ON r.id = x.round_id
              WHERE x.round_id = of_round AND x.id < before_id AND x.outcome = 'approve'
                AND x.step = wanted ->> 'key' AND x.role = wanted ->> 'role' AND x.evidence_digest = r.digest
                AND NOT x.user_id = ANY (r.authors)
                AND (NOT coalesce((wanted ->> 'exclude_owner')::boolean, false) OR x.user_id IS DISTINCT FROM r.owner_id)
              ORDER BY x.user_id, x.id LOOP
        missing := false;
        FOR earlier IN SELECT jsonb_array_elements_text(coalesce(wanted -> 'after', '[]'::jsonb)) LOOP
            SELECT missing OR reviews_signed(of_round, s, policy, d.id) < (s ->> 'count')::bigint INTO missing
              FROM jsonb_array_elements(policy -> 'steps') s WHERE s ->> 'key' = earlier;
        END LOOP;
        IF NOT coalesce(missing, true) THEN
            total := total + 1;
        END IF;
    END LOOP;
    RETURN total;
END $$;

CREATE OR REPLACE FUNCTION reviews_demand_quorum() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE r record; wanted jsonb; signed bigint;
BEGIN
    SELECT rd.digest, rd.voided_at, rv.targets, rv.version_id, p.document
      INTO r
      FROM reviews_round rd JOIN reviews_review rv ON rv.id = rd.review_id
      JOIN reviews_policyversion p ON p.id = rv.policy_version_id
     WHERE rd.id = NEW.round_id AND rv.id = NEW.review_id;
    IF NOT FOUND OR r.version_id <> NEW.version_id OR r.voided_at IS NOT NULL OR r.digest <> NEW.evidence_digest
       OR NOT r.targets @> to_jsonb(ARRAY[NEW.target_kind || ':' || NEW.target_name]) THEN
        RAISE EXCEPTION 'authorization %: it does not rest on a live round that asked for this', NEW.id
            USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_decision d WHERE d.round_id = NEW.round_id AND d.outcome <> 'approve') THEN
        RAISE EXCEPTION 'authorization %: somebody decided against it', NEW.id USING ERRCODE = '42501';
    END IF;
    FOR wanted IN SELECT * FROM jsonb_array_elements(r.document -> 'steps') LOOP
        signed := reviews_signed(NEW.round_id, wanted, r.document, 9223372036854775807);
        IF signed < (wanted ->> 'count')::integer THEN
            RAISE EXCEPTION 'authorization %: step % has % of % signatures', NEW.id, wanted ->> 'key', signed, wanted ->> 'count'
                USING ERRCODE = '42501';
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['version:' || NEW.version_id]::text[]
                      AND e.type = 'registry.authorization.minted'
                      AND (e.payload ->> 'authorization')::bigint = NEW.id
                      AND e.payload ->> 'evidence_digest' = NEW.evidence_digest) THEN
        RAISE EXCEPTION 'authorization %: it is not in the ledger', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;

-- A change: what is proposed does not change; it closes once; it replaces what is in force; loosening takes two.
CREATE FUNCTION reviews_guard_change() RETURNS trigger
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
        RETURN NEW;
    END IF;
    IF OLD.status <> 'open'
       OR (NEW.id, NEW.key, NEW.version_id, NEW.replaces_id, NEW.reason, NEW.loosens, NEW.needed, NEW.manifest, NEW.digest,
           NEW.proposed_by_id, NEW.proposed_at)
          IS DISTINCT FROM
          (OLD.id, OLD.key, OLD.version_id, OLD.replaces_id, OLD.reason, OLD.loosens, OLD.needed, OLD.manifest, OLD.digest,
           OLD.proposed_by_id, OLD.proposed_at) THEN
        RAISE EXCEPTION 'policy change %: it is closed, or what was proposed would change', OLD.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_change_guard BEFORE INSERT OR UPDATE ON reviews_policychange
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_change();
CREATE TRIGGER reviews_change_keep BEFORE DELETE ON reviews_policychange
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse();
CREATE TRIGGER reviews_change_no_truncate BEFORE TRUNCATE ON reviews_policychange
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse();

-- A signature is about an open change of somebody else's, and stands only with its ledger event.
CREATE FUNCTION reviews_guard_policy_signature() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM reviews_policychange c WHERE c.id = NEW.change_id AND c.status = 'open'
                      AND c.proposed_by_id <> NEW.user_id)
       OR NEW.statement_digest <> encode(sha256(NEW.statement), 'hex') THEN
        RAISE EXCEPTION 'policy signature: change % is not open to user %', NEW.change_id, NEW.user_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_policysignature_guard BEFORE INSERT ON reviews_policysignature
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_policy_signature();

CREATE FUNCTION reviews_demand_policy_signature_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['policychange:' || NEW.change_id]::text[]
                      AND e.type = 'reviews.policy.signed'
                      AND (e.payload ->> 'signature')::bigint = NEW.id
                      AND e.payload ->> 'statement_digest' = NEW.statement_digest
                      AND e.actor_id = NEW.user_id) THEN
        RAISE EXCEPTION 'policy signature %: it is not in the ledger', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_policysignature_recorded AFTER INSERT ON reviews_policysignature
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_policy_signature_event();

-- An activation rests on a change that enough people signed and nobody signed against. Checked at commit.
CREATE FUNCTION reviews_demand_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE c record; earlier bigint;
BEGIN
    SELECT * INTO c FROM reviews_policychange x WHERE x.id = NEW.change_id;
    SELECT a.version_id INTO earlier FROM reviews_policyactivation a
     WHERE a.key = NEW.key AND a.id < NEW.id ORDER BY a.id DESC LIMIT 1;
    IF NEW.change_id IS NULL OR c.key <> NEW.key OR c.version_id IS DISTINCT FROM NEW.version_id
       OR c.status <> 'activated' OR c.replaces_id IS DISTINCT FROM earlier THEN
        RAISE EXCEPTION 'policy %: its activation rests on no change of it', NEW.key USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_policysignature s WHERE s.change_id = c.id AND NOT s.approves)
       OR c.needed > (SELECT count(DISTINCT s.user_id) FROM reviews_policysignature s
                       WHERE s.change_id = c.id AND s.approves AND s.user_id <> c.proposed_by_id) THEN
        RAISE EXCEPTION 'policy %: its change does not have its signatures', NEW.key USING ERRCODE = '42501';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['policychange:' || c.id]::text[] AND e.type = 'reviews.policy.activated'
                      AND (e.payload ->> 'activation')::bigint = NEW.id) THEN
        RAISE EXCEPTION 'policy %: its activation is not in the ledger', NEW.key USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_policyactivation_signed AFTER INSERT ON reviews_policyactivation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_change();

-- What is governed follows from what is in force, at once. Nothing may hold a target that becomes governed by it,
-- since nobody signed for that; and the last policy stays, since without one nothing could be approved.
CREATE FUNCTION reviews_project_targets() RETURNS trigger
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
CREATE TRIGGER reviews_policyactivation_projected AFTER INSERT ON reviews_policyactivation
    FOR EACH ROW EXECUTE FUNCTION reviews_project_targets();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
