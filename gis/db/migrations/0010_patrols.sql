-- Patrols in full: parts of one outing, who took part, entries without a track, areas, replies to questions, observations.
ALTER TABLE data.track
  ADD COLUMN device text,
  ADD COLUMN session text,
  ADD COLUMN part_of uuid REFERENCES data.track CHECK (part_of <> id),
  ADD COLUMN clock_offset_s double precision,
  ADD COLUMN clock_basis text,
  ADD COLUMN unit_code text,
  ADD COLUMN box geometry(Polygon, 4490);
CREATE INDEX track_box ON data.track USING gist (box);
COMMENT ON COLUMN data.track.box IS 'Box round its fixes, EPSG:4490; finds tracks of the same place; removed with the fixes';
COMMENT ON COLUMN data.track.device IS 'Device as named by the sender; null = unknown';
COMMENT ON COLUMN data.track.session IS 'Session of the app: files of one session of one chief are parts of one outing; null = not said';
COMMENT ON COLUMN data.track.part_of IS 'Head track of the same outing, under which all parts are scored together; null = a head or a track alone';
COMMENT ON COLUMN data.track.clock_offset_s IS 'Repair of the clock: seconds added to the times of the phone to get started_at and ended_at; null = not assessed';
COMMENT ON COLUMN data.track.clock_basis IS 'What the repair rests on: phone (none needed), received (times of the server), local_as_utc (eight hours); null = not assessed';
COMMENT ON COLUMN data.track.unit_code IS 'adcode of the unit that patrolled; null = that of the chief';
CREATE INDEX track_session ON data.track (session) WHERE session IS NOT NULL;
CREATE INDEX track_device ON data.track (chief_id, device, started_at) WHERE device IS NOT NULL;
CREATE INDEX track_part_of ON data.track (part_of) WHERE part_of IS NOT NULL;

ALTER TABLE data.leg
  ADD COLUMN passage int,
  ADD COLUMN speed_ms real;
COMMENT ON COLUMN data.leg.passage IS 'Which pass of the person along the reach, from 1; null = not assessed';
COMMENT ON COLUMN data.leg.speed_ms IS 'Median speed along it, m/s; null = not assessed';

-- inputs may come back to what they were before: a duty corrected twice makes a third result equal to the first
ALTER TABLE data.patrol_result DROP CONSTRAINT patrol_result_track_id_input_hash_key;
CREATE INDEX patrol_result_track ON data.patrol_result (track_id, recorded_at);

ALTER TABLE sys."user" ADD COLUMN chief_id uuid REFERENCES data.identity;
COMMENT ON COLUMN sys."user".chief_id IS 'Chief whose account it is: may upload and see the own tracks, see who saw them, and reply to questions; null = none';

CREATE TABLE data.patrol_entry (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('paper', 'hand_drawn', 'drone', 'on_site_meeting', 'proxy', 'platform_record')),
  chief_id uuid REFERENCES data.identity,
  day date NOT NULL,
  started_at timestamptz,
  ended_at timestamptz CHECK (ended_at >= started_at),
  minutes double precision CHECK (minutes >= 0),
  metres_said double precision CHECK (metres_said >= 0),
  problems int CHECK (problems >= 0),
  note text,
  scan_sha256 text,
  scan_path text,
  source_sha256 text,
  source_row text,
  external_id text,
  profile text,
  import_id uuid REFERENCES sys.import_record DEFERRABLE INITIALLY DEFERRED,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX patrol_entry_day ON data.patrol_entry (day);
