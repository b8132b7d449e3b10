-- Who may not decide and who decides for whom, at every door, plain SQL included. See 0002_guards.sql and 0006.

-- Who is kept out of a round: who stepped aside from its review, and about whom a conflict of interest stood at any
-- moment of its life.
CREATE FUNCTION reviews_barred(of_round bigint) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT x.person), '{}'::bigint[]) FROM (
        SELECT c.user_id::bigint AS person
          FROM reviews_round r JOIN reviews_recusal c ON c.review_id = r.review_id WHERE r.id = of_round
        UNION ALL
        SELECT c.person_id::bigint
          FROM reviews_round r JOIN reviews_review v ON v.id = r.review_id
          JOIN registry_modelversion m ON m.id = v.version_id
          JOIN reviews_conflict c ON c.model_id = m.model_id AND (c.review_id IS NULL OR c.review_id = v.id)
          LEFT JOIN reviews_conflictwithdrawal w ON w.conflict_id = c.id
         WHERE r.id = of_round AND (r.voided_at IS NULL OR c.created_at <= r.voided_at)
           AND (w.id IS NULL OR w.created_at >= r.created_at)) x
$$;

-- The approvals of a round that count, by step: in the step's role, by nobody who is kept out, for nobody who is, after
-- the steps before it were complete (21 CFR 11.10(f)), and no person twice: who delegates and who signs for her are one.
CREATE FUNCTION reviews_counted(of_round bigint, policy jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE r record; d record; wanted jsonb; people bigint[]; taken bigint[] := '{}'; found jsonb := '{}';
BEGIN
    SELECT x.authors, x.owner_id, x.digest, reviews_barred(x.id) AS barred INTO r FROM reviews_round x WHERE x.id = of_round;
    FOR d IN SELECT x.user_id, x.on_behalf_of_id, x.step, x.role FROM reviews_decision x
              WHERE x.round_id = of_round AND x.outcome = 'approve' AND x.evidence_digest = r.digest ORDER BY x.id LOOP
        SELECT s INTO wanted FROM jsonb_array_elements(policy -> 'steps') s
         WHERE s ->> 'key' = d.step AND s ->> 'role' = d.role;
        CONTINUE WHEN wanted IS NULL;
        people := array_remove(ARRAY[d.user_id, d.on_behalf_of_id]::bigint[], NULL);
        CONTINUE WHEN people && taken OR people && r.authors::bigint[] OR people && r.barred;
        CONTINUE WHEN coalesce((wanted ->> 'exclude_owner')::boolean, false) AND r.owner_id = ANY (people);
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM jsonb_array_elements_text(coalesce(wanted -> 'after', '[]'::jsonb)) a
              JOIN jsonb_array_elements(policy -> 'steps') s ON s ->> 'key' = a
             WHERE coalesce((found ->> a)::integer, 0) < (s ->> 'count')::integer);
        found := found || jsonb_build_object(d.step, coalesce((found ->> d.step)::integer, 0) + 1);
        taken := taken || people;
    END LOOP;
    RETURN found;
END $$;

CREATE OR REPLACE FUNCTION reviews_signed(of_round bigint, wanted jsonb, policy jsonb, before_id bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce((reviews_counted(of_round, policy) ->> (wanted ->> 'key'))::bigint, 0)
$$;

-- Whether one person may sign for another in this role of this review at this moment, as far as the tables tell.
CREATE FUNCTION reviews_delegated(delegation bigint, giver bigint, taker bigint, signs_as text, of_review bigint, at timestamptz)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM reviews_delegation g
          JOIN reviews_review v ON v.id = of_review JOIN registry_modelversion m ON m.id = v.version_id
          JOIN registry_registeredmodel rm ON rm.id = m.model_id
         WHERE g.id = delegation AND g.delegator_id = giver AND g.delegate_id = taker AND g.role = signs_as
           AND g.created_at <= at AND at < g.ends_at
           AND (g.review_id = v.id OR g.model_id = m.model_id OR g.team_id = rm.team_id)
           AND NOT EXISTS (SELECT 1 FROM reviews_delegationend e WHERE e.delegation_id = g.id))
$$;

