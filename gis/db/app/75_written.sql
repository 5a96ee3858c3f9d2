-- Where somebody may write who is held to an area: both what is replaced and what takes its place lie in it.
CREATE FUNCTION app.within_area(shape geometry, area text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT area = '' OR coalesce((
    WITH units AS (SELECT ST_UnaryUnion(ST_Collect(p.geom)) AS ground FROM cache.area_piece p
                   WHERE p.geom && ST_Expand(shape, 0.0001) AND starts_with(p.code, area)),
    out AS (SELECT ground, ST_Difference(shape, ground) AS rest FROM units)
    -- a border that was digitised twice is not the same line to the metre: 5 m of slack
    SELECT ST_IsEmpty(rest) OR ST_Covers(ST_Buffer(ST_Intersection(ground, ST_Expand(shape, 0.0001)), 0.00005), rest) FROM out), false)
$$;
COMMENT ON FUNCTION app.within_area(geometry, text) IS
  'Whether a shape (EPSG:4490) lies in the administrative units whose adcodes begin with area, 5 m of slack at their border; empty area = everywhere, unknown area = nowhere';
