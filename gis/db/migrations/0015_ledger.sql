-- The ledger with a life: events with what was said in them, running numbers, reports by hand, evidence with place and time, looking back.
ALTER TABLE data.finding DROP CONSTRAINT finding_topic_check, ADD CONSTRAINT finding_topic_check
  CHECK (topic IN ('encroachment', 'outfall_in_zone', 'outfall_position', 'boundary_line', 'reported'));
COMMENT ON COLUMN data.finding.topic IS 'encroachment, outfall_in_zone, outfall_position, boundary_line, or reported (opened by hand; no night touches it)';
COMMENT ON COLUMN data.finding.merged_into IS 'The lead that goes on for it, as a night saw it; set once. What people merge is an event (merge, take_apart)';

-- the order of the events of a case: counted under a lock, so that two at once never both follow the same one
ALTER TABLE data.finding_event ADD COLUMN seq int, ADD COLUMN detail jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object');
ALTER TABLE data.finding_event DISABLE TRIGGER USER;
UPDATE data.finding_event e SET seq = n.seq
  FROM (SELECT id, row_number() OVER (PARTITION BY finding_id ORDER BY id) AS seq FROM data.finding_event) n WHERE n.id = e.id;
ALTER TABLE data.finding_event ENABLE TRIGGER USER;
ALTER TABLE data.finding_event ALTER COLUMN seq SET NOT NULL, ADD UNIQUE (finding_id, seq);
COMMENT ON COLUMN data.finding_event.seq IS 'Number of the event within its case, from 1; given by the database';
COMMENT ON COLUMN data.finding_event.move IS 'move of gis/lifecycle.yaml';
COMMENT ON COLUMN data.finding_event.detail IS 'What the move says: deadline, measure, units, unit, evidence, authority, document_no, into, stage, severity, class_code ...';
CREATE INDEX finding_event_into ON data.finding_event ((detail ->> 'into')) WHERE move = 'merge';

CREATE TABLE data.case_number (
  finding_id uuid PRIMARY KEY REFERENCES data.finding,
  county text NOT NULL CHECK (county ~ '^[0-9]{6}$'),
  year int NOT NULL CHECK (year BETWEEN 1949 AND 2999),
  seq int NOT NULL CHECK (seq > 0),
  number text NOT NULL UNIQUE,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (county, year, seq));
