-- What pages, maps and services show of leads and patrols: one row each, as of a day and as known at a moment.
CREATE FUNCTION app.finding_as_of(on_date date, known_at timestamptz DEFAULT now())
RETURNS TABLE (id uuid, topic text, first_night date, district text, night date, status text, area_m2 double precision,
  observed_share real, class_code text, "position" text, basis text, clause text, competent_authority text, our_action text,
  figures jsonb, state text, geom geometry)
LANGUAGE sql STABLE ROWS 1000 AS $$
  -- a verdict has a known_at of its own: the moment asked for is named in full
  SELECT f.id, f.topic, f.first_night, f.district, s.night,
    CASE WHEN s.night < l.night AND s.status IN ('new', 'grown', 'shrunk', 'rebound', 'split') THEN 'persisting'
      WHEN s.night < l.night AND s.status = 'missed' THEN 'unobserved' ELSE s.status END, g.area_m2, s.observed_share, v.class_code, v."position",
    v.basis, v.clause, v.competent_authority, v.our_action, v.figures, coalesce(e.to_state, 'found'), coalesce(g.geom, f.place)
  FROM data.finding f
  -- what a night newly told is no news to the nights after it
  CROSS JOIN (SELECT max(r.run_date) AS night FROM sys.job_run r WHERE r.job = 'nightly' AND r.district = '' AND r.run_date <= on_date
              AND r.finished_at <= finding_as_of.known_at) l
  JOIN LATERAL (SELECT * FROM data.sighting s WHERE s.finding_id = f.id AND s.night <= on_date AND s.recorded_at <= finding_as_of.known_at
                ORDER BY s.night DESC LIMIT 1) s ON true
  LEFT JOIN LATERAL (SELECT z.geom, z.area_m2 FROM data.sighting z WHERE z.finding_id = f.id AND z.night <= on_date
                AND z.recorded_at <= finding_as_of.known_at AND z.geom IS NOT NULL ORDER BY z.night DESC LIMIT 1) g ON true
  LEFT JOIN LATERAL (SELECT * FROM data.verdict v WHERE v.finding_id = f.id AND v.night <= on_date AND v.recorded_at <= finding_as_of.known_at
                ORDER BY v.night DESC, v.recorded_at DESC LIMIT 1) v ON true
  LEFT JOIN LATERAL (SELECT e.to_state FROM data.finding_event e WHERE e.finding_id = f.id AND e.recorded_at <= finding_as_of.known_at
                ORDER BY e.id DESC LIMIT 1) e ON true
  WHERE f.first_night <= on_date AND f.recorded_at <= finding_as_of.known_at
$$;
COMMENT ON FUNCTION app.finding_as_of(date, timestamptz) IS
  'Suspected leads (疑似问题线索) as the nights up to a day left them: last sighting, last footprint, verdict then, state';
CREATE VIEW app.finding AS SELECT * FROM app.finding_as_of(app.today());
COMMENT ON VIEW app.finding IS 'Suspected leads as the last night left them';

CREATE VIEW app.patrol AS
  SELECT t.id AS track_id, t.day, t.started_at, o.ended_at, t.mode, t.datum_declared, t.datum_used, o.fix_count, o.purged_at,
    r.id AS result_id, r.figures, r.standard, r.review, r.rule_set, c.name AS chief, c.level, c.title, c.unit_code
  FROM data.track t
  LEFT JOIN data.patrol_result r ON r.track_id = t.id AND r.superseded_at IS NULL
  CROSS JOIN LATERAL (SELECT max(p.ended_at) AS ended_at, sum(p.fix_count)::int AS fix_count, max(p.purged_at) AS purged_at
    FROM data.track p WHERE p.id = t.id OR p.part_of = t.id) o
  LEFT JOIN LATERAL (SELECT * FROM app.chief_as_of(t.day) c WHERE c.id = t.chief_id LIMIT 1) c ON true
  WHERE t.part_of IS NULL;
COMMENT ON VIEW app.patrol IS
  'Patrols, the files of one outing once, with the chief on that day and their current scoring (personal data: capability view_tracks)';

CREATE VIEW app.leg AS
  SELECT r.track_id, l.seq, l.reach_id, l.bank, l.from_m, l.to_m, l.seen, l.reason, l.started_at, l.ended_at,
    h.from_m AS reach_from_m, h.length_m AS reach_length_m, h.half_width_m, h.river_id, h.geom AS reach_geom
  FROM data.leg l
  JOIN data.patrol_result r ON r.id = l.result_id AND r.superseded_at IS NULL
  JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version;
COMMENT ON VIEW app.leg IS 'Stretches of bank seen and not seen by patrols, with the version of the reach they were measured on';

CREATE VIEW app.fix AS SELECT track_id, seq, at, acc_m, speed_ms, mark, geom FROM data.fix;
COMMENT ON VIEW app.fix IS 'Position fixes of tracks not yet purged (personal data: capability view_tracks)';
CREATE VIEW app.evidence AS SELECT id, finding_id, kind, file_sha256, file_path, taken_on, caption, position_grade FROM data.evidence;
COMMENT ON VIEW app.evidence IS 'Pictures and documents of leads';
CREATE VIEW app.not_finding AS
  SELECT n.night, n.candidate_id, n.candidate_version, n.reason, n.detail, n.recorded_at, c.code, c.kind, c.name, c.geom
  FROM data.not_finding n JOIN data.candidate c ON c.id = n.candidate_id AND c.version = n.candidate_version;
COMMENT ON VIEW app.not_finding IS 'Objects near or inside a line that are not told, and why: a row for each night in which the reason changed';
CREATE FUNCTION app.not_finding_as_of(on_date date, known_at timestamptz DEFAULT now())
RETURNS TABLE (night date, candidate_id uuid, candidate_version int, reason text, detail jsonb, code text, kind text, name text, geom geometry)
LANGUAGE sql STABLE ROWS 1000 AS $$
  SELECT n.night, n.candidate_id, n.candidate_version, n.reason, n.detail, c.code, c.kind, c.name, c.geom
  FROM (SELECT DISTINCT ON (n.candidate_id) n.* FROM data.not_finding n WHERE n.night <= on_date AND n.recorded_at <= not_finding_as_of.known_at
        ORDER BY n.candidate_id, n.night DESC) n
  JOIN data.candidate c ON c.id = n.candidate_id AND c.version = n.candidate_version
  WHERE n.reason NOT IN ('told', 'outside', 'left')
$$;
COMMENT ON FUNCTION app.not_finding_as_of(date, timestamptz) IS
  'Objects near or inside a line that are not told, and why, as the nights up to a day left them; night: since when the reason holds';
CREATE VIEW app.night_run AS SELECT run_date, district, state, finished_at, counts, message, rule_set FROM sys.job_run
  WHERE job = 'nightly' AND district = '';
COMMENT ON VIEW app.night_run IS 'Finished runs of the overnight job over all districts';
CREATE VIEW app.night_district AS SELECT run_date, district, state, finished_at, counts, message FROM sys.job_run
  WHERE job = 'nightly' AND district <> '';
COMMENT ON VIEW app.night_district IS 'Finished runs of the overnight job district by district';
