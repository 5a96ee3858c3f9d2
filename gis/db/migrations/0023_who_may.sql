-- Who may see and do what, and who did: areas of keys, life of sessions, the log of views, what the auditor finds.
ALTER TABLE sys.api_key ADD COLUMN area text NOT NULL DEFAULT '' CHECK (area ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?$');
ALTER TABLE sys.api_key ADD COLUMN created_by text NOT NULL DEFAULT current_setting('rivergis.actor');
COMMENT ON COLUMN sys.api_key.area IS 'Narrows the key to an area inside that of its user (adcode prefix); empty = the area of the user';
COMMENT ON COLUMN sys.api_key.created_by IS 'Actor who made it';
CREATE INDEX api_key_owner ON sys.api_key (user_id);

CREATE TABLE sys.api_key_use (key_id uuid PRIMARY KEY REFERENCES sys.api_key, seen_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('sys.api_key_use', 'When a key was last used, so that those that nobody uses are found and ended', '
key_id: key
seen_at: last used, to the minute');

ALTER TABLE sys.session ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE;
ALTER TABLE sys.session ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE sys.session ADD COLUMN idle interval NOT NULL DEFAULT interval '30 minutes' CHECK (idle > interval '0');
ALTER TABLE sys.session ADD COLUMN address text NOT NULL DEFAULT '';
ALTER TABLE sys.session ADD COLUMN agent text NOT NULL DEFAULT '';
COMMENT ON COLUMN sys.session.id IS 'Name of the session for its owner, who may end it; tells nothing of the token';
COMMENT ON COLUMN sys.session.seen_at IS 'Last used, to the minute';
COMMENT ON COLUMN sys.session.idle IS 'Ends when not used for as long';
COMMENT ON COLUMN sys.session.address IS 'Network address signed in from';
COMMENT ON COLUMN sys.session.agent IS 'Browser as it names itself, shortened';
CREATE INDEX session_owner ON sys.session (user_id);

CREATE TABLE sys.access_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  area text NOT NULL DEFAULT '',
  address text NOT NULL DEFAULT '',
  action text NOT NULL CHECK (action IN ('view', 'export', 'write', 'refused')),
  what text NOT NULL,
  requests bigint NOT NULL CHECK (requests > 0),
  things bigint NOT NULL DEFAULT 0 CHECK (things >= 0),
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('sys.access_log', '访问日志 who saw or took what, when and how much: a row for each actor, address, thing and minute; kept at least six months', '
id: order
at: minute of the requests, UTC
actor: sign-in name; not_signed_in or public where nobody signed in
area: area the actor was held to; empty = everywhere
address: network address of the client
action: view, export, write or refused
what: collection, page or file asked for
requests: how many requests
things: how many things went out, where it was counted
recorded_at: written to the database at');
CREATE INDEX access_log_at ON sys.access_log (at);
CREATE INDEX access_log_actor ON sys.access_log (actor, at);

CREATE TABLE data.audit_finding (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  about text NOT NULL CHECK (about IN ('case', 'river', 'draft', 'patrol', 'report', 'user', 'log', 'other')),
  ref text NOT NULL DEFAULT '' CHECK (length(ref) <= 200),
  said text NOT NULL CHECK (btrim(said) <> '' AND length(said) <= 4000),
  area text NOT NULL DEFAULT '',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('data.audit_finding', '审计发现 what an auditor found: the one thing an auditor writes; append only', '
id: identity
about: kind of thing it is about
ref: its number, code or id; empty = none in particular
said: what was found
area: area the auditor was held to; empty = everywhere
actor: the auditor
recorded_at: when');
CREATE INDEX audit_finding_at ON data.audit_finding (recorded_at);

CREATE TABLE data.audit_reply (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  audit_finding_id uuid NOT NULL REFERENCES data.audit_finding,
  said text NOT NULL CHECK (btrim(said) <> '' AND length(said) <= 4000),
  closes boolean NOT NULL DEFAULT false,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('data.audit_reply', '审计回复 replies to what an auditor found; only an auditor closes; append only', '
id: order
audit_finding_id: what it replies to
said: the reply
closes: whether the matter is closed with it
actor: who replied
recorded_at: when');
CREATE INDEX audit_reply_finding ON data.audit_reply (audit_finding_id);
