-- 划界成果 announced lines are law: not changed in place, and by the calendar announced, in force, superseded or revoked.
CREATE FUNCTION app.boundary_standing_as_of(on_date date, known_at timestamptz DEFAULT now())
RETURNS TABLE (boundary_id uuid, boundary_version int, code text, code_namespace text, river_id uuid, river_code text, river text, line_type text, basis text,
  standing text, announce_gov text, announce_doc_no text, announced_on date, in_force_from date, in_force_until date, reason text,
  draft_id uuid, replaced_by uuid, survey_scale int, xy_error_m double precision, publisher text, document_sha256 text, document_name text)
LANGUAGE sql STABLE AS $$
  WITH known AS (
    SELECT v.* FROM data.boundary_version v WHERE v.recorded_at <= known_at AND (v.superseded_at IS NULL OR v.superseded_at > known_at)),
  chosen AS (  -- of several stretches of time the one that holds the day, else the last begun before it, else the first after it
    SELECT DISTINCT ON (v.id) v.* FROM known v
    ORDER BY v.id, v.valid @> on_date DESC, coalesce(lower(v.valid), '-infinity') <= on_date DESC, abs(coalesce(lower(v.valid), '0001-01-01'::date) - on_date))
  SELECT v.id, v.version, v.code, v.code_namespace, v.river_id, r.code, r.name, v.line_type, v.basis,
    CASE WHEN v.state = 'revoked' AND coalesce(lower(v.valid), '-infinity') <= on_date THEN 'revoked'
         WHEN v.state NOT IN ('announced', 'revoked') THEN v.state
         WHEN upper(v.valid) <= on_date THEN 'superseded'
         WHEN lower(v.valid) > on_date THEN 'announced'
         ELSE 'in_force' END,
    v.announce_gov, v.announce_doc_no, v.announced_on, lower(v.valid), upper(v.valid) - 1, v.reason,
    (SELECT a.draft_id FROM data.boundary_act a WHERE a.boundary_id = v.id AND a.recorded_at <= known_at LIMIT 1),
    (SELECT a.boundary_id FROM data.boundary_act a WHERE a.replaces_id = v.id AND a.recorded_at <= known_at ORDER BY a.recorded_at DESC LIMIT 1),
    v.survey_scale, v.xy_error_m, paper.publisher, paper.attachment_sha256, paper.attachment_name
  FROM chosen v LEFT JOIN app.river_as_of(on_date, known_at) r ON r.id = v.river_id
  LEFT JOIN LATERAL (
    SELECT coalesce(e.detail ->> 'publisher', e.detail -> 'announcement' ->> 'publisher') AS publisher, e.attachment_sha256, e.attachment_name
    FROM data.boundary_event e
    WHERE e.recorded_at <= known_at AND (e.boundary_id = v.id AND e.move = 'attach' OR e.move = 'announce' AND e.draft_id IN (
      SELECT a.draft_id FROM data.boundary_act a WHERE a.boundary_id = v.id AND a.recorded_at <= known_at))
    ORDER BY e.recorded_at DESC, e.id DESC LIMIT 1) paper ON true
$$;
COMMENT ON FUNCTION app.boundary_standing_as_of(date, timestamptz) IS
  'Every delimitation with its standing on a civil day as known at a moment: in_force, announced (not yet in force), superseded, revoked, or the state of a line that was imported as a draft; with the file of its announcement, where one is kept';
CREATE VIEW app.boundary_standing AS SELECT * FROM app.boundary_standing_as_of(app.today());
COMMENT ON VIEW app.boundary_standing IS 'Every delimitation with its standing today';

CREATE FUNCTION app.was_announced(act uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM data.boundary_version v WHERE v.id = act AND v.basis = 'announced' AND v.state IN ('announced', 'revoked'))
$$;
COMMENT ON FUNCTION app.was_announced(uuid) IS 'Whether a delimitation is or was announced: what belongs to it is law';

