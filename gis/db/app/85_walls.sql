-- The walls between areas (行政区隔离): what an account of one county reads is held to its area by the tables themselves, so that a query
-- which forgets to ask for the area still shows nothing foreign. The first wall is the area in WHERE; this is the second one.
--
-- Accounts read as the role rivergis_reader with the setting rivergis.area: an adcode without the zeros of higher levels ('500199'), or ''
-- for everywhere; without the setting nothing is seen. The owner of the database (commands, nights, writing) stands above the walls.
CREATE FUNCTION app.area_of_login() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT u.area FROM sys."user" u WHERE u.name = session_user AND u.disabled_at IS NULL
$$;
COMMENT ON FUNCTION app.area_of_login() IS 'Area of the user whose name this login has (planners on a shared server); null for other logins';

CREATE FUNCTION app.area() RETURNS text LANGUAGE sql STABLE
  RETURN CASE WHEN current_user = 'rivergis_reader' THEN current_setting('rivergis.area', true) ELSE app.area_of_login() END;
COMMENT ON FUNCTION app.area() IS
  'Area that this connection is held to: the setting for readers of the service, its own for a login; empty = everywhere, null = nowhere';

CREATE FUNCTION app.short_code(adcode text) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN regexp_replace(adcode, '^(\d{2}(?=0{4,10}$)|\d{4}(?=0{2,8}$)|\d{6}(?=0{3,6}$)|\d{9}(?=000$)).*$', '\1');
COMMENT ON FUNCTION app.short_code(text) IS 'An adcode without the zeros of the levels below it: 500100 is 5001';

CREATE FUNCTION app.under(adcode text) RETURNS boolean LANGUAGE sql STABLE
  RETURN adcode <> '' AND starts_with(app.short_code(adcode), app.area());
COMMENT ON FUNCTION app.under(text) IS 'Whether a unit lies in the area of this connection, or is it';

CREATE FUNCTION app.above(adcode text) RETURNS boolean LANGUAGE sql STABLE
  RETURN adcode <> '' AND starts_with(app.area(), app.short_code(adcode));
COMMENT ON FUNCTION app.above(text) IS 'Whether the area of this connection lies in a unit, or is it';

CREATE FUNCTION app.chief_unit(chief uuid) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.unit_code FROM data.chief c WHERE c.id = chief AND c.superseded_at IS NULL ORDER BY upper(c.valid) DESC NULLS FIRST LIMIT 1
$$;
COMMENT ON FUNCTION app.chief_unit(uuid) IS 'Unit that a chief serves, by present knowledge; null where it is not known';

CREATE FUNCTION app.here(place geometry) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM cache.area_piece p WHERE starts_with(p.code, app.area()) AND ST_Intersects(p.geom, place))
$$;
COMMENT ON FUNCTION app.here(geometry) IS 'Whether a place (EPSG:4490) touches the area of this connection';

