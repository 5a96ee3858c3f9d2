-- Upstream and downstream in SQL: river_trace, river_route, river_locate. The same answers as rivergis.river.network gives;
-- how the numbers in cache.reach_topology work is told in src/rivergis/river/topology.py.
CREATE FUNCTION app.reach_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM come) THEN
    INSERT INTO cache.network_state (changes) VALUES (1)
    ON CONFLICT (one) DO UPDATE SET changes = cache.network_state.changes + 1;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.reach_changed() IS 'Marks the tracing numbers as out of date when reaches change';
CREATE TRIGGER reach_inserted AFTER INSERT ON data.reach REFERENCING NEW TABLE AS come FOR EACH STATEMENT
  EXECUTE FUNCTION app.reach_changed();
CREATE TRIGGER reach_updated AFTER UPDATE ON data.reach REFERENCING NEW TABLE AS come FOR EACH STATEMENT
  EXECUTE FUNCTION app.reach_changed();

CREATE FUNCTION app.river_topology_current() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM cache.network_state WHERE built_changes = changes AND from_day <= app.today()
                 AND (until_day IS NULL OR app.today() < until_day))
$$;
COMMENT ON FUNCTION app.river_topology_current() IS 'Whether the tracing numbers are those of the reaches in force today';

CREATE FUNCTION app.river_require_topology() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF NOT app.river_topology_current() THEN
    RAISE EXCEPTION 'the tracing numbers are older than the reaches of the network: run ''rivergis river topology'''
      USING ERRCODE = 'RG003';
  END IF;
  RETURN true;
END $$;
COMMENT ON FUNCTION app.river_require_topology() IS 'True, or an error when the tracing numbers are out of date';

CREATE FUNCTION app.river_start(reach uuid, at_m double precision) RETURNS cache.reach_topology LANGUAGE plpgsql STABLE AS $$
DECLARE s cache.reach_topology;
BEGIN
  PERFORM app.river_require_topology();
  SELECT * INTO s FROM cache.reach_topology t WHERE t.reach_id = reach;
  IF s.number IS NULL THEN
    RAISE EXCEPTION 'there is no reach % in the network in force (shoreline reaches stand outside of it)', reach USING ERRCODE = 'RG003';
  END IF;
  IF at_m IS NULL OR NOT at_m BETWEEN -0.005 AND s.length_m + 0.005 THEN
    RAISE EXCEPTION '% m lies off reach %, which is % m long', at_m, s.code, round(s.length_m::numeric, 2) USING ERRCODE = 'RG003';
  END IF;
  RETURN s;
END $$;
COMMENT ON FUNCTION app.river_start(uuid, double precision) IS
  'Row of the reach a trace starts on; refuses when the numbers are out of date, or the place is not on the network';

CREATE FUNCTION app.river_stopped(number int, fork_number int, start_number int, start_last int, stop_no int[], stop_last int[])
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM unnest(stop_no, stop_last) b(no, last) WHERE number BETWEEN b.no AND b.last
    AND b.no >= CASE WHEN number BETWEEN start_number AND start_last THEN GREATEST(coalesce(fork_number, 0), start_number)
                     ELSE coalesce(fork_number, 0) END)
$$;
COMMENT ON FUNCTION app.river_stopped(int, int, int, int, int[], int[]) IS
  'Whether a reach is stopped on its way down to its fork (or to the start): by a stop on itself or between';

CREATE FUNCTION app.river_up(s cache.reach_topology, at_m double precision, limit_m double precision,
  stop_no int[], stop_last int[], stop_m double precision[])
RETURNS TABLE (reach_id uuid, code text, from_m double precision, to_m double precision, distance_m double precision, on_main boolean)
LANGUAGE plpgsql STABLE ROWS 300 AS $$
#variable_conflict use_column
DECLARE
  reached int4multirange := int4multirange(int4range(s.number, s.last + 1));
  fresh int4multirange := reached;
  stopped boolean := cardinality(stop_no) > 0;
  start_m double precision := s.to_outlet_m + s.length_m - at_m;
  over double precision[];  -- by fork: how much longer the way from it is than along main successors; [0] = the start
  e record;
