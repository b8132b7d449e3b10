-- The rules of reviews that hold for every door, plain SQL included. See registry/migrations/0002_guards.sql.

CREATE FUNCTION reviews_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '%: % is refused; its rows are part of the record', TG_TABLE_NAME, TG_OP
        USING ERRCODE = '42501';
END $$;

-- A policy version never changes.
CREATE TRIGGER reviews_policy_keep BEFORE UPDATE OR DELETE ON reviews_policyversion
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse();
CREATE TRIGGER reviews_policy_no_truncate BEFORE TRUNCATE ON reviews_policyversion
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse();

-- A review is about one version, these targets, this policy; a closed one stays closed.
CREATE FUNCTION reviews_guard_review() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF (NEW.id, NEW.version_id, NEW.targets, NEW.policy_version_id, NEW.submitted_by_id, NEW.justification, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.version_id, OLD.targets, OLD.policy_version_id, OLD.submitted_by_id, OLD.justification, OLD.created_at) THEN
        RAISE EXCEPTION 'review %: what was asked for does not change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF OLD.status IN ('promoted', 'rejected', 'withdrawn') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'review %: it is closed (%)', OLD.id, OLD.status USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_review_guard BEFORE UPDATE ON reviews_review
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_review();
CREATE TRIGGER reviews_review_keep BEFORE DELETE ON reviews_review
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse();
CREATE TRIGGER reviews_review_no_truncate BEFORE TRUNCATE ON reviews_review
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse();

-- A round is immutable; it can only die, once.
CREATE FUNCTION reviews_guard_round() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.digest <> encode(sha256(NEW.manifest), 'hex') OR NEW.voided_at IS NOT NULL THEN
            RAISE EXCEPTION 'round of review %: its digest is not that of its manifest', NEW.review_id USING ERRCODE = '42501';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.review_id, NEW.number, NEW.manifest, NEW.digest, NEW.authors, NEW.ledger_size, NEW.created_by_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.review_id, OLD.number, OLD.manifest, OLD.digest, OLD.authors, OLD.ledger_size, OLD.created_by_id, OLD.created_at) THEN
        RAISE EXCEPTION 'round %: evidence does not change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF OLD.voided_at IS NOT NULL THEN
        RAISE EXCEPTION 'round %: it is void and stays void', OLD.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_round_guard BEFORE INSERT OR UPDATE ON reviews_round
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_round();
CREATE TRIGGER reviews_round_keep BEFORE DELETE ON reviews_round
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse();
CREATE TRIGGER reviews_round_no_truncate BEFORE TRUNCATE ON reviews_round
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse();

-- A decision is about a live round of an open review, by someone who is not an author of it.
CREATE FUNCTION reviews_guard_decision() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE r record;
BEGIN
    SELECT rd.digest, rd.voided_at, rd.authors, rv.id AS review, rv.status, rv.policy_version_id
      INTO r FROM reviews_round rd JOIN reviews_review rv ON rv.id = rd.review_id WHERE rd.id = NEW.round_id;
    IF NOT FOUND OR r.review <> NEW.review_id THEN
        RAISE EXCEPTION 'decision: round % is not of review %', NEW.round_id, NEW.review_id USING ERRCODE = '42501';
    END IF;
    IF r.voided_at IS NOT NULL OR r.status <> 'open' OR r.digest <> NEW.evidence_digest THEN
        RAISE EXCEPTION 'decision: round % is not the live evidence of an open review', NEW.round_id USING ERRCODE = '42501';
    END IF;
    IF NEW.user_id = ANY (r.authors) THEN
        RAISE EXCEPTION 'decision: user % is an author of what is reviewed', NEW.user_id USING ERRCODE = '42501';
    END IF;
    IF NEW.statement_digest <> encode(sha256(NEW.statement), 'hex') THEN
        RAISE EXCEPTION 'decision: its digest is not that of its statement' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_decision_guard BEFORE INSERT ON reviews_decision
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_decision();
CREATE TRIGGER reviews_decision_keep BEFORE UPDATE OR DELETE ON reviews_decision
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse();
CREATE TRIGGER reviews_decision_no_truncate BEFORE TRUNCATE ON reviews_decision
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse();

-- A decision stands only with its ledger event.
CREATE FUNCTION reviews_demand_decision_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['review:' || NEW.review_id]::text[]
                      AND e.type = 'reviews.decision.recorded'
                      AND (e.payload ->> 'decision')::bigint = NEW.id
                      AND e.payload ->> 'statement_digest' = NEW.statement_digest
                      AND e.actor_id = NEW.user_id) THEN
        RAISE EXCEPTION 'decision %: it is not in the ledger', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_decision_recorded AFTER INSERT ON reviews_decision
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_decision_event();

-- An authorization stands only on a complete quorum of a live round, for a target that was asked for,
-- with its ledger event. Checked at commit; the same rule as apps.reviews.quorum, in SQL.
CREATE FUNCTION reviews_demand_quorum() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE r record; wanted jsonb; signed integer;
BEGIN
    SELECT rd.digest, rd.voided_at, rd.authors, rv.targets, rv.version_id, p.document
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
        SELECT count(DISTINCT d.user_id) INTO signed FROM reviews_decision d
         WHERE d.round_id = NEW.round_id AND d.outcome = 'approve' AND d.step = wanted ->> 'key'
           AND d.role = wanted ->> 'role' AND d.evidence_digest = r.digest AND NOT d.user_id = ANY (r.authors);
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
CREATE CONSTRAINT TRIGGER reviews_authorization_quorum AFTER INSERT ON registry_authorization
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_quorum();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
