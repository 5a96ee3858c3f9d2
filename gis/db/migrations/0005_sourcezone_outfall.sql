-- Drinking-water intakes with their protection zones, and outfalls.
CREATE TABLE data.intake (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  river_id uuid REFERENCES data.identity,
  kind text NOT NULL DEFAULT 'river' CHECK (kind IN ('river', 'lake', 'reservoir', 'groundwater')),
  geom geometry(Point, 4490) NOT NULL);
SELECT pg_temp.versioned('data.intake');
SELECT pg_temp.note('data.intake', '取水口 drinking-water intake', '
name: name
river_id: source water
kind: river, lake, reservoir or groundwater
geom: point, EPSG:4490');

CREATE TABLE data.source_zone (LIKE version_columns INCLUDING ALL,
  intake_id uuid REFERENCES data.identity,
  name text NOT NULL,
  zone_class int NOT NULL CHECK (zone_class IN (1, 2, 3)),
  part text NOT NULL DEFAULT 'whole' CHECK (part IN ('water', 'land', 'whole')),
  basis text NOT NULL DEFAULT 'announced' CHECK (basis IN ('announced', 'draft', 'computed')),
  doc_no text,
  approved_by text,
  geom geometry(MultiPolygon, 4490) NOT NULL);
SELECT pg_temp.versioned('data.source_zone');
SELECT pg_temp.note('data.source_zone', '饮用水水源保护区 source protection zone', '
intake_id: intake it protects
name: name
zone_class: 1 = 一级, 2 = 二级, 3 = 准保护区
part: water (水域), land (陆域) or whole
basis: announced (gazetted), draft or computed
doc_no: approval document
approved_by: approving government
geom: area, EPSG:4490');

CREATE TABLE data.outfall (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  class_1 text,
  approval_kind text NOT NULL DEFAULT 'unknown' CHECK (approval_kind IN ('approval', 'registration', 'none', 'unknown')),
  approval_no text,
  approved_on date,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed', 'unknown')),
  river_id uuid REFERENCES data.identity,
  geom geometry(Point, 4490) NOT NULL);
SELECT pg_temp.versioned('data.outfall');
SELECT pg_temp.note('data.outfall', '入河排污口 outfall', '
name: name
class_1: first-level class (HJ 1312-2023)
approval_kind: approval, registration, none or unknown (MEE Order 35)
approval_no: number of the approval or registration
approved_on: date of it
status: open, closed or unknown
river_id: receiving water as declared
geom: point, EPSG:4490');
