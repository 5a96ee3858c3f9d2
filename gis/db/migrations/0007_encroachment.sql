-- Candidates, permits and imagery in; findings with sightings, verdicts, evidence and events out.
CREATE TABLE data.candidate (LIKE version_columns INCLUDING ALL,
  feed text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('building', 'quarry', 'dump', 'occupation', 'net_pen', 'unknown')),
  source_kind text NOT NULL,
  name text,
  accuracy_m double precision,
  seen_at timestamptz,
  evidence jsonb NOT NULL DEFAULT '{}',
  geom geometry(Geometry, 4490) NOT NULL);
SELECT pg_temp.versioned('data.candidate');
SELECT pg_temp.note('data.candidate', 'An object on the ground that may concern the river: footprint, patch or report', '
feed: source that delivers it
kind: building, quarry, dump, occupation, net_pen or unknown
source_kind: footprint, landuse, remote_sensing, inspector ...
name: name, if any
accuracy_m: one-sigma position error said by the source, m; null = unknown
seen_at: when it was seen, UTC
evidence: images, photos and remarks as delivered
geom: polygon or point, EPSG:4490');

CREATE TABLE data.delivery (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  import_id uuid NOT NULL REFERENCES sys.import_record DEFERRABLE INITIALLY DEFERRED,
  feed text NOT NULL,
  delivered_on date NOT NULL,
  complete boolean NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('data.delivery', 'One delivery of a feed: a complete picture, or an addition to the last one', '
id: identity
import_id: the import
feed: source
delivered_on: civil day the delivery stands for
complete: true = what is not in it is not there any more
recorded_at: when');
CREATE INDEX delivery_feed ON data.delivery (feed, delivered_on);

CREATE TABLE data.delivery_item (
  delivery_id uuid NOT NULL REFERENCES data.delivery,
  candidate_id uuid NOT NULL,
  candidate_version int NOT NULL,
  PRIMARY KEY (delivery_id, candidate_id),
  FOREIGN KEY (candidate_id, candidate_version) REFERENCES data.candidate (id, version));
SELECT pg_temp.note('data.delivery_item', 'Which candidates, in which version, a delivery held', '
delivery_id: delivery
candidate_id: candidate
candidate_version: its version');

CREATE TABLE data.permit (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('permanent_work', 'temporary_use', 'sand_mining', 'dredging')),
  allows text NOT NULL,
  doc_no text,
  issued_by text,
  position_kind text NOT NULL CHECK (position_kind IN ('polygon', 'stretch', 'point', 'name')),
  river_id uuid REFERENCES data.identity,
  bank text CHECK (bank IN ('left', 'right')),
  from_m double precision,
  to_m double precision,
  geom geometry(MultiPolygon, 4490),
  CHECK (position_kind <> 'polygon' OR geom IS NOT NULL));
SELECT pg_temp.versioned('data.permit');
SELECT pg_temp.note('data.permit', '涉河许可 permit for works or use inside the boundary', '
name: name of the project
kind: permanent_work (永久工程), temporary_use (临时占用), sand_mining (采砂) or dredging (疏浚清淤)
allows: kind of candidate it allows
doc_no: document number
issued_by: issuing authority
position_kind: how the permit says where: polygon, stretch, point or name
river_id: river
bank: left or right looking downstream
from_m: chainage, m
to_m: chainage, m
geom: permitted area, EPSG:4490; null where the document has none');

CREATE TABLE data.imagery (LIKE version_columns INCLUDING ALL,
  taken_on date NOT NULL,
  gsd_m double precision NOT NULL,
  bands text NOT NULL,
  source_crs text NOT NULL,
  file_sha256 text NOT NULL,
  file_path text NOT NULL,
  unobserved geometry(MultiPolygon, 4490),
  geom geometry(MultiPolygon, 4490) NOT NULL);
SELECT pg_temp.versioned('data.imagery');
CREATE INDEX imagery_unobserved ON data.imagery USING gist (unobserved);
SELECT pg_temp.note('data.imagery', '影像 image scene kept in the store', '
taken_on: civil day of the image
gsd_m: ground sampling distance, m
bands: band names in order
source_crs: coordinate system of the file
file_sha256: content hash
file_path: place in the store, relative
unobserved: where the scene shows nothing usable (cloud, shadow), EPSG:4490
geom: footprint, EPSG:4490');

CREATE TABLE data.finding (
  id uuid PRIMARY KEY,
  topic text NOT NULL CHECK (topic IN ('encroachment', 'outfall_in_zone', 'outfall_position', 'boundary_line')),
  first_night date NOT NULL,
  district text NOT NULL DEFAULT '',
  recorded_at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  merged_into uuid REFERENCES data.finding,
  place geometry(Point, 4490) NOT NULL);
CREATE INDEX finding_place ON data.finding USING gist (place);
SELECT pg_temp.note('data.finding', '疑似问题线索 a suspected lead: one place over all nights; never deleted, never merged away', '
id: identity, derived from the first night and what was seen
topic: encroachment, outfall_in_zone, outfall_position or boundary_line
first_night: civil day of the first night it was told
district: adcode of the village or county of its representative point; empty = none known
recorded_at: when
actor: who ran the night
merged_into: the lead that goes on for it
place: representative point, EPSG:4490');

CREATE TABLE data.sighting (
  finding_id uuid NOT NULL REFERENCES data.finding,
  night date NOT NULL,
  status text NOT NULL CHECK (status IN ('new', 'persisting', 'grown', 'shrunk', 'gone', 'rebound', 'merged', 'unobserved', 'permitted', 'missed')),
  sources jsonb NOT NULL DEFAULT '[]',
  area_m2 double precision,
  observed_share real,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  geom geometry(Geometry, 4490),
  PRIMARY KEY (finding_id, night));
CREATE INDEX sighting_night ON data.sighting (night);
CREATE INDEX sighting_geom ON data.sighting USING gist (geom);
SELECT pg_temp.note('data.sighting', 'What was seen of a lead in one night; not looked at is never gone', '
finding_id: lead
night: civil day
status: new, persisting, grown, shrunk, gone, rebound, merged, unobserved, permitted, or missed (looked at and not seen, too few times to be gone)
sources: ids and versions of what was seen
area_m2: net area inside the line, m2
observed_share: share of the place that was looked at, 0 to 1; null = not known
recorded_at: when
geom: part inside the line, net of permits, EPSG:4490');

CREATE TABLE data.verdict (
  id uuid PRIMARY KEY,
  finding_id uuid NOT NULL REFERENCES data.finding,
  night date NOT NULL,
  class_code text NOT NULL,
  position text NOT NULL CHECK (position IN ('inside', 'edge', 'outside', 'undecided')),
  boundary_id uuid REFERENCES data.identity,
  boundary_version int,
  basis text NOT NULL,
  clause text NOT NULL,
  competent_authority text,
  our_action text,
  figures jsonb NOT NULL,
  rules jsonb NOT NULL,
  inputs jsonb NOT NULL,
  rule_set text NOT NULL REFERENCES list.rule_set,
  engine jsonb NOT NULL,
  content_hash text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (finding_id, content_hash));
CREATE INDEX verdict_finding ON data.verdict (finding_id, night);
SELECT pg_temp.note('data.verdict', 'Explained, immutable record of why a lead was raised; one per change of its inputs', '
id: identity, derived from its content
finding_id: lead
night: civil day it was first given
class_code: class of gis/rules/taxonomy
position: inside, edge (within the error band), outside or undecided
boundary_id: boundary version used
boundary_version: its version
basis: basis of the line: announced, draft, surrogate, computed; or gazette for zones
clause: clause the lead refers to
competent_authority: 主管部门
our_action: 立案, 移交 or 仅提示
figures: area, error, distance, river, bank, chainage, village, chief
rules: rule rows used, with value and status
inputs: ids and versions of everything read
rule_set: version of the rule book
engine: software versions
content_hash: hash over class, position, line, figures, rules and inputs
recorded_at: when');

CREATE TABLE data.not_finding (
  night date NOT NULL,
  candidate_id uuid NOT NULL REFERENCES data.identity,
  candidate_version int NOT NULL,
  reason text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}',
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (night, candidate_id));
SELECT pg_temp.note('data.not_finding', 'Candidates near or inside a line that were not told, and why', '
night: civil day
candidate_id: candidate
candidate_version: its version
reason: permitted, permit_place_open, not_observed, below_min_area, within_tolerance, touches_only ...
detail: permit, areas, scene
recorded_at: when');

CREATE TABLE data.evidence (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  finding_id uuid NOT NULL REFERENCES data.finding,
  kind text NOT NULL CHECK (kind IN ('chip_before', 'chip_after', 'photo', 'document')),
  file_sha256 text NOT NULL,
  file_path text NOT NULL,
  taken_on date,
  caption text,
  position_grade text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (finding_id, kind, file_sha256));
SELECT pg_temp.note('data.evidence', '证据 pictures and documents of a lead, kept in the store', '
id: identity
finding_id: lead
kind: chip_before, chip_after, photo or document
file_sha256: content hash
file_path: place in the store, relative
taken_on: civil day of the picture
caption: what it shows
position_grade: how its position is known
actor: who attached it
recorded_at: when');

CREATE TABLE data.finding_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  finding_id uuid NOT NULL REFERENCES data.finding,
  move text NOT NULL,
  to_state text NOT NULL,
  reason text,
  attachment_sha256 text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX finding_event_finding ON data.finding_event (finding_id, id);
SELECT pg_temp.note('data.finding_event', 'Life of a lead, append only; its state is the fold of its events', '
id: order
finding_id: lead
move: move of gis/rules/lifecycle
to_state: state after the move
reason: reason in words
attachment_sha256: document or photo attached
actor: who
recorded_at: when');