-- A decision is about a live round of an open review, by somebody who is not kept out of it, says so, and signs for
-- herself or for somebody who is not kept out either and gave her the role.
CREATE OR REPLACE FUNCTION reviews_guard_decision() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE r record; people bigint[];
BEGIN
    SELECT rd.digest, rd.voided_at, rd.authors, reviews_barred(rd.id) AS barred, rv.id AS review, rv.status
      INTO r FROM reviews_round rd JOIN reviews_review rv ON rv.id = rd.review_id WHERE rd.id = NEW.round_id;
    IF NOT FOUND OR r.review <> NEW.review_id THEN
        RAISE EXCEPTION 'decision: round % is not of review %', NEW.round_id, NEW.review_id USING ERRCODE = '42501';
    END IF;
    IF r.voided_at IS NOT NULL OR r.status <> 'open' OR r.digest <> NEW.evidence_digest THEN
        RAISE EXCEPTION 'decision: round % is not the live evidence of an open review', NEW.round_id USING ERRCODE = '42501';
    END IF;
    people := array_remove(ARRAY[NEW.user_id, NEW.on_behalf_of_id]::bigint[], NULL);
    IF people && r.authors::bigint[] THEN
        RAISE EXCEPTION 'decision: user % is an author of what is reviewed, or signs for one', NEW.user_id USING ERRCODE = '42501';
    END IF;
    IF people && r.barred THEN
        RAISE EXCEPTION 'decision: user % stepped aside or has a conflict of interest, or signs for one who does', NEW.user_id
            USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_decision d WHERE d.round_id = NEW.round_id
                  AND ARRAY[d.user_id, d.on_behalf_of_id]::bigint[] && people) THEN
        RAISE EXCEPTION 'decision: user % has decided about round % already, by herself or through another', NEW.user_id, NEW.round_id
            USING ERRCODE = '42501';
    END IF;
    IF (NEW.delegation_id IS NULL) <> (NEW.on_behalf_of_id IS NULL)
       OR (NEW.delegation_id IS NOT NULL AND NOT reviews_delegated(
              NEW.delegation_id, NEW.on_behalf_of_id, NEW.user_id, NEW.role, NEW.review_id, NEW.created_at)) THEN
        RAISE EXCEPTION 'decision: nothing delegates the role % to user %', NEW.role, NEW.user_id USING ERRCODE = '42501';
    END IF;
    IF NEW.statement_digest <> encode(sha256(NEW.statement), 'hex') THEN
        RAISE EXCEPTION 'decision: its digest is not that of its statement' USING ERRCODE = '42501';
    END IF;
    IF NOT coalesce(convert_from(NEW.statement, 'UTF8')::jsonb -> 'no_conflict' = 'true'::jsonb, false) THEN
        RAISE EXCEPTION 'decision: user % did not say that she has no conflict of interest', NEW.user_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

-- A person steps aside from a round she has not decided about.
CREATE FUNCTION reviews_guard_recusal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM reviews_round r WHERE r.id = NEW.round_id AND r.review_id = NEW.review_id) THEN
        RAISE EXCEPTION 'recusal: round % is not of review %', NEW.round_id, NEW.review_id USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_decision d JOIN reviews_round r ON r.id = d.round_id
                WHERE r.review_id = NEW.review_id AND r.voided_at IS NULL
                  AND NEW.user_id IN (d.user_id, d.on_behalf_of_id)) THEN
        RAISE EXCEPTION 'recusal: user % has decided about the live round', NEW.user_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_recusal_guard BEFORE INSERT ON reviews_recusal
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_recusal();

CREATE FUNCTION reviews_guard_conflict() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.review_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM reviews_review v JOIN registry_modelversion m ON m.id = v.version_id
         WHERE v.id = NEW.review_id AND m.model_id = NEW.model_id) THEN
        RAISE EXCEPTION 'conflict: review % is of another model', NEW.review_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_conflict_guard BEFORE INSERT ON reviews_conflict
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_conflict();

-- Whom a conflict is about does not withdraw what another declared.
CREATE FUNCTION reviews_guard_conflict_withdrawal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM reviews_conflict c WHERE c.id = NEW.conflict_id
                  AND c.person_id = NEW.user_id AND c.declared_by_id <> NEW.user_id) THEN
        RAISE EXCEPTION 'conflict %: user % does not withdraw what another declared', NEW.conflict_id, NEW.user_id
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_conflictwithdrawal_guard BEFORE INSERT ON reviews_conflictwithdrawal
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_conflict_withdrawal();

-- A delegation ends within 90 days. The day of its end counts whole, so 90 days and the rest of the first.
CREATE FUNCTION reviews_guard_delegation() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.ends_at <= NEW.created_at OR NEW.ends_at > NEW.created_at + interval '90 days' THEN
        RAISE EXCEPTION 'delegation: it ends within 90 days' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_delegation_guard BEFORE INSERT ON reviews_delegation
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_delegation();

-- Each of these rows stands only with its ledger event: TG_ARGV are the event's type, the noun of its scope, the
-- column that holds the id in it.
CREATE FUNCTION reviews_demand_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY[TG_ARGV[1] || ':' || (to_jsonb(NEW) ->> TG_ARGV[2])]::text[]
                      AND e.type = TG_ARGV[0]) THEN
        RAISE EXCEPTION '% %: it is not in the ledger', TG_ARGV[1], NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_recusal_recorded AFTER INSERT ON reviews_recusal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_event('reviews.review.recused', 'recusal', 'id');
CREATE CONSTRAINT TRIGGER reviews_conflict_recorded AFTER INSERT ON reviews_conflict
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_event('reviews.conflict.declared', 'conflict', 'id');
CREATE CONSTRAINT TRIGGER reviews_conflictwithdrawal_recorded AFTER INSERT ON reviews_conflictwithdrawal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION reviews_demand_event('reviews.conflict.withdrawn', 'conflict', 'conflict_id');
CREATE CONSTRAINT TRIGGER reviews_delegation_recorded AFTER INSERT ON reviews_delegation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION reviews_demand_event('reviews.delegation.given', 'delegation', 'id');
CREATE CONSTRAINT TRIGGER reviews_delegationend_recorded AFTER INSERT ON reviews_delegationend
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION reviews_demand_event('reviews.delegation.ended', 'delegation', 'delegation_id');

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE 'reviews\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
