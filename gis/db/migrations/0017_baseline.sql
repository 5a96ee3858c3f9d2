-- Baseline before the first alarm: what was known already, and the problem lists of higher levels with their numbers.
CREATE TABLE data.superior_list (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('problems', 'tasks')),
  name text NOT NULL,
  version int NOT NULL CHECK (version > 0),
  issued_by text,
  issued_on date,
  file_name text NOT NULL,
  file_sha256 text NOT NULL,
  file_path text NOT NULL,
  source_layer text NOT NULL,
  options jsonb NOT NULL DEFAULT '{}',
  columns jsonb NOT NULL,
  headings jsonb NOT NULL,
  encoding text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (name, version));
SELECT pg_temp.note('data.superior_list', '上级清单 a list of problems or of tasks (整改任务分解表) as a higher level issued it; a corrected list is a version of its own; append only', '
id: identity, derived from name and version
kind: problems (问题清单) or tasks (整改任务分解表)
name: name of the list, the same for all its versions
version: delivery of the list, from 1
issued_by: who issued it, as said at the import; null = not said
issued_on: civil day it was issued; deadlines without a year count from it; null = not said
file_name: name of the file as delivered
file_sha256: content hash of the file
file_path: the file as delivered, in the store, relative
source_layer: layer or sheet inside the file
options: crs, datum and encoding as the user said them, profile, content (hash of what the rows say)
columns: field -> heading of the column of the file that holds it
headings: headings of the file in their order
encoding: text encoding of the file; null = of the format
actor: who brought it in
recorded_at: when');

CREATE TABLE data.superior_item (
  list_id uuid NOT NULL REFERENCES data.superior_list,
  seq int NOT NULL,
  source_feature text NOT NULL,
  number text NOT NULL,
  said jsonb NOT NULL DEFAULT '{}',
  due_on date,
  standing boolean NOT NULL DEFAULT false,
  doubts jsonb NOT NULL DEFAULT '[]',
  geom geometry(Geometry, 4490),
  PRIMARY KEY (list_id, seq),
  UNIQUE (list_id, number));
CREATE INDEX superior_item_number ON data.superior_item (number);
CREATE INDEX superior_item_geom ON data.superior_item USING gist (geom);
SELECT pg_temp.note('data.superior_item', 'Every row of a list of a higher level, once and in its order; append only', '
list_id: delivery of the list
seq: order in the file, from 0
source_feature: number of the row in its file
number: 上级编号 its number as delivered; where that is missing or stands twice, # and which of them it is
said: fields as delivered (class, place, state, deadline, lead, responsible, supporting ...)
due_on: deadline as a civil day; null = none said, or not readable (see doubts)
standing: a standing duty (长期坚持) with or without a day
doubts: what could not be read: field, what was said, sentence
geom: place, EPSG:4490; null = no usable place');

CREATE TABLE data.superior_link (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  list_name text NOT NULL,
  number text NOT NULL,
  finding_id uuid REFERENCES data.finding,
  how text NOT NULL CHECK (how IN ('patch_no', 'number', 'overlap', 'near', 'reported', 'person')),
  figures jsonb NOT NULL DEFAULT '{}',
  reason text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX superior_link_number ON data.superior_link (list_name, number, id);
CREATE INDEX superior_link_finding ON data.superior_link (finding_id);
SELECT pg_temp.note('data.superior_link', 'Which case a number of a higher level means; the last row of a number holds; append only', '
id: order
list_name: list of the higher level
number: number in it
finding_id: case it means; null = taken off again
how: patch_no, number, overlap, near (matched by the machine), reported (opened as a case of its own) or person (decided by hand)
figures: overlap, distance and error of the match
reason: why, where a person decided it
actor: who
recorded_at: when');

CREATE TABLE data.superior_step (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  list_name text NOT NULL,
  number text NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'done', 'accepted')),
  reason text NOT NULL,
  attachment_sha256 text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX superior_step_number ON data.superior_step (list_name, number, id);
SELECT pg_temp.note('data.superior_step', '任务销号 what was done about a task of a list (整改任务分解表); the last row of a task holds; append only', '
id: order
list_name: list of tasks
number: serial number of the task in it
state: done (reported as carried out), accepted (by another person) or open (again)
reason: what was done, or why, in words
attachment_sha256: document or photo in the store; null = none
actor: who
recorded_at: when');

CREATE TABLE data.baseline (
  id uuid PRIMARY KEY,
  number int NOT NULL UNIQUE CHECK (number > 0),
  night date NOT NULL,
  supersedes uuid REFERENCES data.baseline,
  sources jsonb NOT NULL,
  counts jsonb NOT NULL,
  content_hash text NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('data.baseline', '基线 what was known when the nights began: the stock (存量) as of a night; a new one supersedes, none is overwritten; append only', '
id: identity, derived from number and content
number: counts up from 1
night: civil day up to which leads are stock; what is told first after it is increment (增量)
supersedes: the baseline before it; null = the first
sources: files it was made of: role (decisions, ledger, works), file, sha256, content (hash of what it says), rows, list
counts: items by source and how they matched, leads by how they start
content_hash: hash of night, sources and items: the same again makes no new baseline
actor: who made it
recorded_at: when');

CREATE TABLE data.baseline_item (
  baseline_id uuid NOT NULL REFERENCES data.baseline,
  seq int NOT NULL,
  source text NOT NULL CHECK (source IN ('decisions', 'ledger', 'works', 'stock')),
  file_sha256 text,
  source_feature text,
  number text,
  how text NOT NULL,
  start text NOT NULL CHECK (start IN ('decided', 'in_hand', 'known_work', 'to_verify', 'listed', 'none')),
  finding_id uuid REFERENCES data.finding,
  figures jsonb NOT NULL DEFAULT '{}',
  said jsonb NOT NULL DEFAULT '{}',
  geom geometry(Geometry, 4490),
  PRIMARY KEY (baseline_id, seq));
CREATE INDEX baseline_item_finding ON data.baseline_item (finding_id);
CREATE INDEX baseline_item_geom ON data.baseline_item USING gist (geom);
SELECT pg_temp.note('data.baseline_item', 'Every row of the files of a baseline and every lead of its night, each with what became of it; append only', '
baseline_id: baseline
seq: order, from 0
source: decisions (last table of patch decisions), ledger (problem ledger), works (known water works) or stock (a lead of the night)
file_sha256: file of the row; null = a lead
source_feature: number of the row in its file; null = a lead
number: patch number, number of the higher level or name of the works; null = none
how: patch_no, number, overlap, near or link (matched), reported (opened as a case), ambiguous, contradicts, no_place, no_match, unreadable; rest (a lead that no row matched), matched (a lead that one did)
start: decided, in_hand, known_work, to_verify (存量待核), listed (a person must look at the row) or none (nothing is to be done)
finding_id: lead or case; null = none
figures: overlap, distance, reach; may_be (leads that may be meant), is and says (states that contradict), left and why (what stands against it)
said: row as delivered
geom: place of the row, EPSG:4490; null = none, or a lead');

CREATE TABLE data.baseline_signature (
  baseline_id uuid PRIMARY KEY REFERENCES data.baseline,
  reason text NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('data.baseline_signature', 'A person who did not make it stands for a baseline; from then on pages say new (新增); append only', '
baseline_id: baseline
reason: why it may stand, in words
actor: who signed it
recorded_at: when');
