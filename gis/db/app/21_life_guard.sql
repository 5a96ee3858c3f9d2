-- The life of a case, enforced on every insert, so that plain SQL obeys what gis/lifecycle.yaml says. Python asks the same questions
-- first, for a better sentence; tests hold the two against each other.
CREATE FUNCTION app.may(who text, what text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM sys."user" u JOIN list.role_capability c ON c.capability = what
      AND (c.role = CASE u.kind WHEN 'service' THEN 'night_service' WHEN 'operator' THEN 'local_operator' END
        OR (u.kind = 'person' AND EXISTS (SELECT FROM sys.user_role r WHERE r.user_id = u.id AND r.role = c.role AND r.revoked_at IS NULL)))
    WHERE u.name = who AND u.disabled_at IS NULL)
$$;
COMMENT ON FUNCTION app.may(text, text) IS 'Whether a user who is not disabled holds a capability now';

CREATE FUNCTION app.as_day(said text) RETURNS date LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE WHEN said ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
    THEN make_date(substr(said, 1, 4)::int, substr(said, 6, 2)::int, substr(said, 9, 2)::int) END;
EXCEPTION WHEN datetime_field_overflow THEN RETURN NULL;
END $$;
COMMENT ON FUNCTION app.as_day(text) IS 'A civil day written YYYY-MM-DD; null for anything else';

