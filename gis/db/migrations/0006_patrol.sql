-- Patrol tracks (personal data) and what they prove.
CREATE TABLE data.track (
  id uuid PRIMARY KEY,
  raw_sha256 text NOT NULL UNIQUE,
  raw_path text NOT NULL,
  file_name text NOT NULL,
  format text NOT NULL,
  chief_id uuid REFERENCES data.identity,
  mode text NOT NULL DEFAULT 'app',
  datum_declared text CHECK (datum_declared IN ('wgs84', 'cgcs2000', 'gcj02', 'bd09')),
  datum_used text NOT NULL,
  started_at timestamptz,
  ended_at timestamptz,
  day date,
  fix_count int NOT NULL,
  uploaded_at timestamptz,
  import_id uuid REFERENCES sys.import_record DEFERRABLE INITIALLY DEFERRED,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  purged_at timestamptz);
CREATE INDEX track_day ON data.track (day);
CREATE INDEX track_chief ON data.track (chief_id);
SELECT pg_temp.note('data.track', '巡河轨迹 one patrol track as received (personal data: the fixes are purged after the retention period)', '
id: identity, derived from the raw file
raw_sha256: content hash of the raw file
raw_path: place of the raw file in the store, relative
file_name: name as delivered
format: gpx, csv, geojson ...
chief_id: chief whose patrol it is; null = unknown
mode: app, offline_upload, paper, drone ...
datum_declared: datum said by the sender; null = unknown
datum_used: datum the fixes were read in
started_at: repaired start, UTC
ended_at: end, UTC
day: civil day in Asia/Shanghai of the start
fix_count: fixes read
uploaded_at: received by the server
import_id: the import it came with
actor: who recorded it
recorded_at: when
purged_at: fixes and raw file removed at, intervals and hash kept');

CREATE TABLE data.fix (
  track_id uuid NOT NULL REFERENCES data.track,
  seq int NOT NULL,
  at timestamptz,
  acc_m real,
  speed_ms real,
  received_at timestamptz,
  mark text,
  geom geometry(Point, 4490) NOT NULL,
  PRIMARY KEY (track_id, seq));
CREATE INDEX fix_geom ON data.fix USING gist (geom);
SELECT pg_temp.note('data.fix', 'Position fixes of a track; marked, never deleted before the retention period ends', '
track_id: track
seq: order in the file
at: time said by the phone, UTC
acc_m: accuracy said by the phone, m
speed_ms: speed said by the phone, m/s
received_at: received by the server
mark: why the fix is not used (repeat, jump, poor_accuracy ...); null = used
geom: point, EPSG:4490');

CREATE TABLE data.patrol_result (
  id uuid PRIMARY KEY,
  track_id uuid NOT NULL REFERENCES data.track,
  engine text NOT NULL,
  input_hash text NOT NULL,
  rule_set text NOT NULL REFERENCES list.rule_set,
  figures jsonb NOT NULL,
  standard jsonb NOT NULL,
  review jsonb NOT NULL DEFAULT '[]',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at),
  UNIQUE (track_id, input_hash));
SELECT pg_temp.note('data.patrol_result', 'Outcome of scoring one track: 达标 (announced rules tested), 覆盖情况 (reference), 轨迹待核实 (reasons)', '
id: identity, derived from track and inputs
track_id: track
engine: name and version of the method
input_hash: hash over fixes, reaches, duties and rules read
rule_set: version of the rule book
figures: minutes, metres, shares and what they were measured on
standard: 达标: each announced rule row tested, with value, threshold and outcome
review: 轨迹待核实: reasons in words, for a person, never a sentence
actor: who ran it
recorded_at: when
superseded_at: replaced by a later scoring at');
CREATE UNIQUE INDEX patrol_result_current ON data.patrol_result (track_id) WHERE superseded_at IS NULL;

CREATE TABLE data.leg (
  result_id uuid NOT NULL REFERENCES data.patrol_result,
  seq int NOT NULL,
  reach_id uuid NOT NULL REFERENCES data.identity,
  reach_version int NOT NULL,
  bank text CHECK (bank IN ('left', 'right')),
  from_m double precision NOT NULL,
  to_m double precision NOT NULL CHECK (to_m > from_m),
  seen boolean NOT NULL,
  reason text,
  started_at timestamptz,
  ended_at timestamptz,
  mode text,
  confidence real,
  CHECK (seen OR reason IS NOT NULL),
  PRIMARY KEY (result_id, seq));
CREATE INDEX leg_reach ON data.leg (reach_id);
SELECT pg_temp.note('data.leg', 'Stretch of a bank that a track has seen, or not seen and why', '
result_id: scoring it belongs to
seq: order
reach_id: reach
reach_version: version of the reach it was measured on
bank: left or right looking downstream; null = channel or undecided
from_m: metres from the upstream end of the reach
to_m: metres from the upstream end of the reach, exclusive
seen: true = seen
reason: why not seen: never_approached, too_far, gap, poor_accuracy, other_bank ...
started_at: from, UTC
ended_at: to, UTC
mode: walk, ride, drive, boat; null = not assessed
confidence: 0 to 1; null = not assessed');
