-- What offices keep beside the ledger: campaigns, what competent authorities decided, and the reports that were sent.
CREATE TABLE data.campaign (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('chief_order', 'special_action', 'sweep')),
  order_no text,
  issued_by text,
  issued_on date,
  classes jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(classes) = 'array'),
  kinds jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(kinds) = 'array'),
  districts jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(districts) = 'array'),
  rivers jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(rivers) = 'array'),
  begins_on date NOT NULL,
  deadline date NOT NULL CHECK (deadline >= begins_on),
  recheck_by date CHECK (recheck_by >= deadline),
  lead_unit text,
  document_sha256 text,
  document_path text,
  CHECK (kind <> 'chief_order' OR order_no IS NOT NULL));
SELECT pg_temp.versioned('data.campaign');
SELECT pg_temp.note('data.campaign', '专项行动 a campaign or order of the chief river head (总河长令): which classes, where, from when, until when', '
name: name
kind: chief_order (总河长令), special_action (专项行动) or sweep (拉网排查)
order_no: number of the order or document; an order has one
issued_by: office that issued it; an office, no person
issued_on: civil day of the document
classes: classes or groups of classes (乱占 ...) it is about; empty = all
kinds: kinds of object it is about; empty = all
districts: adcodes of the units it is about, with all below them; empty = everywhere
rivers: codes of the rivers it is about; empty = all
begins_on: first civil day
deadline: last civil day by which what was found is to be closed
recheck_by: last civil day of looking back (回头看); null = none said
lead_unit: office in the lead
document_sha256: content hash of the document; null = none attached
document_path: place in the store, relative');

CREATE TABLE data.authority_decision (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  finding_id uuid NOT NULL REFERENCES data.finding,
  authority text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('received', 'filed', 'not_filed', 'decided', 'carried_out', 'passed_on')),
  decided_on date NOT NULL,
  document_no text NOT NULL,
  document_sha256 text NOT NULL,
  document_path text NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (finding_id, authority, outcome, document_no));
SELECT pg_temp.note('data.authority_decision', '主管部门决定 what a competent authority did in a case, with its document; nothing is decided here, and no person is named; append only', '
id: order
finding_id: case
authority: office that decided
outcome: received (收件), filed (立案), not_filed (不予立案), decided (作出处理决定), carried_out (执行完毕) or passed_on (移送其他机关)
decided_on: civil day of the document
document_no: number of the document
document_sha256: content hash of the document
document_path: place in the store, relative
actor: who recorded it
recorded_at: when');

CREATE TABLE data.issued_report (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('period', 'rectification')),
  from_on date NOT NULL,
  to_on date NOT NULL CHECK (to_on >= from_on),
  scope jsonb NOT NULL DEFAULT '{}',
  known_at timestamptz NOT NULL,
  figures jsonb NOT NULL,
  figures_sha256 text NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK (known_at <= recorded_at));
SELECT pg_temp.note('data.issued_report', '已报送报表 a report that went out: what it was about and its figures, so that it can be told again later; append only', '
id: identity, derived from kind, period, scope and known_at
kind: period (四乱定期报告) or rectification (整改报告)
from_on: first civil day
to_on: last civil day, inclusive
scope: unit (adcode) and campaign (code) it is limited to
known_at: what the database knew up to this moment is what the figures rest on, UTC
figures: figures as sent
figures_sha256: hash of the figures, whatever the order of their keys
actor: who sent it
recorded_at: when');
CREATE INDEX issued_report_period ON data.issued_report (kind, from_on, to_on);