BEGIN
  LOOP  -- forks that feed what is reached, with everything upstream of them
    SELECT range_agg(int4range(e.from_number, e.from_last + 1)) INTO fresh
    FROM unnest(fresh) r
    CROSS JOIN LATERAL (SELECT * FROM cache.reach_side x WHERE x.to_number >= lower(r) AND x.to_number < upper(r) OFFSET 0) e
    WHERE NOT e.from_number <@ reached;
    EXIT WHEN fresh IS NULL;
    fresh := fresh - reached;
    reached := reached + fresh;
  END LOOP;
  over := array_fill('NaN'::double precision, ARRAY[1 + (SELECT forks FROM cache.network_state)], ARRAY[0]);
  over[0] := 0;
  IF s.fork_number = s.number THEN over[s.fork] := 0; END IF;
  FOR e IN
    SELECT e.fork, e.over_m,
      CASE WHEN stopped AND app.river_stopped(e.next_number, e.next_fork_number, s.number, s.last, stop_no, stop_last) THEN NULL
           WHEN e.next_number BETWEEN s.number AND s.last AND coalesce(e.next_fork_number, 0) < s.number THEN 0
           ELSE e.next_fork END AS onward,
      CASE WHEN stopped AND app.river_stopped(e.to_number, e.to_fork_number, s.number, s.last, stop_no, stop_last) THEN NULL
           WHEN e.to_number BETWEEN s.number AND s.last AND coalesce(e.to_fork_number, 0) < s.number THEN 0
           ELSE e.to_fork END AS aside
    FROM unnest(reached) r
    CROSS JOIN LATERAL (SELECT * FROM cache.reach_side x WHERE x.from_number >= lower(r) AND x.from_number < upper(r) OFFSET 0) e
    ORDER BY e.fork
  LOOP  -- NaN is the greatest number here: not reached
    over[e.fork] := LEAST(over[e.fork], over[e.onward], over[e.aside] + e.over_m);
  END LOOP;
  RETURN QUERY
  SELECT p.reach_id, p.code, GREATEST(coalesce(p.stop, 0), p.length_m - (limit_m - p.d)), p.length_m, p.d,
    p.number BETWEEN s.number AND s.last
  FROM (
    SELECT t.number, t.reach_id, t.code, t.length_m, b.m AS stop, t.to_outlet_m - start_m
      + over[CASE WHEN t.number BETWEEN s.number AND s.last AND coalesce(t.fork_number, 0) < s.number THEN 0 ELSE t.fork END] AS d
    -- OFFSET 0: range by range through the index, whatever the planner thinks of the number of ranges
    FROM unnest(reached) r
    CROSS JOIN LATERAL (SELECT * FROM cache.reach_topology x WHERE x.number >= lower(r) AND x.number < upper(r) OFFSET 0) t
    LEFT JOIN unnest(stop_no, stop_m) b(no, m) ON b.no = t.number
    WHERE t.number <> s.number
      AND NOT (stopped AND t.fork_number IS DISTINCT FROM t.number
               AND app.river_stopped(t.next_number, t.fork_number, s.number, s.last, stop_no, stop_last))) p
  WHERE p.d < limit_m - 1e-6
  UNION ALL
  SELECT s.reach_id, s.code, GREATEST(coalesce((SELECT b.m FROM unnest(stop_no, stop_m) b(no, m) WHERE b.no = s.number), 0), at_m - limit_m),
    at_m, 0, true;
END $$;
COMMENT ON FUNCTION app.river_up(cache.reach_topology, double precision, double precision, int[], int[], double precision[]) IS
  'Parts of reaches that drain to a place on a reach, unordered; part of river_trace';

CREATE FUNCTION app.river_ends(number int, fork_number int, stop_no int[], stop_last int[]) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT max(b.no) FROM unnest(stop_no, stop_last) b(no, last)
  WHERE number BETWEEN b.no AND b.last AND b.no >= coalesce(fork_number, 0)
$$;
COMMENT ON FUNCTION app.river_ends(int, int, int[], int[]) IS
  'Number of the reach with the first stop on the way from a reach down to its fork; null = none';

CREATE FUNCTION app.river_down(s cache.reach_topology, at_m double precision, limit_m double precision,
  stop_no int[], stop_last int[], stop_m double precision[])
RETURNS TABLE (reach_id uuid, code text, from_m double precision, to_m double precision, distance_m double precision, on_main boolean)
LANGUAGE plpgsql STABLE ROWS 300 AS $$
#variable_conflict use_column
DECLARE
  start_m double precision := s.to_outlet_m + s.length_m - at_m;
  over double precision[];  -- by fork: how much longer the way to it is than along main successors
  on_way int[];
  stopped boolean := cardinality(stop_no) > 0;
  start_ends int := app.river_ends(s.number, s.fork_number, stop_no, stop_last);
  e record;
