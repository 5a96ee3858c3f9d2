-- Feeds: who sends us what, in which form, how often it should come, and every file that came in through a folder.
CREATE TABLE data.feed (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('patches', 'hotline', 'video', 'drone', 'footprints', 'reports', 'other')),
  layer text NOT NULL,
  profile text NOT NULL,
  source_layer text,
  crs text,
  datum text,
  encoding text,
  complete boolean NOT NULL,
  parts boolean NOT NULL DEFAULT false,
  images boolean NOT NULL,
  date_pattern text,
  folder text,
  cadence_days int CHECK (cadence_days > 0),
  late_after_days int CHECK (late_after_days > 0),
  dead_after_days int CHECK (dead_after_days >= late_after_days),
  owner text,
  until date,
  CHECK ((cadence_days IS NULL) = (late_after_days IS NULL)),
  CHECK ((cadence_days IS NULL) = (dead_after_days IS NULL)));
SELECT pg_temp.versioned('data.feed');
SELECT pg_temp.note('data.feed', '数据来源 a feed: who delivers candidates or pictures, in which form and how often; its code is the feed of data.candidate and data.delivery', '
name: what people call it
kind: patches (图斑), hotline (12314 热线), video (铁塔视频告警), drone (无人机), footprints (地物轮廓), reports (现场上报) or other
layer: layer its tables and drawings go into
profile: field profile from gis/rules/import_fields
source_layer: layer or sheet inside its files; null = all that the profile takes
crs: coordinate system where its files name none or a wrong one; null = as the files say
datum: datum of its positions where the files name none; null = as the files say
encoding: text encoding where the files name none; null = as the files say
parts: true = a complete picture comes in parts: files of the same name, but for the day in it, are deliveries of one part
complete: true = each delivery is the complete picture: what is not in it is not there any more; false = it adds to what came before
images: true = pictures with a place (GeoTIFF) in its folder are taken in as imagery
date_pattern: how the name of a file says the civil day: YYYY, MM and DD stand for digits, * for anything; null = a day written as 2026-05-20 or 20260520
folder: inbox on this machine, read and never changed; null = it comes by another door
cadence_days: a delivery is expected every so many days; null = no rhythm (it comes when something happened)
late_after_days: days without a delivery after which it is late
dead_after_days: days without a delivery after which it is dead
owner: office that answers for it, no person
until: last civil day on which it is a feed; null = it goes on');

CREATE TABLE data.feed_file (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  feed_id uuid NOT NULL REFERENCES data.identity,
  feed text NOT NULL,
  file_name text NOT NULL,
  file_sha256 text NOT NULL,
  stamp text NOT NULL,
  size_bytes bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('taken', 'partly', 'known', 'failed', 'gone')),
  sentence text NOT NULL,
  delivered_on date,
  import_ids uuid[] NOT NULL DEFAULT '{}',
  counts jsonb NOT NULL DEFAULT '{}',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX feed_file_name ON data.feed_file (feed_id, file_name, id);
CREATE INDEX feed_file_import ON data.feed_file USING gin (import_ids);
SELECT pg_temp.note('data.feed_file', 'What became of every file that lay in the folder of a feed; the last row of a file name counts; append only', '
id: order
feed_id: feed
feed: its code
file_name: path inside the folder
file_sha256: content hash, all parts of a Shapefile together; empty = it could not be read
stamp: hash over names, sizes and times of its parts: as long as it is the same, the file is not read again
size_bytes: size, all parts together, bytes
state: taken, partly (some features set aside), known (the same content came before), failed (nothing of it was kept), or gone (a failed file that does not lie there any more)
sentence: what became of it, in one sentence
delivered_on: civil day it stands for; null = not found out
import_ids: imports it became
counts: in, imported, unchanged, set_aside, skipped
actor: who took it in
recorded_at: when');

CREATE TABLE data.feed_picture (
  candidate_id uuid NOT NULL REFERENCES data.identity,
  file_sha256 text NOT NULL,
  file_path text NOT NULL,
  file_name text NOT NULL,
  taken_at timestamptz,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (candidate_id, file_sha256));
SELECT pg_temp.note('data.feed_picture', 'The picture that lay beside an alert or report and is named in it, kept in the store; append only', '
candidate_id: alert as candidate
file_sha256: content hash
file_path: place in the store, relative
file_name: path inside the folder of the feed
taken_at: when the alert says it was seen, UTC; null = it does not
actor: who took it in
recorded_at: when');
