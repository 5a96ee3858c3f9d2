-- Identity for everything that has versions, and the units and people who answer for a metre of river.
CREATE TABLE data.identity (
  id uuid PRIMARY KEY,
  noun text NOT NULL,
  code_namespace text NOT NULL,
  code text NOT NULL,
  UNIQUE (noun, code_namespace, code));
SELECT pg_temp.note('data.identity', 'A thing that stays itself over all its versions; ids derive from noun, namespace and code', '
id: uuid that never changes
noun: layer name
code_namespace: who gave the code: a national standard, or a local namespace
code: code within the namespace');

CREATE TABLE data.admin_unit (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  level text NOT NULL CHECK (level IN ('province', 'city', 'county', 'town', 'village')),
  parent_code text,
  geom geometry(MultiPolygon, 4490) NOT NULL);
SELECT pg_temp.versioned('data.admin_unit');
SELECT pg_temp.note('data.admin_unit', '行政区 administrative unit; code is the adcode (6, 9 or 12 digits)', '
name: name
level: province, city, county, town or village
parent_code: adcode of the unit above
geom: area, EPSG:4490');

CREATE TABLE data.chief (LIKE version_columns INCLUDING ALL,
  name text NOT NULL,
  level text NOT NULL CHECK (level IN ('province', 'city', 'county', 'town', 'village')),
  title text,
  unit_code text);
SELECT pg_temp.versioned('data.chief');
SELECT pg_temp.note('data.chief', '河长 river chief (personal data)', '
name: name of the person
level: level of office
title: title
unit_code: adcode of the unit served');

CREATE TABLE data.duty (LIKE version_columns INCLUDING ALL,
  chief_id uuid NOT NULL REFERENCES data.identity,
  river_id uuid NOT NULL REFERENCES data.identity,
  level text NOT NULL,
  bank text NOT NULL DEFAULT 'both' CHECK (bank IN ('left', 'right', 'both')),
  from_m double precision NOT NULL,
  to_m double precision NOT NULL CHECK (to_m > from_m));
SELECT pg_temp.versioned('data.duty');
CREATE INDEX duty_river ON data.duty (river_id);
SELECT pg_temp.note('data.duty', '责任河段 assignment: who answers for these metres of this river, on these dates', '
chief_id: chief
river_id: river
level: level of office
bank: left, right (looking downstream) or both
from_m: chainage on the river axis, m
to_m: chainage on the river axis, m, exclusive');