BEGIN
  WITH RECURSIVE way(fork) AS (
    SELECT s.fork WHERE s.fork IS NOT NULL AND start_ends IS NULL
    UNION SELECT v.fork FROM way JOIN cache.reach_side e ON e.fork = way.fork
    CROSS JOIN LATERAL (VALUES (e.next_fork), (e.to_fork)) v(fork) WHERE v.fork IS NOT NULL)
  SELECT coalesce(array_agg(fork), '{}') INTO on_way FROM way;
  over := array_fill('NaN'::double precision, ARRAY[1 + (SELECT forks FROM cache.network_state)], ARRAY[0]);
  IF cardinality(on_way) > 0 THEN over[s.fork] := 0; END IF;
  FOR e IN
    SELECT e.fork, e.over_m,
      CASE WHEN stopped AND app.river_ends(e.next_number, e.next_fork_number, stop_no, stop_last) IS NOT NULL THEN NULL
           ELSE e.next_fork END AS onward,
      CASE WHEN stopped AND app.river_ends(e.to_number, e.to_fork_number, stop_no, stop_last) IS NOT NULL THEN NULL
           ELSE e.to_fork END AS aside
    FROM unnest(on_way) f(fork) JOIN cache.reach_side e ON e.fork = f.fork ORDER BY e.fork DESC
  LOOP  -- NaN is the greatest number here: not reached
    IF e.onward IS NOT NULL THEN over[e.onward] := LEAST(over[e.onward], over[e.fork]); END IF;
    IF e.aside IS NOT NULL THEN over[e.aside] := LEAST(over[e.aside], over[e.fork] + e.over_m); END IF;
  END LOOP;
  RETURN QUERY
  WITH RECURSIVE entry AS (
    SELECT s.number AS no, s.fork_number AS fork_no, 0.0::double precision AS over_m
    UNION ALL
    SELECT v.no, v.fork_no, v.over_m FROM unnest(on_way) f(fork) JOIN cache.reach_side e ON e.fork = f.fork
    CROSS JOIN LATERAL (VALUES (e.next_number, e.next_fork_number, over[e.fork]),
                               (e.to_number, e.to_fork_number, over[e.fork] + e.over_m)) v(no, fork_no, over_m)
    WHERE v.no IS NOT NULL AND over[e.fork] <> 'NaN'),
  once AS (SELECT no, fork_no, min(over_m) AS over_m FROM entry GROUP BY no, fork_no),
  piece(high, low, ends, over_m) AS (
    SELECT o.no, GREATEST(t.stem, x.ends), x.ends, o.over_m FROM once o JOIN cache.reach_topology t ON t.number = o.no
    CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN stopped THEN app.river_ends(o.no, o.fork_no, stop_no, stop_last) END, o.fork_no, 0) AS ends) x
    UNION ALL
    SELECT t.next_number, GREATEST(n.stem, p.ends), p.ends, p.over_m
    FROM piece p JOIN cache.reach_topology t ON t.number = p.low JOIN cache.reach_topology n ON n.number = t.next_number
    WHERE p.low > p.ends),
  main(high, low) AS (
    SELECT s.number, s.stem
    UNION ALL
    SELECT t.next_number, n.stem FROM main m JOIN cache.reach_topology t ON t.number = m.low
    JOIN cache.reach_topology n ON n.number = t.next_number),
  stems AS (SELECT range_agg(int4range(low, high + 1)) AS on_main FROM main),
  found AS (
    SELECT t.number, t.reach_id, t.code, t.length_m, start_m - t.to_outlet_m - t.length_m + min(p.over_m) AS d
    FROM piece p JOIN cache.reach_topology t ON t.number BETWEEN p.low AND p.high GROUP BY t.number)
  SELECT f.reach_id, f.code, 0.0::double precision, LEAST(coalesce(b.m, f.length_m), f.length_m, limit_m - f.d), f.d, f.number <@ stems.on_main
  FROM found f CROSS JOIN stems LEFT JOIN unnest(stop_no, stop_m) b(no, m) ON b.no = f.number
  WHERE f.number <> s.number AND f.d < limit_m - 1e-6
  UNION ALL
  SELECT s.reach_id, s.code, at_m, LEAST(coalesce((SELECT b.m FROM unnest(stop_no, stop_m) b(no, m) WHERE b.no = s.number), s.length_m),
    at_m + limit_m), 0, true;
