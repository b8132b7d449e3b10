-- As in 0002, and what was cancelled has ended.
CREATE OR REPLACE FUNCTION checks_measurement_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
        RAISE EXCEPTION 'measurements are never removed' USING ERRCODE = '42501';
    END IF;
    IF OLD.status IN ('error', 'recalled', 'cancelled') THEN
        RAISE EXCEPTION 'measurement % has ended', OLD.id USING ERRCODE = '42501';
    END IF;
    IF (OLD.id, OLD.uuid, OLD.kind, OLD.version_id, OLD.params, OLD.inputs, OLD.key, OLD.code_version,
        OLD.libraries, OLD.started_by_id, OLD.queued_at)
       IS DISTINCT FROM
       (NEW.id, NEW.uuid, NEW.kind, NEW.version_id, NEW.params, NEW.inputs, NEW.key, NEW.code_version,
        NEW.libraries, NEW.started_by_id, NEW.queued_at) THEN
        RAISE EXCEPTION 'what measurement % was asked for cannot change', OLD.id USING ERRCODE = '42501';
    END IF;
    IF OLD.status = 'done' THEN
        IF NEW.status <> 'recalled' OR (OLD.statistics, OLD.result, OLD.result_digest, OLD.timings,
            OLD.started_at, OLD.finished_at, OLD.error)
           IS DISTINCT FROM (NEW.statistics, NEW.result, NEW.result_digest, NEW.timings,
            NEW.started_at, NEW.finished_at, NEW.error) THEN
            RAISE EXCEPTION 'measurement % can only be recalled, as it is', OLD.id
                USING ERRCODE = '42501';
        END IF;
    ELSIF NEW.status = 'recalled' THEN
        RAISE EXCEPTION 'measurement % has nothing to recall', OLD.id USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
