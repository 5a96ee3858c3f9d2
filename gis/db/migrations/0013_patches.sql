-- Remote-sensing patches in batches, checked by people and given back; what inspectors report; samples of what was judged no problem.
CREATE TABLE data.patch_batch (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  version int NOT NULL CHECK (version > 0),
  file_name text NOT NULL,
  file_sha256 text NOT NULL,
  file_path text NOT NULL,
  source_layer text NOT NULL,
  profile text NOT NULL,
  options jsonb NOT NULL DEFAULT '{}',
  columns jsonb NOT NULL,
  encoding text,
  delivered_on date NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (name, version));
SELECT pg_temp.note('data.patch_batch', '图斑批次 a delivered batch of remote-sensing patches; a corrected delivery is a version of its own; append only', '
id: identity, derived from name and version
name: name of the batch
version: delivery of the batch, from 1
file_name: name of the file as delivered
file_sha256: content hash of the file
file_path: the file as delivered, in the store, relative
source_layer: layer inside the file
profile: field profile it was read with
options: crs, datum and encoding as the user said them
columns: field of the contract -> name of the column of the file that holds it
encoding: text encoding of the file; null = of the format
delivered_on: civil day the delivery stands for
actor: who brought it in
recorded_at: when');

CREATE TABLE data.patch (
  batch_id uuid NOT NULL REFERENCES data.patch_batch,
  seq int NOT NULL,
  source_feature text NOT NULL,
  patch_no text,
  candidate_id uuid REFERENCES data.identity,
  candidate_version int,
  aside text,
  delivered jsonb NOT NULL DEFAULT '{}',
  shape_hash text,
  PRIMARY KEY (batch_id, seq),
  CHECK ((candidate_id IS NULL) = (candidate_version IS NULL)),
  CHECK (num_nonnulls(candidate_id, aside) = 1));
CREATE INDEX patch_candidate ON data.patch (candidate_id);
CREATE INDEX patch_no ON data.patch (patch_no);
SELECT pg_temp.note('data.patch', '遥感图斑 every patch of a delivery, once and in its order, also those set aside; append only', '
batch_id: delivery
seq: order in the file, from 0
source_feature: number of the feature in its file
patch_no: 图斑编号 number of the patch as delivered; null = none
candidate_id: candidate it is; null = set aside
candidate_version: its version
aside: why it is no candidate, in one sentence; null = it is one
delivered: fields of the contract as delivered (image_date_before, image_res_m, class_code, area_m2, outcome ...)
shape_hash: hash of the geometry as delivered; null = none');

CREATE TABLE data.patch_figures (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  candidate_id uuid NOT NULL REFERENCES data.identity,
  candidate_version int NOT NULL,
  night date NOT NULL,
  figures jsonb NOT NULL,
  content_hash text NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX patch_figures_candidate ON data.patch_figures (candidate_id, night, id);
SELECT pg_temp.note('data.patch_figures', 'What the machine fills in for a patch, one row per change; append only', '
id: order
candidate_id: patch as candidate
candidate_version: its version
night: civil day of the lines, zones and permits used
figures: area_m2, area_in_mgmt_m2, share_in_mgmt, river_code, reach_code, adcode, bank, chainage, dist_to_line_m, zones_hit, permit_id ...
content_hash: hash of the figures
actor: who ran it
recorded_at: when');

CREATE TABLE data.patch_check (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  candidate_id uuid NOT NULL REFERENCES data.identity,
  candidate_version int NOT NULL,
  finding_id uuid REFERENCES data.finding,
  kind text NOT NULL CHECK (kind IN ('check', 'review')),
  outcome int NOT NULL CHECK (outcome BETWEEN 1 AND 4),
  class_corrected text,
  reason text,
  evidence jsonb NOT NULL DEFAULT '[]',
  done_by text,
  done_on date,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX patch_check_candidate ON data.patch_check (candidate_id, id);
SELECT pg_temp.note('data.patch_check', '图斑核查 what people found at a patch, and who reviewed it; append only', '
id: order
candidate_id: patch as candidate
candidate_version: its version
finding_id: lead that was moved with it; null = no night told one
kind: check (核查), or review (复核) by another person
outcome: 1 不是问题, 2 不是问题·历史不碍洪, 3 问题·历史碍洪挂账, 4 问题
class_corrected: class as corrected by the person; null = as delivered
reason: reason in words
evidence: photos and documents: name, sha256, place in the store
done_by: person as the form names it
done_on: civil day on which it was done, as the form says
actor: who recorded it
recorded_at: when');

CREATE TABLE data.report (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  word text,
  candidate_id uuid REFERENCES data.identity,
  observation_id uuid REFERENCES data.observation,
  at timestamptz NOT NULL,
  accuracy_m double precision NOT NULL CHECK (accuracy_m >= 0),
  note text,
  photo_sha256 text,
  photo_path text,
  said jsonb NOT NULL DEFAULT '{}',
  doubts jsonb NOT NULL DEFAULT '[]',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  geom geometry(Point, 4490) NOT NULL);
CREATE INDEX report_geom ON data.report USING gist (geom);
CREATE INDEX report_at ON data.report (at);
CREATE INDEX report_candidate ON data.report (candidate_id);
CREATE UNIQUE INDEX report_observation ON data.report (observation_id) WHERE observation_id IS NOT NULL;
SELECT pg_temp.note('data.report', '现场报告 what a person reports from the place: an object, or that nothing is there; append only', '
id: identity, derived from its content
kind: kind of candidate, or nothing_found (looked, nothing there)
word: class in the words of the source; null = none
candidate_id: candidate it became; null = nothing was found
observation_id: observation of a patrol it was taken from; null = reported by itself
at: when it was seen, UTC
accuracy_m: one-sigma position error as said, m
note: what else was said
photo_sha256: content hash of the photo; null = none
photo_path: place of the photo in the store, relative
said: position, datum and file as said
doubts: what photo and report say differently: code and sentence
actor: who reported (personal data, on no map)
recorded_at: when
geom: where, EPSG:4490');

CREATE TABLE data.sample (
  id uuid PRIMARY KEY,
  scope jsonb NOT NULL,
  share double precision NOT NULL CHECK (share > 0 AND share <= 1),
  rule jsonb NOT NULL,
  seed text NOT NULL,
  population int NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('data.sample', '复核抽样 a sample drawn from what was judged no problem; the population itself is the seed, so nobody draws until it suits; append only', '
id: identity, derived from scope, share and seed
scope: batch, or from and to (civil days)
share: share drawn of every stratum
rule: the rule row the share rests on
seed: hash of the population drawn from
population: how many it was drawn from
actor: who drew it
recorded_at: when');

CREATE TABLE data.sample_stratum (
  sample_id uuid NOT NULL REFERENCES data.sample,
  stratum text NOT NULL,
  population int NOT NULL CHECK (population > 0),
  drawn int NOT NULL CHECK (drawn BETWEEN 1 AND population),
  PRIMARY KEY (sample_id, stratum));
SELECT pg_temp.note('data.sample_stratum', 'How many of each stratum (county, class, outcome) there were and were drawn; append only', '
sample_id: sample
stratum: county / class / outcome or reason
population: how many there were
drawn: how many were drawn');

CREATE TABLE data.sample_member (
  sample_id uuid NOT NULL REFERENCES data.sample,
  seq int NOT NULL,
  stratum text NOT NULL,
  finding_id uuid REFERENCES data.finding,
  candidate_id uuid REFERENCES data.identity,
  candidate_version int,
  outcome text NOT NULL,
  judged_by text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (sample_id, seq),
  FOREIGN KEY (sample_id, stratum) REFERENCES data.sample_stratum,
  CHECK (num_nonnulls(finding_id, candidate_id) > 0));
CREATE INDEX sample_member_finding ON data.sample_member (finding_id);
SELECT pg_temp.note('data.sample_member', 'What was drawn for re-examination; append only', '
sample_id: sample
seq: number in the sample, from 1
stratum: its stratum
finding_id: lead; null = no night told one
candidate_id: candidate; null = a lead alone
candidate_version: its version
outcome: state of the lead, outcome of the check, or reason why it was not told
judged_by: who judged it: these may not examine it');

CREATE TABLE data.sample_result (
  sample_id uuid NOT NULL,
  seq int NOT NULL,
  result text NOT NULL CHECK (result IN ('agree', 'disagree')),
  reason text NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sample_id, seq),
  FOREIGN KEY (sample_id, seq) REFERENCES data.sample_member);
SELECT pg_temp.note('data.sample_result', 'What another person found on re-examination; append only', '
sample_id: sample
seq: number in the sample
result: agree (the judgement stands) or disagree (the lead goes back to be judged again)
reason: why, in words
actor: who examined it
recorded_at: when');

-- the last reason why a candidate was not told, whichever night it was
CREATE INDEX not_finding_candidate ON data.not_finding (candidate_id, night);