END $$;
COMMENT ON FUNCTION app.river_down(cache.reach_topology, double precision, double precision, int[], int[], double precision[]) IS
  'Parts of reaches that take water from a place on a reach, unordered; part of river_trace';

CREATE FUNCTION app.river_trace(reach uuid, at_m double precision, direction text, within_m double precision DEFAULT NULL,
  stop_reach uuid[] DEFAULT '{}', stop_m double precision[] DEFAULT '{}')
RETURNS TABLE (reach_id uuid, code text, from_m double precision, to_m double precision, distance_m double precision,
  far_m double precision, on_main boolean, visit int)
LANGUAGE plpgsql STABLE ROWS 300 SET plan_cache_mode = force_generic_plan SET jit = off AS $$  -- its parts are small: planning them anew costs more
#variable_conflict use_column
DECLARE
  s cache.reach_topology := app.river_start(reach, at_m);
  at double precision := LEAST(GREATEST(at_m, 0), s.length_m);
  limit_m double precision := coalesce(within_m, 1e300);
  stop_no int[]; stop_last int[]; stop_at double precision[]; unknown uuid;
BEGIN
  IF direction IS NULL OR direction NOT IN ('up', 'down') THEN
    RAISE EXCEPTION '% is no direction: write up or down', direction USING ERRCODE = 'RG003';
  END IF;
  SELECT b.reach INTO unknown FROM unnest(stop_reach) b(reach)
  WHERE NOT EXISTS (SELECT FROM cache.reach_topology t WHERE t.reach_id = b.reach) LIMIT 1;
  IF unknown IS NOT NULL THEN
    RAISE EXCEPTION 'a stop stands on %, which is no reach of the network in force', unknown USING ERRCODE = 'RG003';
  END IF;
  SELECT coalesce(array_agg(b.number), '{}'), coalesce(array_agg(b.last), '{}'), coalesce(array_agg(b.m), '{}')
  INTO stop_no, stop_last, stop_at FROM (
    SELECT t.number, t.last, CASE direction WHEN 'down' THEN min(b.m) ELSE max(b.m) END AS m
    FROM unnest(stop_reach, stop_m) b(reach, m) JOIN cache.reach_topology t ON t.reach_id = b.reach
    WHERE t.number <> s.number OR CASE direction WHEN 'down' THEN b.m - at ELSE at - b.m END > 1e-3
    GROUP BY t.number, t.last) b;
  IF direction = 'up' THEN
    RETURN QUERY
    SELECT p.reach_id, p.code, p.from_m, p.to_m, p.distance_m, p.distance_m + p.to_m - p.from_m, p.on_main,
      (row_number() OVER (ORDER BY round(p.distance_m * 1e6), p.code COLLATE "C", p.reach_id))::int
    FROM app.river_up(s, at, limit_m, stop_no, stop_last, stop_at) p;
  ELSE
    RETURN QUERY
    SELECT p.reach_id, p.code, p.from_m, p.to_m, p.distance_m, p.distance_m + p.to_m - p.from_m, p.on_main,
      (row_number() OVER (ORDER BY round(p.distance_m * 1e6), p.code COLLATE "C", p.reach_id))::int
    FROM app.river_down(s, at, limit_m, stop_no, stop_last, stop_at) p;
  END IF;
END $$;
COMMENT ON FUNCTION app.river_trace(uuid, double precision, text, double precision, uuid[], double precision[]) IS
  'What drains to a place on a reach (up) or takes its water (down), nearest first: reached parts (m from the upstream end of the
reach) with shortest distance along the channel to their near and far end; on_main = joined by main successors alone. Not farther
than within_m, not past the stops (stop_reach[i], stop_m[i]). Refuses when the tracing numbers are out of date.';

