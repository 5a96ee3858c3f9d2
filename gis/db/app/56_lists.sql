-- What lists and reports are made of beside the ledger: what happened to cases in a period, and the four stages of a case.
CREATE FUNCTION app.case_flow(first_day date, last_day date, known_at timestamptz DEFAULT now())
RETURNS TABLE (finding_id uuid, what text, on_date date)
LANGUAGE sql STABLE ROWS 1000 AS $$
  WITH events AS MATERIALIZED (
    SELECT e.finding_id, e.seq, e.move, e.to_state, (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS on_date,
      coalesce(lag(e.to_state) OVER (PARTITION BY e.finding_id ORDER BY e.seq), 'found') AS from_state
    FROM data.finding_event e WHERE e.recorded_at <= case_flow.known_at),
  closings AS (
    SELECT e.finding_id, e.on_date, lead(e.on_date) OVER (PARTITION BY e.finding_id ORDER BY e.seq) AS next_on
    FROM events e WHERE e.to_state = 'closed' AND e.from_state <> 'closed'),
  -- what a night sees again after a closing, before anybody said a word: once for each closing
  seen AS (
    SELECT c.finding_id, min(s.night) AS on_date FROM closings c JOIN data.sighting s ON s.finding_id = c.finding_id
      AND s.night > c.on_date AND (c.next_on IS NULL OR s.night <= c.next_on) AND s.recorded_at <= case_flow.known_at
      AND s.status IN ('new', 'persisting', 'grown', 'shrunk', 'rebound', 'split') GROUP BY c.finding_id, c.on_date),
  flow AS (
    SELECT e.finding_id, w.what, e.on_date FROM events e CROSS JOIN LATERAL (VALUES
      (CASE WHEN e.move LIKE 'judge\_%' THEN 'verified' END), (CASE WHEN e.move = 'judge_problem' THEN 'confirmed' END),
      (CASE WHEN e.move = 'rectify' THEN 'rectified' END), (CASE WHEN e.to_state = 'closed' AND e.from_state <> 'closed' THEN 'closed' END),
      (CASE WHEN e.move = 'look_back_rebounded' OR e.move = 'reopen' AND e.from_state IN ('closed', 'closed_above') THEN 'rebound' END)) w(what)
    WHERE w.what IS NOT NULL
    UNION ALL SELECT finding_id, 'rebound', on_date FROM seen)
  SELECT finding_id, what, on_date FROM flow WHERE on_date BETWEEN first_day AND last_day
$$;
COMMENT ON FUNCTION app.case_flow(date, date, timestamptz) IS
  'What happened to cases in a period (civil days, Asia/Shanghai) as known at a moment: verified, confirmed (认定问题), rectified, closed (县内销号), rebound (反弹: by people, or seen again by a night after closing)';

CREATE FUNCTION app.case_stage_as_of(on_date date, known_at timestamptz DEFAULT now())
RETURNS TABLE (id uuid, number text, class_code text, state text, stage text, found_on date, sources text[], confirmed_on date, outcome text,
  assigned_on date, deadline date, rectified_on date, accepted_on date, closed_on date, closed_above_on date, decisions jsonb)
LANGUAGE sql STABLE ROWS 1000 AS $$
  SELECT c.id, c.number, c.class_code, c.state,
    CASE WHEN c.state = 'found' THEN 'find' WHEN c.state IN ('closed', 'closed_above', 'not_a_problem', 'historic_harmless', 'merged') THEN 'done'
         WHEN c.state IN ('assigned', 'rectified', 'accepted') THEN 'rectify' ELSE 'confirm' END,
    c.found_on, c.sources, j.on_date, c.outcome, (c.assigned_at AT TIME ZONE 'Asia/Shanghai')::date, c.deadline,
    (c.rectified_at AT TIME ZONE 'Asia/Shanghai')::date, (c.accepted_at AT TIME ZONE 'Asia/Shanghai')::date,
    (c.closed_at AT TIME ZONE 'Asia/Shanghai')::date, (c.closed_above_at AT TIME ZONE 'Asia/Shanghai')::date, coalesce(d.said, '[]')
  FROM app.case_as_of(case_stage_as_of.on_date, case_stage_as_of.known_at) c
  LEFT JOIN LATERAL (SELECT (max(e.recorded_at) AT TIME ZONE 'Asia/Shanghai')::date AS on_date FROM data.finding_event e
    WHERE e.finding_id = c.id AND e.move LIKE 'judge\_%' AND e.recorded_at <= case_stage_as_of.known_at) j ON true
  LEFT JOIN LATERAL (SELECT jsonb_agg(jsonb_build_object('authority', a.authority, 'outcome', a.outcome, 'decided_on', a.decided_on,
      'document_no', a.document_no) ORDER BY a.decided_on, a.id) AS said FROM data.authority_decision a
    WHERE a.finding_id = c.id AND a.recorded_at <= case_stage_as_of.known_at AND a.decided_on <= case_stage_as_of.on_date) d ON true
$$;
COMMENT ON FUNCTION app.case_stage_as_of(date, timestamptz) IS
  '查、认、改、罚 the four stages of each case: found, confirmed, put right, and what a competent authority decided with its document; we decide nothing';
