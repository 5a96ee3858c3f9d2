-- What waits for a person beside a permit, and what a redrawn line left outside.
CREATE FUNCTION app.permit_queue_as_of(on_date date, known_at timestamptz DEFAULT now())
RETURNS TABLE (night date, queue text, candidate_id uuid, finding_id uuid, code text, kind text, name text, permits jsonb,
  river text, bank text, chainage text, village text, geom geometry)
LANGUAGE sql STABLE ROWS 100 AS $$
  WITH last AS (SELECT max(run_date) AS night FROM sys.job_run WHERE job = 'nightly' AND district = '' AND run_date <= on_date
                AND finished_at <= known_at)
  SELECT last.night, n.reason, n.candidate_id, NULL::uuid, n.code, n.kind, n.name, n.detail -> 'permits', n.detail ->> 'river',
    n.detail ->> 'bank', n.detail ->> 'chainage', n.detail ->> 'village', n.geom
  FROM last JOIN app.not_finding_as_of(last.night, known_at) n ON n.reason IN ('permit_place_open', 'permit_unaccepted')
  UNION ALL
  SELECT last.night, 'permit_unaccepted', NULL::uuid, f.id, left(f.id::text, 8), f.figures ->> 'kind', f.figures ->> 'name',
    f.figures -> 'permits_unaccepted', f.figures ->> 'river', f.figures ->> 'bank', f.figures ->> 'chainage', f.figures ->> 'village', f.geom
  FROM last JOIN app.finding_as_of(last.night, known_at) f ON f.figures ? 'permits_unaccepted'
    AND f.status NOT IN ('gone', 'permitted', 'merged')
  ORDER BY 2, 5
$$;
COMMENT ON FUNCTION app.permit_queue_as_of(date, timestamptz) IS
  'Objects beside a permit that a person must place (有许可·待核位置), or whose papers of acceptance nobody has seen (许可期满未见竣工验收资料,待核), as the last night up to a day left them';
CREATE VIEW app.permit_queue AS SELECT * FROM app.permit_queue_as_of(app.today());
COMMENT ON VIEW app.permit_queue IS 'Objects that wait for a person beside a permit, as the last night left them';