CREATE FUNCTION app.river_path(reach uuid, at_m double precision, node text)
RETURNS TABLE (step int, reach_id uuid, code text, from_m double precision, to_m double precision)
LANGUAGE sql STABLE SET jit = off AS $$
  WITH RECURSIVE reached AS MATERIALIZED (
    SELECT r.reach_id, r.code, r.from_m, r.to_m, r.far_m, t.from_node, t.to_node
    FROM app.river_trace(reach, at_m, 'down') r JOIN cache.reach_topology t ON t.reach_id = r.reach_id),
  entering AS MATERIALIZED (SELECT DISTINCT ON (to_node) * FROM reached ORDER BY to_node, round(far_m * 1e6), code COLLATE "C", reach_id),
  back AS (
    SELECT 1 AS step, e.* FROM entering e WHERE e.to_node = node
    UNION ALL
    SELECT b.step + 1, e.* FROM back b JOIN entering e ON e.to_node = b.from_node WHERE b.reach_id <> reach)
  SELECT (row_number() OVER (ORDER BY step DESC))::int, reach_id, code, from_m, to_m FROM back ORDER BY step DESC
$$;
COMMENT ON FUNCTION app.river_path(uuid, double precision, text) IS
  'Parts of the shortest way downstream from a place on a reach to a node, in order; none when the water does not get there';

CREATE FUNCTION app.river_route(from_reach uuid, from_at_m double precision, to_reach uuid, to_at_m double precision)
RETURNS TABLE (step int, reach_id uuid, code text, direction text, from_m double precision, to_m double precision,
  distance_m double precision, way text, node text)
LANGUAGE plpgsql STABLE SET jit = off AS $$
#variable_conflict use_column
DECLARE
  a cache.reach_topology := app.river_start(from_reach, from_at_m);
  b cache.reach_topology := app.river_start(to_reach, to_at_m);
  a_m double precision := LEAST(GREATEST(from_at_m, 0), a.length_m);
  b_m double precision := LEAST(GREATEST(to_at_m, 0), b.length_m);
  way text; meet text;