CREATE INDEX patrol_entry_chief ON data.patrol_entry (chief_id, day);
SELECT pg_temp.note('data.patrol_entry', '巡河记录 a patrol said to have been done, without a track: paper log, drone, platform record ...; append only', '
id: identity, derived from its source
kind: paper, hand_drawn, drone, on_site_meeting, proxy or platform_record
chief_id: chief whose patrol it is; null = unknown
day: civil day in Asia/Shanghai
started_at: start as said, UTC; null = not said
ended_at: end as said, UTC; null = not said
minutes: duration as said, min; null = not said
metres_said: length as said, m; never proven coverage
problems: problems found as said; null = not said
note: what else was written
scan_sha256: content hash of the scan; null = none
scan_path: place of the scan in the store, relative
source_sha256: content hash of the file it came from; null = typed in
source_row: row in that file
external_id: its number on the platform it came from
profile: file profile it was read with
import_id: the import it came with
actor: who recorded it
recorded_at: when');

CREATE TABLE data.patrol_entry_stretch (
  entry_id uuid NOT NULL REFERENCES data.patrol_entry,
  seq int NOT NULL,
  river_id uuid NOT NULL REFERENCES data.identity,
  bank text NOT NULL DEFAULT 'both' CHECK (bank IN ('left', 'right', 'both')),
  from_m double precision,
  to_m double precision CHECK (to_m > from_m),
  from_landmark_id uuid REFERENCES data.identity,
  to_landmark_id uuid REFERENCES data.identity,
  PRIMARY KEY (entry_id, seq));
CREATE INDEX patrol_entry_stretch_river ON data.patrol_entry_stretch (river_id);
SELECT pg_temp.note('data.patrol_entry_stretch', 'Which stretches of rivers an entry says were patrolled; append only', '
entry_id: entry
seq: order
river_id: river
bank: left, right (looking downstream) or both
from_m: chainage on the river axis, m; null = not said
to_m: chainage on the river axis, m, exclusive; null = not said
from_landmark_id: landmark it was said to begin at
to_landmark_id: landmark it was said to end at');

CREATE TABLE data.patrol_entry_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  entry_id uuid NOT NULL REFERENCES data.patrol_entry,
  move text NOT NULL CHECK (move IN ('merged', 'withdrawn', 'restored')),
  track_id uuid REFERENCES data.track,
  reason text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((move = 'merged') = (track_id IS NOT NULL)));
CREATE INDEX patrol_entry_event_entry ON data.patrol_entry_event (entry_id, id);
SELECT pg_temp.note('data.patrol_entry_event', 'What became of an entry: the last move counts; a merged one is the same patrol as a track and is not counted twice; append only', '
id: order
entry_id: entry
move: merged (into a track), withdrawn or restored
track_id: track it was merged into
reason: why, in words
actor: who
recorded_at: when');

CREATE TABLE data.patrol_party (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  track_id uuid REFERENCES data.track,
  entry_id uuid REFERENCES data.patrol_entry,
  chief_id uuid REFERENCES data.identity,
  person text,
  unit_code text,
  part text NOT NULL CHECK (part IN ('chief', 'assistant', 'joint')),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nonnulls(track_id, entry_id) = 1),
  CHECK (num_nonnulls(chief_id, person, unit_code) > 0),
  UNIQUE NULLS NOT DISTINCT (track_id, entry_id, chief_id, person, unit_code, part));
CREATE INDEX patrol_party_entry ON data.patrol_party (entry_id) WHERE entry_id IS NOT NULL;
CREATE INDEX patrol_party_chief ON data.patrol_party (chief_id) WHERE chief_id IS NOT NULL;
SELECT pg_temp.note('data.patrol_party', 'Declared: who took part in a patrol besides, or instead of, the chief on whose account it is (personal data); append only', '
id: order
track_id: track it is about
entry_id: entry it is about
chief_id: chief who took part; null = a person who is none
person: name where it is no chief
unit_code: adcode of the unit of the person or of the joint patrol
part: chief (went in person), assistant (on the account of the chief) or joint (of another unit)
actor: who declared it
recorded_at: when');

CREATE TABLE data.patrol_area (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  kind text,
  unit_code text,
  geom geometry(MultiPolygon, 4490) NOT NULL);
SELECT pg_temp.versioned('data.patrol_area');
SELECT pg_temp.note('data.patrol_area', '巡查片区 area to be patrolled that is no line: park, town, grid cell', '
name: name
kind: park, town, grid cell ...
unit_code: adcode of the unit that answers for it
geom: area, EPSG:4490');

CREATE TABLE data.area_duty (LIKE version_columns INCLUDING ALL,
  chief_id uuid NOT NULL REFERENCES data.identity,
  area_id uuid NOT NULL REFERENCES data.identity);
SELECT pg_temp.versioned('data.area_duty');
CREATE INDEX area_duty_area ON data.area_duty (area_id);
SELECT pg_temp.note('data.area_duty', 'Who answers for a patrol area, on these dates', '
chief_id: chief
area_id: patrol area');

CREATE TABLE data.area_visit (
  result_id uuid NOT NULL REFERENCES data.patrol_result,
  area_id uuid NOT NULL REFERENCES data.identity,
  area_version int NOT NULL,
  minutes double precision NOT NULL CHECK (minutes >= 0),
  metres double precision NOT NULL CHECK (metres >= 0),
  share double precision NOT NULL CHECK (share BETWEEN 0 AND 1),
  PRIMARY KEY (result_id, area_id));
CREATE INDEX area_visit_area ON data.area_visit (area_id);
SELECT pg_temp.note('data.area_visit', 'What a track did inside a patrol area; append only', '
result_id: scoring it belongs to
area_id: patrol area
area_version: version of the area it was measured on
minutes: time inside, min
metres: way inside, m
share: share of the area that was within sight, 0 to 1');

CREATE TABLE data.review_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  result_id uuid NOT NULL REFERENCES data.patrol_result,
  track_id uuid NOT NULL REFERENCES data.track,
  code text NOT NULL,
  move text NOT NULL CHECK (move IN ('raised', 'replied', 'confirmed', 'dismissed')),
  text text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX review_event_track ON data.review_event (track_id, code, id);
CREATE UNIQUE INDEX review_event_raised ON data.review_event (result_id, code) WHERE move = 'raised';
SELECT pg_temp.note('data.review_event', '轨迹待核实 what was asked about a track, replied (说明) and decided (复核); append only', '
id: order
result_id: scoring in which the question stood
track_id: track
code: code of the signal
move: raised, replied, confirmed or dismissed
text: the reply or the reason of the decision
actor: who
recorded_at: when');

CREATE TABLE data.observation (
  id uuid PRIMARY KEY,
  track_id uuid REFERENCES data.track,
  entry_id uuid REFERENCES data.patrol_entry,
  at timestamptz,
  kind text,
  text text,
  geom geometry(Point, 4490),
  river_id uuid REFERENCES data.identity,
  at_m double precision,
  bank text CHECK (bank IN ('left', 'right')),
  photo_sha256 text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nonnulls(track_id, entry_id) <= 1));
CREATE INDEX observation_geom ON data.observation USING gist (geom);
CREATE INDEX observation_track ON data.observation (track_id) WHERE track_id IS NOT NULL;
CREATE INDEX observation_river ON data.observation (river_id, at_m);
SELECT pg_temp.note('data.observation', 'What was noticed on a patrol, where and when; append only', '
id: identity, derived from the track or entry and the place in it
track_id: track it was made on
entry_id: entry it was made with
at: when, UTC; null = not said
kind: water quality, rubbish, building ...; null = not said
text: what was noticed
geom: point, EPSG:4490; null where only the chainage is known
river_id: river at reception; null = none within sight
at_m: chainage on the river axis at reception, m
bank: left or right looking downstream at reception
photo_sha256: content hash of a photo; null = none
actor: who recorded it
recorded_at: when');

CREATE TABLE data.water_warning (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  from_m double precision,
  to_m double precision CHECK (to_m > from_m),
  level text NOT NULL CHECK (level IN ('yellow', 'orange', 'red')),
  kind text,
  document text);
SELECT pg_temp.versioned('data.water_warning');
CREATE INDEX water_warning_river ON data.water_warning (river_id);
SELECT pg_temp.note('data.water_warning', '河湖预警 warning in force on a river on these dates; multiplies patrol frequencies', '
river_id: river
from_m: chainage on the river axis, m; null = the whole river
to_m: chainage on the river axis, m, exclusive
level: yellow, orange or red
kind: flood, pollution, drought ...
document: document that announced it');

CREATE TABLE sys.track_access (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  track_id uuid NOT NULL REFERENCES data.track,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  purpose text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX track_access_track ON sys.track_access (track_id, at);
SELECT pg_temp.note('sys.track_access', 'Who saw the track of a person, and what for; append only', '
id: order
track_id: track
actor: who saw it
purpose: page, map, report or export it was shown in
at: when');
