-- Encroachments in full: what a night carries from the last, verdicts that can be recomputed, and lines prepared once a version.
ALTER TABLE data.sighting DROP CONSTRAINT sighting_status_check, ADD CONSTRAINT sighting_status_check CHECK (status IN ('new', 'persisting',
    'grown', 'shrunk', 'gone', 'rebound', 'split', 'merged', 'unobserved', 'permitted', 'missed', 'left_by_redraw')),
  ADD COLUMN carried jsonb;
COMMENT ON COLUMN data.sighting.status IS 'new, persisting, grown, shrunk, gone, rebound, split (stands in parts from here on), merged (another lead goes on for it), unobserved, permitted, missed (looked at and not seen, too few times to be gone) or left_by_redraw (the line moved; the object stands as before, now outside)';
COMMENT ON COLUMN data.sighting.carried IS 'All that the next night needs of this lead: reference area, last areas, growing count, observed nights without it, last seen; null = a night before this was kept';

ALTER TABLE data.verdict
  ADD COLUMN jurisdiction text,
  ADD COLUMN known_at timestamptz,
  ADD COLUMN severity text,
  ADD COLUMN built_period text CHECK (built_period IN ('before_1988_06', '1988_06_to_2018', 'from_2019', 'undecided')),
  ADD COLUMN seal text;
COMMENT ON COLUMN data.verdict.jurisdiction IS 'adcode of the place whose rules were used; null = given before this was kept';
COMMENT ON COLUMN data.verdict.known_at IS 'What the database knew up to this moment is what the verdict rests on, UTC; null = given before this was kept';
COMMENT ON COLUMN data.verdict.severity IS 'Level of the rules (一般, 较严重, 重大), borderline (its error crosses a threshold) or cannot_tell (the source is too coarse); null = the rules have no confirmed threshold';
COMMENT ON COLUMN data.verdict.built_period IS 'When it was built: before_1988_06, 1988_06_to_2018, from_2019 or undecided; null = not assessed';
COMMENT ON COLUMN data.verdict.seal IS 'Hash over content_hash, night, jurisdiction, rule_set, engine and known_at: the record as it was given';
CREATE INDEX verdict_night ON data.verdict (night);
CREATE INDEX delivery_item_candidate ON data.delivery_item (candidate_id);
CREATE INDEX sighting_sources ON data.sighting USING gin (sources jsonb_path_ops);

ALTER TABLE data.permit ADD COLUMN accepted_on date;
COMMENT ON COLUMN data.permit.accepted_on IS '竣工验收 civil day on which the finished work was accepted; null = no acceptance seen';

COMMENT ON COLUMN data.not_finding.reason IS 'permitted, permit_place_open (有许可·待核位置), permit_unaccepted (许可期满未见竣工验收资料,待核), undecided, not_observed, allowed_use, below_min_area, within_tolerance, touches_only ...';
COMMENT ON COLUMN data.finding.merged_into IS 'The lead that goes on for it; set once, in the night whose sighting says merged';

-- lines prepared once per version: rebuilt when missing, so nothing here is a fact
CREATE TABLE cache.boundary_ground (
  id uuid PRIMARY KEY,
  boundary_id uuid NOT NULL,
  boundary_version int NOT NULL,
  area_id uuid,
  area_version int,
  lines jsonb NOT NULL DEFAULT '[]',
  decided boolean NOT NULL,
  said jsonb NOT NULL DEFAULT '[]',
  geom geometry(MultiPolygon, 4490));
SELECT pg_temp.note('cache.boundary_ground', 'What a version of a management boundary encloses, repaired or closed from its lines, for the night', '
id: identity, derived from the versions it was made of and the way of making it
boundary_id: delimitation
boundary_version: its version
area_id: area it was made of; null = made of lines
area_version: its version
lines: ids and versions of the lines it was made of
decided: false = the lines do not close, or which side is meant is open: candidates there are left undecided
said: what was repaired, closed or left open: code and sentence
geom: ground enclosed, or where it is open ground that may be meant, EPSG:4490; null = none');
CREATE INDEX boundary_ground_geom ON cache.boundary_ground USING gist (geom);

CREATE TABLE cache.boundary_piece (
  ground_id uuid NOT NULL REFERENCES cache.boundary_ground ON DELETE CASCADE,
  seq int NOT NULL,
  geom geometry(Polygon, 4490) NOT NULL,
  PRIMARY KEY (ground_id, seq));
SELECT pg_temp.note('cache.boundary_piece', 'The same ground in pieces of few vertices, so that an index finds what stands near a line', '
ground_id: ground
seq: number of the piece
geom: piece, EPSG:4490');
CREATE INDEX boundary_piece_geom ON cache.boundary_piece USING gist (geom);
