-- Patrols of a period as known at a moment: what bulletins, coverage maps and sweeps are made of.
CREATE FUNCTION app.patrol_in(first_day date, last_day date, known_at timestamptz DEFAULT now())
RETURNS TABLE (track_id uuid, result_id uuid, day date, chief_id uuid, chief text, level text, unit_code text, mode text, file_name text,
  started_at timestamptz, ended_at timestamptz, figures jsonb, standard jsonb, review jsonb, rule_set text, input_hash text)
LANGUAGE sql STABLE ROWS 1000 AS $$
  SELECT t.id, r.id, t.day, t.chief_id, c.name, c.level, coalesce(t.unit_code, c.unit_code), t.mode, t.file_name,
    t.started_at, t.ended_at, r.figures, r.standard, r.review, r.rule_set, r.input_hash
  FROM data.track t
  LEFT JOIN data.patrol_result r ON r.track_id = t.id AND r.recorded_at <= known_at
    AND (r.superseded_at IS NULL OR r.superseded_at > known_at)
  LEFT JOIN LATERAL (SELECT * FROM app.chief_as_of(t.day, known_at) c WHERE c.id = t.chief_id LIMIT 1) c ON true
  WHERE t.day BETWEEN first_day AND last_day AND t.recorded_at <= known_at AND (t.part_of IS NULL
    -- a head of then, of which an earlier file made a part later: it had a scoring of its own, or began first of what had come
    OR EXISTS (SELECT FROM data.track h WHERE h.id = t.part_of AND h.recorded_at > known_at) AND (r.id IS NOT NULL
      OR NOT EXISTS (SELECT FROM data.track o WHERE o.part_of = t.part_of AND o.recorded_at <= known_at
                     AND (o.started_at, o.id) < (t.started_at, t.id))))
$$;
COMMENT ON FUNCTION app.patrol_in(date, date, timestamptz) IS
  'Patrol tracks of a period (the parts of one outing once) with their scoring as known then (personal data)';

CREATE FUNCTION app.leg_in(first_day date, last_day date, known_at timestamptz DEFAULT now())
RETURNS TABLE (track_id uuid, day date, seq int, reach_id uuid, reach_version int, river_id uuid, bank text, from_m double precision,
  to_m double precision, seen boolean, reason text, started_at timestamptz, mode text, speed_ms real, passage int,
  length_m double precision, reach_from_m double precision, now_from_m double precision, now_to_m double precision)
LANGUAGE sql STABLE ROWS 10000 AS $$
  SELECT p.track_id, p.day, l.seq, l.reach_id, l.reach_version, h.river_id, l.bank, l.from_m, l.to_m, l.seen, l.reason, l.started_at,
    l.mode, l.speed_ms, l.passage, h.length_m, h.from_m, n.from_m, n.to_m
  FROM app.patrol_in(first_day, last_day, known_at) p
  JOIN data.leg l ON l.result_id = p.result_id
  JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version
  LEFT JOIN app.reach_as_of(last_day, known_at) n ON n.id = h.id AND n.geom = h.geom
$$;
COMMENT ON FUNCTION app.leg_in(date, date, timestamptz) IS
  'Stretches of bank that patrols of a period saw or did not see, in metres of the reach version they were measured on, with the chainage of that reach on the last day where it is still the same line';

CREATE FUNCTION app.patrol_entry_as_of(known_at timestamptz DEFAULT now())
RETURNS TABLE (entry_id uuid, kind text, chief_id uuid, day date, minutes double precision, metres_said double precision, note text,
  move text, merged_into uuid)
LANGUAGE sql STABLE ROWS 1000 AS $$
  SELECT e.id, e.kind, e.chief_id, e.day, e.minutes, e.metres_said, e.note, v.move, v.track_id
  FROM data.patrol_entry e
  LEFT JOIN LATERAL (SELECT * FROM data.patrol_entry_event v WHERE v.entry_id = e.id AND v.recorded_at <= known_at
                     ORDER BY v.id DESC LIMIT 1) v ON true
  WHERE e.recorded_at <= known_at
$$;
COMMENT ON FUNCTION app.patrol_entry_as_of(timestamptz) IS
  'Patrols said to have been done, without a track, as known then; move: null or restored = it stands, merged = the same patrol as a track, withdrawn';

CREATE FUNCTION app.patrol_credit_as_of(known_at timestamptz DEFAULT now())
RETURNS TABLE (track_id uuid, entry_id uuid, chief_id uuid) LANGUAGE sql STABLE ROWS 1000 AS $$
  SELECT t.id, NULL::uuid, t.chief_id FROM data.track t WHERE t.chief_id IS NOT NULL AND t.recorded_at <= known_at
  UNION SELECT NULL::uuid, e.id, e.chief_id FROM data.patrol_entry e WHERE e.chief_id IS NOT NULL AND e.recorded_at <= known_at
  UNION SELECT y.track_id, y.entry_id, y.chief_id FROM data.patrol_party y
    WHERE y.chief_id IS NOT NULL AND y.part IN ('chief', 'joint') AND y.recorded_at <= known_at
  -- who was declared with a part took part in the outing
  UNION SELECT t.part_of, NULL::uuid, y.chief_id FROM data.patrol_party y JOIN data.track t ON t.id = y.track_id
    WHERE t.part_of IS NOT NULL AND y.chief_id IS NOT NULL AND y.part IN ('chief', 'joint') AND y.recorded_at <= known_at
