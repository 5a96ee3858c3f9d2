-- 划界草案 drafts: what stands in them now or stood at a moment, and what every save and every move must obey, by whatever door.
CREATE FUNCTION app.draft_state(draft uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT e.to_state FROM data.boundary_event e WHERE e.draft_id = draft ORDER BY e.seq DESC LIMIT 1), 'draft')
$$;
COMMENT ON FUNCTION app.draft_state(uuid) IS 'State of a draft now: where its last event led';

CREATE FUNCTION app.draft_revision(draft uuid) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT max(c.revision) FROM data.boundary_draft_change c WHERE c.draft_id = draft), 0)
$$;
COMMENT ON FUNCTION app.draft_revision(uuid) IS 'Last revision of a draft; 0 = nothing was saved yet';

CREATE FUNCTION app.boundary_draft_segment_at(draft uuid, at_revision int) RETURNS SETOF data.boundary_draft_segment LANGUAGE sql STABLE AS $$
  SELECT s.* FROM (
    SELECT DISTINCT ON (k.segment_id) k.* FROM data.boundary_draft_segment k
    WHERE k.draft_id = draft AND k.revision <= at_revision ORDER BY k.segment_id, k.revision DESC) s
  WHERE NOT s.removed
$$;
COMMENT ON FUNCTION app.boundary_draft_segment_at(uuid, int) IS 'Segments of a draft as a revision left them';

CREATE FUNCTION app.boundary_draft_segment_as_of(known_at timestamptz DEFAULT now()) RETURNS SETOF data.boundary_draft_segment LANGUAGE sql STABLE AS $$
  SELECT s.* FROM (
    SELECT DISTINCT ON (k.draft_id, k.segment_id) k.* FROM data.boundary_draft_segment k
    JOIN data.boundary_draft_change c ON c.draft_id = k.draft_id AND c.revision = k.revision AND c.recorded_at <= known_at
    ORDER BY k.draft_id, k.segment_id, k.revision DESC) s
  WHERE NOT s.removed
$$;
COMMENT ON FUNCTION app.boundary_draft_segment_as_of(timestamptz) IS 'Segments of all drafts as known at a moment';
CREATE VIEW app.boundary_draft_segment AS SELECT * FROM app.boundary_draft_segment_as_of(now());
COMMENT ON VIEW app.boundary_draft_segment IS 'Segments of all drafts now';

CREATE FUNCTION app.boundary_draft_as_of(known_at timestamptz DEFAULT now())
RETURNS TABLE (id uuid, code text, title text, line_type text, adcode text, code_namespace text, based_on date, based_known_at timestamptz, sketch boolean,
  state text, state_at timestamptz, revision int, changed_at timestamptz, changed_by text, opened_at timestamptz, opened_by text,
  submitted_by text, reviewed_by text, segments int)
LANGUAGE sql STABLE AS $$
  SELECT d.id, d.code, d.title, d.line_type, d.adcode, d.code_namespace, d.based_on, d.based_known_at, d.sketch,
    coalesce(e.to_state, 'draft'), coalesce(e.recorded_at, d.recorded_at), coalesce(c.revision, 0), coalesce(c.recorded_at, d.recorded_at),
    coalesce(c.actor, d.actor), d.recorded_at, d.actor, s.actor, r.actor,
    (SELECT count(*)::int FROM (SELECT DISTINCT ON (k.segment_id) k.removed FROM data.boundary_draft_segment k
      WHERE k.draft_id = d.id AND k.revision <= coalesce(c.revision, 0) ORDER BY k.segment_id, k.revision DESC) n WHERE NOT n.removed)
  FROM data.boundary_draft d
  LEFT JOIN LATERAL (SELECT * FROM data.boundary_event e WHERE e.draft_id = d.id AND e.recorded_at <= known_at ORDER BY e.seq DESC LIMIT 1) e ON true
  LEFT JOIN LATERAL (SELECT * FROM data.boundary_draft_change c WHERE c.draft_id = d.id AND c.recorded_at <= known_at ORDER BY c.revision DESC LIMIT 1) c ON true
  LEFT JOIN LATERAL (SELECT x.actor FROM data.boundary_event x WHERE x.draft_id = d.id AND x.recorded_at <= known_at AND x.move = 'submit' ORDER BY x.seq DESC LIMIT 1) s ON true
  LEFT JOIN LATERAL (SELECT x.actor FROM data.boundary_event x WHERE x.draft_id = d.id AND x.recorded_at <= known_at AND x.move = 'review' ORDER BY x.seq DESC LIMIT 1) r ON true
  WHERE d.recorded_at <= known_at
