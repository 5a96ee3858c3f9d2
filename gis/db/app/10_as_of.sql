-- In force on a civil day, as known at a moment: one function and one view for every noun that has versions.
-- Everything outward (maps, services, reports) reads these, never the tables.
CREATE FUNCTION app.today() RETURNS date LANGUAGE sql STABLE
  RETURN (now() AT TIME ZONE 'Asia/Shanghai')::date;
COMMENT ON FUNCTION app.today() IS 'Civil day in Asia/Shanghai';

DO $$
DECLARE t text;
BEGIN
  FOR t IN
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'data' AND c.relkind = 'r'
      AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('valid', 'version', 'superseded_at')) = 3
    ORDER BY 1
  LOOP
    EXECUTE format($f$
      CREATE FUNCTION app.%1$I_as_of(on_date date, known_at timestamptz DEFAULT now()) RETURNS SETOF data.%1$I
      LANGUAGE sql STABLE ROWS 1000 AS
      'SELECT * FROM data.%1$I t WHERE t.valid @> on_date AND t.recorded_at <= known_at
         AND (t.superseded_at IS NULL OR t.superseded_at > known_at)'$f$, t);
    EXECUTE format('COMMENT ON FUNCTION app.%I_as_of(date, timestamptz) IS %L', t,
      format('data.%s in force on a civil day, as known at a moment', t));
    EXECUTE format('CREATE VIEW app.%1$I AS SELECT * FROM app.%1$I_as_of(app.today())', t);
    EXECUTE format('COMMENT ON VIEW app.%I IS %L', t, format('data.%s in force today', t));
  END LOOP;
END $$;
