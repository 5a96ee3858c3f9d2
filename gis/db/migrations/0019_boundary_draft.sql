-- Drafts of boundary lines, their moves up to the announcement, and what an announcement takes away. Drafts stand apart from the
-- announced lines (data.boundary_version and its segments), so that no draft touches a verdict.
CREATE TABLE data.boundary_draft (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  code text NOT NULL UNIQUE CHECK (code ~ '^[^/\s]{1,64}$'),
  title text NOT NULL CHECK (btrim(title) <> ''),
  line_type text NOT NULL DEFAULT 'management' CHECK (line_type IN ('management', 'protection', 'blue_line', 'waterside', 'outer')),
  adcode text NOT NULL DEFAULT '000000' CHECK (adcode ~ '^[0-9]{6,12}$'),
  code_namespace text NOT NULL,
  based_on date NOT NULL,
  based_known_at timestamptz NOT NULL DEFAULT now(),
  sketch boolean NOT NULL DEFAULT false,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'));
SELECT pg_temp.note('data.boundary_draft', '划界草案 a draft of boundary lines (内部草稿·非测绘成果) on its way to an announcement; its state is the fold of its events', '
id: draft
code: code people use, without blank or slash
title: title
line_type: management, protection, blue_line, waterside or outer
adcode: administrative unit whose rules hold and who announces
code_namespace: namespace of the codes of rivers and of the delimitations it makes
based_on: civil day whose lines in force it starts from
based_known_at: what was known of them
sketch: 示意 made from coarse or surface elevations: for orientation, cannot be submitted
recorded_at: when
actor: who opened it');

CREATE TABLE data.boundary_draft_change (
  draft_id uuid NOT NULL REFERENCES data.boundary_draft,
  revision int NOT NULL CHECK (revision > 0),
  base_revision int NOT NULL CHECK (base_revision >= 0 AND base_revision < revision),
  reason text NOT NULL DEFAULT '',
  tool text NOT NULL DEFAULT 'cli' CHECK (tool IN ('cli', 'web', 'qgis', 'api')),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  PRIMARY KEY (draft_id, revision));
SELECT pg_temp.note('data.boundary_draft_change', 'One save of a draft: its segments carry the revision', '
draft_id: draft
revision: counts up from 1
base_revision: revision the editor had before the eyes; less than revision - 1 = merged with what others saved meanwhile
reason: why, as the editor says
tool: cli, web, qgis or api
recorded_at: when
actor: who');

CREATE TABLE data.boundary_draft_segment (
  draft_id uuid NOT NULL,
  segment_id uuid NOT NULL DEFAULT gen_random_uuid(),
  revision int NOT NULL,
  removed boolean NOT NULL DEFAULT false,
  code text NOT NULL DEFAULT '',
  river_id uuid NOT NULL REFERENCES data.identity,
  reach_code text,
  bank text NOT NULL CHECK (bank IN ('left', 'right')),
  from_m double precision,
  to_m double precision,
  basis text NOT NULL DEFAULT 'draft' CHECK (basis IN ('draft', 'announced', 'surrogate', 'computed')),
  drawn_by text NOT NULL DEFAULT 'hand',
  hand_edited boolean NOT NULL DEFAULT true,
  attributes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
  base_segment_id uuid,
  base_segment_version int,
  geom geometry(LineString, 4490) NOT NULL,
  PRIMARY KEY (draft_id, segment_id, revision),
  FOREIGN KEY (draft_id, revision) REFERENCES data.boundary_draft_change,
  FOREIGN KEY (base_segment_id, base_segment_version) REFERENCES data.boundary_segment (id, version),
  CHECK (from_m IS NULL OR to_m IS NULL OR from_m <= to_m));
CREATE INDEX boundary_draft_segment_geom ON data.boundary_draft_segment USING gist (geom);
CREATE INDEX boundary_draft_segment_revision ON data.boundary_draft_segment (draft_id, revision);
SELECT pg_temp.note('data.boundary_draft_segment', 'A stretch of line of a draft as one save left it; append only: the row with the highest revision counts', '
draft_id: draft
segment_id: segment; the same through all revisions
revision: the save that wrote this row
removed: taken out by this save; the shape is that before
code: code of the segment, where it has one
river_id: river
reach_code: reach
bank: left or right looking downstream
from_m: chainage, m
to_m: chainage, m
basis: what the stretch rests on: draft, announced (taken over unchanged from a line in force), surrogate or computed
drawn_by: rule or hand it was drawn by: levee_toe, levee_gap, flood_wall, flood_level, bank_offset, lake, reservoir, spoil, land_acquisition, surrogate, county_border, confluence, road or hand
hand_edited: drawn or changed by hand: a partial redrafting leaves it alone
attributes: rule, source, flood level, tolerance, error band and what else its basis says
base_segment_id: segment of a line in force it was taken over from
base_segment_version: its version
geom: line, EPSG:4490');

CREATE TABLE data.boundary_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  draft_id uuid REFERENCES data.boundary_draft,
  boundary_id uuid REFERENCES data.identity,
  seq int NOT NULL DEFAULT 0,
  move text NOT NULL,
  to_state text NOT NULL,
  revision int,
  reason text,
  attachment_sha256 text CHECK (attachment_sha256 ~ '^[0-9a-f]{64}$'),
  attachment_name text,
  detail jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  CHECK (num_nonnulls(draft_id, boundary_id) = 1));
CREATE UNIQUE INDEX boundary_event_draft ON data.boundary_event (draft_id, seq) WHERE draft_id IS NOT NULL;
CREATE UNIQUE INDEX boundary_event_boundary ON data.boundary_event (boundary_id, seq) WHERE boundary_id IS NOT NULL;
SELECT pg_temp.note('data.boundary_event', 'Moves in the life of a draft (noun boundary_draft) or of an announced delimitation (noun boundary_version); append only, enforced from gis/lifecycle.yaml', '
id: event
draft_id: draft, or
boundary_id: delimitation
seq: order of the events of one thing, from 1
move: move
to_state: state it led to
revision: revision of the draft the move stands for
reason: reason
attachment_sha256: file that goes with it, e.g. the announcement
attachment_name: its name
detail: what the move says: announcement, reductions with their reasons, what was countersigned
recorded_at: when
actor: who');

CREATE TABLE data.boundary_act (
  boundary_id uuid NOT NULL,
  boundary_version int NOT NULL,
  draft_id uuid NOT NULL REFERENCES data.boundary_draft,
  revision int NOT NULL,
  replaces_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  replaces_version int,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  PRIMARY KEY (boundary_id, replaces_id),
  FOREIGN KEY (boundary_id, boundary_version) REFERENCES data.boundary_version (id, version));
SELECT pg_temp.note('data.boundary_act', 'Which draft a delimitation was announced from, and which delimitation it replaces; append only', '
boundary_id: delimitation announced
boundary_version: its version
draft_id: draft it was made from
revision: revision of the draft
replaces_id: delimitation it replaces; all zeros = none
replaces_version: version that was in force until then
recorded_at: when
actor: who announced it');

CREATE TABLE data.boundary_reduction (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  boundary_id uuid NOT NULL REFERENCES data.identity,
  boundary_version int NOT NULL,
  by_boundary_id uuid REFERENCES data.identity,
  by_boundary_version int,
  draft_id uuid REFERENCES data.boundary_draft,
  river_id uuid NOT NULL REFERENCES data.identity,
  bank text CHECK (bank IN ('left', 'right')),
  from_m double precision,
  to_m double precision,
  area_m2 double precision NOT NULL CHECK (area_m2 > 0),
  reason text NOT NULL DEFAULT '',
  case_ids uuid[] NOT NULL DEFAULT '{}',
  countersigned_by text,
  noise boolean NOT NULL DEFAULT false,
  geom geometry(MultiPolygon, 4490) NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  FOREIGN KEY (boundary_id, boundary_version) REFERENCES data.boundary_version (id, version));
CREATE INDEX boundary_reduction_geom ON data.boundary_reduction USING gist (geom);
CREATE INDEX boundary_reduction_river ON data.boundary_reduction (river_id);
SELECT pg_temp.note('data.boundary_reduction', '缩小登记 every reduction of an announced management area, with its reason; append only (水利部 2020-08: no reduction to spare illegal buildings)', '
id: reduction
boundary_id: delimitation that enclosed the ground
boundary_version: its version
by_boundary_id: delimitation that no longer does; null = revoked, or the same one delivered anew
by_boundary_version: its version
draft_id: draft the change came from; null = an import
river_id: river
bank: left or right, where it lies on one
from_m: chainage, m
to_m: chainage, m
area_m2: ellipsoidal area left out, m2
reason: reason given; empty = none was given, and it is listed so
case_ids: open cases on the ground
countersigned_by: who reviewed the table of reductions
noise: narrower than two surveys of one line differ by; kept so that the strips of several announcements add up
geom: ground left out, EPSG:4490
recorded_at: when
actor: who');