$$;
COMMENT ON FUNCTION app.patrol_credit_as_of(timestamptz) IS
  'Chiefs whose patrol a track or an entry is: the one on whose account it is, and those who took part by declaration';

CREATE FUNCTION app.review_state_as_of(known_at timestamptz DEFAULT now())
RETURNS TABLE (track_id uuid, code text, family text, move text, decided_text text, decided_by text, decided_at timestamptz, reply text,
  replied_by text, replied_at timestamptz) LANGUAGE sql STABLE ROWS 100 AS $$
  -- a move is about the file it was made under, and about the outing that file is part of now
  WITH moved AS (
    SELECT DISTINCT o.track_id, v.code, v.id, v.result_id, v.move, v.text, v.actor, v.recorded_at
    FROM data.review_event v JOIN data.track t ON t.id = v.track_id CROSS JOIN LATERAL (VALUES (t.id), (t.part_of)) o(track_id)
    WHERE v.recorded_at <= known_at AND o.track_id IS NOT NULL),
  last AS (SELECT DISTINCT ON (m.track_id, m.code) m.* FROM moved m ORDER BY m.track_id, m.code, m.id DESC),
  decided AS (SELECT DISTINCT ON (m.track_id, m.code) m.* FROM moved m WHERE m.move IN ('confirmed', 'dismissed')
    ORDER BY m.track_id, m.code, m.id DESC),
  replied AS (SELECT DISTINCT ON (m.track_id, m.code) m.* FROM moved m WHERE m.move = 'replied' ORDER BY m.track_id, m.code, m.id DESC)
  SELECT l.track_id, l.code, (SELECT s.value ->> 'family' FROM data.patrol_result r CROSS JOIN LATERAL jsonb_array_elements(r.review) s(value)
      WHERE r.id = l.result_id AND s.value ->> 'code' = l.code LIMIT 1),
    l.move, d.text, d.actor, d.recorded_at, a.text, a.actor, a.recorded_at
  FROM last l LEFT JOIN decided d USING (track_id, code) LEFT JOIN replied a USING (track_id, code)
$$;
COMMENT ON FUNCTION app.review_state_as_of(timestamptz) IS
  '轨迹待核实: what each question about a track is about (family), its last move, reply and decision, as known then (for the duty person and the chief concerned)';

CREATE FUNCTION app.patrol_rejected_as_of(known_at timestamptz DEFAULT now()) RETURNS TABLE (track_id uuid)
LANGUAGE sql STABLE ROWS 10 AS $$
  SELECT DISTINCT v.track_id FROM app.review_state_as_of(known_at) v
  WHERE v.move = 'confirmed' AND v.family IN ('spoof', 'replay', 'shared')
$$;
COMMENT ON FUNCTION app.patrol_rejected_as_of(timestamptz) IS
  '复核不予认定: tracks about which a person has confirmed that they do not show this patrol of this chief; a wrong clock or datum, a drive or a pause does not reject one';

CREATE FUNCTION app.duty_in(first_day date, last_day date, known_at timestamptz DEFAULT now())
RETURNS TABLE (duty_id uuid, version int, chief_id uuid, river_id uuid, level text, bank text, from_m double precision, to_m double precision,
  first_on date, last_on date) LANGUAGE sql STABLE ROWS 1000 AS $$
  SELECT d.id, d.version, d.chief_id, d.river_id, d.level, d.bank, d.from_m, d.to_m,
    greatest(lower(d.valid), first_day), least(coalesce(upper(d.valid), 'infinity'), last_day + 1) - 1
  FROM data.duty d
  WHERE d.valid && daterange(first_day, last_day, '[]') AND d.recorded_at <= known_at
    AND (d.superseded_at IS NULL OR d.superseded_at > known_at)
$$;
COMMENT ON FUNCTION app.duty_in(date, date, timestamptz) IS
  'Duties (责任河段) in force on some day of a period, with the first and last day of it on which they hold, as known then';

CREATE FUNCTION app.chief_in(first_day date, last_day date, known_at timestamptz DEFAULT now())
RETURNS TABLE (chief_id uuid, code text, name text, level text, title text, unit_code text) LANGUAGE sql STABLE ROWS 100 AS $$
  SELECT DISTINCT ON (c.id) c.id, c.code, c.name, c.level, c.title, c.unit_code FROM data.chief c
  WHERE c.valid && daterange(first_day, last_day, '[]') AND c.recorded_at <= known_at
    AND (c.superseded_at IS NULL OR c.superseded_at > known_at)
  ORDER BY c.id, lower(c.valid) DESC NULLS LAST
$$;
COMMENT ON FUNCTION app.chief_in(date, date, timestamptz) IS
  'Chiefs in office on some day of a period, each once as of the last of these days, as known then (personal data)';
