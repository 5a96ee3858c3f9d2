-- Schemas by lifetime, and the tables every deployment needs before any river is loaded.
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE SCHEMA data;
CREATE SCHEMA list;
CREATE SCHEMA cache;
COMMENT ON SCHEMA data IS 'Facts, with their versions as rows; nothing is overwritten or deleted';
COMMENT ON SCHEMA list IS 'Rules, roles and value lists loaded from gis/, with their hashes';
COMMENT ON SCHEMA cache IS 'Derived and rebuildable; not part of backups';
COMMENT ON SCHEMA sys  IS 'Migrations, imports, job runs, users, audit';

CREATE TABLE list.capability (code text PRIMARY KEY, zh text NOT NULL, en text NOT NULL);
SELECT pg_temp.note('list.capability', 'What a person or program may do; from gis/db/roles.yaml', '
code: stable English code
zh: Chinese label
en: English label');

CREATE TABLE list.role (code text PRIMARY KEY, zh text NOT NULL, en text NOT NULL);
SELECT pg_temp.note('list.role', 'Bundles of capabilities; independent of each other, no ladder (三员分立); from gis/db/roles.yaml', '
code: stable English code
zh: Chinese label
en: English label');

CREATE TABLE list.role_capability (
  role text NOT NULL REFERENCES list.role ON DELETE CASCADE,
  capability text NOT NULL REFERENCES list.capability ON DELETE CASCADE,
  PRIMARY KEY (role, capability));
SELECT pg_temp.note('list.role_capability', 'Which role has which capability; from gis/db/roles.yaml', '
role: role code
capability: capability code');

CREATE TABLE list.rule_set (
  version text PRIMARY KEY,
  content jsonb NOT NULL,
  loaded_at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'));
SELECT pg_temp.note('list.rule_set', 'Every rule book ever used, whole, so that an old verdict can be recomputed', '
version: content hash of all rule files
content: file name -> text of the file
loaded_at: when it was first loaded
actor: who loaded it');

CREATE TABLE list.rule (
  rule_set text NOT NULL REFERENCES list.rule_set,
  seq int NOT NULL,
  key text NOT NULL,
  jurisdiction text NOT NULL,
  value jsonb,
  unit text,
  applies_to jsonb,
  basis text NOT NULL,
  source text NOT NULL,
  status text NOT NULL CHECK (status IN ('confirmed', 'inferred', 'unconfirmed')),
  competent_authority text,
  our_action text,
  valid daterange NOT NULL,
  PRIMARY KEY (rule_set, seq));
SELECT pg_temp.note('list.rule', 'Rows of the rule books, for reading in SQL and reports', '
rule_set: version of the rule book
seq: position in the rule book
key: dotted name
jurisdiction: adcode of the layer, 000000 = national
value: value as data
unit: unit of the value
applies_to: facts the row is limited to
basis: document or reason the value rests on
source: where it was read
status: confirmed, inferred or unconfirmed
competent_authority: 主管部门, the authority in charge of the matter
our_action: 立案, 移交 or 仅提示
valid: civil dates, half-open');

CREATE TABLE sys."user" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE CHECK (name ~ '^[[:alnum:]_.:@-]{2,64}$'),
  display_name text NOT NULL,
  kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service', 'operator')),
  password_hash text,
  area text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL DEFAULT current_setting('rivergis.actor'),
  disabled_at timestamptz);
SELECT pg_temp.note('sys."user"', 'Who may act: people, services (the night) and the local operator', '
id: identity
name: sign-in name, as written into actor columns
display_name: name shown to others
kind: person, service or operator (whoever reaches the private cluster socket)
password_hash: argon2 hash; null = cannot sign in with a password
area: adcode prefix of the area served; empty = all
created_at: when
created_by: actor
disabled_at: from then on refused; users are never deleted');

CREATE TABLE sys.user_role (
  user_id uuid NOT NULL REFERENCES sys."user",
  role text NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT now(),
  granted_by text NOT NULL DEFAULT current_setting('rivergis.actor'),
  revoked_at timestamptz,
  PRIMARY KEY (user_id, role, granted_at));
SELECT pg_temp.note('sys.user_role', 'Roles granted and revoked; history is kept', '
user_id: user
role: role code of list.role
granted_at: from
granted_by: actor
revoked_at: until');

CREATE TABLE sys.session (
  token_hash text PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES sys."user",
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz);
SELECT pg_temp.note('sys.session', 'Server-side sign-in sessions; revocable', '
token_hash: sha256 of the cookie value; the value itself is never stored
user_id: user
created_at: signed in at
expires_at: end of life
revoked_at: signed out or revoked at');

CREATE TABLE sys.api_key (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES sys."user",
  name text NOT NULL,
  key_hash text NOT NULL UNIQUE,
  role text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz);
SELECT pg_temp.note('sys.api_key', 'Keys for programs (Authorization: Bearer); never more than the rights of their user', '
id: identity
user_id: owner
name: what it is for
key_hash: sha256 of the key; the key itself is shown once and never stored
role: narrows the key to one role of its user; null = all of them
created_at: made at
expires_at: end of life, null = none
revoked_at: revoked at');

CREATE TABLE sys.audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  row_count bigint,
  detail jsonb,
  txid bigint NOT NULL DEFAULT txid_current());
SELECT pg_temp.note('sys.audit', 'Who did what: every writing statement, every sign-in, view of personal data and export; append only', '
id: order of events
at: when
actor: sign-in name
action: INSERT, UPDATE, DELETE, sign_in, view, export ...
target: table, page or file
row_count: rows concerned
detail: what else is known
txid: transaction');
CREATE INDEX audit_at ON sys.audit (at);

CREATE TABLE sys.import_record (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  layer text NOT NULL,
  file_name text NOT NULL,
  file_sha256 text NOT NULL,
  source_layer text NOT NULL DEFAULT '',
  profile text NOT NULL DEFAULT '',
  options jsonb NOT NULL DEFAULT '{}',
  source_crs text,
  count_in bigint NOT NULL,
  count_imported bigint NOT NULL,
  count_unchanged bigint NOT NULL DEFAULT 0,
  count_quarantined bigint NOT NULL,
  count_skipped bigint NOT NULL DEFAULT 0,
  report jsonb NOT NULL DEFAULT '{}',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK (count_in = count_imported + count_unchanged + count_quarantined + count_skipped));
SELECT pg_temp.note('sys.import_record', 'Every file that came in: what it was and what became of each of its features', '
id: identity, kept with every imported row
layer: layer it was imported into
file_name: name of the file as delivered
file_sha256: content hash; the same file again changes nothing
source_layer: layer inside the file
profile: field mapping used
options: crs, datum, encoding, namespace and valid dates given by the user
source_crs: coordinate system of the source as used
count_in: features read
count_imported: new rows or new versions
count_unchanged: features equal to the version in force
count_quarantined: set aside with a reason
count_skipped: left out by the profile, with the reason in the report
report: diagnostics, repairs, engine versions
actor: who
recorded_at: when');
CREATE UNIQUE INDEX import_once ON sys.import_record (layer, file_sha256, source_layer, profile, options);

CREATE TABLE sys.quarantine (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  import_id uuid NOT NULL REFERENCES sys.import_record,
  layer text NOT NULL,
  source_feature text NOT NULL,
  code text NOT NULL,
  sentence text NOT NULL,
  place text,
  attributes jsonb NOT NULL DEFAULT '{}',
  geom_wkt text,
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('sys.quarantine', 'Features set aside at an import, whole, with the reason', '
id: order
import_id: the import
layer: target layer
source_feature: number of the feature in its file
code: stable code of the defect
sentence: what is wrong and what to do
place: where, in words or coordinates of the source
attributes: all attributes as read
geom_wkt: geometry as read, in source coordinates (it may be what is wrong)
recorded_at: when');
CREATE INDEX quarantine_import ON sys.quarantine (import_id);

CREATE TABLE sys.job_run (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  job text NOT NULL,
  run_date date NOT NULL,
  district text NOT NULL DEFAULT '',
  state text NOT NULL CHECK (state IN ('done', 'partly', 'failed')),
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  input_hash text NOT NULL,
  rule_set text,
  counts jsonb NOT NULL DEFAULT '{}',
  message text,
  engine jsonb NOT NULL DEFAULT '{}',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'));
SELECT pg_temp.note('sys.job_run', 'Every finished run of a job; written in the same transaction as its results', '
id: identity
job: name of the job
run_date: civil day (Asia/Shanghai) the job was about
district: adcode of the district, empty = all
state: done, partly (something was set aside) or failed
started_at: start
finished_at: end
input_hash: hash over everything the job read; an equal hash means nothing to do
rule_set: version of the rule book
counts: figures of the summary table
message: one sentence when not done
engine: versions of rivergis, PostGIS, GEOS, PROJ
actor: who ran it');
CREATE INDEX job_run_latest ON sys.job_run (job, run_date, district, finished_at);
