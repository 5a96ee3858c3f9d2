-- Stock and increment: what was there when the nights began, and what came after.
CREATE FUNCTION app.baseline_signed(known_at timestamptz DEFAULT now())
RETURNS TABLE (id uuid, number int, night date, made_by text, made_at timestamptz, signed_by text, signed_at timestamptz, counts jsonb)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT b.id, b.number, b.night, b.actor, b.recorded_at, s.actor, s.recorded_at, b.counts
  FROM data.baseline b JOIN data.baseline_signature s ON s.baseline_id = b.id
  WHERE s.recorded_at <= baseline_signed.known_at ORDER BY b.number DESC LIMIT 1
$$;
COMMENT ON FUNCTION app.baseline_signed(timestamptz) IS
  'The baseline in force as known at a moment: the last that a person signed; no row = none is signed and no page says new (新增)';

CREATE FUNCTION app.is_stock(finding_id uuid, known_at timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT coalesce((
    SELECT CASE WHEN f.topic = 'reported' THEN f.recorded_at <= b.made_at ELSE f.first_night <= b.night END
      OR EXISTS (SELECT FROM data.baseline_item i WHERE i.baseline_id = b.id AND i.finding_id = f.id)
    FROM app.baseline_signed(is_stock.known_at) b JOIN data.finding f ON f.id = is_stock.finding_id), true)
$$;
COMMENT ON FUNCTION app.is_stock(uuid, timestamptz) IS
  'Whether a case is stock (存量): told by a night up to that of the signed baseline, reported before it was made, or part of it; everything is while none is signed';

CREATE FUNCTION app.superior_number_as_of(known_at timestamptz DEFAULT now())
RETURNS TABLE (finding_id uuid, list_name text, number text, how text)
LANGUAGE sql STABLE ROWS 100 AS $$
  SELECT l.finding_id, l.list_name, l.number, l.how
  FROM (SELECT DISTINCT ON (k.list_name, k.number) k.* FROM data.superior_link k WHERE k.recorded_at <= superior_number_as_of.known_at
        ORDER BY k.list_name, k.number, k.id DESC) l
  WHERE l.finding_id IS NOT NULL
$$;
COMMENT ON FUNCTION app.superior_number_as_of(timestamptz) IS
  'Numbers of higher levels (上级编号) of each case as known at a moment; a case may have several';
CREATE VIEW app.superior_number AS SELECT * FROM app.superior_number_as_of(now());
COMMENT ON VIEW app.superior_number IS 'Numbers of higher levels of each case';

CREATE FUNCTION app.guard_baseline_signature() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE made data.baseline;
BEGIN
  -- one signs at a time: who comes second is told, not stopped by a key
  SELECT * INTO made FROM data.baseline WHERE id = NEW.baseline_id FOR UPDATE;
  IF EXISTS (SELECT FROM data.baseline_signature s WHERE s.baseline_id = NEW.baseline_id) THEN
    RAISE EXCEPTION 'baseline % is signed already', made.number USING ERRCODE = 'RG007';
  END IF;
  IF made.actor = NEW.actor THEN
    RAISE EXCEPTION '% made this baseline: another person signs it', NEW.actor USING ERRCODE = 'RG007';
  END IF;
  IF NEW.actor IS DISTINCT FROM app.actor() OR NOT EXISTS (
      SELECT FROM sys."user" u JOIN sys.user_role r ON r.user_id = u.id AND r.revoked_at IS NULL
      JOIN list.role_capability c ON c.role = r.role
      WHERE u.name = NEW.actor AND u.disabled_at IS NULL AND c.capability = 'review_findings') THEN
    RAISE EXCEPTION '% may not sign a baseline: that takes the capability review_findings', NEW.actor USING ERRCODE = 'RG007';
  END IF;
  IF EXISTS (SELECT FROM data.baseline b WHERE b.number > made.number) THEN
    RAISE EXCEPTION 'baseline % is superseded: sign the last one', made.number USING ERRCODE = 'RG007';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_baseline_signature() IS
  'A baseline is signed by a person who may accept work on leads, who did not make it, and only while no later one is there';
CREATE TRIGGER guard_baseline_signature BEFORE INSERT ON data.baseline_signature
  FOR EACH ROW EXECUTE FUNCTION app.guard_baseline_signature();

CREATE FUNCTION app.guard_superior_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last data.superior_step; needed text := CASE NEW.state WHEN 'accepted' THEN 'review_findings' ELSE 'inspect' END;
BEGIN
  IF NOT app.may(NEW.actor, needed) THEN
    RAISE EXCEPTION '% may not say of a task that it is %: that takes the capability %', NEW.actor, NEW.state, needed USING ERRCODE = 'RG007';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('rivergis task'), hashtext(NEW.list_name || '/' || NEW.number));
  SELECT * INTO last FROM data.superior_step WHERE list_name = NEW.list_name AND number = NEW.number ORDER BY id DESC LIMIT 1;
  IF NEW.state = 'accepted' AND last.state IS DISTINCT FROM 'done' THEN
    RAISE EXCEPTION 'task % of % is not reported as done: nothing is to be accepted', NEW.number, NEW.list_name USING ERRCODE = 'RG007';
  END IF;
  IF NEW.state = 'accepted' AND last.actor = NEW.actor THEN
    RAISE EXCEPTION '% reported task % as done: another person accepts it', NEW.actor, NEW.number USING ERRCODE = 'RG007';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_superior_step() IS 'A task is accepted once it is done, by a person who may accept and did not report it';
CREATE TRIGGER guard_superior_step BEFORE INSERT ON data.superior_step FOR EACH ROW EXECUTE FUNCTION app.guard_superior_step();
