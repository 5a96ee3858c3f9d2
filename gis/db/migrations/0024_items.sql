-- Features as they go out: the finished text of each, so that a page of the OGC API is read and not made. Derived from the shapes that are
-- served and their facts by the triggers of app/82_items.sql; nothing here is a fact.
CREATE FUNCTION pg_temp.item_table(collection text, about text) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE t text := 'cache.item_' || collection;
BEGIN
  EXECUTE format('CREATE TABLE %s (fid bigint NOT NULL, valid daterange NOT NULL, areas text[] NOT NULL, feature text NOT NULL, PRIMARY KEY (fid, valid))', t);
  BEGIN
    -- four times faster to read than the compression of old; a server built without it keeps that one
    EXECUTE format('ALTER TABLE %s ALTER feature SET COMPRESSION lz4', t);
  EXCEPTION WHEN feature_not_supported THEN NULL;
  END;
  PERFORM pg_temp.note(t::regclass, about || ': finished features, one for each shape that is served', '
fid: number of the thing in tiles and pages
valid: civil days on which it is so
areas: adcodes of the administrative units it touches, and of all units above them
feature: GeoJSON of the feature, longitude and latitude (EPSG:4490)');
END $f$;

SELECT pg_temp.item_table(c, a) FROM (VALUES
  ('admin_unit', '行政区 administrative units'), ('reach', '河段 reaches'), ('river', '河流 rivers'), ('water_area', '水域 water areas'),
  ('bank_line', '岸线 bank lines'), ('levee', '堤防 levees'), ('landmark', '地名标志 landmarks'), ('boundary_line', '管理范围线 boundary lines'),
  ('boundary_area', '管理范围 boundary areas'), ('function_zone', '岸线功能区 shoreline function zones'), ('stake', '界桩 stakes'),
  ('intake', '取水口 intakes'), ('source_zone', '饮用水水源保护区 source zones'), ('outfall', '入河排污口 outfalls'),
  ('candidate', '待核对象 candidates'), ('permit', '涉河许可 permits'), ('imagery', '影像 image scenes'), ('patrol_area', '巡查片区 patrol areas')) v(c, a);
