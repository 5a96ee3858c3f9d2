-- Feeds as of a day: when something last came, and whether that is late. Reports and pages read this, never the tables.
CREATE FUNCTION app.feed_state_as_of(on_date date, known_at timestamptz DEFAULT now())
RETURNS TABLE (code text, name text, kind text, layer text, profile text, owner text, complete boolean, images boolean, folder text,
  cadence_days int, late_after_days int, dead_after_days int, last_arrival timestamptz, last_delivered_on date, days_since int,
  state text, late boolean, dead boolean, files_taken int, files_failed int, last_failure text)
LANGUAGE sql STABLE ROWS 100 AS $$
  WITH feed AS (SELECT f.*, (SELECT min(z.recorded_at AT TIME ZONE 'Asia/Shanghai')::date FROM data.feed z WHERE z.id = f.id) AS since
                FROM app.feed_as_of(on_date, feed_state_as_of.known_at) f),
  file AS (SELECT * FROM data.feed_file i WHERE i.recorded_at <= feed_state_as_of.known_at),
  -- a delivery belongs to the feed whose folder it lay in, else to the one whose code its own begins with, up to a colon
  owner AS (SELECT DISTINCT ON (u.id) u.id, i.feed FROM file i, unnest(i.import_ids) u(id) ORDER BY u.id, i.id),
  heard AS (
    SELECT coalesce(o.feed, d.feed) AS feed, d.recorded_at, d.delivered_on FROM data.delivery d LEFT JOIN owner o ON o.id = d.import_id
    WHERE d.delivered_on <= on_date AND d.recorded_at <= feed_state_as_of.known_at
    UNION ALL
    SELECT i.feed, i.recorded_at, i.delivered_on FROM file i WHERE i.state IN ('taken', 'partly', 'known') AND i.delivered_on <= on_date),
  -- an arrival after the day asked for (a night run late) says no more than the day it stands for
  told AS (
    SELECT h.feed, max(h.recorded_at) AS last_arrival, max(h.delivered_on) AS last_delivered_on,
      max((h.recorded_at AT TIME ZONE 'Asia/Shanghai')::date) FILTER (WHERE (h.recorded_at AT TIME ZONE 'Asia/Shanghai')::date <= on_date) AS last_arrived_on
    FROM heard h GROUP BY h.feed),
  came AS (
    SELECT coalesce(n.code, split_part(t.feed, ':', 1)) AS code, max(t.last_arrival) AS last_arrival,
      max(t.last_delivered_on) AS last_delivered_on, greatest(max(t.last_delivered_on), max(t.last_arrived_on)) AS last_day
    FROM told t
    LEFT JOIN LATERAL (SELECT f.code FROM feed f WHERE t.feed = f.code OR starts_with(t.feed, f.code || ':')
                       ORDER BY length(f.code) DESC LIMIT 1) n ON true
    GROUP BY 1),
  last AS (SELECT DISTINCT ON (i.feed, i.file_name) i.feed, i.file_name, i.state, i.sentence, i.id FROM file i ORDER BY i.feed, i.file_name, i.id DESC),
  files AS (
    SELECT l.feed AS code, (count(*) FILTER (WHERE l.state IN ('taken', 'partly')))::int AS taken,
      (count(*) FILTER (WHERE l.state = 'failed'))::int AS failed,
      (array_agg(l.sentence ORDER BY l.id DESC) FILTER (WHERE l.state = 'failed'))[1] AS failure
    FROM last l GROUP BY l.feed),
  counted AS (
    SELECT coalesce(f.code, c.code) AS code, f.id IS NOT NULL AS known, f.name, f.kind, f.layer, f.profile, f.owner, f.complete, f.images, f.folder,
      f.cadence_days, f.late_after_days, f.dead_after_days, f.until, c.last_arrival, c.last_delivered_on,
      greatest(on_date - coalesce(c.last_day, f.since), 0) AS days_since
    FROM feed f FULL JOIN came c ON c.code = f.code)
  SELECT c.code, coalesce(c.name, c.code), CASE WHEN c.known THEN c.kind ELSE 'unregistered' END, c.layer, c.profile, c.owner, c.complete, c.images,
    c.folder, c.cadence_days, c.late_after_days, c.dead_after_days, c.last_arrival, c.last_delivered_on, c.days_since,
    CASE WHEN NOT c.known THEN 'unregistered' WHEN c.days_since > c.dead_after_days THEN 'dead' WHEN c.days_since > c.late_after_days THEN 'late'
         WHEN c.last_arrival IS NULL THEN 'never' WHEN c.cadence_days IS NULL THEN 'no_rhythm' ELSE 'on_time' END,
    coalesce(c.days_since > c.late_after_days, false), coalesce(c.days_since > c.dead_after_days, false),
    coalesce(s.taken, 0), coalesce(s.failed, 0), s.failure
  FROM counted c LEFT JOIN files s ON s.code = c.code
  WHERE c.until IS NULL OR c.until >= on_date
  ORDER BY NOT c.known, c.code
$$;
COMMENT ON FUNCTION app.feed_state_as_of(date, timestamptz) IS
  'Feeds (数据来源) as of a civil day: last arrival (UTC), days since, late, dead, failed files; state is on_time, late, dead, never (nothing came yet), no_rhythm or unregistered (delivers, but nobody registered it)';
CREATE VIEW app.feed_state AS SELECT * FROM app.feed_state_as_of(app.today());
COMMENT ON VIEW app.feed_state IS 'Feeds as they stand today';
CREATE VIEW app.feed_file AS
  SELECT id, feed, file_name, file_sha256, size_bytes, state, sentence, delivered_on, import_ids, counts, actor, recorded_at FROM data.feed_file;
COMMENT ON VIEW app.feed_file IS 'What became of every file that lay in the folder of a feed';