CREATE FUNCTION app.draft_inside(draft uuid, area text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT coalesce(bool_and(s.areas @> ARRAY[area]), false) FROM cache.shape_boundary_draft_line s
  JOIN data.boundary_draft_segment g ON g.segment_id = s.id WHERE g.draft_id = draft
$$;
COMMENT ON FUNCTION app.draft_inside(uuid, text) IS 'Whether a draft has lines and all of them touch an area';

CREATE FUNCTION app.guard_draft_area() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE mine text := app.area_of_login();
BEGIN
  IF mine <> '' AND NOT EXISTS (SELECT FROM data.boundary_draft d WHERE d.id = NEW.draft_id AND (
       starts_with(app.short_code(d.adcode), mine) OR (starts_with(mine, app.short_code(d.adcode)) AND app.draft_inside(d.id, mine)))) THEN
    RAISE EXCEPTION '该草案不在您负责的行政区内 this draft is not in the area of this login (%): its planners draw it', mine USING ERRCODE = 'RG007';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_draft_area() IS 'A login of one area draws in drafts of its area only, whatever code it writes';
CREATE TRIGGER guard_draft_area BEFORE INSERT ON data.boundary_draft_change FOR EACH ROW EXECUTE FUNCTION app.guard_draft_area();

CREATE FUNCTION app.access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('rivergis_access', TG_TABLE_NAME);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.access_changed() IS 'Tells every service that remembers who may do what to ask again';
CREATE TRIGGER access_changed AFTER UPDATE OF area, disabled_at, display_name, password_hash ON sys."user"
  FOR EACH STATEMENT EXECUTE FUNCTION app.access_changed();
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE ON sys.user_role FOR EACH STATEMENT EXECUTE FUNCTION app.access_changed();
CREATE TRIGGER access_changed AFTER UPDATE OF revoked_at ON sys.session FOR EACH STATEMENT EXECUTE FUNCTION app.access_changed();
CREATE TRIGGER access_changed AFTER UPDATE OF revoked_at, expires_at, role, area ON sys.api_key
  FOR EACH STATEMENT EXECUTE FUNCTION app.access_changed();
CREATE TRIGGER access_changed AFTER INSERT OR DELETE ON list.role_capability FOR EACH STATEMENT EXECUTE FUNCTION app.access_changed();

CREATE FUNCTION app.guard_access_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('rivergis.purpose', true) = 'retention' AND OLD.recorded_at < now() - interval '184 days' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the log of views is kept at least six months and never changed (网络安全法)' USING ERRCODE = 'RG007';
END $$;
COMMENT ON FUNCTION app.guard_access_log() IS 'Rows leave only through the retention verb, and never before six months have passed';
CREATE TRIGGER guard_access_log BEFORE UPDATE OR DELETE ON sys.access_log FOR EACH ROW EXECUTE FUNCTION app.guard_access_log();

-- ---- who reads --------------------------------------------------------------------------------------------------------------------------
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rivergis_reader') THEN CREATE ROLE rivergis_reader NOLOGIN; END IF;
  IF NOT pg_has_role(current_user, 'rivergis_reader', 'member') THEN EXECUTE format('GRANT rivergis_reader TO %I', current_user); END IF;
EXCEPTION
  -- a shared server on which a superuser makes roles, or another upgrade on the same server that was first
  WHEN insufficient_privilege OR duplicate_object OR unique_violation OR undefined_object THEN
    RAISE NOTICE 'the role rivergis_reader was not made here: %', SQLERRM;
END $$;

-- whether two boxes overlap tells nothing of a row beyond yes and no and raises no error that quotes it; without this mark PostgreSQL
-- would look at every row behind a wall before it asks the index
DO $$
BEGIN
  ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'geometry_overlaps stays as it is: a superuser may mark it LEAKPROOF, then tiles behind the walls use their index';
END $$;

-- ---- what stands where --------------------------------------------------------------------------------------------------------------------
-- wall(table, condition): rows of the table are seen everywhere by who is held to no area, and by others where the condition holds
CREATE FUNCTION app.wall(t regclass, condition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
  EXECUTE format('DROP POLICY IF EXISTS in_area ON %s', t);
  -- CASE, not OR: for who sees everything the planner then knows that the condition is nothing to wait for
  EXECUTE format('CREATE POLICY in_area ON %s FOR SELECT USING (CASE WHEN (SELECT app.area()) = '''' THEN true ELSE (%s) END)', t,
                 CASE WHEN condition = '' THEN 'false' ELSE condition END);
END $$;
COMMENT ON FUNCTION app.wall(regclass, text) IS 'Puts the wall between areas before a table; an empty condition shows its rows only to who is held to no area';

DO $$
DECLARE t regclass; c text;
BEGIN
  -- shapes and counts say themselves where they are
  FOR t IN SELECT a.attrelid::regclass FROM pg_attribute a JOIN pg_class k ON k.oid = a.attrelid JOIN pg_namespace n ON n.oid = k.relnamespace
           WHERE n.nspname = 'cache' AND k.relkind = 'r' AND a.attname = 'areas' AND NOT a.attisdropped
  LOOP
    PERFORM app.wall(t, 'areas @> ARRAY[(SELECT app.area())]');
  END LOOP;
  -- whatever is not told below is seen by nobody who is held to an area
  FOR t IN SELECT k.oid::regclass FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE n.nspname = 'data' AND k.relkind = 'r' LOOP
    PERFORM app.wall(t, '');
  END LOOP;
  -- things with a shape of their own
  FOREACH c IN ARRAY ARRAY['reach', 'river', 'water_area', 'bank_line', 'levee', 'boundary_area', 'stake', 'intake', 'source_zone', 'outfall',
                           'candidate', 'imagery', 'report'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, format('EXISTS (SELECT FROM cache.shape_%1$s s WHERE s.id = %1$I.id)', c));
  END LOOP;
  PERFORM app.wall('data.boundary_segment', 'EXISTS (SELECT FROM cache.shape_boundary_line s WHERE s.id = boundary_segment.id)');
  -- things that may stand without a shape, on a river
  FOREACH c IN ARRAY ARRAY['landmark', 'function_zone', 'permit'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, format('EXISTS (SELECT FROM cache.shape_%1$s s WHERE s.id = %1$I.id)
      OR (geom IS NULL AND EXISTS (SELECT FROM cache.shape_river s WHERE s.id = river_id))', c));
  END LOOP;
  FOREACH c IN ARRAY ARRAY['axis', 'water_warning'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, 'EXISTS (SELECT FROM cache.shape_river s WHERE s.id = river_id)');
  END LOOP;
  -- what hangs on a case
  FOREACH c IN ARRAY ARRAY['sighting', 'verdict', 'evidence', 'finding_event', 'case_number', 'case_report', 'authority_decision', 'patch_check',
                           'look_back_member', 'baseline_item', 'superior_link'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, format('EXISTS (SELECT FROM data.finding f WHERE f.id = %I.finding_id)', c));
  END LOOP;
  -- what hangs on an object of a list or a feed
  FOREACH c IN ARRAY ARRAY['not_finding', 'patch', 'patch_figures', 'feed_picture'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, format('EXISTS (SELECT FROM cache.shape_candidate s WHERE s.id = %I.candidate_id)', c));
  END LOOP;
  -- what hangs on a patrol
  FOREACH c IN ARRAY ARRAY['data.fix', 'data.patrol_result', 'data.review_event', 'sys.track_access'] LOOP
    PERFORM app.wall(c::regclass, 'EXISTS (SELECT FROM data.track k WHERE k.id = track_id)');
  END LOOP;
  FOREACH c IN ARRAY ARRAY['leg', 'area_visit'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, 'EXISTS (SELECT FROM data.patrol_result r WHERE r.id = result_id)');
  END LOOP;
  FOREACH c IN ARRAY ARRAY['patrol_entry_stretch', 'patrol_entry_event'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, 'EXISTS (SELECT FROM data.patrol_entry e WHERE e.id = entry_id)');
  END LOOP;
  -- what hangs on a draft
  FOREACH c IN ARRAY ARRAY['boundary_draft_change', 'boundary_draft_segment', 'boundary_act'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, 'EXISTS (SELECT FROM data.boundary_draft d WHERE d.id = draft_id)');
  END LOOP;
  -- what is known to everybody: names of things, what was published, that a baseline was signed
  FOREACH c IN ARRAY ARRAY['identity', 'publication', 'publication_part', 'publication_event', 'baseline', 'baseline_signature'] LOOP
    PERFORM app.wall(('data.' || c)::regclass, 'true');
  END LOOP;
  FOR t, c IN SELECT x, y FROM (VALUES
    ('data.admin_unit', 'app.under(code) OR app.above(code)'),
    -- chiefs of the own units and of those above, who answer for the same water
    ('data.chief', 'app.under(unit_code) OR app.above(unit_code)'),
    ('data.duty', 'EXISTS (SELECT FROM data.chief c WHERE c.id = chief_id) AND EXISTS (SELECT FROM cache.shape_river s WHERE s.id = river_id)'),
    ('data.boundary_version', 'EXISTS (SELECT FROM data.boundary_segment g WHERE g.boundary_id = boundary_version.id)'),
    ('data.boundary_reduction', 'EXISTS (SELECT FROM data.boundary_version v WHERE v.id = boundary_id)'),
    ('data.boundary_event', 'EXISTS (SELECT FROM data.boundary_draft d WHERE d.id = draft_id) OR EXISTS (SELECT FROM data.boundary_version v WHERE v.id = boundary_id)'),
    -- a draft of no unit in particular is seen where all of its lines lie inside
    ('data.boundary_draft', $p$app.under(adcode) OR (app.above(adcode) AND app.draft_inside(id, (SELECT app.area())))$p$),
    ('data.board', 'app.here(geom)'),
    ('data.stake_event', 'EXISTS (SELECT FROM data.stake k WHERE k.id = stake_id)'),
    -- where a case is on the border, the unit that a night gave it to has it; accounts of smaller units go by its shape
    ('data.finding', $p$CASE WHEN district <> '' AND NOT app.above(district) THEN app.under(district)
       ELSE EXISTS (SELECT FROM cache.shape_finding s WHERE s.id = finding.id) END$p$),
    -- a patrol is that of the chief's unit; where that is not known it is where it went
    ('data.track', 'coalesce(app.under(app.chief_unit(chief_id)), EXISTS (SELECT FROM cache.shape_patrol_track s WHERE s.id = track.id))'),
    ('data.patrol_entry', 'app.under(app.chief_unit(chief_id))'),
    ('data.patrol_party', 'EXISTS (SELECT FROM data.track k WHERE k.id = track_id) OR EXISTS (SELECT FROM data.patrol_entry e WHERE e.id = entry_id)'),
    ('data.patrol_area', 'app.under(unit_code) OR EXISTS (SELECT FROM cache.shape_patrol_area s WHERE s.id = patrol_area.id)'),
    ('data.area_duty', 'EXISTS (SELECT FROM data.chief c WHERE c.id = chief_id) AND EXISTS (SELECT FROM data.patrol_area a WHERE a.id = area_id)'),
    ('data.observation', $p$CASE WHEN track_id IS NOT NULL THEN EXISTS (SELECT FROM data.track k WHERE k.id = track_id)
       WHEN entry_id IS NOT NULL THEN EXISTS (SELECT FROM data.patrol_entry e WHERE e.id = entry_id) ELSE app.here(geom) END$p$),
    ('data.look_back', 'EXISTS (SELECT FROM data.look_back_member m WHERE m.look_back_id = look_back.id)'),
    ('data.look_back_result', 'EXISTS (SELECT FROM data.look_back_member m WHERE m.look_back_id = look_back_result.look_back_id AND m.seq = look_back_result.seq)'),
    ('data.superior_list', 'EXISTS (SELECT FROM data.superior_link l WHERE l.list_name = name)'),
    ('data.superior_item', 'EXISTS (SELECT FROM data.superior_list h JOIN data.superior_link l ON l.list_name = h.name WHERE h.id = list_id AND l.number = superior_item.number)'),
    ('data.superior_step', 'EXISTS (SELECT FROM data.superior_link l WHERE l.list_name = superior_step.list_name AND l.number = superior_step.number)'),
    -- what everybody is told to do is told to everybody
    ('data.campaign', $p$districts = '[]' OR EXISTS (SELECT FROM jsonb_array_elements_text(districts) d WHERE app.under(d) OR app.above(d))$p$),
    ('data.issued_report', $p$app.under(scope ->> 'district')$p$),
    ('data.audit_finding', 'app.under(area)'),
    ('data.audit_reply', 'EXISTS (SELECT FROM data.audit_finding a WHERE a.id = audit_finding_id)'),
    ('cache.boundary_ground', 'EXISTS (SELECT FROM data.boundary_version v WHERE v.id = boundary_id)'),
    ('cache.boundary_piece', 'EXISTS (SELECT FROM cache.boundary_ground g WHERE g.id = ground_id)'),
    ('sys.job_run', $p$district = '' OR app.under(district)$p$),
    ('sys.import_record', ''), ('sys.quarantine', ''), ('sys.quarantine_event', ''), ('sys.audit', ''),
    ('sys.access_log', 'app.under(area)')) v(x, y)
  LOOP
    PERFORM app.wall(t, c);
  END LOOP;
END $$;

-- views ask as whoever asks them, not as their owner, who stands above the walls
DO $$
DECLARE v regclass;
BEGIN
  FOR v IN SELECT k.oid::regclass FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE n.nspname = 'app' AND k.relkind = 'v' LOOP
    EXECUTE format('ALTER VIEW %s SET (security_invoker = true)', v);
  END LOOP;
END $$;

CREATE FUNCTION app.let_readers_in(readers text DEFAULT 'rivergis_reader') RETURNS void LANGUAGE plpgsql AS $$
DECLARE s text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = readers) THEN RETURN; END IF;
  FOREACH s IN ARRAY ARRAY['app', 'data', 'list', 'cache', 'sys'] LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', s, readers);
    IF s <> 'sys' THEN EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', s, readers); END IF;
  END LOOP;
  EXECUTE format('GRANT SELECT ON sys.migration, sys.job_run, sys.night, sys.import_record, sys.quarantine, sys.quarantine_event, sys.audit,
    sys.access_log, sys.track_access TO %I', readers);
  EXECUTE format('GRANT SELECT (id, name, display_name, kind, area, chief_id, created_at, disabled_at) ON sys."user" TO %I', readers);
END $$;
COMMENT ON FUNCTION app.let_readers_in(text) IS
  'Lets the role that accounts read as see everything but secrets, behind the walls; done at every upgrade';
SELECT app.let_readers_in();
