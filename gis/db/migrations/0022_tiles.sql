-- What maps and services draw, ready to be cut into tiles: shapes in EPSG:3857 with coarser ones for far zooms, and counts of what is
-- too small to be drawn. Derived from data by the triggers of app/80_tiles.sql in the transaction of the edit; nothing here is a fact,
-- and 'rivergis map tiles rebuild' makes all of it again.

-- a small number for everything that is served: what clients of tiles and pages tell things apart by, the same over all versions
ALTER TABLE data.identity ADD COLUMN fid bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN data.identity.fid IS 'Number of the thing in tiles and pages of the services; the same over all versions';
CREATE UNIQUE INDEX identity_fid ON data.identity (fid);
ALTER TABLE data.finding ADD COLUMN fid bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN data.finding.fid IS 'Number of the lead in tiles and pages of the services';
ALTER TABLE data.report ADD COLUMN fid bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN data.report.fid IS 'Number of the report in tiles and pages of the services';
ALTER TABLE data.track ADD COLUMN fid bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN data.track.fid IS 'Number of the track in tiles and pages of the services; times 2^20 and the order added it is that of its fixes and legs';

-- the pieces of administrative units by which things find the units they lie in
CREATE TABLE cache.area_piece (
  unit_id uuid NOT NULL,
  code text NOT NULL,
  codes text[] NOT NULL,
  geom geometry(Polygon, 4490) NOT NULL);
