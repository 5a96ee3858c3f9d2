-- Rivers as a network of reaches on versioned axes.
CREATE TABLE data.river (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  name_en text,
  kind text NOT NULL CHECK (kind IN ('river', 'lake', 'reservoir', 'ditch', 'pond')),
  grade text);
SELECT pg_temp.versioned('data.river');
SELECT pg_temp.note('data.river', '河流 water body: river, lake, reservoir, ditch or pond', '
name: name
name_en: English or pinyin name
kind: river, lake, reservoir, ditch or pond
grade: river grade one to five (水管〔1994〕106号)');

CREATE TABLE data.axis (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  origin text NOT NULL DEFAULT 'upstream_end',
  origin_m double precision NOT NULL DEFAULT 0,
  calibration jsonb NOT NULL DEFAULT '[]',
  length_m double precision NOT NULL,
  geom geometry(LineString, 4490) NOT NULL);
SELECT pg_temp.versioned('data.axis');
CREATE INDEX axis_river ON data.axis (river_id);
SELECT pg_temp.note('data.axis', '河道中心线 axis that chainage (桩号) is counted on, digitised downstream', '
river_id: river
origin: what chainage origin_m is: upstream_end
origin_m: chainage of the first vertex, m
calibration: points of known chainage
length_m: ellipsoidal length, m
geom: axis, first vertex upstream, EPSG:4490');

CREATE TABLE data.reach (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  axis_id uuid REFERENCES data.identity,
  axis_version int,
  name text,
  kind text NOT NULL CHECK (kind IN ('river', 'stream', 'canal', 'ditch', 'braid', 'flow_path', 'shoreline')),
  from_m double precision,
  to_m double precision,
  from_node text,
  to_node text,
  next_reach_id uuid REFERENCES data.identity,
  half_width_m double precision,
  covered boolean NOT NULL DEFAULT false,
  direction_basis text NOT NULL DEFAULT 'digitised' CHECK (direction_basis IN ('attribute', 'digitised', 'dem', 'connectivity', 'unknown')),
  direction_confidence real,
  length_m double precision NOT NULL,
  geom geometry(LineString, 4490) NOT NULL);
SELECT pg_temp.versioned('data.reach');
CREATE INDEX reach_river ON data.reach (river_id);
SELECT pg_temp.note('data.reach', '河段 reach between two nodes, digitised downstream; everything linear refers to it', '
river_id: river
axis_id: axis its chainage is on; null for side channels without one
axis_version: version of the axis
name: name
kind: river, stream, canal, ditch, braid, flow_path (through a lake) or shoreline
from_m: chainage of the upstream end on the axis, m
to_m: chainage of the downstream end on the axis, m
from_node: upstream node
to_node: downstream node
next_reach_id: main successor; null at an outlet
half_width_m: half the water width, m; null = unknown
covered: 暗渠, culverted or built over
direction_basis: what set its direction
direction_confidence: 0 to 1; null = not assessed
length_m: ellipsoidal length, m
geom: line, first vertex upstream, EPSG:4490');

CREATE TABLE data.water_area (LIKE version_columns INCLUDING ALL,
  river_id uuid REFERENCES data.identity,
  name text,
  kind text NOT NULL,
  normal_level_m double precision,
  vertical_datum text,
  geom geometry(MultiPolygon, 4490) NOT NULL);
SELECT pg_temp.versioned('data.water_area');
SELECT pg_temp.note('data.water_area', '水域 water surface', '
river_id: water body it belongs to
name: name
kind: river, reservoir, lake, pond ...
normal_level_m: normal water level, m in vertical_datum
vertical_datum: vertical datum of levels; unknown is said, never assumed
geom: area, EPSG:4490');

CREATE TABLE data.bank_line (LIKE version_columns INCLUDING ALL,
  reach_id uuid NOT NULL REFERENCES data.identity,
  bank text NOT NULL CHECK (bank IN ('left', 'right')),
  geom geometry(LineString, 4490) NOT NULL);
SELECT pg_temp.versioned('data.bank_line');
SELECT pg_temp.note('data.bank_line', '岸线 bank line', '
reach_id: reach
bank: left or right looking downstream
geom: line, EPSG:4490');

CREATE TABLE data.levee (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  bank text NOT NULL CHECK (bank IN ('left', 'right')),
  grade int CHECK (grade BETWEEN 1 AND 5),
  design_return_period_a double precision,
  line_role text NOT NULL DEFAULT 'landward_toe' CHECK (line_role IN ('landward_toe', 'waterside_toe', 'crest')),
  geom geometry(LineString, 4490) NOT NULL);
SELECT pg_temp.versioned('data.levee');
SELECT pg_temp.note('data.levee', '堤防 levee line', '
river_id: river
bank: left or right looking downstream
grade: 1 to 5 (GB 50286)
design_return_period_a: design flood, years
line_role: landward_toe (背水坡脚), waterside_toe or crest
geom: line, EPSG:4490');

CREATE TABLE data.landmark (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  name text NOT NULL,
  kind text,
  at_m double precision,
  geom geometry(Point, 4490));
SELECT pg_temp.versioned('data.landmark');
SELECT pg_temp.note('data.landmark', 'Gazetteer of landmarks with chainage: bridge, weir, sign, village group', '
river_id: river
name: name
kind: bridge, weir, sign, group ...
at_m: chainage, m
geom: point, EPSG:4490; null where only the chainage is known');
