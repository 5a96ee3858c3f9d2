-- What of announced lines went out to the public: each bundle with its own 审图号, content hash and standing.
CREATE TABLE data.publication (
  id uuid PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (code ~ '^[^/\s]{1,60}$'),
  title text NOT NULL CHECK (btrim(title) <> ''),
  kind text NOT NULL CHECK (kind IN ('map', 'tables')),
  review_no text CHECK (btrim(review_no) <> ''),
  published_on date NOT NULL,
  as_of date NOT NULL,
  known_at timestamptz NOT NULL,
  scale_denominator int CHECK (scale_denominator > 0),
  contiguous_km2 double precision NOT NULL CHECK (contiguous_km2 >= 0),
  secrecy_confirmed text,
  content_sha256 text NOT NULL UNIQUE CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
  files jsonb NOT NULL CHECK (jsonb_typeof(files) = 'array'),
  extent geometry(Polygon, 4490) NOT NULL,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK (kind = 'tables' OR review_no IS NOT NULL),
  CHECK (known_at <= recorded_at));
CREATE INDEX publication_extent ON data.publication USING gist (extent);
SELECT pg_temp.note('data.publication', '公开成果 a publication bundle of announced boundary lines; append only: any change makes another one', '
id: identity
code: name of the bundle
title: title as printed
kind: map (map and geometry; needs a review number) or tables (tables without coordinates or shapes)
review_no: 审图号 of this bundle; null = none, then only tables
published_on: civil day printed on it
as_of: civil day on which the lines in it were in force
known_at: what the database knew up to this moment is what it rests on, UTC
scale_denominator: largest scale of a map in it; null = no map
contiguous_km2: largest contiguous area shown, km2
secrecy_confirmed: who confirmed by which document that it may be public; null = nothing asked for it
content_sha256: hash of the manifest: every file, title, number, day and extent
files: path, bytes and sha256 of every file
extent: box of what it shows, EPSG:4490
actor: who issued it
recorded_at: when');

CREATE TABLE data.publication_part (
  publication_id uuid NOT NULL REFERENCES data.publication,
  boundary_id uuid NOT NULL,
  boundary_version int NOT NULL,
  lines_sha256 text NOT NULL CHECK (lines_sha256 ~ '^[0-9a-f]{64}$'),
  PRIMARY KEY (publication_id, boundary_id),
  FOREIGN KEY (boundary_id, boundary_version) REFERENCES data.boundary_version (id, version));
CREATE INDEX publication_part_boundary ON data.publication_part (boundary_id);
SELECT pg_temp.note('data.publication_part', '公开所据划界成果 which delimitations a publication shows, in which version and content; append only', '
publication_id: publication
boundary_id: delimitation (boundary_version)
boundary_version: its version
lines_sha256: hash of its act, lines and areas as published');

CREATE TABLE data.publication_event (
  publication_id uuid NOT NULL REFERENCES data.publication,
  seq int NOT NULL CHECK (seq > 0),
  move text NOT NULL,
  to_state text NOT NULL CHECK (to_state IN ('issued', 'voided')),
  reason text,
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (publication_id, seq));
SELECT pg_temp.note('data.publication_event', 'Life of a publication: issued, voided; append only', '
publication_id: publication
seq: order, from 1
move: issue or void
to_state: issued (有效) or voided (作废)
reason: why it became void
actor: who did it
recorded_at: when');
