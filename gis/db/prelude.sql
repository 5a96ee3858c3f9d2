-- Run on the connection before any migration: what the migrations say often, said once.
-- Nothing here outlives the connection. Frozen with the migrations: they mean what they meant when released.
-- note(table, about, 'column: what it is' lines): COMMENT ON for a table and its columns in one readable block.
CREATE OR REPLACE FUNCTION pg_temp.note(t regclass, about text, columns text) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE line text;
BEGIN
  EXECUTE format('COMMENT ON TABLE %s IS %L', t, about);
  FOREACH line IN ARRAY string_to_array(trim(E'\n ' FROM columns), E'\n') LOOP
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', t, trim(split_part(line, ':', 1)), trim(substr(line, strpos(line, ':') + 1)));
  END LOOP;
END $f$;

-- columns that every versioned table has; LIKE copies them with their comments
CREATE TEMP TABLE IF NOT EXISTS version_columns (
  id uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  code_namespace text NOT NULL,
  code text NOT NULL,
  valid daterange NOT NULL DEFAULT '(,)' CHECK (NOT isempty(valid)),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz CHECK (superseded_at >= recorded_at),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  import_id uuid,
  source_feature text,
  source jsonb NOT NULL DEFAULT '{}',
  content_hash text NOT NULL);
SELECT pg_temp.note('version_columns', 'template', '
id: identity over all versions
version: counts up from 1
code_namespace: who gave the code
code: code within the namespace
valid: civil dates on which this is so, half-open (law and permits inclusive of the last day)
recorded_at: known to this database from
superseded_at: replaced in this database at; null = current knowledge
actor: who recorded it
import_id: the import it came with
source_feature: number of the feature in its file
source: attributes as delivered, source CRS and original coordinates of points
content_hash: hash over content columns; equal content makes no new version');

-- make a table versioned: keys, history rule (one current row an identity and day), indexes
CREATE OR REPLACE FUNCTION pg_temp.versioned(t regclass) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE n text := (SELECT relname FROM pg_class WHERE oid = t);
BEGIN
  EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (id, version), ADD FOREIGN KEY (id) REFERENCES data.identity,
     ADD FOREIGN KEY (import_id) REFERENCES sys.import_record DEFERRABLE INITIALLY DEFERRED,
     ADD CONSTRAINT %I EXCLUDE USING gist (id WITH =, valid WITH &&) WHERE (superseded_at IS NULL)', t, n || '_one_current');
  EXECUTE format('CREATE INDEX %I ON %s (code)', n || '_code', t);
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = t AND attname = 'geom') THEN
    EXECUTE format('CREATE INDEX %I ON %s USING gist (geom)', n || '_geom', t);
  END IF;
END $f$;

