-- What is served (瓦片与服务): which shape every thing has on which days, kept in cache.shape_<collection> in the transaction of the edit.
--
-- app.drawn_<collection> says what there is to draw, from the facts; app.served_refresh() puts the rows of some things of it into the cache,
-- with coarser shapes for far zooms, the administrative units they touch, and counts of what is too small to be drawn. Triggers call it with
-- the things that a statement concerns, so that after any edits the cache is what a rebuild from nothing would make of the facts.
-- A new collection needs its tables (a migration), its view here, and its tables of facts in app.served_by().

-- ---- what there is to draw ------------------------------------------------------------------------------------------------------------
-- the river's name on the days of a thing
CREATE FUNCTION app.drawn_river(things_river text, things_valid text) RETURNS text LANGUAGE sql STABLE RETURN format(
  'LEFT JOIN LATERAL (SELECT r.name FROM data.river r WHERE r.id = %s AND r.superseded_at IS NULL
     ORDER BY r.valid && %s DESC, upper(r.valid) DESC NULLS FIRST LIMIT 1) r ON true', things_river, things_valid);
COMMENT ON FUNCTION app.drawn_river(text, text) IS 'SQL of the join from a thing with a river to the name of that river';

DO $$
DECLARE c record;
BEGIN
  FOR c IN SELECT * FROM (VALUES
    -- collection, name on the map, class in the palette, second class, column of the river
    ('admin_unit', 't.name', 't.level', 'NULL', NULL),
    ('reach', 'coalesce(t.name, r.name)', 't.kind', 't.channel', 't.river_id'),
    ('water_area', 't.name', 't.kind', 'NULL', 't.river_id'),
    ('levee', 'r.name', '''''', 't.line_role', 't.river_id'),
    ('landmark', 't.name', 't.kind', 'NULL', 't.river_id'),
    ('function_zone', 'r.name', 't.zone_type', 'NULL', 't.river_id'),
    ('stake', 't.code', 'CASE WHEN t.status IN (''damaged'', ''lost'') THEN ''lost'' ELSE t.kind END', 't.status', 't.river_id'),
    ('intake', 't.name', '''''', 't.kind', 't.river_id'),
    ('outfall', 't.name', '''''', 't.status', 't.river_id'),
    ('candidate', 't.name', 't.kind', 't.feed', NULL),
    ('permit', 't.name', '''''', 't.kind', 't.river_id'),
    ('patrol_area', 't.name', '''''', 't.kind', NULL),
    ('source_zone', 't.name', 't.zone_class::text', 't.basis', NULL),
    ('imagery', 't.code', '''''', 't.bands', NULL)) v(collection, label, cls, mark, river)
  LOOP
    EXECUTE format($f$CREATE VIEW app.drawn_%1$I AS
      SELECT i.fid, t.id, t.version, t.valid, t.code, %2$s AS label, coalesce(%3$s, '') AS cls, %4$s::text AS mark, %5$s AS river,
        %6$s AS bank, %7$s AS day, t.geom
      FROM data.%1$I t JOIN data.identity i ON i.id = t.id %8$s WHERE t.superseded_at IS NULL AND NOT ST_IsEmpty(t.geom)$f$,
      c.collection, c.label, c.cls, c.mark, CASE WHEN c.river IS NULL THEN 'NULL::text' ELSE 'r.name' END,
      CASE WHEN c.collection IN ('levee', 'function_zone', 'stake', 'permit') THEN 't.bank' ELSE 'NULL::text' END,
      CASE c.collection WHEN 'imagery' THEN 't.taken_on' WHEN 'candidate' THEN '(t.seen_at AT TIME ZONE ''Asia/Shanghai'')::date' ELSE 'NULL::date' END,
      CASE WHEN c.river IS NULL THEN '' ELSE app.drawn_river(c.river, 't.valid') END);
  END LOOP;

  EXECUTE format($f$CREATE VIEW app.drawn_bank_line AS
    SELECT i.fid, t.id, t.version, t.valid, t.code, r.name AS label, '' AS cls, NULL::text AS mark, r.name AS river, t.bank, NULL::date AS day, t.geom
    FROM data.bank_line t JOIN data.identity i ON i.id = t.id
    LEFT JOIN LATERAL (SELECT h.river_id FROM data.reach h WHERE h.id = t.reach_id ORDER BY h.superseded_at DESC NULLS FIRST LIMIT 1) h ON true
    %s WHERE t.superseded_at IS NULL AND NOT ST_IsEmpty(t.geom)$f$, app.drawn_river('h.river_id', 't.valid'));

  -- lines and areas are in force with their act: on the days of both, until it is revoked
  FOR c IN SELECT * FROM (VALUES ('boundary_line', 'boundary_segment', 't.bank'), ('boundary_area', 'boundary_area', 'NULL::text')) v(collection, facts, bank) LOOP
    EXECUTE format($f$CREATE VIEW app.drawn_%1$I AS
      SELECT i.fid, t.id, t.version, t.valid * v.valid AS valid, t.code, r.name AS label, v.basis AS cls, v.line_type AS mark, r.name AS river,
        %3$s AS bank, NULL::date AS day, t.geom
      FROM data.%2$I t JOIN data.identity i ON i.id = t.id
      JOIN data.boundary_version v ON v.id = t.boundary_id AND v.superseded_at IS NULL AND v.state <> 'revoked' AND v.valid && t.valid
      %4$s WHERE t.superseded_at IS NULL AND NOT ST_IsEmpty(t.geom)$f$, c.collection, c.facts, c.bank, app.drawn_river('v.river_id', 't.valid * v.valid'));
  END LOOP;

  EXECUTE format($f$CREATE VIEW app.drawn_boundary_draft_line AS
    -- no table of its own numbers them: 48 bits of their name do
    SELECT ('x' || left(replace(s.segment_id::text, '-', ''), 12))::bit(48)::bigint AS fid, s.segment_id AS id, s.edition AS version, '(,)'::daterange AS valid, coalesce(nullif(s.code, ''), d.code) AS code, d.title AS label,
      s.drawn_by AS cls, app.draft_state(d.id) AS mark, r.name AS river, s.bank, NULL::date AS day, s.geom
    FROM (SELECT DISTINCT ON (k.segment_id) k.*, count(*) OVER w AS times FROM data.boundary_draft_segment k
          WINDOW w AS (PARTITION BY k.segment_id) ORDER BY k.segment_id, k.revision DESC) k
    CROSS JOIN LATERAL (SELECT k.times::int AS edition, k.segment_id, k.code, k.drawn_by, k.bank, k.river_id, k.geom) s
    JOIN data.boundary_draft d ON d.id = k.draft_id
    %s WHERE NOT k.removed$f$, app.drawn_river('s.river_id', '''(,)''::daterange'));
END $$;

CREATE VIEW app.drawn_river AS
  -- a river is all its reaches: a row for each stretch of days on which they and its own version stay the same
  SELECT i.fid, v.id, v.version, daterange(p.from_day, p.to_day) AS valid, v.code, v.name AS label, '' AS cls, v.kind AS mark, v.name AS river,
    NULL::text AS bank, NULL::date AS day, g.geom
  FROM data.river v JOIN data.identity i ON i.id = v.id
  CROSS JOIN LATERAL (
    SELECT d AS from_day, lead(d) OVER (ORDER BY d NULLS FIRST) AS to_day FROM (
      SELECT lower(v.valid) AS d
      UNION SELECT e FROM data.reach h, unnest(ARRAY[lower(h.valid), upper(h.valid)]) e
        WHERE h.river_id = v.id AND h.superseded_at IS NULL AND e IS NOT NULL AND v.valid @> e AND e IS DISTINCT FROM lower(v.valid)
      UNION SELECT upper(v.valid) WHERE NOT upper_inf(v.valid)) x) p
  CROSS JOIN LATERAL (
    SELECT ST_Multi(ST_Collect(h.geom ORDER BY h.from_m, h.code)) AS geom FROM data.reach h
    WHERE h.river_id = v.id AND h.superseded_at IS NULL AND (h.valid @> coalesce(p.from_day, p.to_day - 1, 'infinity')) IS TRUE  -- of its own reaches, not of an index over all days
      AND NOT ST_IsEmpty(h.geom)) g
  WHERE v.superseded_at IS NULL AND g.geom IS NOT NULL AND (p.to_day IS NOT NULL OR upper_inf(v.valid));

CREATE VIEW app.drawn_finding AS
  -- nights in a row that say the same of a lead are one row
  SELECT f.fid, f.id, 0 AS version, daterange(n.night, lead(n.night) OVER (PARTITION BY f.id ORDER BY n.night)) AS valid, NULL::text AS code,
    NULL::text AS label, coalesce(n.class_code, '') AS cls,
    coalesce(n.ended, e.to_state, 'found') AS mark, NULL::text AS river, NULL::text AS bank,
    f.first_night AS day, coalesce(n.geom, f.place) AS geom, f.district
  FROM data.finding f
  JOIN (
    SELECT s.*, s.said IS DISTINCT FROM lag(s.said) OVER (PARTITION BY s.finding_id ORDER BY s.night) AS news
    FROM (
      SELECT t.finding_id, t.night, s.ended, v.class_code, g.geom, concat_ws('/', v.class_code, md5(g.geom::bytea), s.ended) AS said
      FROM (SELECT finding_id, night FROM data.sighting
            UNION SELECT k.finding_id, k.night FROM data.verdict k
              WHERE EXISTS (SELECT FROM data.sighting z WHERE z.finding_id = k.finding_id AND z.night <= k.night)) t
      JOIN LATERAL (SELECT CASE WHEN z.status IN ('gone', 'merged', 'permitted', 'left_by_redraw') THEN z.status END AS ended FROM data.sighting z WHERE z.finding_id = t.finding_id AND z.night <= t.night ORDER BY z.night DESC LIMIT 1) s ON true
      LEFT JOIN LATERAL (SELECT z.geom FROM data.sighting z WHERE z.finding_id = t.finding_id AND z.night <= t.night AND NOT ST_IsEmpty(z.geom)
                         ORDER BY z.night DESC LIMIT 1) g ON true
      LEFT JOIN LATERAL (SELECT k.class_code FROM data.verdict k WHERE k.finding_id = t.finding_id AND k.night <= t.night
                         ORDER BY k.night DESC, k.recorded_at DESC LIMIT 1) v ON true) s) n ON n.finding_id = f.id AND n.news
  LEFT JOIN LATERAL (SELECT e.to_state FROM data.finding_event e WHERE e.finding_id = f.id ORDER BY e.id DESC LIMIT 1) e ON true;

CREATE VIEW app.drawn_report AS
  SELECT t.fid, t.id, 0 AS version, daterange((t.at AT TIME ZONE 'Asia/Shanghai')::date, NULL) AS valid, NULL::text AS code, t.word AS label,
    t.kind AS cls, NULL::text AS mark, NULL::text AS river, NULL::text AS bank, (t.at AT TIME ZONE 'Asia/Shanghai')::date AS day, t.geom
  FROM data.report t WHERE NOT ST_IsEmpty(t.geom);

-- patrols are drawn from their day on, as far as their fixes were not removed at the end of their time
CREATE VIEW app.drawn_patrol_fix AS
  SELECT t.fid * 1048576 + f.seq AS fid, t.id, f.seq AS version, daterange(t.day, NULL) AS valid, NULL::text AS code, NULL::text AS label, '' AS cls,
    f.mark, NULL::text AS river, NULL::text AS bank, t.day, f.geom
  FROM data.track t JOIN data.fix f ON f.track_id = t.id WHERE NOT ST_IsEmpty(f.geom);

CREATE VIEW app.drawn_patrol_track AS
  SELECT t.fid, t.id, 0 AS version, daterange(t.day, NULL) AS valid, NULL::text AS code, NULL::text AS label, 'track' AS cls, t.mode AS mark,
    NULL::text AS river, NULL::text AS bank, t.day, g.geom
  FROM data.track t
  CROSS JOIN LATERAL (SELECT ST_MakeLine(f.geom ORDER BY f.seq) AS geom, count(*) AS n FROM data.fix f WHERE f.track_id = t.id AND f.mark IS NULL) g
  WHERE g.n > 1;

CREATE VIEW app.drawn_patrol_leg AS
  SELECT t.fid * 1048576 + l.seq AS fid, l.result_id AS id, l.seq AS version, daterange(t.day, NULL) AS valid, NULL::text AS code, h.name AS label,
    CASE WHEN l.seen THEN coalesce(l.bank, 'channel') ELSE l.reason END AS cls, CASE WHEN l.seen THEN 'seen' ELSE 'unseen' END AS mark,
    NULL::text AS river, l.bank, t.day,
    ST_LineSubstring(h.geom, least(greatest(l.from_m / h.length_m, 0), 1), least(greatest(l.to_m / h.length_m, 0), 1)) AS geom
  FROM data.patrol_result r JOIN data.track t ON t.id = r.track_id JOIN data.leg l ON l.result_id = r.id
  JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version
  WHERE r.superseded_at IS NULL AND h.length_m > 0 AND l.from_m < h.length_m AND l.to_m > 0;

CREATE VIEW app.drawn_coverage AS
  SELECT d.fid, d.id, d.version, d.valid, d.code, d.label, '' AS cls, d.mark, d.river, d.bank, d.day, d.geom
  FROM app.drawn_patrol_leg d WHERE d.mark = 'seen';

DO $$
DECLARE c text;
BEGIN
  FOR c IN SELECT substr(relname, 7) FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE nspname = 'cache' AND relname LIKE 'shape\_%' AND relkind = 'r' LOOP
    EXECUTE format('COMMENT ON VIEW app.drawn_%I IS %L', c, format('What there is of %s to draw: number, thing, version, days, code, name, classes, place (EPSG:4490); present knowledge', c));
  END LOOP;
END $$;

-- ---- into the cache -------------------------------------------------------------------------------------------------------------------
CREATE FUNCTION app.tile_line(g geometry, tolerance_m double precision) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  -- what would shrink to nothing stays as a dash
  SELECT CASE WHEN greatest(ST_XMax(g) - ST_XMin(g), ST_YMax(g) - ST_YMin(g)) < 2 * tolerance_m
    THEN ST_MakeLine(ST_SetSRID(ST_MakePoint((ST_XMin(g) + ST_XMax(g) - tolerance_m) / 2, (ST_YMin(g) + ST_YMax(g)) / 2), 3857),
                     ST_SetSRID(ST_MakePoint((ST_XMin(g) + ST_XMax(g) + tolerance_m) / 2, (ST_YMin(g) + ST_YMax(g)) / 2), 3857))
    ELSE ST_Simplify(g, tolerance_m, true) END
$$;
COMMENT ON FUNCTION app.tile_line(geometry, double precision) IS 'A line (EPSG:3857) as seen from far, tolerance_m being half a pixel or one';

CREATE FUNCTION app.tile_area(g geometry, tolerance_m double precision) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN ST_Dimension(g) > 0 AND greatest(ST_XMax(g) - ST_XMin(g), ST_YMax(g) - ST_YMin(g)) >= 8 * tolerance_m
    THEN ST_Simplify(g, tolerance_m, true) END
$$;
COMMENT ON FUNCTION app.tile_area(geometry, double precision) IS
  'An area (EPSG:3857) as seen from far, tolerance_m being half a pixel or one; null where it is less than eight times as large, or a point';

CREATE FUNCTION app.codes_above(code text) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT array(SELECT left(code, n) FROM unnest('{2,4,6,9}'::int[]) n WHERE n < length(code) AND code ~ '^[0-9]+$') || code
$$;
COMMENT ON FUNCTION app.codes_above(text) IS 'A short adcode with those of all levels above it: 430102001 is 43, 4301, 430102 and itself';

CREATE FUNCTION app.areas_under(touched text[], district text) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF district = '' THEN RETURN coalesce(touched, '{}'); END IF;
  RETURN array(SELECT c FROM unnest(touched) c WHERE starts_with(c, app.short_code(district))
    UNION SELECT unnest(app.codes_above(app.short_code(district))) ORDER BY 1);
END $$;
COMMENT ON FUNCTION app.areas_under(text[], text) IS
  'Units of a case on a border: those of the district that a night gave it to, and the smaller ones below that it touches';

CREATE FUNCTION app.served_kind(collection text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN to_regclass('cache.cell_' || collection) IS NULL THEN 'line'
    WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('cache.shape_' || collection) AND attname = 'g12') THEN 'area'
    WHEN to_regclass('cache.shape_' || collection) IS NOT NULL THEN 'point' END
$$;
COMMENT ON FUNCTION app.served_kind(text) IS 'How a collection is served: line (always drawn), area (drawn, or counted where too small) or point (counted from far); null = no collection';

CREATE FUNCTION app.cells_sql(collection text, kind text, source text, sign int) RETURNS text LANGUAGE sql STABLE AS $$
  -- a row of the same cell, classes, days and units is taken up into the new one, unless another transaction holds it
  SELECT format($f$, more AS (
    SELECT z.zoom::smallint AS zoom, c.x >> 5 AS tile_x, c.y >> 5 AS tile_y, ((c.y & 31) * 32 + (c.x & 31))::smallint AS cell, s.cls COLLATE "C" AS cls,
      coalesce(s.mark, '') COLLATE "C" AS mark, s.valid, s.areas, %4$s * count(*) AS n, %4$s * sum(s.fid) AS fid_sum,
      %4$s * sum(round(p.x * 10)) AS east_dm, %4$s * sum(round(p.y * 10)) AS north_dm
    FROM %3$s s
    CROSS JOIN LATERAL (SELECT (ST_XMin(s.geom) + ST_XMax(s.geom)) / 2 AS x, (ST_YMin(s.geom) + ST_YMax(s.geom)) / 2 AS y) p
    CROSS JOIN LATERAL (VALUES %2$s) z(zoom, counted)
    CROSS JOIN LATERAL (SELECT least(greatest(floor((p.x / 40075016.685578488 + 0.5) * (32 << z.zoom)), 0), (32 << z.zoom) - 1)::int AS x,
                               least(greatest(floor((0.5 - p.y / 40075016.685578488) * (32 << z.zoom)), 0), (32 << z.zoom) - 1)::int AS y) c
    WHERE z.counted GROUP BY 1, 2, 3, 4, 5, 6, 7, 8),
  held AS MATERIALIZED (
    SELECT k.ctid AS row, k.* FROM cache.cell_%1$I k JOIN more USING (zoom, tile_x, tile_y, cell, cls, mark, valid, areas) FOR UPDATE OF k SKIP LOCKED),
  taken AS (DELETE FROM cache.cell_%1$I WHERE ctid = ANY (ARRAY(SELECT row FROM held)))
  INSERT INTO cache.cell_%1$I (zoom, tile_x, tile_y, cell, cls, mark, valid, areas, n, fid_sum, east_dm, north_dm)
  SELECT zoom, tile_x, tile_y, cell, cls, mark, valid, areas, sum(n), sum(fid_sum), sum(east_dm), sum(north_dm) FROM (
    SELECT * FROM more UNION ALL
    SELECT zoom, tile_x, tile_y, cell, cls, mark, valid, areas, n, fid_sum, east_dm, north_dm FROM held) t
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum(n) <> 0 OR sum(fid_sum) <> 0 OR sum(east_dm) <> 0 OR sum(north_dm) <> 0 ORDER BY 1, 2, 3, 4$f$, collection,
    CASE kind WHEN 'point' THEN '(4, true), (6, true), (8, true), (10, true), (12, true)'
      ELSE '(4, s.g0 IS NULL), (6, s.g6 IS NULL), (8, s.g8 IS NULL), (10, s.g10 IS NULL), (12, s.g12 IS NULL)' END, source, sign)
$$;
COMMENT ON FUNCTION app.cells_sql(text, text, text, int) IS
  'SQL behind a WITH that adds the shapes of a source to the counts of a collection, or takes them out (sign -1)';

CREATE FUNCTION app.served_refresh(collection text, things uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE kind text := app.served_kind(collection); drop_sql text; add_sql text; touches text := 'ST_Intersects(p.geom, d.geom)'; before text[] := ARRAY(SELECT current_setting('enable_' || w) FROM unnest('{nestloop,hashjoin,mergejoin,seqscan,memoize}'::text[]) w);
BEGIN
  IF things = '{}' THEN RETURN; END IF;
  -- many at once: a table that is being filled has no statistics yet, and thing by thing would take for ever
  IF things IS NULL OR cardinality(things) > 500 THEN
    PERFORM set_config('enable_nestloop', 'off', true);
  ELSE  -- few: by their indexes, whatever the planner thinks of how many they make
    PERFORM set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true);
  END IF;
  PERFORM set_config('enable_memoize', 'off', true);  -- no shape comes twice
  IF collection IN ('river', 'coverage') THEN
    PERFORM pg_advisory_xact_lock(hashtext('rivergis'), hashtext('served ' || collection));  -- rows made of several facts: one at a time
  END IF;
  drop_sql := format('DELETE FROM cache.shape_%I WHERE $1 IS NULL OR id = ANY($1)', collection);
  add_sql := format($f$INSERT INTO cache.shape_%1$I (fid, id, version, valid, areas, code, label, cls, mark, river, bank, day, geom %2$s)
    SELECT d.fid, d.id, d.version, d.valid, %5$s, d.code, d.label, d.cls, d.mark, d.river, d.bank, d.day, m.geom %3$s
    FROM app.drawn_%1$I d
    CROSS JOIN LATERAL (SELECT ST_Transform(d.geom, 3857) AS geom OFFSET 0) m %4$s
    LEFT JOIN LATERAL (SELECT array_agg(DISTINCT c ORDER BY c) AS areas FROM cache.area_piece p, unnest(p.codes) c
                       WHERE p.geom && d.geom AND TOUCHES) a ON true
    WHERE $1 IS NULL OR d.id = ANY($1)$f$, collection,
    CASE WHEN kind <> 'point' THEN ', g12, g10, g8, g6, g0' ELSE '' END,
    CASE WHEN kind <> 'point' THEN ', g12.g, g10.g, g8.g, g6.g, g0.g' ELSE '' END,
    CASE WHEN kind <> 'point' THEN (
      SELECT string_agg(format('CROSS JOIN LATERAL (SELECT app.tile_%s(%s, %s) AS g OFFSET 0) %s', kind, finer, 40075016.685578488 / 512 / 2 ^ top * fine, band), ' ' ORDER BY top DESC)
      -- pixels of the closest zoom of a band
      FROM (VALUES ('g12', 'm.geom', 13, 0.5), ('g10', 'g12.g', 11, 0.5), ('g8', 'g10.g', 9, 1), ('g6', 'g8.g', 7, 1), ('g0', 'g6.g', 5, 1)) b(band, finer, top, fine)) ELSE '' END,
    CASE WHEN collection = 'finding' THEN 'app.areas_under(a.areas, d.district)' ELSE 'coalesce(a.areas, ''{}'')' END);
  IF kind <> 'line' THEN
    IF things IS NOT NULL THEN drop_sql := format('WITH gone AS (%s RETURNING *)', drop_sql) || app.cells_sql(collection, kind, 'gone', -1); END IF;
    add_sql := format('WITH born AS (%s RETURNING *)', add_sql) || app.cells_sql(collection, kind, 'born', 1);
  END IF;
  IF things IS NULL AND kind <> 'line' THEN EXECUTE format('DELETE FROM cache.cell_%I', collection); END IF;
  EXECUTE drop_sql USING things;
  BEGIN
    EXECUTE replace(add_sql, 'TOUCHES', touches) USING things;
  EXCEPTION WHEN internal_error THEN
    -- an invalid shape may trip the engine up: the slower way by distance asks it nothing
    EXECUTE replace(add_sql, 'TOUCHES', 'ST_DWithin(p.geom, d.geom, 0)') USING things;
  END;
  PERFORM set_config('enable_' || w, before[n], true) FROM unnest('{nestloop,hashjoin,mergejoin,seqscan,memoize}'::text[]) WITH ORDINALITY x(w, n);
  PERFORM pg_notify('rivergis_served', collection);
END $$;
COMMENT ON FUNCTION app.served_refresh(text, uuid[]) IS
  'Makes the served shapes of some things of a collection anew from the facts, with their counts, and tells the services; null = of all things';

-- ---- units ----------------------------------------------------------------------------------------------------------------------------
CREATE FUNCTION app.area_pieces_refresh(units uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM cache.area_piece WHERE units IS NULL OR unit_id = ANY(units);
  INSERT INTO cache.area_piece (unit_id, code, codes, geom)
  SELECT u.id, u.short, app.codes_above(u.short), p.geom
  FROM (SELECT t.id, app.short_code(t.code) AS short, ST_CollectionExtract(CASE WHEN ST_IsValid(t.geom) THEN t.geom ELSE ST_MakeValid(t.geom) END, 3) AS geom
        FROM data.admin_unit t WHERE t.superseded_at IS NULL AND (units IS NULL OR t.id = ANY(units))) u
  CROSS JOIN LATERAL ST_Subdivide(u.geom, 48) p(geom) WHERE NOT ST_IsEmpty(u.geom);
END $$;
COMMENT ON FUNCTION app.area_pieces_refresh(uuid[]) IS 'Cuts administrative units into pieces anew; null = all of them';

CREATE FUNCTION app.served_units(units uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE ground geometry; c text; things uuid[];
BEGIN
  SELECT ST_Extent(geom)::geometry INTO ground FROM cache.area_piece WHERE unit_id = ANY(units);
  PERFORM app.area_pieces_refresh(units);
  SELECT ST_Transform(ST_SetSRID(ST_Extent(g)::geometry, 4490), 3857) INTO ground
  FROM (SELECT geom AS g FROM cache.area_piece WHERE unit_id = ANY(units) UNION ALL SELECT ground) x;
  FOR c IN SELECT app.served_collections() LOOP
    EXECUTE format('SELECT array_agg(DISTINCT id) FROM cache.shape_%I WHERE geom && $1', c) INTO things USING ground;
    IF c = 'admin_unit' THEN things := array_cat(things, units); END IF;
    IF things IS NOT NULL THEN PERFORM app.served_refresh(c, things); END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION app.served_units(uuid[]) IS 'After units changed: their pieces, and everything that stands where they are or were';

CREATE FUNCTION app.served_collections() RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT substr(relname, 7) FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace
  WHERE nspname = 'cache' AND relname LIKE 'shape\_%' AND relkind = 'r' ORDER BY 1
$$;
COMMENT ON FUNCTION app.served_collections() IS 'Collections that are served';

-- ---- which things a statement concerns --------------------------------------------------------------------------------------------------
CREATE FUNCTION app.served_by(facts text, ids uuid[]) RETURNS TABLE (collection text, things uuid[]) LANGUAGE plpgsql STABLE AS $$
BEGIN
  CASE facts
  WHEN 'reach' THEN
    RETURN QUERY VALUES ('reach', ids), ('river', ARRAY(SELECT DISTINCT h.river_id FROM data.reach h WHERE h.id = ANY(ids))),
      ('bank_line', ARRAY(SELECT t.id FROM data.bank_line t WHERE t.superseded_at IS NULL AND t.reach_id = ANY(ids)));
  WHEN 'river' THEN
    RETURN QUERY VALUES ('river', ids),
      ('reach', ARRAY(SELECT t.id FROM data.reach t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('bank_line', ARRAY(SELECT t.id FROM data.bank_line t JOIN data.reach h ON h.id = t.reach_id WHERE t.superseded_at IS NULL AND h.river_id = ANY(ids))),
      ('water_area', ARRAY(SELECT t.id FROM data.water_area t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('levee', ARRAY(SELECT t.id FROM data.levee t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('landmark', ARRAY(SELECT t.id FROM data.landmark t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('function_zone', ARRAY(SELECT t.id FROM data.function_zone t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('stake', ARRAY(SELECT t.id FROM data.stake t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('intake', ARRAY(SELECT t.id FROM data.intake t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('outfall', ARRAY(SELECT t.id FROM data.outfall t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('permit', ARRAY(SELECT t.id FROM data.permit t WHERE t.superseded_at IS NULL AND t.river_id = ANY(ids))),
      ('boundary_draft_line', ARRAY(SELECT DISTINCT t.segment_id FROM data.boundary_draft_segment t WHERE t.river_id = ANY(ids))),
      ('boundary_line', ARRAY(SELECT t.id FROM data.boundary_segment t JOIN data.boundary_version v ON v.id = t.boundary_id
        WHERE t.superseded_at IS NULL AND v.superseded_at IS NULL AND v.river_id = ANY(ids))),
      ('boundary_area', ARRAY(SELECT t.id FROM data.boundary_area t JOIN data.boundary_version v ON v.id = t.boundary_id
        WHERE t.superseded_at IS NULL AND v.superseded_at IS NULL AND v.river_id = ANY(ids)));
  WHEN 'boundary_version' THEN
    RETURN QUERY VALUES
      ('boundary_line', ARRAY(SELECT t.id FROM data.boundary_segment t WHERE t.superseded_at IS NULL AND t.boundary_id = ANY(ids))),
      ('boundary_area', ARRAY(SELECT t.id FROM data.boundary_area t WHERE t.superseded_at IS NULL AND t.boundary_id = ANY(ids)));
  WHEN 'boundary_segment' THEN RETURN QUERY VALUES ('boundary_line', ids);
  WHEN 'boundary_draft_segment' THEN RETURN QUERY VALUES ('boundary_draft_line', ids);
  WHEN 'boundary_event' THEN
    RETURN QUERY VALUES ('boundary_draft_line', ARRAY(SELECT DISTINCT t.segment_id FROM data.boundary_draft_segment t WHERE t.draft_id = ANY(ids)));
  WHEN 'track' THEN
    RETURN QUERY VALUES ('patrol_track', ids), ('patrol_fix', ids),
      ('patrol_leg', ARRAY(SELECT r.id FROM data.patrol_result r WHERE r.superseded_at IS NULL AND r.track_id = ANY(ids))),
      ('coverage', ARRAY(SELECT r.id FROM data.patrol_result r WHERE r.superseded_at IS NULL AND r.track_id = ANY(ids)));
  WHEN 'fix' THEN RETURN QUERY VALUES ('patrol_track', ids), ('patrol_fix', ids);
  WHEN 'patrol_result', 'leg' THEN RETURN QUERY VALUES ('patrol_leg', ids), ('coverage', ids);
  WHEN 'sighting', 'verdict', 'finding_event' THEN RETURN QUERY VALUES ('finding', ids);
  ELSE RETURN QUERY VALUES (facts, ids);
  END CASE;
END $$;
COMMENT ON FUNCTION app.served_by(text, uuid[]) IS 'Which things of which collections are drawn from rows of a table of facts';

CREATE FUNCTION app.served_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ids uuid[]; c text; t uuid[];
BEGIN
  EXECUTE format('SELECT array_agg(DISTINCT %I) FROM moved', TG_ARGV[0]) INTO ids;
  ids := array_remove(ids, NULL);
  IF ids IS NULL OR ids = '{}' THEN RETURN NULL; END IF;
  IF TG_TABLE_NAME = 'admin_unit' THEN
    PERFORM app.served_units(ids);
    RETURN NULL;
  END IF;
  FOR c, t IN SELECT s.collection, s.things FROM app.served_by(TG_TABLE_NAME, ids) s LOOP
    PERFORM app.served_refresh(c, t);
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.served_changed() IS 'Puts the things that a statement concerns into what is served; its argument is the column that names them';

DO $$
DECLARE t text; k text; op text;
BEGIN
  FOR t, k IN SELECT * FROM (VALUES
    ('admin_unit', 'id'), ('reach', 'id'), ('river', 'id'), ('water_area', 'id'), ('bank_line', 'id'), ('levee', 'id'), ('landmark', 'id'),
    ('boundary_version', 'id'), ('boundary_segment', 'id'), ('boundary_area', 'id'), ('function_zone', 'id'), ('stake', 'id'), ('intake', 'id'),
    ('source_zone', 'id'), ('outfall', 'id'), ('candidate', 'id'), ('permit', 'id'), ('imagery', 'id'), ('patrol_area', 'id'), ('report', 'id'),
    ('boundary_draft_segment', 'segment_id'), ('boundary_event', 'draft_id'), ('finding', 'id'), ('sighting', 'finding_id'), ('verdict', 'finding_id'),
    ('finding_event', 'finding_id'), ('track', 'id'), ('fix', 'track_id'), ('patrol_result', 'id'), ('leg', 'result_id')) v(facts, key)
  LOOP
    FOREACH op IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
      EXECUTE format('CREATE TRIGGER served_%s AFTER %s ON data.%I REFERENCING %s TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION app.served_changed(%L)',
        lower(op), op, t, CASE op WHEN 'DELETE' THEN 'OLD' ELSE 'NEW' END, k);
    END LOOP;
  END LOOP;
END $$;

CREATE FUNCTION app.served_rebuild(chosen text[] DEFAULT NULL) RETURNS TABLE (collection text, shapes bigint) LANGUAGE plpgsql AS $$
BEGIN
  IF chosen IS NULL THEN PERFORM app.area_pieces_refresh(NULL); END IF;
  FOR collection IN SELECT s FROM app.served_collections() s WHERE chosen IS NULL OR s = ANY(chosen) LOOP
    PERFORM app.served_refresh(collection, NULL);
    EXECUTE format('SELECT count(*) FROM cache.shape_%I', collection) INTO shapes;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION app.served_rebuild(text[]) IS 'Makes all that is served anew from the facts, or some collections of it; one transaction, readers see the old until its end';

-- ---- views for the old services, exports, pocket maps and desktop GIS ---------------------------------------------------------------
CREATE FUNCTION app.in_area(areas text[]) RETURNS boolean LANGUAGE sql STABLE
  RETURN coalesce(current_setting('rivergis.area', true), '') = '' OR areas @> ARRAY[current_setting('rivergis.area', true)];
COMMENT ON FUNCTION app.in_area(text[]) IS 'Whether something that touches these units lies in the area of the setting rivergis.area; without the setting everything does';

CREATE FUNCTION app.code_of(thing uuid) RETURNS text LANGUAGE sql STABLE RETURN (SELECT i.code FROM data.identity i WHERE i.id = thing);
COMMENT ON FUNCTION app.code_of(uuid) IS 'Code of a thing by its id, also on days when it is not in force';

DO $$
DECLARE c record; plain text := 's.fid, s.id, s.version, s.valid, s.areas, s.code, s.label, s.cls, s.mark';
BEGIN
  FOR c IN SELECT * FROM (VALUES
    -- collection, table of facts, geometry, columns of the contract (src/rivergis/layers.py)
    ('admin_unit', 'admin_unit', 'MultiPolygon', 't.name, t.level, t.parent_code'),
    ('reach', 'reach', 'LineString', 'app.code_of(t.river_id) AS river_code, t.name, t.kind, t.from_m, t.to_m, t.from_node, t.to_node, t.half_width_m, t.covered, t.channel, t.upstream_area_km2'),
    ('water_area', 'water_area', 'MultiPolygon', 'app.code_of(t.river_id) AS river_code, t.name, t.kind, t.normal_level_m, t.vertical_datum'),
    ('bank_line', 'bank_line', 'LineString', 'app.code_of(t.reach_id) AS reach_code, t.bank'),
    ('levee', 'levee', 'LineString', 'app.code_of(t.river_id) AS river_code, t.bank, t.grade, t.design_return_period_a, t.line_role'),
    ('landmark', 'landmark', 'Point', 'app.code_of(t.river_id) AS river_code, t.name, t.kind, t.at_m'),
    ('boundary_line', 'boundary_segment', 'LineString', 'v.code AS version_code, app.code_of(v.river_id) AS river_code, t.bank, v.line_type, v.basis, v.announce_gov, v.announce_doc_no, v.announced_on, v.survey_scale, v.xy_error_m, t.from_m, t.to_m'),
    ('boundary_area', 'boundary_area', 'MultiPolygon', 'v.code AS version_code, app.code_of(v.river_id) AS river_code'),
    ('function_zone', 'function_zone', 'LineString', 'app.code_of(t.river_id) AS river_code, t.bank, t.zone_type, t.from_m, t.to_m, t.plan_name, t.given_type, t.reason, t.measures, t.approval_no'),
    ('stake', 'stake', 'Point', 'app.code_of(t.river_id) AS river_code, t.bank, t.kind, t.at_m, t.status, t.height_m, t.vertical_datum, t.number_series, t.reason, t.measured_by, t.measured_on, t.xy_error_m, t.moved_m, t.moved_bearing_deg'),
    ('intake', 'intake', 'Point', 't.name, app.code_of(t.river_id) AS river_code, t.kind'),
    ('source_zone', 'source_zone', 'MultiPolygon', 't.name, app.code_of(t.intake_id) AS intake_code, t.zone_class, t.part, t.basis, t.doc_no, t.approved_by'),
    ('outfall', 'outfall', 'Point', 't.name, t.class_1, t.approval_kind, t.approval_no, t.approved_on, t.status, app.code_of(t.river_id) AS river_code'),
    ('candidate', 'candidate', 'Geometry', 't.feed, t.kind, t.source_kind, t.name, t.accuracy_m, t.seen_at, t.evidence'),
    ('permit', 'permit', 'MultiPolygon', 't.name, t.kind, t.allows, t.doc_no, t.issued_by, t.position_kind, app.code_of(t.river_id) AS river_code, t.bank, t.from_m, t.to_m, t.accepted_on'),
    ('patrol_area', 'patrol_area', 'MultiPolygon', 't.name, t.kind, t.unit_code')

    ) v(collection, facts, shape, said)
  LOOP
    EXECUTE format('CREATE VIEW app.served_%1$I AS SELECT %5$s, %4$s, t.geom::geometry(%3$s, 4490) AS geom FROM cache.shape_%1$I s
      JOIN data.%2$I t ON t.id = s.id AND t.version = s.version %6$s WHERE s.valid @> app.today() AND app.in_area(s.areas)',
      c.collection, c.facts, c.shape, c.said, plain, CASE WHEN c.collection LIKE 'boundary%' THEN
        'JOIN data.boundary_version v ON v.id = t.boundary_id AND v.superseded_at IS NULL AND v.valid @> app.today()' ELSE '' END);
  END LOOP;
  FOR c IN SELECT * FROM (VALUES
    ('river', 'MultiLineString', 't.name, t.name_en, t.kind, t.grade', 'JOIN data.river t ON t.id = s.id AND t.version = s.version', 'ST_Transform(s.geom, 4490)'),
    ('imagery', 'MultiPolygon', 't.taken_on, t.gsd_m, t.bands, t.source_crs', 'JOIN data.imagery t ON t.id = s.id AND t.version = s.version', 't.geom'),
    ('report', 'Point', 't.kind, t.word, t.at, t.accuracy_m, t.note', 'JOIN data.report t ON t.id = s.id', 't.geom'),
    ('finding', 'Geometry', 't.topic, t.first_night, t.district, s.river, s.day', 'JOIN data.finding t ON t.id = s.id', 'ST_Transform(s.geom, 4490)'),
    ('patrol_track', 'LineString', 's.day, t.mode, t.started_at, t.ended_at, t.fix_count, t.unit_code', 'JOIN data.track t ON t.id = s.id', 'ST_Transform(s.geom, 4490)'),
    ('patrol_fix', 'Point', 's.day, t.track_id, t.seq, t.at, t.acc_m, t.speed_ms', 'JOIN data.fix t ON t.track_id = s.id AND t.seq = s.version', 't.geom'),
    ('patrol_leg', 'LineString', 's.day, app.code_of(t.reach_id) AS reach_code, t.bank, t.from_m, t.to_m, t.seen, t.reason, t.started_at, t.ended_at',
      'JOIN data.leg t ON t.result_id = s.id AND t.seq = s.version', 'ST_Transform(s.geom, 4490)'),
    ('coverage', 'LineString', 's.day, app.code_of(t.reach_id) AS reach_code, t.bank, t.from_m, t.to_m, t.seen, app.today() - s.day AS days_since',
      'JOIN data.leg t ON t.result_id = s.id AND t.seq = s.version', 'ST_Transform(s.geom, 4490)'),
    ('boundary_draft_line', 'LineString', 's.river, s.bank, s.label AS draft_title, s.mark AS state', '', 'ST_Transform(s.geom, 4490)')) v(collection, shape, said, facts, geom)
  LOOP
    EXECUTE format('CREATE VIEW app.served_%1$I AS SELECT %5$s, %3$s, (%6$s)::geometry(%2$s, 4490) AS geom FROM cache.shape_%1$I s %4$s
      WHERE s.valid @> app.today() AND app.in_area(s.areas)', c.collection, c.shape, c.said, c.facts, plain, c.geom);
  END LOOP;
  FOR c IN SELECT s AS collection FROM app.served_collections() s LOOP
    EXECUTE format('COMMENT ON VIEW app.served_%I IS %L', c.collection,
      format('%s in force today, as services and exports show it: number, class, columns of the contract, EPSG:4490; in the area of the setting rivergis.area', c.collection));
  END LOOP;
END $$;
