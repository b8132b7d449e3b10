-- That an approval is questioned is said of one that was given, of what is declared by somebody only that, and stands
-- only with its ledger event. Once per thing is the constraint reviews_rereview_once. See 0002_guards.sql.
CREATE FUNCTION reviews_guard_rereview() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM registry_authorization a
                    WHERE a.review_id = NEW.review_id AND a.spent_at IS NOT NULL) THEN
        RAISE EXCEPTION 're-review: nothing entered a target by review %', NEW.review_id USING ERRCODE = '42501';
    END IF;
    IF (NEW.trigger IN ('incident', 'vendor') AND NEW.declared_by_id IS NULL)
       OR (NEW.trigger NOT IN ('incident', 'vendor', 'data', 'use') AND NEW.declared_by_id IS NOT NULL) THEN
        RAISE EXCEPTION 're-review: % is declared by nobody, or found by somebody', NEW.trigger USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_rereview_guard BEFORE INSERT ON reviews_rereview
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_rereview();
CREATE CONSTRAINT TRIGGER reviews_rereview_recorded AFTER INSERT ON reviews_rereview
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION reviews_demand_event('reviews.rereview.required', 'rereview', 'id');


-- The emergency path at every door, plain SQL included. See 0002_guards.sql, 0006 and services/rolling_back.py.

-- One quorum lets a version into a target once. What was spent before is repeated only by a rollback.
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
    IF EXISTS (SELECT 1 FROM registry_authorization a
                WHERE a.id < NEW.id AND a.round_id = NEW.round_id AND a.spent_at IS NOT NULL
                  AND a.target_kind = NEW.target_kind AND a.target_name = NEW.target_name)
       AND NOT EXISTS (SELECT 1 FROM reviews_rollback b WHERE b.authorization_id = NEW.id) THEN
        RAISE EXCEPTION 'authorization %: these signatures let the version in before, and nothing rolls back to that', NEW.id
            USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;

-- A rollback repeats an authorization that was spent, for the same version, target and evidence and no longer, in the
-- transaction that spends its own, under a policy with an emergency path.
CREATE FUNCTION reviews_guard_rollback() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE e record; a record; path jsonb;
BEGIN
    SELECT * INTO e FROM registry_authorization x WHERE x.id = NEW.earlier_id;
    SELECT * INTO a FROM registry_authorization x WHERE x.id = NEW.authorization_id;
    IF e.spent_at IS NULL OR e.revoked_at IS NOT NULL OR a.id <= e.id OR a.expires_at > e.expires_at
       OR (e.version_id, e.target_kind, e.target_name, e.review_id, e.round_id, e.evidence_digest)
          IS DISTINCT FROM
          (a.version_id, a.target_kind, a.target_name, a.review_id, a.round_id, a.evidence_digest)
       OR (a.version_id, a.target_kind, a.target_name)
          IS DISTINCT FROM (NEW.version_id, NEW.target_kind::text, NEW.target_name::text) THEN
        RAISE EXCEPTION 'rollback %: it does not repeat an approval by which the version was there', NEW.id USING ERRCODE = '42501';
    END IF;
    SELECT p.document -> 'emergency' INTO path FROM reviews_policyversion p WHERE p.id = NEW.policy_version_id;
    IF coalesce(path, 'null'::jsonb) = 'null'::jsonb
       OR NEW.review_by > NEW.created_at + (path ->> 'review_within_days')::integer * interval '24 hours' + interval '1 minute' THEN
        RAISE EXCEPTION 'rollback %: its policy has no such emergency path', NEW.id USING ERRCODE = '42501';
    END IF;
    IF NEW.statement_digest <> encode(sha256(NEW.statement), 'hex') THEN
        RAISE EXCEPTION 'rollback %: its digest is not that of its statement', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_rollback_guard BEFORE INSERT ON reviews_rollback
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_rollback();
CREATE CONSTRAINT TRIGGER reviews_rollback_recorded AFTER INSERT ON reviews_rollback
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION reviews_demand_event('reviews.rollback.made', 'rollback', 'id');

-- Somebody else says whether it was right, in a role that signs under its policy.
CREATE FUNCTION reviews_guard_rollback_review() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM reviews_rollback b JOIN reviews_policyversion p ON p.id = b.policy_version_id
          JOIN jsonb_array_elements(p.document -> 'steps') s ON s ->> 'role' = NEW.role
         WHERE b.id = NEW.rollback_id AND b.user_id <> NEW.user_id)
       OR NEW.statement_digest <> encode(sha256(NEW.statement), 'hex') THEN
        RAISE EXCEPTION 'rollback %: user % does not review it', NEW.rollback_id, NEW.user_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_rollbackreview_guard BEFORE INSERT ON reviews_rollbackreview
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_rollback_review();
CREATE CONSTRAINT TRIGGER reviews_rollbackreview_recorded AFTER INSERT ON reviews_rollbackreview
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION reviews_demand_event('reviews.rollback.reviewed', 'rollback', 'rollback_id');

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