$$;
COMMENT ON FUNCTION app.boundary_draft_as_of(timestamptz) IS 'Drafts with state, revision and who did what, as known at a moment';
CREATE VIEW app.boundary_draft AS SELECT * FROM app.boundary_draft_as_of(now());
COMMENT ON VIEW app.boundary_draft IS 'Drafts now';

CREATE FUNCTION app.guard_draft_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE state text; last int;
BEGIN
  PERFORM FROM data.boundary_draft WHERE id = NEW.draft_id FOR UPDATE;
  IF NOT app.may(NEW.actor, 'draft_boundary') THEN
    RAISE EXCEPTION '% 无权起草划界成果 may not draft boundary lines: it needs the capability draft_boundary', NEW.actor USING ERRCODE = 'RG007';
  END IF;
  state := app.draft_state(NEW.draft_id);
  IF state <> 'draft' THEN
    RAISE EXCEPTION '草案已不在起草状态(%),不能再改 this draft is % and is not edited any more: have it sent back first', state, state USING ERRCODE = 'RG003';
  END IF;
  last := app.draft_revision(NEW.draft_id);
  IF NEW.revision <> last + 1 THEN
    RAISE EXCEPTION '草案已被他人更新至第 % 版 the draft stands at revision %: load it again, then save', last, last USING ERRCODE = 'RG009';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_draft_change() IS 'A save follows the last one, on a draft that is being drafted, by somebody who may draft';
CREATE TRIGGER guard_draft_change BEFORE INSERT ON data.boundary_draft_change FOR EACH ROW EXECUTE FUNCTION app.guard_draft_change();

CREATE FUNCTION app.guard_draft_segment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM data.boundary_draft_change c WHERE c.draft_id = NEW.draft_id AND c.revision = NEW.revision
      AND c.actor = app.actor() AND c.recorded_at = now()) THEN
    RAISE EXCEPTION 'segments are written with the save they belong to, not into revision % afterwards', NEW.revision USING ERRCODE = 'RG007';
  END IF;
  IF NOT ST_IsValid(NEW.geom) OR ST_IsEmpty(NEW.geom) OR ST_Length(NEW.geom) = 0 THEN
    RAISE EXCEPTION '界线须至少有两个不同的点 a stretch of line needs at least two different points' USING ERRCODE = 'RG003';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_draft_segment() IS 'A segment is written in the transaction of its save';
CREATE TRIGGER guard_draft_segment BEFORE INSERT ON data.boundary_draft_segment FOR EACH ROW EXECUTE FUNCTION app.guard_draft_segment();

CREATE FUNCTION app.are_reductions(said jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_typeof(said) = 'array', false) AND coalesce((
    SELECT bool_and(coalesce(jsonb_typeof(r) = 'object' AND app.filled(r -> 'reason') AND jsonb_typeof(r -> 'area_m2') = 'number', false))
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof(said) = 'array' THEN said ELSE '[]' END) r), true)
$$;
COMMENT ON FUNCTION app.are_reductions(jsonb) IS 'Whether this is a list of reductions, each with its area and a reason';

CREATE FUNCTION app.draft_given(e data.boundary_event) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE d jsonb := e.detail; a jsonb := e.detail -> 'announcement'; out text[] := '{}'; asked data.boundary_event;
BEGIN
  IF btrim(e.reason, E' \t\r\n\u3000') <> '' THEN out := out || 'reason'::text; END IF;
  IF e.attachment_sha256 IS NOT NULL THEN out := out || 'attachment'::text; END IF;
  IF app.filled(d -> 'authority') THEN out := out || 'authority'::text; END IF;
  IF app.filled(d -> 'publisher') THEN out := out || 'publisher'::text; END IF;
  IF EXISTS (SELECT FROM app.boundary_draft_segment_at(e.draft_id, e.revision)) THEN out := out || 'lines'::text; END IF;
  IF NOT (SELECT b.sketch FROM data.boundary_draft b WHERE b.id = e.draft_id)
     AND NOT EXISTS (SELECT FROM app.boundary_draft_segment_at(e.draft_id, e.revision) s WHERE s.basis = 'surrogate') THEN
    out := out || 'no_sketch'::text;
  END IF;
  IF app.are_reductions(d -> 'reductions') AND d ->> 'table_sha256' ~ '^[0-9a-f]{64}$' THEN out := out || 'reductions'::text; END IF;
  SELECT * INTO asked FROM data.boundary_event x WHERE x.draft_id = e.draft_id AND x.move = 'submit' ORDER BY x.seq DESC LIMIT 1;
  IF asked.detail -> 'reductions' = '[]' OR d ->> 'countersigned' = asked.detail ->> 'table_sha256' THEN out := out || 'countersigned'::text; END IF;
  IF app.filled(a -> 'government') AND app.filled(a -> 'document_no') AND app.filled(a -> 'publisher') AND app.as_day(a ->> 'announced_on') <= app.today()
     AND app.as_day(a ->> 'in_force_from') >= app.as_day(a ->> 'announced_on') THEN
    out := out || 'announcement'::text;
  END IF;
  RETURN out;