CREATE FUNCTION app.as_moment(said text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN CASE WHEN said ~ '^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$' THEN said::timestamptz END;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_time_zone_displacement_value THEN RETURN NULL;
END $$;
COMMENT ON FUNCTION app.as_moment(text) IS 'A moment written in ISO 8601 with its zone; null for anything else';

CREATE FUNCTION app.filled(said jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN coalesce(jsonb_typeof(said) = 'string' AND btrim(said #>> '{}', E' \t\r\n\u3000') <> '', false);
COMMENT ON FUNCTION app.filled(jsonb) IS 'Whether something is a text that says something';

CREATE FUNCTION app.are_units(said jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF jsonb_typeof(said) IS DISTINCT FROM 'array' OR jsonb_array_length(said) = 0 THEN RETURN false; END IF;
  RETURN (SELECT bool_and(coalesce(jsonb_typeof(u) = 'object' AND app.filled(u -> 'unit')
        AND (NOT u ? 'deadline' OR app.as_day(u ->> 'deadline') IS NOT NULL) AND (NOT u ? 'measure' OR app.filled(u -> 'measure'))
        AND (NOT u ? 'role' OR u -> 'role' IN ('"lead"', '"responsible"', '"supporting"', '"police"', '"procurator"')), false))
      AND count(DISTINCT u ->> 'unit') = count(*) AND count(*) FILTER (WHERE u -> 'lead' = 'true') = 1
    FROM jsonb_array_elements(said) u);
END $$;
COMMENT ON FUNCTION app.are_units(jsonb) IS 'Whether this says which units a case is handed to: each once, one of them in the lead';

CREATE FUNCTION app.is_proof(case_id uuid, said jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF jsonb_typeof(said) IS DISTINCT FROM 'array' OR jsonb_array_length(said) = 0 THEN RETURN false; END IF;
  RETURN (SELECT bool_and(coalesce(jsonb_typeof(e) = 'object' AND jsonb_typeof(e -> 'lon') = 'number' AND jsonb_typeof(e -> 'lat') = 'number'
        AND (e ->> 'lon')::numeric BETWEEN -180 AND 180 AND (e ->> 'lat')::numeric BETWEEN -90 AND 90
        AND app.as_moment(e ->> 'at') <= now()
        AND EXISTS (SELECT FROM data.evidence k WHERE k.finding_id = case_id AND k.file_sha256 = e ->> 'sha256'), false))
    FROM jsonb_array_elements(said) e);
END $$;
COMMENT ON FUNCTION app.is_proof(uuid, jsonb) IS 'Whether this is evidence kept with the case, each piece with its position and a time that has been';

CREATE FUNCTION app.level_rank(level text) RETURNS int LANGUAGE sql IMMUTABLE
  RETURN array_position(ARRAY['county', 'city', 'province', 'nation'], level);
COMMENT ON FUNCTION app.level_rank(text) IS 'Order of the levels that close cases, from the county up';

CREATE FUNCTION app.case_severity(case_id uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT e.detail ->> 'severity' FROM data.finding_event e WHERE e.finding_id = case_id AND e.detail ? 'severity' ORDER BY e.seq DESC LIMIT 1),
    (SELECT v.severity FROM data.verdict v WHERE v.finding_id = case_id ORDER BY v.night DESC, v.recorded_at DESC LIMIT 1), 'other')
$$;
COMMENT ON FUNCTION app.case_severity(uuid) IS 'Severity of a case now: as people last said it, else as the rules graded it; other = neither did';

CREATE FUNCTION app.case_rule(case_id uuid) RETURNS list.ledger_severity LANGUAGE sql STABLE AS $$
  SELECT r FROM list.ledger_severity r WHERE r.severity IN (app.case_severity(case_id), 'other') ORDER BY r.severity = 'other' LIMIT 1
$$;
COMMENT ON FUNCTION app.case_rule(uuid) IS 'Which level closes this case, and whether a leader instructs it first';

CREATE FUNCTION app.case_given(case_id uuid, e data.finding_event) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE d jsonb := e.detail; out text[] := '{}'; entered int; units jsonb; heir uuid; rule list.ledger_severity := app.case_rule(case_id);
BEGIN
  IF btrim(e.reason, E' \t\r\n\u3000') <> '' THEN out := out || 'reason'::text; END IF;
  IF e.attachment_sha256 ~ '^[0-9a-f]{64}$' THEN out := out || 'attachment'::text; END IF;
  IF app.as_day(d ->> 'deadline') IS NOT NULL THEN out := out || 'deadline'::text; END IF;
  IF app.filled(d -> 'measure') THEN out := out || 'measure'::text; END IF;
  IF app.filled(d -> 'authority') THEN out := out || 'authority'::text; END IF;
  IF app.are_units(d -> 'units') THEN out := out || 'units'::text; END IF;
  IF d ->> 'stage' IN ('card', 'notice', 'letter', 'order') THEN out := out || 'stage'::text; END IF;
  IF app.is_proof(case_id, d -> 'evidence') THEN out := out || 'evidence'::text; END IF;
  IF app.level_rank(d ->> 'authority_level') >= greatest(app.level_rank(rule.close_level), 2) THEN out := out || 'authority_level'::text; END IF;
  IF EXISTS (SELECT FROM data.finding_event x WHERE x.finding_id = case_id AND x.move = 'instruct' AND x.seq > coalesce(
      (SELECT max(c.seq) FROM data.finding_event c WHERE c.finding_id = case_id AND c.to_state IN ('closed', 'closed_above')), 0)) THEN
    out := out || 'instruction'::text;
  END IF;
  IF NOT EXISTS (SELECT FROM data.finding_event x WHERE x.finding_id = case_id AND x.move NOT LIKE 'take\_over\_%') THEN
    out := out || 'untouched'::text;
  END IF;

  SELECT max(x.seq) INTO entered FROM (
    SELECT v.seq, v.to_state, lag(v.to_state, 1, 'found') OVER (ORDER BY v.seq) AS was FROM data.finding_event v WHERE v.finding_id = case_id) x
  WHERE x.to_state = 'assigned' AND x.was NOT IN ('assigned', 'merged');
  SELECT x.detail -> 'units' INTO units FROM data.finding_event x WHERE x.finding_id = case_id AND x.detail ? 'units' ORDER BY x.seq DESC LIMIT 1;
  IF app.filled(d -> 'unit') AND (units IS NULL OR EXISTS (SELECT FROM jsonb_array_elements(units) u WHERE u ->> 'unit' = d ->> 'unit')) THEN
    out := out || 'unit'::text;
  END IF;
  IF app.filled(d -> 'why_not_all') OR NOT EXISTS (
      SELECT FROM jsonb_array_elements(units) u WHERE u -> 'lead' IS DISTINCT FROM 'true' AND coalesce(u ->> 'role', 'responsible') IN ('lead', 'responsible') AND NOT EXISTS (
        SELECT FROM data.finding_event x WHERE x.finding_id = case_id AND x.seq > entered AND x.move = 'unit_done' AND x.detail ->> 'unit' = u ->> 'unit')) THEN
    out := out || 'completions'::text;
  END IF;
  IF d -> 'doubts_seen' = 'true' OR NOT EXISTS (
      SELECT FROM data.finding_event x WHERE x.finding_id = case_id AND x.seq > entered AND x.detail ? 'doubts' AND x.detail -> 'doubts' <> '[]') THEN
    out := out || 'doubts_seen'::text;
  END IF;

  IF d ->> 'into' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN heir := d ->> 'into'; END IF;
  IF heir <> case_id AND app.takes_others(heir) AND NOT app.holds_others(case_id) THEN
    out := out || 'into'::text;
  END IF;
  RETURN out;
END $$;
COMMENT ON FUNCTION app.case_given(uuid, data.finding_event) IS 'What is said, attached or has happened when a move is about to be taken: the names that needs in gis/lifecycle.yaml may hold';

CREATE FUNCTION app.case_state(case_id uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT e.to_state FROM data.finding_event e WHERE e.finding_id = case_id ORDER BY e.seq DESC LIMIT 1), 'found')
$$;
COMMENT ON FUNCTION app.case_state(uuid) IS 'State of a case now: where its last event led';

CREATE FUNCTION app.takes_others(case_id uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT app.case_state(case_id) IN ('found', 'problem', 'historic_listed', 'assigned', 'rectified')
    AND EXISTS (SELECT FROM data.finding f WHERE f.id = case_id AND f.merged_into IS NULL)
$$;
COMMENT ON FUNCTION app.takes_others(uuid) IS 'Whether others may be merged into this case: it is still to be settled, so that nothing in hand vanishes into what is done';

CREATE FUNCTION app.holds_others(case_id uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM data.finding_event e WHERE e.move = 'merge' AND e.detail ->> 'into' = case_id::text
    AND NOT EXISTS (SELECT FROM data.finding_event l WHERE l.finding_id = e.finding_id AND l.seq > e.seq))
$$;
COMMENT ON FUNCTION app.holds_others(uuid) IS 'Whether other cases are merged into this one now';

CREATE FUNCTION app.ill_said(d jsonb) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN d ? 'deadline' AND app.as_day(d ->> 'deadline') IS NULL THEN 'deadline'
    WHEN d ? 'units' AND NOT app.are_units(d -> 'units') THEN 'units'
    WHEN d ? 'measure' AND NOT app.filled(d -> 'measure') THEN 'measure'
    WHEN d ? 'severity' AND (d ->> 'severity' IN ('一般', '较严重', '重大')) IS NOT TRUE THEN 'severity'
    WHEN d ? 'class_code' AND NOT app.filled(d -> 'class_code') THEN 'class_code'
    WHEN d ? 'doubts' AND jsonb_typeof(d -> 'doubts') <> 'array' THEN 'doubts' END
$$;
COMMENT ON FUNCTION app.ill_said(jsonb) IS 'Which part of what a move says cannot be read; null = none';

CREATE FUNCTION app.give_number(case_id uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE place text; in_year int := extract(year FROM app.today()); given text; next int;
BEGIN
  PERFORM FROM data.finding WHERE id = case_id FOR UPDATE;
  SELECT number INTO given FROM data.case_number WHERE finding_id = case_id;
  IF given IS NOT NULL THEN RETURN given; END IF;
  SELECT CASE WHEN district ~ '^[0-9]{6}' THEN left(district, 6) ELSE '000000' END INTO STRICT place FROM data.finding WHERE id = case_id;
  PERFORM pg_advisory_xact_lock(hashtext('rivergis case number'), hashtext(place || in_year));
  SELECT coalesce(max(seq), 0) + 1 INTO next FROM data.case_number WHERE county = place AND year = in_year;
  given := format('%s-%s-%s', place, in_year, lpad(next::text, greatest(4, length(next::text)), '0'));
  INSERT INTO data.case_number (finding_id, county, year, seq, number) VALUES (case_id, place, in_year, next, given);
  RETURN given;
END $$;
COMMENT ON FUNCTION app.give_number(uuid) IS
  '台账编号 the running number of a case, given once: per county and year, one after the other, also under many hands at once';

CREATE FUNCTION app.guard_life() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE m list.lifecycle_move; last data.finding_event; state text; target text; ill text; needs text[]; lacking text; rule list.ledger_severity;
BEGIN
  -- one at a time on a case, and on the one it goes into; always in the same order
  PERFORM FROM data.finding WHERE id = NEW.finding_id OR (NEW.move = 'merge' AND id::text = NEW.detail ->> 'into') ORDER BY id FOR UPDATE;
  IF NEW.actor IS DISTINCT FROM app.actor() THEN
    RAISE EXCEPTION 'an event of a case is written in the own name (%), not in that of %', app.actor(), NEW.actor USING ERRCODE = 'RG007';
  END IF;
  IF NOT EXISTS (SELECT FROM sys."user" u WHERE u.name = NEW.actor AND u.disabled_at IS NULL) THEN
    RAISE EXCEPTION '% is not a user here (or is disabled): events of a case are taken by known people only', NEW.actor USING ERRCODE = 'RG007';
  END IF;
  SELECT * INTO m FROM list.lifecycle_move l WHERE l.noun = 'finding' AND l.move = NEW.move;
  IF m.move IS NULL THEN
    RAISE EXCEPTION 'there is no move % for a case', NEW.move USING ERRCODE = 'RG003';
  END IF;
  IF NOT app.may(NEW.actor, m.capability) THEN
    RAISE EXCEPTION '% may not take the move %: it needs the capability %', NEW.actor, NEW.move, m.capability USING ERRCODE = 'RG007';
  END IF;
  SELECT * INTO last FROM data.finding_event e WHERE e.finding_id = NEW.finding_id ORDER BY e.seq DESC LIMIT 1;
  state := coalesce(last.to_state, 'found');
  IF state <> ALL (m.from_states) THEN
    RAISE EXCEPTION 'a case that is % cannot be moved by %', state, NEW.move USING ERRCODE = 'RG003';
  END IF;
  target := CASE m.to_state WHEN 'stay' THEN state
    WHEN 'back' THEN coalesce((SELECT e.to_state FROM data.finding_event e WHERE e.finding_id = NEW.finding_id AND e.seq = last.seq - 1), 'found')
    ELSE m.to_state END;
  IF NEW.to_state IS DISTINCT FROM target THEN
    RAISE EXCEPTION 'the move % leads from % to %, not to %', NEW.move, state, target, NEW.to_state USING ERRCODE = 'RG003';
  END IF;
  ill := app.ill_said(NEW.detail);
  IF ill IS NOT NULL THEN
    RAISE EXCEPTION 'the move % says % in a way that cannot be read: %', NEW.move, ill, NEW.detail -> ill USING ERRCODE = 'RG003';
  END IF;
  rule := app.case_rule(NEW.finding_id);
  needs := m.needs || CASE WHEN rule.instructed OR EXISTS (
      SELECT FROM list.ledger_severity r WHERE r.severity = NEW.detail ->> 'severity' AND r.instructed) THEN m.needs_if_severe ELSE '{}' END;
  SELECT string_agg(n, ', ' ORDER BY n) INTO lacking FROM unnest(needs) n WHERE n <> ALL (app.case_given(NEW.finding_id, NEW));
  IF lacking IS NOT NULL THEN
    RAISE EXCEPTION 'the move % needs %', NEW.move, lacking USING ERRCODE = 'RG003';
  END IF;
  IF EXISTS (SELECT FROM data.finding_event e WHERE e.finding_id = NEW.finding_id AND e.actor = NEW.actor AND e.move = ANY (m.other_than)) THEN
    RAISE EXCEPTION '% took part in what is to be decided here: % is for another person', NEW.actor, NEW.move USING ERRCODE = 'RG007';
  END IF;
  IF NEW.recorded_at <> now() THEN
    RAISE EXCEPTION 'an event of a case is dated by the database, neither back nor ahead' USING ERRCODE = 'RG003';
  END IF;
  -- drawn again under the lock: order of the ids is order of the events
  NEW.id := nextval(pg_get_serial_sequence('data.finding_event', 'id'));
  NEW.seq := coalesce(last.seq, 0) + 1;
  NEW.recorded_at := greatest(now(), last.recorded_at);
  PERFORM app.give_number(NEW.finding_id);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_life() IS
  'Refuses an event that gis/lifecycle.yaml does not allow: actor, capability, state, what is needed, who did it before, order in time';
CREATE TRIGGER guard_life BEFORE INSERT ON data.finding_event FOR EACH ROW EXECUTE FUNCTION app.guard_life();

CREATE FUNCTION app.guard_case_number() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE place text; next int;
BEGIN
  SELECT CASE WHEN district ~ '^[0-9]{6}' THEN left(district, 6) ELSE '000000' END INTO place FROM data.finding WHERE id = NEW.finding_id;
  PERFORM pg_advisory_xact_lock(hashtext('rivergis case number'), hashtext(NEW.county || NEW.year));
  SELECT coalesce(max(seq), 0) + 1 INTO next FROM data.case_number WHERE county = NEW.county AND year = NEW.year;
  IF NEW.county IS DISTINCT FROM place OR NEW.year <> extract(year FROM app.today()) OR NEW.seq <> next
     OR NEW.number <> format('%s-%s-%s', place, NEW.year, lpad(next::text, greatest(4, length(next::text)), '0')) THEN
    RAISE EXCEPTION 'the next number of % in % is given by app.give_number(case), not chosen', place, NEW.year USING ERRCODE = 'RG003';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_case_number() IS 'A running number is the next one of its county and year, never another';
CREATE TRIGGER guard_case_number BEFORE INSERT ON data.case_number FOR EACH ROW EXECUTE FUNCTION app.guard_case_number();

CREATE FUNCTION app.guard_look_back_result() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM data.look_back_member m JOIN data.finding_event e ON e.finding_id = m.finding_id
      WHERE m.look_back_id = NEW.look_back_id AND m.seq = NEW.seq AND e.id = NEW.event_id AND e.move = 'look_back_' || NEW.output
        AND e.actor = NEW.actor AND NEW.actor <> ALL (m.done_by)) THEN
    RAISE EXCEPTION 'what was found on looking back is the event on that case, by who looked and did not do the work' USING ERRCODE = 'RG007';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_look_back_result() IS 'A result of looking back rests on the event on its case';
CREATE TRIGGER guard_look_back_result BEFORE INSERT ON data.look_back_result FOR EACH ROW EXECUTE FUNCTION app.guard_look_back_result();

CREATE FUNCTION app.guard_own_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.actor IS DISTINCT FROM app.actor() THEN
    RAISE EXCEPTION 'a row of %.% is written in the own name (%), not in that of %', TG_TABLE_SCHEMA, TG_TABLE_NAME, app.actor(), NEW.actor
      USING ERRCODE = 'RG007';
  END IF;
  IF NEW.recorded_at <> now() THEN
    RAISE EXCEPTION 'a row of %.% is dated by the database, neither back nor ahead', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'RG003';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_own_hand() IS 'What is kept in the ledger stands in the name of who writes it, with the time at which it is written';

CREATE FUNCTION app.guard_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF app.actor() <> 'upgrade' THEN
    RAISE EXCEPTION '%.% says what gis says: change the file and run rivergis db upgrade', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'RG007';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.guard_rules() IS 'Who may do what, and in which order, is changed by the upgrade only';

DO $$
DECLARE t regclass;
BEGIN
  FOREACH t IN ARRAY ARRAY['data.evidence', 'data.case_number', 'data.case_report', 'data.look_back', 'data.look_back_result',
                           'data.superior_list', 'data.superior_link', 'data.superior_step', 'data.baseline', 'data.baseline_signature',
                           'data.authority_decision', 'data.issued_report', 'data.campaign']::regclass[]
  LOOP
    EXECUTE format('CREATE TRIGGER guard_own_hand BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION app.guard_own_hand()', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['list.capability', 'list.role', 'list.role_capability', 'list.lifecycle_state', 'list.lifecycle_move',
                           'list.ledger_severity', 'list.ledger_stage']::regclass[]
  LOOP
    EXECUTE format('CREATE TRIGGER guard_rules BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION app.guard_rules()', t);
    EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION app.audit_statement()', t);
    EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON %s REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION app.audit_statement()', t);
    EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION app.audit_statement()', t);
  END LOOP;
  -- nothing of what is kept about people, rules and runs is emptied in one stroke
  FOR t IN SELECT k.oid::regclass FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE k.relkind = 'r' AND n.nspname IN ('sys', 'list')
           AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = k.oid AND g.tgname = 'guard_truncate')
  LOOP
    EXECUTE format('CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION app.guard_append_only()', t);
  END LOOP;
END $$;
