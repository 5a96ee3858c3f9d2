-- What became of features that were set aside: returned corrected, tried again, or dismissed. The quarantine itself only grows.
CREATE TABLE sys.quarantine_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  quarantine_id bigint NOT NULL REFERENCES sys.quarantine,
  action text NOT NULL CHECK (action IN ('resolved', 'returned', 'dismissed')),
  import_id uuid REFERENCES sys.import_record DEFERRABLE INITIALLY DEFERRED,
  code text,
  reason text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((action = 'resolved') = (import_id IS NOT NULL)),
  CHECK (action <> 'dismissed' OR reason <> ''));
SELECT pg_temp.note('sys.quarantine_event', 'What was done about a feature that was set aside; resolved and dismissed close it', '
id: order
quarantine_id: the feature that was set aside
action: resolved (came in corrected), returned (tried again and still not usable) or dismissed (will not be corrected)
import_id: the import by which it came in
code: returned: stable code of what is still wrong
reason: returned: what is still wrong, as a sentence; dismissed: why
actor: who
recorded_at: when');
CREATE UNIQUE INDEX quarantine_closed_once ON sys.quarantine_event (quarantine_id) WHERE action IN ('resolved', 'dismissed');
CREATE INDEX quarantine_event_of ON sys.quarantine_event (quarantine_id);

-- a large file's features are set aside piece by piece, before the record of the import is complete
ALTER TABLE sys.quarantine DROP CONSTRAINT quarantine_import_id_fkey,
  ADD CONSTRAINT quarantine_import_id_fkey FOREIGN KEY (import_id) REFERENCES sys.import_record DEFERRABLE INITIALLY DEFERRED;