END $$;
COMMENT ON FUNCTION app.draft_given(data.boundary_event) IS 'What is said or attached when a draft or an announced delimitation is about to be moved: the names that needs in gis/lifecycle.yaml may hold';

CREATE FUNCTION app.guard_boundary_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE kind text; m list.lifecycle_move; last data.boundary_event; state text; lacking text;
BEGIN
  PERFORM FROM data.boundary_draft WHERE id = NEW.draft_id FOR UPDATE;
  PERFORM pg_advisory_xact_lock(hashtext('rivergis boundary event'), hashtext(coalesce(NEW.draft_id, NEW.boundary_id)::text));
  kind := CASE WHEN NEW.draft_id IS NULL THEN 'boundary_version' ELSE 'boundary_draft' END;
  SELECT * INTO m FROM list.lifecycle_move l WHERE l.noun = kind AND l.move = NEW.move;
  IF m.move IS NULL THEN
    RAISE EXCEPTION 'there is no move % for a %', NEW.move, kind USING ERRCODE = 'RG003';
  END IF;
  IF NOT app.may(NEW.actor, m.capability) THEN
    RAISE EXCEPTION '% may not take the move %: it needs the capability %', NEW.actor, NEW.move, m.capability USING ERRCODE = 'RG007';
  END IF;
  SELECT * INTO last FROM data.boundary_event e WHERE e.draft_id = NEW.draft_id OR e.boundary_id = NEW.boundary_id ORDER BY e.seq DESC LIMIT 1;
  state := coalesce(last.to_state, CASE kind WHEN 'boundary_draft' THEN 'draft' ELSE 'announced' END);
  IF state <> ALL (m.from_states) THEN
    RAISE EXCEPTION 'a % that is % cannot be moved by %', kind, state, NEW.move USING ERRCODE = 'RG003';
  END IF;
  IF NEW.to_state IS DISTINCT FROM (CASE m.to_state WHEN 'stay' THEN state ELSE m.to_state END) THEN
    RAISE EXCEPTION 'the move % leads from % to %, not to %', NEW.move, state, m.to_state, NEW.to_state USING ERRCODE = 'RG003';
  END IF;
  IF NEW.draft_id IS NOT NULL AND NEW.revision IS DISTINCT FROM app.draft_revision(NEW.draft_id) THEN
    RAISE EXCEPTION 'the draft stands at revision %, the move % was meant for %', app.draft_revision(NEW.draft_id), NEW.move, NEW.revision USING ERRCODE = 'RG009';
  END IF;
  SELECT string_agg(n, ', ' ORDER BY n) INTO lacking FROM unnest(m.needs) n WHERE n <> ALL (app.draft_given(NEW));
  IF lacking IS NOT NULL THEN
    RAISE EXCEPTION 'the move % needs %', NEW.move, lacking USING ERRCODE = 'RG003';
  END IF;
  IF EXISTS (SELECT FROM data.boundary_event e WHERE e.draft_id = NEW.draft_id AND e.actor = NEW.actor AND e.move = ANY (m.other_than))
     OR (m.other_than <> '{}' AND EXISTS (SELECT FROM data.boundary_draft_change c WHERE c.draft_id = NEW.draft_id AND c.actor = NEW.actor)) THEN
    RAISE EXCEPTION '% took part in what is to be decided here: % is for another person', NEW.actor, NEW.move USING ERRCODE = 'RG007';
  END IF;
  NEW.seq := coalesce(last.seq, 0) + 1;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_boundary_event() IS
  'Refuses a move of a draft or of an announced delimitation that gis/lifecycle.yaml does not allow: capability, state, revision, what is needed, who drew or submitted it';
CREATE TRIGGER guard_boundary_event BEFORE INSERT ON data.boundary_event FOR EACH ROW EXECUTE FUNCTION app.guard_boundary_event();

DO $$
DECLARE t regclass;
BEGIN
  FOREACH t IN ARRAY ARRAY['data.boundary_draft', 'data.boundary_draft_change', 'data.boundary_event', 'data.boundary_act', 'data.boundary_reduction']::regclass[]
  LOOP
    EXECUTE format('CREATE TRIGGER guard_own_hand BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION app.guard_own_hand()', t);
  END LOOP;
END $$;
