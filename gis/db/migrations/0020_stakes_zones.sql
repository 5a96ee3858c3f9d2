-- Stakes as they are set, found, moved and lost in the field; boards beside them; and what a shoreline plan says of its zones.
ALTER TABLE data.stake
  ADD COLUMN number_series text,
  ADD COLUMN reason text,
  ADD COLUMN measured_by text,
  ADD COLUMN measured_on date,
  ADD COLUMN xy_error_m double precision CHECK (xy_error_m >= 0),
  ADD COLUMN photo_sha256 text CHECK (photo_sha256 ~ '^[0-9a-f]{64}$'),
  ADD COLUMN moved_m double precision CHECK (moved_m >= 0),
  ADD COLUMN moved_bearing_deg double precision CHECK (moved_bearing_deg >= 0 AND moved_bearing_deg < 360),
  ADD CHECK ((moved_m IS NULL) = (moved_bearing_deg IS NULL)),
  DROP CONSTRAINT stake_status_check,
  ADD CONSTRAINT stake_status_check CHECK (status IN ('planned', 'good', 'damaged', 'lost'));
COMMENT ON COLUMN data.stake.status IS 'planned (not yet set), good, damaged or lost';
COMMENT ON COLUMN data.stake.number_series IS 'series its number counts in: what stands before the figure, one for each bank';
COMMENT ON COLUMN data.stake.reason IS 'why it stands there: spacing, bend, county_border, tributary, bridge, line_end, sight; several parted by commas';
COMMENT ON COLUMN data.stake.measured_by IS 'office or team that measured it';
COMMENT ON COLUMN data.stake.measured_on IS 'civil day of the measurement';
COMMENT ON COLUMN data.stake.xy_error_m IS 'one-sigma position error, m; null = unknown';
COMMENT ON COLUMN data.stake.photo_sha256 IS 'content hash of its photo';
COMMENT ON COLUMN data.stake.moved_m IS 'how far it stands from the true point it marks, m; null = on it';
COMMENT ON COLUMN data.stake.moved_bearing_deg IS 'direction from the true point to the stake, degrees clockwise from north; null = on it';
CREATE INDEX stake_river ON data.stake (river_id);

CREATE TABLE data.stake_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stake_id uuid NOT NULL REFERENCES data.identity,
  stake_version int NOT NULL CHECK (stake_version > 0),
  event text NOT NULL CHECK (event IN ('set', 'lost', 'damaged', 'moved', 'restored')),
  happened_on date NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  reported_by text,
  photo_sha256 text CHECK (photo_sha256 ~ '^[0-9a-f]{64}$'),
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX stake_event_stake ON data.stake_event (stake_id, id);
SELECT pg_temp.note('data.stake_event', '界桩事件 what became of a stake: set, lost, damaged, moved or restored; append only', '
id: order
stake_id: stake
stake_version: version of the stake that the event made
event: set (埋设), lost (缺失), damaged (损毁), moved (移位) or restored (恢复)
happened_on: civil day it happened or was found
reason: what was found, in words
reported_by: who told it; an office or a role, no private person
photo_sha256: content hash of the photo
actor: who recorded it
recorded_at: when');

CREATE TABLE data.board (LIKE version_columns INCLUDING ALL,
  river_id uuid NOT NULL REFERENCES data.identity,
  bank text NOT NULL CHECK (bank IN ('left', 'right')),
  place text NOT NULL CHECK (place IN ('bridge', 'village', 'access')),
  place_name text,
  at_m double precision,
  status text NOT NULL DEFAULT 'planned' CHECK (status IN ('planned', 'good', 'damaged', 'lost')),
  title text NOT NULL,
  content jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(content) = 'object'),
  photo_sha256 text CHECK (photo_sha256 ~ '^[0-9a-f]{64}$'),
  geom geometry(Point, 4490) NOT NULL);
SELECT pg_temp.versioned('data.board');
CREATE INDEX board_river ON data.board (river_id);
SELECT pg_temp.note('data.board', '公告牌 notice board at a bridge, village or access; code is its number', '
river_id: river
bank: left or right looking downstream
place: bridge (桥梁), village (村庄) or access (下河通道)
place_name: name of that place
at_m: chainage, m
status: planned, good, damaged or lost
title: heading of the board
content: field of the board -> its text, in the order in which they stand on it
photo_sha256: content hash of its photo
geom: point, EPSG:4490');

ALTER TABLE data.function_zone
  ADD COLUMN given_type text,
  ADD COLUMN reason text,
  ADD COLUMN measures text,
  ADD COLUMN approval_no text;
COMMENT ON COLUMN data.function_zone.given_type IS 'name of its type as the plan has it (限制开发区 ...); zone_type is what that means';
COMMENT ON COLUMN data.function_zone.reason IS 'why it is of that type: 水源地, 自然保护区, 河势 ...';
COMMENT ON COLUMN data.function_zone.measures IS '管控要求 what the plan asks for';
COMMENT ON COLUMN data.function_zone.approval_no IS 'document number of the approval of the plan';
CREATE INDEX function_zone_river ON data.function_zone (river_id, bank);
