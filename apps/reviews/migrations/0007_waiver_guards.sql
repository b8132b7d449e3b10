-- What holds for waivers and the discussion at every door, plain SQL included. See 0002_guards.sql.

-- A waiver is signed by somebody who is no author of any round, ends within a year, and is the only one in force.
CREATE FUNCTION reviews_guard_waiver() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.statement_digest <> encode(sha256(NEW.statement), 'hex') THEN
        RAISE EXCEPTION 'waiver: the digest is not that of the statement' USING ERRCODE = '42501';
    END IF;
    IF NEW.expires_at <= NEW.created_at OR NEW.expires_at > NEW.created_at + interval '366 days' THEN
        RAISE EXCEPTION 'waiver of %: it ends within a year', NEW.requirement USING ERRCODE = '42501';
    END IF;
    IF NEW.requirement IN ('review', 'evidence', 'findings') THEN
        RAISE EXCEPTION 'waiver: % cannot be waived', NEW.requirement USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_round rd JOIN reviews_review rv ON rv.id = rd.review_id
                WHERE rv.version_id = NEW.version_id AND NEW.user_id = ANY (rd.authors)) THEN
        RAISE EXCEPTION 'waiver: user % is an author of the version', NEW.user_id USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT 1 FROM reviews_waiver w
                WHERE w.version_id = NEW.version_id AND w.requirement = NEW.requirement
                  AND w.expires_at > NEW.created_at
                  AND NOT EXISTS (SELECT 1 FROM reviews_waiverrevocation x WHERE x.waiver_id = w.id)) THEN
        RAISE EXCEPTION 'waiver: % is waived already', NEW.requirement USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_waiver_guard BEFORE INSERT ON reviews_waiver
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_waiver();

CREATE FUNCTION reviews_demand_waiver_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e
                    WHERE e.scopes @> ARRAY['waiver:' || NEW.id]::text[]
                      AND e.type = 'reviews.waiver.granted'
                      AND e.payload ->> 'statement_digest' = NEW.statement_digest
                      AND e.actor_id = NEW.user_id) THEN
        RAISE EXCEPTION 'waiver %: it is not in the ledger', NEW.id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_waiver_recorded AFTER INSERT ON reviews_waiver
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_waiver_event();

-- Words are said in an active review; they change before anybody has signed, or never.
CREATE FUNCTION reviews_guard_comment_revision() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE c record; last integer;
BEGIN
    SELECT t.review_id, rv.status, m.created_at INTO c
      FROM reviews_comment m JOIN reviews_thread t ON t.id = m.thread_id
      JOIN reviews_review rv ON rv.id = t.review_id WHERE m.id = NEW.comment_id;
    SELECT max(r.number) INTO last FROM reviews_commentrevision r WHERE r.comment_id = NEW.comment_id;
    IF NEW.number <> coalesce(last, 0) + 1 OR NEW.digest <> encode(sha256(convert_to(NEW.text, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'comment %: this revision does not follow', NEW.comment_id USING ERRCODE = '42501';
    END IF;
    IF c.status NOT IN ('open', 'changes_requested', 'signed') THEN
        RAISE EXCEPTION 'comment %: its review is closed', NEW.comment_id USING ERRCODE = '42501';
    END IF;
    IF NEW.number > 1 AND EXISTS (
        SELECT 1 FROM reviews_decision d JOIN reviews_round rd ON rd.id = d.round_id
         WHERE d.review_id = c.review_id AND (rd.voided_at IS NULL OR d.created_at >= c.created_at)) THEN
        RAISE EXCEPTION 'comment %: somebody has signed, so it stays', NEW.comment_id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_comment_revision_guard BEFORE INSERT ON reviews_commentrevision
    FOR EACH ROW EXECUTE FUNCTION reviews_guard_comment_revision();

CREATE FUNCTION reviews_demand_comment_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audits_event e JOIN reviews_comment c ON c.id = NEW.comment_id
                     JOIN reviews_thread t ON t.id = c.thread_id
                    WHERE e.scopes @> ARRAY['review:' || t.review_id]::text[]
                      AND e.type IN ('reviews.comment.added', 'reviews.comment.edited')
                      AND (e.payload ->> 'comment')::bigint = NEW.comment_id
                      AND e.payload ->> 'digest' = NEW.digest
                      AND e.actor_id = c.author_id) THEN
        RAISE EXCEPTION 'comment %: it is not in the ledger', NEW.comment_id USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reviews_comment_recorded AFTER INSERT ON reviews_commentrevision
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviews_demand_comment_event();

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger
              WHERE NOT tgisinternal AND (tgname LIKE 'reviews\_waiver%' OR tgname LIKE 'reviews\_comment%') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tab, t.tgname);
    END LOOP;
END $$;
