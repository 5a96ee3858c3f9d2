-- Features as they go out (要素成文): the text of each is made once, when its shape is put into the cache (80_tiles.sql), and goes with it.
-- A page of the OGC API is then a few rows that are read as they are. What is written here is what src/rivergis/maps/ogc/source.py says for
-- requests that want something else (other columns, another system); a test holds the two together.
DO $$
DECLARE c record; facts text; feature text;
BEGIN
  FOR c IN SELECT * FROM (VALUES
    -- collection, table of facts, columns in the order of the contract between code and days; NAME>COLUMN: the code of what COLUMN refers to
    ('admin_unit', 'admin_unit', 't.name, t.level, t.parent_code'),
    ('reach', 'reach', 'river_code>t.river_id, t.name, t.kind, t.from_m, t.to_m, t.from_node, t.to_node, t.half_width_m, t.covered, t.channel, t.upstream_area_km2'),
    ('water_area', 'water_area', 'river_code>t.river_id, t.name, t.kind, t.normal_level_m, t.vertical_datum'),
    ('bank_line', 'bank_line', 'reach_code>t.reach_id, t.bank'),
    ('levee', 'levee', 'river_code>t.river_id, t.bank, t.grade, t.design_return_period_a, t.line_role'),
    ('landmark', 'landmark', 'river_code>t.river_id, t.name, t.kind, t.at_m'),
    ('boundary_line', 'boundary_segment', 'version_code>t.boundary_id, river_code>v.river_id, t.bank, v.line_type, t.basis, v.announce_gov, v.announce_doc_no, v.announced_on, v.survey_scale, v.xy_error_m, t.from_m, t.to_m'),
    ('boundary_area', 'boundary_area', 'version_code>t.boundary_id, river_code>v.river_id'),
    ('function_zone', 'function_zone', 'river_code>t.river_id, t.bank, t.zone_type, t.from_m, t.to_m, t.plan_name, t.given_type, t.reason, t.measures, t.approval_no'),
    ('stake', 'stake', 'river_code>t.river_id, t.bank, t.kind, t.at_m, t.status, t.height_m, t.vertical_datum, t.number_series, t.reason, t.measured_by, t.measured_on, t.xy_error_m, t.moved_m, t.moved_bearing_deg'),
    ('intake', 'intake', 't.name, river_code>t.river_id, t.kind'),
    ('source_zone', 'source_zone', 't.name, intake_code>t.intake_id, t.zone_class, t.part, t.basis, t.doc_no, t.approved_by'),
    ('outfall', 'outfall', 't.name, t.class_1, t.approval_kind, t.approval_no, t.approved_on, t.status, river_code>t.river_id'),
    ('candidate', 'candidate', 't.feed, t.kind, t.source_kind, t.name, t.accuracy_m, t.seen_at, t.evidence, t.version'),
    ('permit', 'permit', 't.name, t.kind, t.allows, t.doc_no, t.issued_by, t.position_kind, river_code>t.river_id, t.bank, t.from_m, t.to_m, t.accepted_on'),
    ('patrol_area', 'patrol_area', 't.name, t.kind, t.unit_code'),
    ('river', 'river', 't.name, t.name_en, t.kind, t.grade'),
    ('imagery', 'imagery', 't.taken_on, t.gsd_m, t.bands, t.source_crs')) v(collection, facts, said)
  LOOP
    PERFORM set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true);
    facts := format('data.%I t ON t.id = s.id AND t.version = s.version', c.facts);
    IF c.collection LIKE 'boundary%' THEN
      facts := facts || ' JOIN data.boundary_version v ON v.id = t.boundary_id AND v.superseded_at IS NULL AND v.state <> ''revoked'' AND v.valid @> s.valid';
    END IF;
    feature := format($q$concat('{"type":"Feature","id":"', s.id, '","geometry":', ST_AsGeoJSON(%1$s, 9, 0), ',"properties":',
      row_to_json((SELECT r FROM (SELECT t.code, %2$s, lower(%3$s.valid) AS valid_from, upper(%3$s.valid) - 1 AS valid_to) r)), '}')$q$,
      CASE c.collection WHEN 'river' THEN 'ST_Transform(s.geom, 4490)' ELSE 't.geom' END,
      regexp_replace(c.said, '(\w+)>([\w.]+)', '(SELECT i.code FROM data.identity i WHERE i.id = \2) AS \1', 'g'),
      CASE WHEN c.collection LIKE 'boundary%' THEN 's' ELSE 't' END);
    EXECUTE format($f$CREATE FUNCTION app.item_born_%1$s() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' SET datestyle = 'ISO' AS $t$
      BEGIN
        INSERT INTO cache.item_%1$s (fid, valid, areas, feature) SELECT s.fid, s.valid, s.areas, %2$s FROM born s JOIN %3$s;
        RETURN NULL;
      END $t$ $f$, c.collection, feature, facts);
    EXECUTE format($f$CREATE FUNCTION app.item_gone_%1$s() RETURNS trigger LANGUAGE plpgsql AS $t$
      BEGIN
        DELETE FROM cache.item_%1$s i USING gone g WHERE i.fid = g.fid AND i.valid = g.valid;
        RETURN NULL;
      END $t$ $f$, c.collection);
    EXECUTE format('COMMENT ON FUNCTION app.item_born_%1$s() IS %2$L', c.collection, 'Writes the finished features of shapes that came');
    EXECUTE format('COMMENT ON FUNCTION app.item_gone_%1$s() IS %2$L', c.collection, 'Takes away the finished features of shapes that went');
    EXECUTE format('CREATE TRIGGER item_born AFTER INSERT ON cache.shape_%1$s REFERENCING NEW TABLE AS born FOR EACH STATEMENT EXECUTE FUNCTION app.item_born_%1$s()', c.collection);
    EXECUTE format('CREATE TRIGGER item_gone AFTER DELETE ON cache.shape_%1$s REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION app.item_gone_%1$s()', c.collection);
    -- whatever stood here was made by an older text of this file
    EXECUTE format('DELETE FROM cache.item_%1$s', c.collection);
    EXECUTE format('INSERT INTO cache.item_%1$s (fid, valid, areas, feature) SELECT s.fid, s.valid, s.areas, %2$s FROM cache.shape_%1$s s JOIN %3$s',
      c.collection, feature, facts);
  END LOOP;
END $$;