BEGIN
  IF a.number = b.number THEN
    RETURN QUERY SELECT 1, a.reach_id, a.code, w, LEAST(a_m, b_m), GREATEST(a_m, b_m), 0.0::double precision, w, NULL::text
    FROM (SELECT CASE WHEN a_m <= b_m THEN 'down' ELSE 'up' END) q(w);
    RETURN;
  END IF;
  IF EXISTS (SELECT FROM app.river_trace(a.reach_id, a_m, 'down') r WHERE r.reach_id = b.reach_id) THEN
    way := 'down'; meet := b.from_node;
  ELSIF EXISTS (SELECT FROM app.river_trace(b.reach_id, b_m, 'down') r WHERE r.reach_id = a.reach_id) THEN
    way := 'up'; meet := a.from_node;
  ELSE
    SELECT p.to_node INTO meet FROM
      (SELECT t.to_node, min(r.far_m) AS far_m FROM app.river_trace(a.reach_id, a_m, 'down') r
       JOIN cache.reach_topology t ON t.reach_id = r.reach_id GROUP BY t.to_node) p
      JOIN (SELECT t.to_node, min(r.far_m) AS far_m FROM app.river_trace(b.reach_id, b_m, 'down') r
       JOIN cache.reach_topology t ON t.reach_id = r.reach_id GROUP BY t.to_node) q ON q.to_node = p.to_node
    ORDER BY round((p.far_m + q.far_m) * 1e6), p.to_node COLLATE "C" LIMIT 1;
    IF meet IS NULL THEN
      RETURN;
    END IF;
    way := 'confluence';
  END IF;
  RETURN QUERY
  WITH leg AS (
    SELECT 1 AS leg, p.step AS turn, p.reach_id, p.code, 'down' AS direction, p.from_m, p.to_m
    FROM app.river_path(a.reach_id, a_m, meet) p WHERE way <> 'up'
    UNION ALL
    SELECT 2, 0, b.reach_id, b.code, 'down', 0.0::double precision, b_m WHERE way = 'down'
    UNION ALL
    SELECT 1, 0, a.reach_id, a.code, 'up', 0.0::double precision, a_m WHERE way = 'up'
    UNION ALL
    SELECT 2, -p.step, p.reach_id, p.code, 'up', p.from_m, p.to_m FROM app.river_path(b.reach_id, b_m, meet) p WHERE way <> 'down')
  SELECT (row_number() OVER o)::int, l.reach_id, l.code, l.direction, l.from_m, l.to_m,
    coalesce(sum(l.to_m - l.from_m) OVER (o ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0),
    way, CASE WHEN way = 'confluence' THEN meet END
  FROM leg l WINDOW o AS (ORDER BY l.leg, l.turn) ORDER BY l.leg, l.turn;
END $$;
COMMENT ON FUNCTION app.river_route(uuid, double precision, uuid, double precision) IS
  'Shortest way along the water between two places on reaches, part by part: down, up, or down to the confluence where both
waters meet first and then up; no rows when neither drains to the other and they meet nowhere below';

CREATE FUNCTION app.river_locate(lon double precision, lat double precision, within_m double precision)
RETURNS TABLE (reach_id uuid, code text, at_m double precision, offset_m double precision, bank text, direction_confidence real)
LANGUAGE sql STABLE ROWS 1 SET jit = off AS $$
  WITH here AS (
    -- metres of a degree here: near enough for the foot of a perpendicular within a few kilometres
    SELECT ST_SetSRID(ST_Point(lon, lat), 4490) AS geom, k.x, k.y, within_m / k.x AS dx, within_m / k.y AS dy
    FROM (SELECT 111412.84 * cosd(lat) - 93.5 * cosd(3 * lat) AS x, 111132.92 - 559.82 * cosd(2 * lat) AS y) k
    WHERE app.river_require_topology()),
  near AS (
    SELECT t.reach_id, t.code, t.length_m, h.direction_confidence, ST_Scale(h.geom, p.x, p.y) AS line, ST_Scale(p.geom, p.x, p.y) AS point, p.x, p.y
    FROM here p JOIN data.reach h ON h.geom && ST_Expand(p.geom, p.dx, p.dy)
      AND h.superseded_at IS NULL AND h.valid @> app.today() AND h.kind <> 'shoreline'
    JOIN cache.reach_topology t ON t.reach_id = h.id),
  foot AS (SELECT n.*, ST_LineLocatePoint(n.line, n.point) AS share, ST_Distance(n.line, n.point) AS off FROM near n),
  best AS (
    SELECT f.* FROM foot f WHERE f.off <= within_m ORDER BY round(f.off::numeric, 6), f.share * f.length_m, f.reach_id LIMIT 1),
  cut AS (
    SELECT b.*, ST_LineInterpolatePoint(b.line, b.share) AS foot,
      ST_LineInterpolatePoint(b.line, LEAST(b.share + 1e-6, 1)) AS after, ST_LineInterpolatePoint(b.line, GREATEST(b.share - 1e-6, 0)) AS before
    FROM best b),
  sided AS (
    SELECT c.*, (ST_X(after) - ST_X(before)) * (ST_Y(point) - ST_Y(foot)) - (ST_Y(after) - ST_Y(before)) * (ST_X(point) - ST_X(foot)) AS side
    FROM cut c)
  SELECT c.reach_id, c.code,
    CASE WHEN c.share > 0 THEN LEAST(ST_Length(ST_Scale(ST_LineSubstring(c.line, 0, c.share), 1 / c.x, 1 / c.y)::geography), c.length_m) ELSE 0 END,
    CASE WHEN c.side < 0 THEN -c.off ELSE c.off END, CASE WHEN c.side < 0 THEN 'right' WHEN c.side > 0 THEN 'left' END,
    c.direction_confidence
  FROM sided c
$$;
COMMENT ON FUNCTION app.river_locate(double precision, double precision, double precision) IS
  'Nearest reach in force to a position in degrees, not farther than within_m: metres along it, distance off it (left positive), bank, and how sure
its direction is: where that is null or low, left and right are a guess';

CREATE VIEW app.river_network AS
  SELECT t.reach_id, t.code, h.river_id, h.name, h.kind, h.channel, h.covered, t.from_node, t.to_node, n.reach_id AS next_reach_id,
    t.length_m, t.to_outlet_m, t.strahler, t.stem_order, t.upstream_length_m, h.upstream_area_km2, h.direction_basis,
    h.direction_confidence, h.geom
  FROM cache.reach_topology t JOIN app.reach h ON h.id = t.reach_id LEFT JOIN cache.reach_topology n ON n.number = t.next_number
  WHERE app.river_require_topology();
COMMENT ON VIEW app.river_network IS 'Reaches in force with their place in the network; refuses while the tracing numbers are out of date';
CREATE VIEW app.network_build AS SELECT * FROM data.network_build;
COMMENT ON VIEW app.network_build IS 'Builds of networks from raw centre lines';
CREATE VIEW app.network_defect AS
  SELECT d.*, i.code AS reach_code FROM data.network_defect d LEFT JOIN data.identity i ON i.id = d.reach_id;
COMMENT ON VIEW app.network_defect IS 'What builds found wrong with the lines, or guessed';
