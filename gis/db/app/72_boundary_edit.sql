-- 界线编辑 drafts as one layer for desktop GIS: QGIS and whoever else writes SQL edits app.boundary_draft_line, and every save goes through the
-- same door as all others (data.boundary_draft_change with its segments). The key of a row counts the editions of its segment, so that an edit
-- made on an old picture finds no row any more, and is refused in a sentence instead of overwriting what somebody else drew.
CREATE FUNCTION app.editor() RETURNS text LANGUAGE plpgsql AS $$
DECLARE who text := nullif(current_setting('rivergis.actor', true), ''); own text;
BEGIN
  SELECT u.name INTO own FROM sys."user" u WHERE u.name = session_user AND u.disabled_at IS NULL;
  -- the owner's connection names whom it stands for, as the commands do; any other login is itself
  IF own IS NULL AND NOT pg_has_role(session_user, (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'app'), 'member') THEN
    RAISE EXCEPTION '数据库登录名 % 不是本系统用户,不能编辑 the login % is no user here: make it one with rivergis user add', session_user, session_user USING ERRCODE = 'RG007';
  ELSIF own <> who THEN
    RAISE EXCEPTION '此连接属于 %,不能以 % 的名义编辑 this connection is that of %: it does not edit in the name of %', own, who, own, who USING ERRCODE = 'RG007';
  ELSIF coalesce(own, who) IS NULL THEN
    RAISE EXCEPTION '此连接没有说明由谁编辑,请在连接服务中写 options=-c rivergis.actor=登录名 this connection does not say who edits: write options=-c rivergis.actor=NAME into its service'
      USING ERRCODE = 'RG007';
  END IF;
  PERFORM set_config('rivergis.actor', coalesce(own, who), true);
  RETURN coalesce(own, who);
END $$;
COMMENT ON FUNCTION app.editor() IS
  'Who edits over this connection: a login that is the name of a user edits as that one; the owner of the database as whom the setting rivergis.actor of its service names';

CREATE FUNCTION app.line_on_river(river uuid, reach text, line geometry)
RETURNS TABLE (reach_code text, bank text, start_m double precision, end_m double precision) LANGUAGE sql STABLE ROWS 1 AS $$
  WITH here AS (
    -- metres of a degree here, as in app.river_locate
    SELECT ST_Scale(line, k.x, k.y) AS line, k.x, k.y
    FROM (SELECT 111412.84 * cosd(lat) - 93.5 * cosd(3 * lat) AS x, 111132.92 - 559.82 * cosd(2 * lat) AS y
          FROM (SELECT ST_Y(ST_Centroid(line)) AS lat) c) k),
  ends AS (SELECT h.*, ST_LineInterpolatePoint(h.line, 0.5) AS middle, ST_StartPoint(h.line) AS first, ST_EndPoint(h.line) AS last FROM here h),
  near AS (
    SELECT n.code, n.from_m, n.length_m, n.way, p.*, ST_LineLocatePoint(n.way, p.first) AS s, ST_LineLocatePoint(n.way, p.last) AS e,
      ST_LineLocatePoint(n.way, p.middle) AS m
    FROM ends p CROSS JOIN LATERAL (
      SELECT h.code, h.from_m, h.length_m, ST_Scale(h.geom, p.x, p.y) AS way FROM app.reach h
      WHERE h.river_id = river AND h.kind <> 'shoreline' AND h.code = coalesce(reach, h.code)
      ORDER BY ST_Distance(ST_Scale(h.geom, p.x, p.y), p.middle), h.code LIMIT 1) n),
  -- a line that reaches over the ends of its reach is measured on the axis
  axis AS (
    SELECT a.origin_m + a.length_m * ST_LineLocatePoint(ST_Scale(a.geom, p.x, p.y), p.first) AS s,
      a.origin_m + a.length_m * ST_LineLocatePoint(ST_Scale(a.geom, p.x, p.y), p.last) AS e
    FROM near p JOIN app.axis a ON a.river_id = river WHERE least(p.s, p.e) <= 0 OR greatest(p.s, p.e) >= 1 ORDER BY a.code LIMIT 1),
  sided AS (
    SELECT n.*, ST_LineInterpolatePoint(n.way, n.m) AS foot, ST_LineInterpolatePoint(n.way, least(n.m + 1e-6, 1)) AS after,
      ST_LineInterpolatePoint(n.way, greatest(n.m - 1e-6, 0)) AS before FROM near n)
  SELECT d.code, CASE WHEN (ST_X(after) - ST_X(before)) * (ST_Y(middle) - ST_Y(foot)) >= (ST_Y(after) - ST_Y(before)) * (ST_X(middle) - ST_X(foot))
      THEN 'left' ELSE 'right' END,
    round(coalesce(a.s, coalesce(d.from_m, 0) + d.s * d.length_m)::numeric, 3)::double precision,
    round(coalesce(a.e, coalesce(d.from_m, 0) + d.e * d.length_m)::numeric, 3)::double precision
  FROM sided d LEFT JOIN axis a ON true