CREATE FUNCTION app.guard_announced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE act data.boundary_version; was data.boundary_version; old record;
BEGIN
  EXECUTE format('SELECT geom, recorded_at, boundary_id, valid FROM data.%I WHERE id = $1 AND version < $2 ORDER BY version DESC LIMIT 1', TG_TABLE_NAME) INTO old USING NEW.id, NEW.version;
  IF old.boundary_id <> NEW.boundary_id AND app.was_announced(old.boundary_id) THEN
    RAISE EXCEPTION '已公告的界线不可改属另一划界成果 % belongs to an announced delimitation and is not handed to another: announce a new delimitation', NEW.code
      USING ERRCODE = 'RG007';
  END IF;
  IF old.geom IS NULL OR old.geom::text = NEW.geom::text THEN RETURN NEW; END IF;
  SELECT * INTO act FROM data.boundary_version v WHERE v.id = NEW.boundary_id AND v.superseded_at IS NULL AND v.valid && NEW.valid ORDER BY v.version DESC LIMIT 1;
  SELECT * INTO was FROM data.boundary_version v WHERE v.id = NEW.boundary_id AND v.recorded_at <= old.recorded_at AND v.valid && old.valid ORDER BY v.version DESC LIMIT 1;
  IF act.state = 'announced' AND was.state = 'announced' AND act.basis = 'announced' AND was.basis = 'announced'
     AND (act.announce_gov, act.announce_doc_no, act.announced_on) IS NOT DISTINCT FROM (was.announce_gov, was.announce_doc_no, was.announced_on) THEN
    RAISE EXCEPTION '已公告的界线不可改动 % was announced by % and is not changed under the same announcement: announce a new delimitation', act.code, act.announce_doc_no
      USING ERRCODE = 'RG007';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_announced() IS 'The shape of an announced line or area changes only with another announcement';
CREATE TRIGGER guard_announced BEFORE INSERT ON data.boundary_segment FOR EACH ROW EXECUTE FUNCTION app.guard_announced();
CREATE TRIGGER guard_announced BEFORE INSERT ON data.boundary_area FOR EACH ROW EXECUTE FUNCTION app.guard_announced();

CREATE FUNCTION app.guard_announced_act() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE was data.boundary_version;
BEGIN
  SELECT * INTO was FROM data.boundary_version v WHERE v.id = NEW.id AND v.version < NEW.version AND v.valid && NEW.valid
    AND v.basis = 'announced' AND v.state IN ('announced', 'revoked') ORDER BY v.version DESC LIMIT 1;
  IF was.id IS NOT NULL AND ((was.river_id, was.line_type, was.basis) IS DISTINCT FROM (NEW.river_id, NEW.line_type, NEW.basis)
     OR NEW.state NOT IN (was.state, 'revoked')) THEN
    RAISE EXCEPTION '已公告的划界成果不可改属、改类或改回 % was announced by %: it keeps its river, line type and basis, and what was revoked stays so; announce a new delimitation',
      NEW.code, was.announce_doc_no USING ERRCODE = 'RG007';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_announced_act() IS 'An announced delimitation stays that of its river and of its type, whatever comes under its code';
CREATE TRIGGER guard_announced BEFORE INSERT ON data.boundary_version FOR EACH ROW EXECUTE FUNCTION app.guard_announced_act();

CREATE FUNCTION app.guard_law_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE followed boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM data.%I WHERE id = $1 AND superseded_at IS NULL
    AND (valid @> lower($2) OR lower_inf(valid) AND lower_inf($2)))', TG_TABLE_NAME) INTO followed USING NEW.id, NEW.valid;
  IF NOT followed AND app.was_announced(CASE TG_TABLE_NAME WHEN 'boundary_version' THEN NEW.id ELSE (to_jsonb(NEW) ->> 'boundary_id')::uuid END) THEN
    RAISE EXCEPTION '已公告的成果不可抹去 % is announced and does not vanish: announce what replaces it, or revoke it', NEW.code USING ERRCODE = 'RG007';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.guard_law_ended() IS 'What is announced ends on a day, by another announcement or by being revoked; it is never only taken away';
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['boundary_version', 'boundary_segment', 'boundary_area'] LOOP
    EXECUTE format('CREATE CONSTRAINT TRIGGER guard_law_ended AFTER UPDATE OF superseded_at ON data.%I DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (OLD.superseded_at IS NULL AND NEW.superseded_at IS NOT NULL) EXECUTE FUNCTION app.guard_law_ended()', t);
  END LOOP;
END $$;
