-- The tier is at least what the impact assessment demands, and that demand falls only as the tier does: by a signed change,
-- and never below what the assessment in force demands. Replaces reviews_guard_standing of 0009_model_change_guards.sql.

CREATE OR REPLACE FUNCTION reviews_guard_standing() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE tags jsonb;
BEGIN
    IF NEW.risk_tier IS DISTINCT FROM LEAST(reviews_risk_tier(NEW.exposure, NEW.purpose_class), NEW.demanded_tier) THEN
        RAISE EXCEPTION 'model %: its risk tier is not what exposure, purpose and impact assessment make', NEW.id USING ERRCODE = '42501';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.demanded_tier > OLD.demanded_tier AND NEW.demanded_tier >
       coalesce((SELECT s.tier FROM impact_assessmentsignature s WHERE s.model_id = NEW.id ORDER BY s.id DESC LIMIT 1), 3) THEN
        RAISE EXCEPTION 'model %: its impact assessment demands a higher tier', NEW.id USING ERRCODE = '42501';
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
               AND coalesce((c.after ->> 'demanded_tier')::int, 3) = NEW.demanded_tier
               AND c.after ->> 'team' = reviews_team_key(NEW.team_id)) THEN
        RAISE EXCEPTION 'model %: this lets a policy go or lowers the risk tier, and nobody signed for it', NEW.id
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
