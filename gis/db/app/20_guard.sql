-- What no one may do, by whatever door: write without an actor, change a version, delete a fact.
CREATE FUNCTION app.actor() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE who text := current_setting('rivergis.actor', true);
BEGIN
  IF who IS NULL OR who = '' THEN
    RAISE EXCEPTION 'no actor is set for this transaction: write through rivergis, or SET LOCAL rivergis.actor to your sign-in name'
      USING ERRCODE = 'RG007';
  END IF;
  RETURN who;
END $$;
COMMENT ON FUNCTION app.actor() IS 'Actor of the transaction; refuses when none is set';

CREATE FUNCTION app.audit_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN SELECT count(*) INTO n FROM gone; ELSE SELECT count(*) INTO n FROM come; END IF;
  IF n > 0 THEN
    INSERT INTO sys.audit (actor, action, target, row_count)
    VALUES (app.actor(), TG_OP, TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, n);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.audit_statement() IS 'One audit row per writing statement, with its actor and row count';

CREATE FUNCTION app.guard_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.superseded_at IS NULL AND NEW.superseded_at IS NOT NULL
     AND to_jsonb(OLD) - 'superseded_at' = to_jsonb(NEW) - 'superseded_at' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '%.% keeps every version: record a new one instead of changing or deleting an old one', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'RG007';
END $$;
COMMENT ON FUNCTION app.guard_version() IS 'A recorded version may only be superseded, never changed or deleted';

CREATE FUNCTION app.guard_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%.% is append only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'RG007';
END $$;
COMMENT ON FUNCTION app.guard_append_only() IS 'Refuses update, delete and truncate';

CREATE FUNCTION app.guard_personal_data() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('rivergis.purpose', true) = 'retention' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'position fixes are neither changed nor deleted before their retention period ends' USING ERRCODE = 'RG007';
END $$;
COMMENT ON FUNCTION app.guard_personal_data() IS 'Fixes leave only through the retention job';

CREATE FUNCTION app.guard_finding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.merged_into IS NULL AND NEW.merged_into <> OLD.id
     AND to_jsonb(OLD) - 'merged_into' = to_jsonb(NEW) - 'merged_into' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a lead is never changed or deleted; only the lead that goes on for it may be named, once' USING ERRCODE = 'RG007';
END $$;
COMMENT ON FUNCTION app.guard_finding() IS 'A lead stays as it was opened; that another goes on for it is said once';

DO $$
DECLARE t regclass; c text;
BEGIN
  -- tables whose rows have versions
  FOR t, c IN SELECT a.attrelid::regclass, 'guard_version' FROM pg_attribute a JOIN pg_class k ON k.oid = a.attrelid
              JOIN pg_namespace n ON n.oid = k.relnamespace
              WHERE n.nspname = 'data' AND k.relkind = 'r' AND a.attname = 'superseded_at'
  LOOP
    EXECUTE format('CREATE TRIGGER guard_version BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION app.guard_version()', t);
  END LOOP;
  -- tables that only grow
  FOREACH t IN ARRAY ARRAY['data.identity', 'data.verdict', 'data.sighting', 'data.finding_event', 'data.not_finding', 'data.evidence',
                           'data.leg', 'data.delivery', 'data.delivery_item', 'data.network_build', 'data.network_build_reach',
                           'data.network_defect', 'data.patrol_entry', 'data.patrol_entry_stretch', 'data.patrol_entry_event',
                           'data.patrol_party', 'data.area_visit', 'data.review_event', 'data.observation',
                           'data.feed_file', 'data.feed_picture', 'data.patch_batch', 'data.patch', 'data.patch_figures', 'data.patch_check', 'data.report',
                           'data.authority_decision', 'data.issued_report',
                           'data.sample', 'data.sample_stratum', 'data.sample_member', 'data.sample_result', 'sys.track_access', 'sys.audit', 'sys.import_record', 'sys.quarantine', 'sys.quarantine_event',
                           'data.superior_list', 'data.superior_item', 'data.superior_link', 'data.superior_step', 'data.baseline', 'data.baseline_item',
                           'data.baseline_signature',
                           'data.stake_event',
                           'data.boundary_draft', 'data.boundary_draft_change', 'data.boundary_draft_segment', 'data.boundary_event', 'data.boundary_act', 'data.boundary_reduction',
                           'data.case_number', 'data.case_report', 'data.look_back', 'data.look_back_member', 'data.look_back_result',
                           'data.publication', 'data.publication_part', 'data.publication_event',
                           'data.audit_finding', 'data.audit_reply',
                           'sys.job_run', 'sys.night', 'list.rule_set', 'list.rule']::regclass[]
  LOOP
    EXECUTE format('CREATE TRIGGER guard_append_only BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION app.guard_append_only()', t);
  END LOOP;
  CREATE TRIGGER guard_finding BEFORE UPDATE OR DELETE ON data.finding FOR EACH ROW EXECUTE FUNCTION app.guard_finding();
  CREATE TRIGGER guard_personal_data BEFORE UPDATE OR DELETE ON data.fix FOR EACH ROW EXECUTE FUNCTION app.guard_personal_data();
  -- every writing statement on facts, users and keys leaves a line in the audit
  FOR t IN SELECT k.oid::regclass FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace
           WHERE k.relkind = 'r' AND (n.nspname = 'data' OR (n.nspname = 'sys' AND k.relname IN ('user', 'user_role', 'api_key', 'job_run', 'import_record', 'quarantine_event')))
  LOOP
    EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION app.audit_statement()', t);
    EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON %s REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION app.audit_statement()', t);
    EXECUTE format('CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION app.guard_append_only()', t);
    EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION app.audit_statement()', t);
  END LOOP;
END $$;
