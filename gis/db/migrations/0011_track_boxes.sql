-- Tracks received before they had a box get one from their fixes, so that they can be scored and compared with others.
UPDATE data.track t SET box = f.box
FROM (SELECT track_id, ST_SetSRID(ST_Envelope(ST_Expand(ST_Extent(geom)::geometry, 1e-7)), 4490) AS box FROM data.fix GROUP BY track_id) f
WHERE f.track_id = t.id AND t.box IS NULL;