$$;
COMMENT ON FUNCTION app.line_on_river(uuid, text, geometry) IS
  'Where a line drawn by hand lies along a river (桩号): reach nearest to its middle (or the one named), bank, and the chainages of its first and last vertex, m';

CREATE FUNCTION app.as_metres(said jsonb) RETURNS double precision LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN jsonb_typeof(said) = 'number' THEN said::double precision END;
COMMENT ON FUNCTION app.as_metres(jsonb) IS 'A number of metres; null for what is no number, as files may have it';

CREATE VIEW app.boundary_draft_line AS
  SELECT s.segment_id, s.edition, s.edition AS saved_edition, d.code AS draft_code, d.title AS draft_title, d.state, s.river_id, r.code AS river_code, r.name AS river_name,
    s.reach_code, s.bank, s.from_m, s.to_m, round(ST_Length(s.geom::geography)::numeric, 2)::double precision AS length_m, s.basis, s.drawn_by, s.hand_edited, s.code,
    concat_ws(' · ', s.attributes #>> '{rule,key}', (s.attributes #>> '{rule,value}') || ' ' || coalesce(s.attributes #>> '{rule,unit}', ''),
      s.attributes #>> '{rule,status}', s.attributes ->> 'boundary_code', s.attributes #>> '{source,layer}', s.attributes #>> '{source,feature}', s.attributes #>> '{source,date}') AS basis_text,
    app.as_metres(s.attributes -> 'flood_level_m') AS flood_level_m, app.as_metres(s.attributes -> 'tolerance_m') AS tolerance_m,
    s.attributes ->> 'note' AS note, NULL::text AS change_reason, s.revision, d.revision AS draft_revision, c.actor AS changed_by,
    to_char(c.recorded_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') AS changed_at,
    s.geom::geometry(LineString, 4490) AS geom
  FROM (
    SELECT DISTINCT ON (k.draft_id, k.segment_id) k.*, (count(*) OVER (PARTITION BY k.draft_id, k.segment_id))::int AS edition
    FROM data.boundary_draft_segment k ORDER BY k.draft_id, k.segment_id, k.revision DESC) s
  JOIN app.boundary_draft d ON d.id = s.draft_id
  JOIN data.boundary_draft_change c ON c.draft_id = s.draft_id AND c.revision = s.revision
  LEFT JOIN app.river r ON r.id = s.river_id
  WHERE NOT s.removed;
COMMENT ON VIEW app.boundary_draft_line IS
  '草案界线(内部草稿·非测绘成果) segments of drafts, edited here by desktop GIS: an insert, update or delete is a save of the draft, as gis/lifecycle.yaml allows';

DO $$
DECLARE line text;
BEGIN
  FOREACH line IN ARRAY string_to_array(trim(E'\n' FROM '
segment_id: 线段标识 segment; the same through all editions
edition: 版次 how often it was saved; key together with segment_id: an edit of an edition that is not the last is refused
saved_edition: 已存版次 edition as it stands in the database
draft_code: 草案编号 draft; needed for a new line
draft_title: 草案名称 its title
state: 草案状态 state of the draft; only draft is edited
river_id: 河流 river; this or river_code is needed for a new line
river_code: 河流编码 code of the river
river_name: 河流名称 name of the river
reach_code: 河段编码 reach; empty = the nearest one of the river
bank: 岸别 left or right looking downstream; empty = the side it lies on
from_m: 起点桩号 chainage, m; empty, or not typed when that end is moved = measured
to_m: 终点桩号 chainage, m; as from_m
length_m: 长度 ellipsoidal length, m
basis: 成果性质 draft, announced (taken over unchanged), surrogate or computed; not changed by hand, but announced becomes draft when it is redrawn
drawn_by: 划定方法 rule or hand it was drawn by
hand_edited: 人工修改 drawn or changed by hand: a partial redrafting leaves it alone
code: 线段编号 code of the segment
basis_text: 依据 rule row and source layer it rests on
flood_level_m: 洪水位 flood level, m
tolerance_m: 容差 tolerance, m
note: 备注 note
change_reason: 修改理由 empty; what is written here becomes the reason of the save
revision: 修订号 save that left the segment as it is
draft_revision: 草案修订号 last save of the draft
changed_by: 修改人 who saved it
changed_at: 修改时间 when, Beijing time
geom: 图形 line, EPSG:4490'), E'\n')
  LOOP
    EXECUTE format('COMMENT ON COLUMN app.boundary_draft_line.%I IS %L', split_part(line, ':', 1), trim(substr(line, strpos(line, ':') + 1)));
  END LOOP;
END $$;

CREATE FUNCTION app.draft_save(draft uuid, segment uuid, why text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE save int;
BEGIN
  SELECT c.revision INTO save FROM data.boundary_draft_change c
  WHERE c.draft_id = draft AND c.recorded_at = now() AND c.actor = app.actor() AND c.tool = 'qgis'
    AND NOT EXISTS (SELECT FROM data.boundary_draft_segment s WHERE s.draft_id = draft AND s.segment_id = segment AND s.revision = c.revision)
  ORDER BY c.revision DESC LIMIT 1;
  IF save IS NULL THEN
    save := app.draft_revision(draft) + 1;
    INSERT INTO data.boundary_draft_change (draft_id, revision, base_revision, reason, tool, actor)
    VALUES (draft, save, save - 1, coalesce(btrim(why), ''), 'qgis', app.actor());
  END IF;
  RETURN save;
END $$;
COMMENT ON FUNCTION app.draft_save(uuid, uuid, text) IS
  'Revision that an edit of a segment belongs to: that of this transaction, so that one transaction is one save, or the next one';

CREATE FUNCTION app.draft_line_stale() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '有线段在您载入之后已被他人改动或删除:本次改动未保存,请重新载入图层后再改 a stretch was changed or taken out since you loaded it: nothing of this was saved; reload the layer and edit again'
    USING ERRCODE = 'RG009';
END $$;
COMMENT ON FUNCTION app.draft_line_stale() IS 'Says that an edit was made on an old picture';

CREATE FUNCTION app.draft_line_new(said app.boundary_draft_line) RETURNS data.boundary_draft_segment LANGUAGE plpgsql AS $$
DECLARE s data.boundary_draft_segment; twin data.boundary_draft_segment; place record;
BEGIN
  -- a line that was split or copied off another keeps what that one rests on
  SELECT k.* INTO twin FROM data.boundary_draft_segment k JOIN data.boundary_draft d ON d.id = k.draft_id AND d.code = said.draft_code
  WHERE k.segment_id = said.segment_id ORDER BY k.revision DESC LIMIT 1;
  SELECT d.id INTO s.draft_id FROM data.boundary_draft d WHERE d.code = said.draft_code;
  s.river_id := coalesce(said.river_id, twin.river_id);
  IF s.river_id IS NULL THEN
    SELECT r.id INTO s.river_id FROM app.river r JOIN data.boundary_draft d ON d.id = s.draft_id AND d.code_namespace = r.code_namespace
    WHERE r.code = said.river_code;
  END IF;
  IF s.draft_id IS NULL OR s.river_id IS NULL THEN
    RAISE EXCEPTION '新画的界线须选定草案(%)和河流(%) a new line needs the draft it belongs to, and its river', coalesce(said.draft_code, '–'), coalesce(said.river_code, '–')
      USING ERRCODE = 'RG003';
  END IF;
  s.segment_id := gen_random_uuid();
  SELECT * INTO place FROM app.line_on_river(s.river_id, nullif(said.reach_code, ''), said.geom);
  s.reach_code := coalesce(nullif(said.reach_code, ''), place.reach_code);
  s.bank := coalesce(said.bank, place.bank);
  -- what it copied of that one's chainage is not its own
  s.from_m := coalesce(CASE WHEN twin.segment_id IS NULL THEN said.from_m END, least(place.start_m, place.end_m));
  s.to_m := coalesce(CASE WHEN twin.segment_id IS NULL THEN said.to_m END, greatest(place.start_m, place.end_m));
  s.basis := CASE WHEN twin.basis IS NULL OR twin.basis = 'announced' THEN 'draft' ELSE twin.basis END;
  s.drawn_by := coalesce(nullif(said.drawn_by, 'announced'), nullif(twin.drawn_by, 'announced'), 'hand');
  s.attributes := coalesce(twin.attributes, '{}');
  s.base_segment_id := twin.base_segment_id;
  s.base_segment_version := twin.base_segment_version;
  s.hand_edited := true;
  RETURN s;
END $$;
COMMENT ON FUNCTION app.draft_line_new(app.boundary_draft_line) IS
  'A line drawn new, or split off another, as a segment: with its draft and river; reach, bank and chainage are measured where they are not said';

CREATE FUNCTION app.draft_line_changed(was data.boundary_draft_segment, old app.boundary_draft_line, said app.boundary_draft_line)
RETURNS data.boundary_draft_segment LANGUAGE plpgsql AS $$
DECLARE s data.boundary_draft_segment := was; place record; redrawn boolean := NOT ST_OrderingEquals(was.geom, said.geom);
  downstream boolean; first_m double precision; last_m double precision;
BEGIN
  IF said.draft_code IS DISTINCT FROM old.draft_code THEN
    RAISE EXCEPTION '线段不能改属另一草案:请删除后在那个草案中重画 a stretch does not change its draft: take it out here and draw it there' USING ERRCODE = 'RG003';
  END IF;
  s.river_id := coalesce(said.river_id, was.river_id);
  s.reach_code := nullif(said.reach_code, '');
  s.bank := coalesce(said.bank, was.bank);
  s.drawn_by := CASE WHEN redrawn AND was.drawn_by = 'announced' AND said.drawn_by = 'announced' THEN 'hand' ELSE coalesce(said.drawn_by, was.drawn_by) END;
  s.from_m := said.from_m;
  s.to_m := said.to_m;
  IF redrawn THEN
    SELECT * INTO place FROM app.line_on_river(s.river_id, s.reach_code, said.geom);
    downstream := place.start_m <= place.end_m;
    -- an end that stayed keeps its chainage; a number that was typed counts
    IF (old.from_m, old.to_m) IS NOT DISTINCT FROM (said.from_m, said.to_m) THEN
      IF NOT ST_Equals(ST_StartPoint(was.geom), ST_StartPoint(said.geom)) THEN first_m := place.start_m; END IF;
      IF NOT ST_Equals(ST_EndPoint(was.geom), ST_EndPoint(said.geom)) THEN last_m := place.end_m; END IF;
      s.from_m := coalesce(CASE WHEN downstream THEN first_m ELSE last_m END, was.from_m, least(place.start_m, place.end_m));
      s.to_m := coalesce(CASE WHEN downstream THEN last_m ELSE first_m END, was.to_m, greatest(place.start_m, place.end_m));
    END IF;
    s.basis := CASE WHEN was.basis = 'announced' THEN 'draft' ELSE was.basis END;
  END IF;
  s.hand_edited := said.hand_edited OR redrawn
    OR (s.river_id, s.reach_code, s.bank, s.from_m, s.to_m) IS DISTINCT FROM (was.river_id, was.reach_code, was.bank, was.from_m, was.to_m);
  RETURN s;
END $$;
COMMENT ON FUNCTION app.draft_line_changed(data.boundary_draft_segment, app.boundary_draft_line, app.boundary_draft_line) IS
  'A segment as an edit leaves it: what was redrawn is no announced line any more, and its moved ends are measured anew';

CREATE FUNCTION app.draft_line_told(attributes jsonb, old app.boundary_draft_line, said app.boundary_draft_line) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE name text; value jsonb; before jsonb := jsonb_build_object('note', old.note, 'flood_level_m', old.flood_level_m, 'tolerance_m', old.tolerance_m);
BEGIN
  FOR name, value IN SELECT * FROM jsonb_each(jsonb_build_object('note', said.note, 'flood_level_m', said.flood_level_m, 'tolerance_m', said.tolerance_m)) LOOP
    IF value <> before -> name THEN
      attributes := CASE value WHEN 'null' THEN attributes - name ELSE attributes || jsonb_build_object(name, value) END;
    END IF;
  END LOOP;
  RETURN attributes;
END $$;
COMMENT ON FUNCTION app.draft_line_told(jsonb, app.boundary_draft_line, app.boundary_draft_line) IS
  'What a segment says of itself with what the form changed; all else stays as it was delivered';

CREATE FUNCTION app.edit_draft_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE was data.boundary_draft_segment; s data.boundary_draft_segment; who text := app.editor();
BEGIN
  PERFORM set_config('rivergis.lines_hit', (coalesce(nullif(current_setting('rivergis.lines_hit', true), ''), '0')::int + 1)::text, true);
  IF TG_OP = 'INSERT' THEN
    s := app.draft_line_new(NEW);
  ELSE
    -- under the lock of the draft: another save may have ended since this statement began
    PERFORM FROM data.boundary_draft d WHERE d.code = OLD.draft_code FOR UPDATE;
    SELECT k.* INTO was FROM data.boundary_draft_segment k WHERE k.segment_id = OLD.segment_id ORDER BY k.revision DESC LIMIT 1;
    IF was.removed OR OLD.edition <> (SELECT count(*) FROM data.boundary_draft_segment k WHERE k.segment_id = OLD.segment_id) THEN
      PERFORM app.draft_line_stale();
    END IF;
    s := CASE TG_OP WHEN 'DELETE' THEN was ELSE app.draft_line_changed(was, OLD, NEW) END;
    s.removed := TG_OP = 'DELETE';
  END IF;
  s.removed := coalesce(s.removed, false);
  IF TG_OP <> 'DELETE' THEN
    s.geom := NEW.geom;
    s.code := coalesce(NEW.code, '');
    s.attributes := app.draft_line_told(s.attributes, OLD, NEW);
    IF s.bank IS NULL OR s.bank NOT IN ('left', 'right') OR s.from_m > s.to_m THEN
      RAISE EXCEPTION '岸别须为 left(左岸)或 right(右岸),起点桩号不大于终点桩号 the bank is left or right, and the chainage does not run backwards: % % – %', s.bank, s.from_m, s.to_m
        USING ERRCODE = 'RG003';
    ELSIF s.drawn_by <> ALL (ARRAY['levee_toe', 'levee_gap', 'flood_wall', 'flood_level', 'bank_offset', 'lake', 'reservoir', 'spoil', 'land_acquisition',
                                   'surrogate', 'county_border', 'confluence', 'road', 'announced', 'hand']) THEN
      RAISE EXCEPTION '没有这种划定方法 there is no such way to draw a line: %', s.drawn_by USING ERRCODE = 'RG003';
    END IF;
  END IF;
  s.revision := app.draft_save(s.draft_id, s.segment_id, CASE WHEN TG_OP <> 'DELETE' THEN NEW.change_reason END);
  INSERT INTO data.boundary_draft_segment OVERRIDING USER VALUE SELECT s.*;  -- its number in the services is counted
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  NEW.segment_id := s.segment_id;
  NEW.edition := coalesce(OLD.edition, 0) + 1;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.edit_draft_line() IS 'Writes an edit of app.boundary_draft_line as a save of its draft; a deletion is a mark';
CREATE TRIGGER edit_draft_line INSTEAD OF INSERT OR UPDATE OR DELETE ON app.boundary_draft_line FOR EACH ROW EXECUTE FUNCTION app.edit_draft_line();

CREATE FUNCTION app.check_lines_hit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE hit int := coalesce(nullif(current_setting('rivergis.lines_hit', true), ''), '0')::int;
BEGIN
  IF TG_WHEN = 'BEFORE' THEN
    PERFORM set_config('rivergis.lines_hit', '0', true);
    -- a login that is nobody here sees no line behind the walls: it is told why
    IF app.area() IS NULL AND NOT pg_has_role(session_user, (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'app'), 'member') THEN
      RAISE EXCEPTION '数据库登录名 % 不是本系统用户,不能编辑 the login % is no user here: make it one with rivergis user add', session_user, session_user USING ERRCODE = 'RG007';
    END IF;
  -- the keys that stand in the text of the statement, where the client writes them there: each must have been found
  ELSIF hit < greatest(1, (SELECT count(DISTINCT m) FROM regexp_matches(current_query(), 'segment_id\W[^'']*''([0-9a-f-]{36})''', 'g') m)) THEN
    PERFORM app.draft_line_stale();
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.check_lines_hit() IS 'Refuses an update or delete that no longer finds the editions of segments it names';
CREATE TRIGGER lines_to_hit BEFORE UPDATE OR DELETE ON app.boundary_draft_line FOR EACH STATEMENT EXECUTE FUNCTION app.check_lines_hit();
CREATE TRIGGER lines_hit AFTER UPDATE OR DELETE ON app.boundary_draft_line FOR EACH STATEMENT EXECUTE FUNCTION app.check_lines_hit();

CREATE VIEW app.boundary_line_in_force AS
  SELECT s.id::text || ':' || s.version AS id, b.code AS boundary_code, b.river_id, b.river_code, b.river AS river_name, s.bank, s.from_m, s.to_m, b.line_type,
    b.basis, b.standing, b.announce_gov, b.announce_doc_no, b.announced_on, b.in_force_from, b.in_force_until, s.geom::geometry(LineString, 4490) AS geom
  FROM app.boundary_standing b JOIN data.boundary_segment s ON s.boundary_id = b.boundary_id AND s.superseded_at IS NULL
    AND (s.valid @> app.today() OR b.standing = 'announced')
  WHERE b.basis = 'announced' AND b.standing IN ('in_force', 'announced');
COMMENT ON VIEW app.boundary_line_in_force IS '已公告界线 announced lines that are in force today, or will be: to look at and to snap to';

CREATE FUNCTION app.refuse_announced_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '已公告的界线不可改动:请在草案中起草,经送审、审查、公告后生效 an announced line is not edited: draft the change; it counts when it is reviewed and announced'
    USING ERRCODE = 'RG007';
END $$;
COMMENT ON FUNCTION app.refuse_announced_edit() IS 'Says how an announced line is changed: by another announcement';
CREATE TRIGGER refuse_announced_edit INSTEAD OF INSERT OR UPDATE OR DELETE ON app.boundary_line_in_force FOR EACH ROW EXECUTE FUNCTION app.refuse_announced_edit();

CREATE FUNCTION app.tell_desks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('qgis', 'boundary_draft');
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.tell_desks() IS 'Tells every open QGIS project that drafts have changed, by whatever door: their layers are read again';
CREATE TRIGGER tell_desks AFTER INSERT ON data.boundary_draft_change FOR EACH STATEMENT EXECUTE FUNCTION app.tell_desks();
CREATE TRIGGER tell_desks AFTER INSERT ON data.boundary_event FOR EACH STATEMENT EXECUTE FUNCTION app.tell_desks();

-- Logins of planners on a shared server read what the QGIS project shows and edit drafts, nothing else: no tracks, no people, no tables.
CREATE FUNCTION app.let_planners_in(planners text DEFAULT 'rivergis_planner') RETURNS void LANGUAGE plpgsql AS $$
DECLARE t text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = planners) THEN RETURN; END IF;
  FOREACH t IN ARRAY ARRAY['app', 'data', 'sys', 'cache'] LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', t, planners);
  END LOOP;
  -- the walls between areas ask these where a thing lies
  FOREACH t IN ARRAY ARRAY['river', 'reach', 'water_area', 'bank_line', 'levee', 'boundary_line', 'boundary_area', 'function_zone', 'stake', 'candidate',
                           'source_zone', 'permit', 'finding', 'intake', 'outfall', 'landmark', 'patrol_area', 'imagery'] LOOP
    EXECUTE format('GRANT SELECT ON cache.shape_%I TO %I', t, planners);
  END LOOP;
  EXECUTE format('GRANT SELECT ON cache.area_piece TO %I', planners);
  FOREACH t IN ARRAY ARRAY['admin_unit', 'river', 'reach', 'axis', 'water_area', 'bank_line', 'levee', 'boundary_version', 'boundary_segment', 'boundary_area',
                           'function_zone', 'stake', 'board', 'candidate', 'source_zone', 'permit', 'intake', 'outfall', 'landmark', 'patrol_area',
                           'imagery'] LOOP
    EXECUTE format('GRANT SELECT ON data.%1$I, app.%1$I TO %2$I', t, planners);
  END LOOP;
  EXECUTE format('GRANT SELECT ON data.boundary_draft, data.boundary_draft_change, data.boundary_draft_segment, data.boundary_event, data.boundary_act,
    data.finding, data.sighting, data.verdict, data.finding_event, sys.job_run, app.finding, app.boundary_draft, app.boundary_standing, app.boundary_line_in_force TO %I', planners);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON app.boundary_draft_line TO %I', planners);
END $$;
COMMENT ON FUNCTION app.let_planners_in(text) IS
  'Gives the group role of planners on a shared server what the QGIS project needs; done at every upgrade for rivergis_planner, where there is such a role';
SELECT app.let_planners_in();
