-- The river as a network: what a build says of a reach, the builds with everything they found, and numbers for tracing.
ALTER TABLE data.reach
  ADD COLUMN channel text CHECK (channel IN ('main', 'side')),
  ADD COLUMN upstream_area_km2 double precision,
  ADD COLUMN repair text;
COMMENT ON COLUMN data.reach.channel IS 'main, or side: arm of a braid, a loop or a bifurcation that is not the main successor; null = not assessed';
COMMENT ON COLUMN data.reach.upstream_area_km2 IS 'Upstream area at its downstream end from a DEM, km2; null = not known';
COMMENT ON COLUMN data.reach.repair IS 'What was done to its geometry when the network was built; null = nothing';

CREATE TABLE data.network_build (
  id uuid PRIMARY KEY,
  code_namespace text NOT NULL,
  file_name text NOT NULL,
  file_sha256 text NOT NULL,
  options jsonb NOT NULL DEFAULT '{}',
  rule_set text NOT NULL,
  counts jsonb NOT NULL DEFAULT '{}',
  actor text NOT NULL DEFAULT current_setting('rivergis.actor'),
  recorded_at timestamptz NOT NULL DEFAULT now());
SELECT pg_temp.note('data.network_build', 'Every build of a network from raw centre lines that changed something; append only', '
id: identity, derived from namespace, file, options, rules and outcome
code_namespace: namespace of its reaches and rivers
file_name: file of the centre lines, as given
file_sha256: content hash of that file
options: options of the build
rule_set: version of the rule book
counts: figures of the build
actor: who
recorded_at: when');
CREATE INDEX network_build_file ON data.network_build (code_namespace, file_name, recorded_at);

CREATE TABLE data.network_build_reach (
  build_id uuid NOT NULL REFERENCES data.network_build,
  reach_id uuid NOT NULL REFERENCES data.identity,
  PRIMARY KEY (build_id, reach_id));
SELECT pg_temp.note('data.network_build_reach', 'Which reaches a build made; those that the next build of the same file no longer makes end with it', '
build_id: build
reach_id: reach');

CREATE TABLE data.network_defect (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  build_id uuid NOT NULL REFERENCES data.network_build,
  code text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
  reach_id uuid REFERENCES data.identity,
  measure double precision,
  unit text,
  proposal text NOT NULL,
  done boolean NOT NULL,
  geom geometry(Point, 4490));
SELECT pg_temp.note('data.network_defect', 'What a build found wrong with the lines, or guessed: where, how much, and what is proposed or was done', '
id: order
build_id: build
code: stable code of the defect
severity: info, warning or error
reach_id: reach it is about; null = none of the network
measure: how much, in unit
unit: unit of the measure
proposal: what is proposed or was done
done: whether the network already contains the proposal
geom: where, EPSG:4490');
CREATE INDEX network_defect_build ON data.network_defect (build_id);
CREATE INDEX network_defect_geom ON data.network_defect USING gist (geom);

CREATE TABLE cache.network_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  changes bigint NOT NULL DEFAULT 0,
  built_changes bigint,
  from_day date,
  until_day date,
  forks int NOT NULL DEFAULT 0,
  built_at timestamptz);
SELECT pg_temp.note('cache.network_state', 'Whether the tracing numbers are those of the reaches in force; one row', '
one: always true
changes: writing statements on data.reach so far
built_changes: changes when the numbers were made; other than changes = they are out of date
from_day: civil day they were made for
until_day: first civil day on which other versions are in force; null = none known
forks: how many reaches feed more than one channel
built_at: when they were made');

CREATE TABLE cache.reach_topology (
  number int PRIMARY KEY,
  last int NOT NULL,
  next_number int,
  stem int NOT NULL,
  fork int,
  fork_number int,
  length_m double precision NOT NULL,
  to_outlet_m double precision NOT NULL,
  reach_id uuid NOT NULL UNIQUE,
  code text NOT NULL,
  from_node text NOT NULL,
  to_node text NOT NULL,
  strahler int,
  stem_order int,
  upstream_length_m double precision);
SELECT pg_temp.note('cache.reach_topology', 'Reaches in force with numbers for tracing; everything upstream along main successors is number .. last', '
number: preorder number on the tree of main successors, the largest tributary first
last: highest number upstream of it along main successors
next_number: number of the main successor; null at an outlet
stem: number of the lowest reach of its stem; a stem is a run of numbers
fork: rank of the nearest reach at or below it (along main successors) that feeds more than one channel; against the water
fork_number: number of that reach
length_m: ellipsoidal length, m
to_outlet_m: from its downstream end along main successors to the outlet, m
reach_id: reach
code: its code
from_node: upstream node, with its namespace
to_node: downstream node, with its namespace
strahler: Strahler order
stem_order: 1 = stem that reaches an outlet, 2 = its tributaries ...
upstream_length_m: length of itself and everything that drains into it, m');

CREATE TABLE cache.reach_side (
  from_number int NOT NULL,
  to_number int NOT NULL,
  from_last int NOT NULL,
  fork int NOT NULL,
  to_fork int,
  to_fork_number int,
  next_number int,
  next_fork int,
  next_fork_number int,
  over_m double precision NOT NULL,
  PRIMARY KEY (to_number, from_number));
SELECT pg_temp.note('cache.reach_side', 'Ways of the water other than to the main successor: from a fork into a side channel', '
from_number: the fork
to_number: the channel
from_last: last of the fork
fork: rank of the fork
to_fork: fork of the channel
to_fork_number: its number
next_number: main successor of the fork
next_fork: fork of the main successor
next_fork_number: its number
over_m: how much longer the way to the outlet gets, m; negative = shorter');
CREATE INDEX reach_side_from ON cache.reach_side (from_number);
CREATE INDEX reach_side_fork ON cache.reach_side (fork);
