-- Boundary lines as legal acts: lines are the law, areas are derived.
CREATE TABLE data.boundary_version (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  line_type text NOT NULL DEFAULT 'management' CHECK (line_type IN ('management', 'protection', 'blue_line', 'waterside', 'outer')),
  basis text NOT NULL CHECK (basis IN ('announced', 'draft', 'surrogate', 'computed')),
  state text NOT NULL CHECK (state IN ('draft', 'submitted', 'reviewed', 'announced', 'revoked')),
  announce_gov text,
  announce_doc_no text,
  announced_on date,
  survey_scale int,
  xy_error_m double precision,
  reason text,
  CHECK (basis <> 'announced' OR state <> 'announced' OR (announce_gov IS NOT NULL AND announce_doc_no IS NOT NULL AND announced_on IS NOT NULL)));
SELECT pg_temp.versioned('data.boundary_version');
CREATE INDEX boundary_version_river ON data.boundary_version (river_id);
SELECT pg_temp.note('data.boundary_version', '划界成果 one delimitation of one river: the act its lines belong to', '
river_id: river
line_type: management (管理范围), protection (保护范围), blue_line, waterside (临水) or outer (外缘)
basis: announced, draft, surrogate or computed; only announced may raise a suspected lead against somebody
state: draft, submitted, reviewed, announced or revoked
announce_gov: announcing government
announce_doc_no: document number
announced_on: date of the announcement
survey_scale: denominator of the survey scale; null = unknown
xy_error_m: one-sigma position error of the line, m; null = unknown
reason: reason for the change against the version before');

CREATE TABLE data.boundary_segment (LIKE version_columns INCLUDING ALL,
  boundary_id uuid NOT NULL REFERENCES data.identity,
  bank text NOT NULL CHECK (bank IN ('left', 'right')),
  from_m double precision,
  to_m double precision,
  basis text NOT NULL,
  geom geometry(LineString, 4490) NOT NULL);
SELECT pg_temp.versioned('data.boundary_segment');
CREATE INDEX boundary_segment_boundary ON data.boundary_segment (boundary_id);
SELECT pg_temp.note('data.boundary_segment', '管理范围界线 a stretch of boundary line on one bank, with its basis', '
boundary_id: the boundary_version it belongs to
bank: left or right looking downstream
from_m: chainage, m
to_m: chainage, m
basis: basis of this segment
geom: line, EPSG:4490');

CREATE TABLE data.boundary_area (LIKE version_columns INCLUDING ALL,
  boundary_id uuid NOT NULL REFERENCES data.identity,
  area_m2 double precision NOT NULL,
  geom geometry(MultiPolygon, 4490) NOT NULL);
SELECT pg_temp.versioned('data.boundary_area');
CREATE INDEX boundary_area_boundary ON data.boundary_area (boundary_id);
SELECT pg_temp.note('data.boundary_area', '管理范围 area between the lines; derived', '
boundary_id: the boundary_version it belongs to
area_m2: ellipsoidal area, m2
geom: area, EPSG:4490');

CREATE TABLE data.function_zone (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  bank text NOT NULL CHECK (bank IN ('left', 'right')),
  zone_type text NOT NULL CHECK (zone_type IN ('protection', 'reserve', 'controlled_use', 'development')),
  from_m double precision,
  to_m double precision,
  plan_name text,
  geom geometry(LineString, 4490));
SELECT pg_temp.versioned('data.function_zone');
SELECT pg_temp.note('data.function_zone', '岸线功能区 shoreline function zone: a stretch of one bank', '
river_id: river
bank: left or right looking downstream
zone_type: protection (保护区), reserve (保留区), controlled_use (控制利用区) or development (开发利用区)
from_m: chainage, m
to_m: chainage, m
plan_name: plan
geom: stretch of the line, EPSG:4490');

CREATE TABLE data.stake (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  boundary_id uuid REFERENCES data.identity,
  bank text NOT NULL CHECK (bank IN ('left', 'right')),
  kind text NOT NULL DEFAULT 'base' CHECK (kind IN ('base', 'dense', 'moved', 'virtual')),
  at_m double precision,
  status text NOT NULL DEFAULT 'good' CHECK (status IN ('good', 'damaged', 'lost')),
  height_m double precision,
  vertical_datum text,
  geom geometry(Point, 4490) NOT NULL);
SELECT pg_temp.versioned('data.stake');
SELECT pg_temp.note('data.stake', '界桩 boundary stake; code is the stake number', '
river_id: river
boundary_id: the boundary_version it marks
bank: left or right looking downstream
kind: base (基本桩), dense (加密桩), moved (移位桩) or virtual
at_m: chainage, m
status: good, damaged or lost
height_m: height in vertical_datum, m
vertical_datum: vertical datum; null = unknown
geom: point, EPSG:4490');
