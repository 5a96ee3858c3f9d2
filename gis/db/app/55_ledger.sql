-- The ledger (台账): one row a case, folded once, for everyone who reads it. Duplicates that the machine proposes and people merge.
CREATE FUNCTION app.case_as_of(on_date date, known_at timestamptz DEFAULT now())
RETURNS TABLE (id uuid, number text, superior_numbers text[], topic text, class_code text, kind text, severity text, close_level text,
  state text, outcome text, basis text, "position" text, stock boolean, first_night date, found_on date, sources text[],
  district text, village text, town text, river text, bank text, chainage text, status text, night date, area_m2 double precision,
  deadline date, measure text, units jsonb, assigned_at timestamptz, rectified_at timestamptz, accepted_at timestamptz,
  closed_at timestamptz, closed_above_at timestamptz, closed_above_by text, sent_back int, looked_back_at timestamptz, look_back text,
  rebound boolean, rebounds int, overdue_days int, due_in_days int, escalation_due text, escalation_issued text,
  escalated_at timestamptz, awaits_above boolean, doubts int, merged_into uuid, merged_from uuid[], moved_at timestamptz,
  moved_by text, moves int, figures jsonb, geom geometry)
LANGUAGE sql STABLE ROWS 1000 AS $$
  WITH events AS MATERIALIZED (
    SELECT e.*, coalesce(lag(e.to_state) OVER (PARTITION BY e.finding_id ORDER BY e.seq), 'found') AS from_state
    FROM data.finding_event e WHERE e.recorded_at <= case_as_of.known_at),
  entered AS (  -- when each case last came into 'assigned' from elsewhere: what counts as done is counted from there
    SELECT finding_id, max(seq) AS seq FROM events WHERE to_state = 'assigned' AND from_state NOT IN ('assigned', 'merged') GROUP BY finding_id),
  done AS (
    SELECT e.finding_id, jsonb_object_agg(e.detail ->> 'unit', (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date) AS units
    FROM events e JOIN entered n ON n.finding_id = e.finding_id AND e.seq > n.seq
    WHERE e.move = 'unit_done' AND e.detail ? 'unit' GROUP BY e.finding_id),
  life AS (
    SELECT e.finding_id,
      (array_agg(e.to_state ORDER BY e.seq DESC))[1] AS state,
      (array_agg(CASE WHEN e.to_state IN ('not_a_problem', 'historic_harmless', 'historic_listed') THEN e.to_state ELSE 'problem' END ORDER BY e.seq DESC)
        FILTER (WHERE e.move LIKE 'judge\_%' OR e.move LIKE 'take\_over\_%'))[1] AS outcome,
      (array_agg(e.detail ->> 'severity' ORDER BY e.seq DESC) FILTER (WHERE e.detail ? 'severity'))[1] AS severity,
      (array_agg(e.detail ->> 'class_code' ORDER BY e.seq DESC) FILTER (WHERE e.detail ? 'class_code'))[1] AS class_code,
      (array_agg(app.as_day(e.detail ->> 'deadline') ORDER BY e.seq DESC) FILTER (WHERE e.detail ? 'deadline'))[1] AS deadline,
      (array_agg(e.detail ->> 'measure' ORDER BY e.seq DESC) FILTER (WHERE e.detail ? 'measure'))[1] AS measure,
      (array_agg(e.detail -> 'units' ORDER BY e.seq DESC) FILTER (WHERE e.detail ? 'units'))[1] AS units,
      max(e.recorded_at) FILTER (WHERE e.move IN ('assign', 'take_over_assigned')) AS assigned_at,
      -- a table of before says on which civil day it was: no later than it was recorded
      (array_agg(least(e.recorded_at, CASE WHEN e.move LIKE 'take\_over\_%' THEN (app.as_day(e.detail ->> 'rectified_on') + time '12:00') AT TIME ZONE 'Asia/Shanghai' END) ORDER BY e.seq DESC)
        FILTER (WHERE e.to_state = 'rectified'))[1] AS rectified_at,
      max(e.recorded_at) FILTER (WHERE e.move = 'accept') AS accepted_at,
      (array_agg(least(e.recorded_at, CASE WHEN e.move LIKE 'take\_over\_%' THEN (app.as_day(e.detail ->> 'closed_on') + time '12:00') AT TIME ZONE 'Asia/Shanghai' END) ORDER BY e.seq DESC)
        FILTER (WHERE e.to_state IN ('closed', 'closed_above') AND e.from_state NOT IN ('closed', 'closed_above')))[1] AS closed_at,
      max(e.recorded_at) FILTER (WHERE e.to_state = 'closed_above' AND e.from_state <> 'closed_above') AS closed_above_at,
      (array_agg(e.detail ->> 'authority' ORDER BY e.seq DESC) FILTER (WHERE e.move = 'close_above'))[1] AS closed_above_by,
      count(*) FILTER (WHERE e.move = 'send_back')::int AS sent_back,
      max(e.recorded_at) FILTER (WHERE e.move LIKE 'look\_back\_%') AS looked_back_at,
      (array_agg(substr(e.move, 11) ORDER BY e.seq DESC) FILTER (WHERE e.move LIKE 'look\_back\_%'))[1] AS look_back,
      count(*) FILTER (WHERE e.move IN ('look_back_rebounded', 'reopen'))::int AS rebounds,
      (array_agg(e.detail ->> 'stage' ORDER BY e.seq DESC) FILTER (WHERE e.move = 'escalate' AND e.seq > n.seq))[1] AS stage,
      max(e.recorded_at) FILTER (WHERE e.move = 'escalate' AND e.seq > n.seq) AS escalated_at,
      coalesce(sum(jsonb_array_length(e.detail -> 'doubts')) FILTER (WHERE e.seq > n.seq AND jsonb_typeof(e.detail -> 'doubts') = 'array'), 0)::int AS doubts,
      (array_agg((e.detail ->> 'into')::uuid ORDER BY e.seq DESC) FILTER (WHERE e.move = 'merge'))[1] AS into,
      max(e.recorded_at) AS moved_at,
      (array_agg(e.actor ORDER BY e.seq DESC))[1] AS moved_by,
      count(*)::int AS moves
    FROM events e LEFT JOIN entered n ON n.finding_id = e.finding_id GROUP BY e.finding_id),
  held AS (
    SELECT l.into AS finding_id, array_agg(l.finding_id ORDER BY l.finding_id) AS merged_from FROM life l WHERE l.state = 'merged' GROUP BY l.into),
  told AS (
    SELECT r.finding_id, min(r.found_on) AS found_on, array_agg(DISTINCT r.source ORDER BY r.source) AS sources,
      array_agg(DISTINCT r.number ORDER BY r.number) FILTER (WHERE r.number IS NOT NULL) AS numbers,
      (array_agg(r.class_code ORDER BY r.id DESC) FILTER (WHERE r.class_code IS NOT NULL))[1] AS class_code,
      (array_agg(r.kind ORDER BY r.id DESC) FILTER (WHERE r.kind IS NOT NULL))[1] AS kind,
      (array_agg(r.figures ORDER BY r.id DESC) FILTER (WHERE r.figures <> '{}'))[1] AS figures
    FROM data.case_report r WHERE r.recorded_at <= case_as_of.known_at GROUP BY r.finding_id),
  numbered AS (
    SELECT s.finding_id, array_agg(DISTINCT s.number ORDER BY s.number) AS numbers
    FROM app.superior_number_as_of(case_as_of.known_at) s GROUP BY s.finding_id),
  graded AS (
    SELECT DISTINCT ON (v.finding_id) v.finding_id, v.severity FROM data.verdict v
    WHERE v.night <= on_date AND v.recorded_at <= case_as_of.known_at ORDER BY v.finding_id, v.night DESC, v.recorded_at DESC),
  open AS (
    SELECT f.*, l.state AS last_state, l.outcome, coalesce(l.severity, g.severity) AS severity, coalesce(l.class_code, f.class_code, t.class_code) AS class_,
      l.deadline, l.measure, l.units, l.assigned_at, l.rectified_at, l.accepted_at, l.closed_at, l.closed_above_at, l.closed_above_by,
      l.sent_back, l.looked_back_at, l.look_back, l.rebounds, l.stage, l.escalated_at, l.doubts, l.into, l.moved_at, l.moved_by, l.moves,
      t.found_on, t.sources, t.numbers, t.kind, coalesce(f.figures, t.figures) AS figures_,
      CASE WHEN l.state = 'assigned' THEN l.deadline END AS running,
      coalesce(l.state IN ('closed', 'closed_above') AND f.status IN ('new', 'persisting', 'grown', 'shrunk', 'rebound', 'split')
        AND f.night > (greatest(l.closed_at, l.looked_back_at) AT TIME ZONE 'Asia/Shanghai')::date, false) AS seen_again
    FROM app.finding_as_of(on_date, case_as_of.known_at) f
    LEFT JOIN life l ON l.finding_id = f.id LEFT JOIN told t ON t.finding_id = f.id LEFT JOIN graded g ON g.finding_id = f.id)
  SELECT o.id, n.number, array(SELECT DISTINCT x FROM unnest(coalesce(s.numbers, '{}') || coalesce(o.numbers, '{}')) x ORDER BY x),
    o.topic, o.class_, coalesce(o.figures_ ->> 'kind', o.kind), o.severity, q.close_level, coalesce(o.last_state, 'found'), o.outcome,
    o.basis, o."position", app.is_stock(o.id, case_as_of.known_at), o.first_night, least(o.found_on, o.first_night),
    coalesce(o.sources, CASE WHEN o.figures_ ->> 'feed' IS NULL THEN '{}' ELSE ARRAY[o.figures_ ->> 'feed'] END),
    nullif(left(o.district, 6), ''), o.figures_ ->> 'village', o.figures_ ->> 'town', o.figures_ ->> 'river', o.figures_ ->> 'bank',
    o.figures_ ->> 'chainage', o.status, o.night, o.area_m2, o.deadline, o.measure,
    (SELECT jsonb_agg(u || jsonb_build_object('done_on', d.units -> (u ->> 'unit')) ORDER BY k) FROM jsonb_array_elements(o.units) WITH ORDINALITY y(u, k)),
    o.assigned_at, o.rectified_at, o.accepted_at, o.closed_at, o.closed_above_at, o.closed_above_by, coalesce(o.sent_back, 0),
    o.looked_back_at, o.look_back, o.seen_again,
    coalesce(o.rebounds, 0) + CASE WHEN o.seen_again THEN 1 ELSE 0 END,
    greatest(on_date - o.running, 0), CASE WHEN o.running >= on_date THEN o.running - on_date END,
    (SELECT z.stage FROM list.ledger_stage z WHERE z.severity = q.severity AND z.after_days <= on_date - o.running
      ORDER BY z.seq DESC LIMIT 1),
    o.stage, o.escalated_at, coalesce(o.last_state = 'closed' AND q.close_level <> 'county', false), coalesce(o.doubts, 0),
    CASE WHEN o.last_state = 'merged' THEN o.into WHEN o.status = 'merged' THEN w.merged_into END, coalesce(h.merged_from, '{}'), o.moved_at, o.moved_by,
    coalesce(o.moves, 0), o.figures_, o.geom
  FROM open o
  JOIN data.finding w ON w.id = o.id
  LEFT JOIN data.case_number n ON n.finding_id = o.id AND n.recorded_at <= case_as_of.known_at
  LEFT JOIN numbered s ON s.finding_id = o.id
  LEFT JOIN held h ON h.finding_id = o.id LEFT JOIN done d ON d.finding_id = o.id
  LEFT JOIN list.ledger_severity q ON q.severity = CASE WHEN o.severity IN (SELECT y.severity FROM list.ledger_severity y) THEN o.severity ELSE 'other' END
$$;
COMMENT ON FUNCTION app.case_as_of(date, timestamptz) IS
  '问题台账 the ledger: one row a case, its sightings up to a day and its events as known at a moment; clocks (overdue, due, escalation) stand on that day';
CREATE VIEW app.case AS SELECT * FROM app.case_as_of(app.today());
COMMENT ON VIEW app.case IS '问题台账 the ledger today';