SELECT pg_temp.note('data.case_number', '台账编号 running number of a case per county and year, given at the first human move or by the baseline; never reused; append only', '
finding_id: case
county: adcode of the county of its place; 000000 = outside every county
year: calendar year (Asia/Shanghai) in which the number was given
seq: counts up from 1 per county and year, without gaps
number: county-year-seq, as it is written on papers
actor: by whose move
recorded_at: when');

CREATE TABLE data.case_report (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  finding_id uuid NOT NULL REFERENCES data.finding,
  source text NOT NULL CHECK (source <> ''),
  number text,
  found_on date NOT NULL,
  class_code text,
  kind text,
  said jsonb NOT NULL DEFAULT '{}',
  figures jsonb NOT NULL DEFAULT '{}',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  geom geometry(Geometry, 4490));
CREATE INDEX case_report_finding ON data.case_report (finding_id, id);
CREATE INDEX case_report_geom ON data.case_report USING gist (geom);
SELECT pg_temp.note('data.case_report', '问题来源 what somebody reported of a case: the report that opened it, and every later one of the same thing; append only', '
id: order
finding_id: case
source: where it comes from, in the words of the office: 巡河, 暗访, 遥感, 12314, 举报, 上级检查 ...
number: its number there; null = none
found_on: civil day on which it was found
class_code: class of gis/rules/taxonomy as reported; null = not said
kind: kind of object; null = not said
said: fields as delivered
figures: village, river, bank, chainage ... of the place, filled in by the machine
actor: who recorded it
recorded_at: when
geom: place as reported, EPSG:4490; null = the place of the case');

ALTER TABLE data.evidence
  ADD COLUMN taken_at timestamptz,
  ADD COLUMN said jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN doubts jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN geom geometry(Point, 4490);
CREATE INDEX evidence_geom ON data.evidence USING gist (geom);
COMMENT ON COLUMN data.evidence.taken_at IS 'When it was taken, UTC: as said, else as the picture says; null = neither says it';
COMMENT ON COLUMN data.evidence.said IS 'Position and time as the person said them and as the picture says them';
COMMENT ON COLUMN data.evidence.doubts IS 'What person, picture and place of the case say differently: code, sentence and figures';
COMMENT ON COLUMN data.evidence.geom IS 'Where it was taken, EPSG:4490: as said, else as the picture says; null = neither says it';

CREATE TABLE data.look_back (
  id uuid PRIMARY KEY,
  scope jsonb NOT NULL,
  share double precision NOT NULL CHECK (share > 0 AND share <= 1),
  rules jsonb NOT NULL,
  seed text NOT NULL,
  population int NOT NULL CHECK (population > 0),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('data.look_back', '回头看 a sample of closed cases drawn by risk; the population itself is the seed, so nobody draws until it suits; append only', '
id: identity, derived from scope, share and seed
scope: from and to (civil days of closing), district and class it is limited to
share: share drawn of cases of ordinary risk
rules: rule rows the shares rest on
seed: hash of the population drawn from
population: how many it was drawn from
actor: who drew it
recorded_at: when');

CREATE TABLE data.look_back_member (
  look_back_id uuid NOT NULL REFERENCES data.look_back,
  seq int NOT NULL,
  finding_id uuid NOT NULL REFERENCES data.finding,
  stratum text NOT NULL,
  risks jsonb NOT NULL DEFAULT '[]',
  done_by text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (look_back_id, seq),
  UNIQUE (look_back_id, finding_id));
CREATE INDEX look_back_member_finding ON data.look_back_member (finding_id);
SELECT pg_temp.note('data.look_back_member', 'Closed cases drawn to be looked at again; append only', '
look_back_id: sample
seq: number in the sample, from 1
finding_id: case
stratum: county / class / risk level it was drawn from
risks: why it weighs more: severe, sent_back, doubts, rebound, late ...
done_by: who rectified it or accepted that: these may not look back at it');

CREATE TABLE data.look_back_result (
  look_back_id uuid NOT NULL,
  seq int NOT NULL,
  output text NOT NULL CHECK (output IN ('holds', 'not_done', 'rebounded')),
  event_id bigint NOT NULL REFERENCES data.finding_event,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  PRIMARY KEY (look_back_id, seq),
  FOREIGN KEY (look_back_id, seq) REFERENCES data.look_back_member);
SELECT pg_temp.note('data.look_back_result', 'What was found on looking back; the event on the case says why; append only', '
look_back_id: sample
seq: number in the sample
output: holds (整治到位), not_done (清理整治不到位) or rebounded (反弹)
event_id: the event on the case
recorded_at: when
actor: who looked');

-- the rules of the life, as gis/lifecycle.yaml and the national rules of the ledger say them; reloaded when these change
CREATE TABLE list.lifecycle_state (
  noun text NOT NULL,
  code text NOT NULL,
  seq int NOT NULL,
  zh text NOT NULL,
  en text NOT NULL,
  PRIMARY KEY (noun, code));
SELECT pg_temp.note('list.lifecycle_state', 'States of what has a life; from gis/lifecycle.yaml', '
noun: what has the life: finding (a case of the ledger), boundary_version
code: state
seq: order; the first is where everything starts
zh: Chinese name
en: English name');
CREATE TABLE list.lifecycle_move (
  noun text NOT NULL,
  move text NOT NULL,
  from_states text[] NOT NULL,
  to_state text NOT NULL,
  capability text NOT NULL,
  needs text[] NOT NULL,
  needs_if_severe text[] NOT NULL,
  other_than text[] NOT NULL,
  zh text NOT NULL,
  en text NOT NULL,
  PRIMARY KEY (noun, move));
SELECT pg_temp.note('list.lifecycle_move', 'Moves of what has a life: from where, who may, what must be there; from gis/lifecycle.yaml', '
noun: what has the life
move: move
from_states: states it may be taken from
to_state: state it leads to; stay = the same state, back = the state before the last move
capability: what the actor must hold
needs: what must be attached or have happened
needs_if_severe: what must be there, too, where the case is of a level that a leader instructs (批示)
other_than: moves whose actors may not take this one
zh: Chinese name
en: English name');
CREATE TABLE list.ledger_severity (
  severity text PRIMARY KEY,
  close_level text NOT NULL CHECK (close_level IN ('county', 'city', 'province', 'nation')),
  instructed boolean NOT NULL);
SELECT pg_temp.note('list.ledger_severity', 'Which level closes a case of a severity, and whether a leader instructs it first; from gis/rules/national/ledger.yaml', '
severity: 一般, 较严重, 重大; other = any other word, or none
close_level: lowest level whose closing ends the case: county (县内销号 is enough), city, province or nation
instructed: whether it takes an instruction (批示) before it is assigned');
CREATE TABLE list.ledger_stage (
  severity text NOT NULL,
  stage text NOT NULL,
  seq int NOT NULL,
  after_days int NOT NULL CHECK (after_days > 0),
  PRIMARY KEY (severity, stage),
  UNIQUE (severity, seq));
SELECT pg_temp.note('list.ledger_stage', '催办阶梯 ladder of escalation by days overdue: 卡 card, 单 notice, 函 letter, 令 order; from gis/rules/national/ledger.yaml', '
severity: as in list.ledger_severity
stage: card (提示卡), notice (督办单), letter (督办函) or order (整改令)
seq: order of the stages, from 1
after_days: days after the deadline from which it is due');
