-- Nights in parts: what is known when a night begins is pinned, each district is a transaction of its own, and only what changed is looked at.
CREATE TABLE sys.night (
  night date NOT NULL,
  attempt int NOT NULL CHECK (attempt > 0),
  known_at timestamptz NOT NULL,
  input_hash text NOT NULL,
  inputs jsonb NOT NULL,
  engine jsonb NOT NULL DEFAULT '{}',
  rule_set text NOT NULL,
  files jsonb NOT NULL DEFAULT '[]',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  began_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (night, attempt));
SELECT pg_temp.note('sys.night', 'Every beginning of a night: what was known then decides it, however often it is interrupted and resumed; append only', '
night: civil day (Asia/Shanghai) the night is about
attempt: 1, and one more each time it is run again with other inputs
known_at: what the database knew up to this moment is what the night rests on, UTC
input_hash: hash over everything the night reads; an equal hash means nothing to do
inputs: the same in parts (registers, lines, permits, imagery, deliveries ...): what differs from the night before is looked at anew
engine: versions of rivergis, PostGIS, GEOS, PROJ
rule_set: version of the rule book
files: what became of the files of feeds that were taken in before it
actor: who ran it
began_at: when it began');

ALTER TABLE data.sighting ADD COLUMN calm boolean;
COMMENT ON TABLE data.sighting IS 'What a night saw of a lead: a row for each night that looked at its place again or changed what is said of it; not looked at is never gone';
COMMENT ON COLUMN data.sighting.carried IS 'All that the next night needs of this lead: reference area, last areas, growing count, observed nights without it, last seen; null = seen again as it was, nothing learnt but that';
COMMENT ON COLUMN data.sighting.geom IS 'part inside the line, net of permits, EPSG:4490; null = nothing seen, or as it was';
COMMENT ON COLUMN data.sighting.calm IS 'Seen again as it is, this lead would change nothing: nights pass it by until something near it changes; null = written before this was kept';
CREATE INDEX sighting_last ON data.sighting (finding_id, night DESC);

COMMENT ON TABLE data.not_finding IS 'Candidates near or inside a line that are not told, and why: a row each time the reason changes; told, outside and left end one';
COMMENT ON COLUMN data.not_finding.reason IS 'permitted, permit_place_open (有许可·待核位置), permit_unaccepted (许可期满未见竣工验收资料,待核), undecided, not_observed, allowed_use, below_min_area, within_tolerance, touches_only ...; or told, outside, left (no longer delivered): the reason before does not hold any more';
CREATE INDEX job_run_night ON sys.job_run (job, run_date, district);

-- islands of prepared grounds beside their pieces; what is prepared already is prepared again
DELETE FROM cache.boundary_ground;
CREATE TABLE cache.boundary_island (
  ground_id uuid NOT NULL REFERENCES cache.boundary_ground ON DELETE CASCADE,
  seq int NOT NULL,
  geom geometry(Polygon, 4490) NOT NULL,
  PRIMARY KEY (ground_id, seq));
SELECT pg_temp.note('cache.boundary_island', 'What a prepared ground leaves out in its middle: an object there is looked at and told to be outside', '
ground_id: ground
seq: number of the island
geom: island, EPSG:4490');
CREATE INDEX boundary_island_geom ON cache.boundary_island USING gist (geom);