CREATE INDEX area_piece_geom ON cache.area_piece USING gist (geom);
CREATE INDEX area_piece_unit ON cache.area_piece (unit_id);
SELECT pg_temp.note('cache.area_piece', 'Pieces of administrative units in force by present knowledge, small enough to be asked fast', '
unit_id: administrative unit
code: its adcode without the zeros of higher levels: 2, 4, 6, 9 or 12 digits
codes: that and the codes of all levels above it
geom: piece, EPSG:4490');

CREATE TEMP TABLE shape_columns (
  fid bigint NOT NULL,
  id uuid NOT NULL,
  version int NOT NULL,
  valid daterange NOT NULL,
  areas text[] NOT NULL DEFAULT '{}',
  code text,
  label text,
  cls text NOT NULL DEFAULT '',
  mark text,
  river text,
  bank text,
  day date);
SELECT pg_temp.note('shape_columns', 'template', '
fid: number of the thing in tiles and pages; the same over all versions
id: identity of the thing
version: its version (0 where things have none)
valid: civil days on which it is drawn
areas: adcodes of 2, 4, 6, 9 and 12 digits of the administrative units it touches, and of all units above them
code: code people know it by
label: name shown on maps
cls: class in gis/styles/classes.csv; empty = the layer has one class
mark: second class: status, state, type of line, feed or reason, as the layer has it
river: name of its river
bank: left or right looking downstream
day: civil day it is about, where it is about one');

CREATE FUNCTION pg_temp.served(collection text, kind text, about text) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE t text := 'cache.shape_' || collection;
  drawn boolean := kind <> 'Point';
  counted boolean := kind NOT IN ('LineString', 'MultiLineString');
  band text;
BEGIN
  EXECUTE format('CREATE TABLE %s (LIKE shape_columns INCLUDING ALL, geom geometry(%s, 3857) NOT NULL)', t, kind);
  EXECUTE format('COMMENT ON TABLE %s IS %L', t, about || ': shapes for tiles and pages, present knowledge, any day');
  EXECUTE format('COMMENT ON COLUMN %s.geom IS %L', t, 'Shape, EPSG:3857');
  -- a tile reads the units of every thing, and one of its shapes: large shapes are kept aside, and nothing is packed
  EXECUTE format('ALTER TABLE %s ALTER COLUMN areas SET STORAGE MAIN, ALTER COLUMN geom SET STORAGE EXTERNAL', t);
  IF drawn THEN
    FOREACH band IN ARRAY ARRAY['g12', 'g10', 'g8', 'g6', 'g0'] LOOP
      EXECUTE format('ALTER TABLE %1$s ADD COLUMN %2$s geometry(Geometry, 3857), ALTER COLUMN %2$s SET STORAGE EXTERNAL', t, band);
      EXECUTE format('COMMENT ON COLUMN %s.%s IS %L', t, band,
        format('Coarser shape for zooms from %s up to the next band, EPSG:3857; null = too small to be drawn there, it is counted', substr(band, 2)));
      EXECUTE format('CREATE INDEX %I ON %s USING gist (%s) WHERE %3$s IS NOT NULL', 'shape_' || collection || '_' || band, t, band);
    END LOOP;
  END IF;
  EXECUTE format('CREATE INDEX %I ON %s USING gist (geom)', 'shape_' || collection || '_geom', t);
  EXECUTE format('CREATE INDEX %I ON %s (fid)', 'shape_' || collection || '_fid', t);
  EXECUTE format('CREATE INDEX %I ON %s (id, version)', 'shape_' || collection || '_id', t);
  IF NOT counted THEN RETURN; END IF;
  t := 'cache.cell_' || collection;
  EXECUTE format('CREATE TABLE %s (zoom smallint NOT NULL, tile_x int NOT NULL, tile_y int NOT NULL, cell smallint NOT NULL, cls text COLLATE "C" NOT NULL,
    mark text COLLATE "C" NOT NULL, valid daterange NOT NULL, areas text[] NOT NULL, n int NOT NULL, fid_sum bigint NOT NULL, east_dm bigint NOT NULL, north_dm bigint NOT NULL)', t);
  EXECUTE format('CREATE INDEX %I ON %s (zoom, tile_x, tile_y, cell, cls, mark)', 'cell_' || collection || '_tile', t);
  PERFORM pg_temp.note(t::regclass, about || ': how many are too small to be drawn in a cell of the map. Rows of one cell, classes, days and units add up: '
    'where two edits meet, the second adds a row, also a negative one, and waits for nobody', '
zoom: zoom of the tile: 4 (serves 0 to 5), 6, 8, 10 or 12 (each serves itself and the next)
tile_x: column of the tile
tile_y: row of the tile, from the north
cell: cell in the tile, 32 by 32, row by row from the north west
cls: class
mark: second class; empty = none
valid: civil days on which they are drawn
areas: adcodes of the administrative units they touch
n: how many more
fid_sum: sum of their numbers; where they are one, it is its number
east_dm: sum of their eastings, decimetres, EPSG:3857
north_dm: sum of their northings, decimetres, EPSG:3857');
END $f$;

SELECT pg_temp.served(c, k, a) FROM (VALUES
  ('admin_unit', 'Geometry', '行政区 administrative units'),
  ('reach', 'LineString', '河段 reaches'),
  ('river', 'MultiLineString', '河流 rivers, as all their reaches in force'),
  ('water_area', 'Geometry', '水域 water areas'),
  ('bank_line', 'LineString', '岸线 bank lines'),
  ('levee', 'LineString', '堤防 levees'),
  ('landmark', 'Point', '地名标志 landmarks'),
  ('boundary_line', 'LineString', '管理范围线 boundary lines'),
  ('boundary_area', 'Geometry', '管理范围 boundary areas'),
  ('boundary_draft_line', 'LineString', '草案界线 lines of drafts (内部草稿·非测绘成果)'),
  ('function_zone', 'LineString', '岸线功能区 shoreline function zones'),
  ('stake', 'Point', '界桩 stakes'),
  ('intake', 'Point', '取水口 intakes'),
  ('source_zone', 'Geometry', '饮用水水源保护区 source zones'),
  ('outfall', 'Point', '入河排污口 outfalls'),
  ('candidate', 'Geometry', '待核对象 candidates'),
  ('permit', 'Geometry', '涉河许可 permits'),
  ('finding', 'Geometry', '疑似问题线索 suspected leads'),
  ('report', 'Point', '现场上报 reports of inspectors'),
  ('imagery', 'Geometry', '影像 image scenes'),
  ('patrol_area', 'Geometry', '巡查片区 patrol areas'),
  ('patrol_track', 'LineString', '巡河轨迹 patrol tracks (personal data)'),
  ('patrol_fix', 'Point', '轨迹点 fixes of patrol tracks (personal data)'),
  ('patrol_leg', 'LineString', '巡查岸段 stretches seen and not seen by patrols (personal data)'),
  ('coverage', 'LineString', '巡查覆盖 when each stretch of bank was last seen (no person in it)')) v(c, k, a);
