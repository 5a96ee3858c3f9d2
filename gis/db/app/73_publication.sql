-- Publications: what may go out at all, and how each stands. Files are judged by their manifest; here by what the database knows.
CREATE FUNCTION app.guard_publication() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.actor IS DISTINCT FROM app.actor() OR NEW.recorded_at <> now() THEN
    RAISE EXCEPTION 'a publication is issued in the own name and dated by the database' USING ERRCODE = 'RG007';
  END IF;
  IF NOT app.may(NEW.actor, 'review_boundary') THEN
    RAISE EXCEPTION '% may not issue a publication: it needs the capability review_boundary', NEW.actor USING ERRCODE = 'RG007';
  END IF;
  IF NEW.kind = 'map' AND btrim(coalesce(NEW.review_no, ''), E' \t\r\n\u3000') = '' THEN
    RAISE EXCEPTION '没有审图号只能公开表格 without a review number only tables are published' USING ERRCODE = 'RG003';
  END IF;
  IF EXISTS (SELECT FROM data.publication p WHERE p.code = NEW.code) THEN
    RAISE EXCEPTION 'there is a publication % already: any change makes another one, give it another code', NEW.code USING ERRCODE = 'RG003';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_publication() IS 'A publication is issued by who may review boundaries, under the own name';
CREATE TRIGGER guard_publication BEFORE INSERT ON data.publication FOR EACH ROW EXECUTE FUNCTION app.guard_publication();

CREATE FUNCTION app.issue_publication() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO data.publication_event (publication_id, seq, move, to_state) VALUES (NEW.id, 1, 'issue', 'issued');
  RETURN NULL;
END $$;
COMMENT ON FUNCTION app.issue_publication() IS 'A publication has its first event from the moment it is recorded';
CREATE TRIGGER issue_publication AFTER INSERT ON data.publication FOR EACH ROW EXECUTE FUNCTION app.issue_publication();

CREATE FUNCTION app.guard_publication_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM data.boundary_version v WHERE v.id = NEW.boundary_id AND v.version = NEW.boundary_version
      AND v.basis = 'announced' AND v.state = 'announced') THEN
    RAISE EXCEPTION 'only announced lines are published: this delimitation is no announced one' USING ERRCODE = 'RG003';
  END IF;
  IF NOT EXISTS (SELECT FROM data.publication p WHERE p.id = NEW.publication_id AND p.recorded_at = now()) THEN
    RAISE EXCEPTION 'a publication is issued whole: nothing is added to it later' USING ERRCODE = 'RG003';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_publication_part() IS 'Only announced lines are published, all at once';
CREATE TRIGGER guard_publication_part BEFORE INSERT ON data.publication_part FOR EACH ROW EXECUTE FUNCTION app.guard_publication_part();

CREATE FUNCTION app.guard_publication_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last data.publication_event;
BEGIN
  PERFORM FROM data.publication WHERE id = NEW.publication_id FOR UPDATE;
  SELECT * INTO last FROM data.publication_event e WHERE e.publication_id = NEW.publication_id ORDER BY e.seq DESC LIMIT 1;
  IF NEW.actor IS DISTINCT FROM app.actor() OR NEW.recorded_at <> now() THEN
    RAISE EXCEPTION 'an event of a publication is written in the own name and dated by the database' USING ERRCODE = 'RG007';
  END IF;
  IF NEW.seq <> coalesce(last.seq, 0) + 1 THEN
    RAISE EXCEPTION 'the next event of this publication has the number %', coalesce(last.seq, 0) + 1 USING ERRCODE = 'RG003';
  END IF;
  IF (coalesce(last.to_state, ''), NEW.move, NEW.to_state) NOT IN (('', 'issue', 'issued'), ('issued', 'void', 'voided')) THEN
    RAISE EXCEPTION 'a publication that is % cannot be moved by %', coalesce(last.to_state, 'new'), NEW.move USING ERRCODE = 'RG003';
  END IF;
  IF NEW.move = 'void' AND coalesce(btrim(NEW.reason, E' \t\r\n\u3000'), '') = '' THEN
    RAISE EXCEPTION 'the move void needs reason' USING ERRCODE = 'RG003';
  END IF;
  IF NEW.move = 'void' AND NOT app.may(NEW.actor, 'review_boundary') THEN
    RAISE EXCEPTION '% may not void a publication: it needs the capability review_boundary', NEW.actor USING ERRCODE = 'RG007';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION app.guard_publication_event() IS 'A publication is issued once and voided at most once, with its reason';
CREATE TRIGGER guard_publication_event BEFORE INSERT ON data.publication_event FOR EACH ROW EXECUTE FUNCTION app.guard_publication_event();

CREATE FUNCTION app.publication_as_of(known timestamptz DEFAULT now())
RETURNS TABLE (id uuid, code text, title text, kind text, review_no text, published_on date, content_sha256 text, state text, reason text,
  changed text[], recorded_at timestamptz) LANGUAGE sql STABLE AS $$
  SELECT p.id, p.code, p.title, p.kind, p.review_no, p.published_on, p.content_sha256, e.to_state, e.reason,
    ARRAY(SELECT v.code FROM data.publication_part t JOIN data.boundary_version v ON v.id = t.boundary_id AND v.version = t.boundary_version
      WHERE t.publication_id = p.id AND (
        EXISTS (SELECT FROM data.boundary_version x WHERE x.id = t.boundary_id AND p.known_at < x.recorded_at AND x.recorded_at <= known)
        OR EXISTS (SELECT FROM data.boundary_segment x WHERE x.boundary_id = t.boundary_id
          AND (p.known_at < x.recorded_at AND x.recorded_at <= known OR p.known_at < x.superseded_at AND x.superseded_at <= known))
        OR EXISTS (SELECT FROM data.boundary_area x WHERE x.boundary_id = t.boundary_id
          AND (p.known_at < x.recorded_at AND x.recorded_at <= known OR p.known_at < x.superseded_at AND x.superseded_at <= known)))
      ORDER BY v.code), p.recorded_at
  FROM data.publication p
  JOIN LATERAL (SELECT * FROM data.publication_event e WHERE e.publication_id = p.id AND e.recorded_at <= known ORDER BY e.seq DESC LIMIT 1) e ON true
  WHERE p.recorded_at <= known
$$;
COMMENT ON FUNCTION app.publication_as_of(timestamptz) IS
  'Publications as known at a moment: issued or voided, and the codes of the delimitations in it of which anything was recorded since';
