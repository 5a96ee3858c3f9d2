"""The only SQL of boundary lines, function zones and stakes."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis import crs
from rivergis.db import versions
from rivergis.db.connect import read_frame

# attributes of a boundary line that belong to the delimitation as a whole (划界成果), not to one of its lines
_OF_VERSION = ("line_type", "basis", "announce_gov", "announce_doc_no", "announced_on", "survey_scale", "xy_error_m")
_DEFAULTS = {"stake": {"kind": "base", "status": "good"}}
_STATE = {"announced": "announced"}  # every other basis comes in as a draft


def save(
    conn: Connection, layer_name: str, frame: pd.DataFrame, *, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    """Record rows of a boundary layer; lines with one ``version_code`` make one delimitation."""
    frame = frame.copy() if "source_feature" in frame else frame.assign(source_feature="")
    if layer_name == "boundary_line":
        return _save_lines(conn, frame, namespace, import_id)
    if layer_name == "boundary_area":
        return _save_areas(conn, frame, namespace, import_id)
    return versions.save_layer(
        conn, layer_name, frame, namespace=namespace, import_id=import_id, defaults=_DEFAULTS.get(layer_name)
    )


def save_delimitation(
    conn: Connection, frame: pd.DataFrame, *, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    """Record delimitations themselves: code, river_code, line_type, basis, state and announcement."""
    return versions.save(
        conn, "boundary_version", frame, namespace=namespace, import_id=import_id, refs={"river_code": "river"}
    )


def save_enacted(
    conn: Connection, lines: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, namespace: str
) -> list[versions.SetAside]:
    """Record lines and areas of delimitations that are there already (boundary_code); returns what could not be taken."""
    refs = {"boundary_code": "boundary_version"}
    areas = areas.assign(area_m2=crs.area_m2(areas.geometry.values))
    return [
        aside
        for noun, rows in (("boundary_segment", lines), ("boundary_area", areas))
        for aside in versions.save(conn, noun, rows, namespace=namespace, import_id=None, refs=refs).set_aside
    ]


def _unproved(frame: pd.DataFrame) -> pd.Series:
    """Lines said to be announced without government, document number or date of the announcement."""
    proof = ("announce_gov", "announce_doc_no", "announced_on")
    given = pd.DataFrame({c: frame.get(c) for c in proof}, index=frame.index)
    return (frame["basis"] == "announced") & given.isna().any(axis=1)


def _save_lines(conn: Connection, frame: pd.DataFrame, namespace: str, import_id: uuid.UUID | None) -> versions.Saved:
    unproved = _unproved(frame)
    without = [
        versions.SetAside(
            str(f),
            "announcement_missing",
            "It is called announced but names no government, document number or date: give them, or import it as a draft.",
        )
        for f in frame.loc[unproved, "source_feature"]
    ]
    frame = frame[~unproved]
    line = frame.assign(line_type=frame["line_type"].fillna("management") if "line_type" in frame else "management")
    acts = pd.DataFrame(line.drop(columns=line.geometry.name)).drop_duplicates("version_code")
    acts = acts[
        [
            c
            for c in ("version_code", "river_code", "valid_from", "valid_to", "source_feature", *_OF_VERSION)
            if c in acts
        ]
    ]
    acts = acts.rename(columns={"version_code": "code"}).assign(state=acts["basis"].map(_STATE).fillna("draft"))
    changed = _changed(conn, "boundary_segment", frame, acts, namespace)
    without += [_unchangeable(str(f)) for f in frame.loc[changed, "source_feature"]]
    frame = frame[~changed]
    before = versions.taken(conn, "boundary_version", namespace, import_id, [str(c) for c in acts["code"]])
    acts = acts[~acts["code"].astype(str).isin(before)]
    kept = _another_act(conn, acts, namespace)
    without += [
        _unchangeable_act(str(f)) for f in frame.loc[frame["version_code"].astype(str).isin(kept), "source_feature"]
    ]
    acts, frame = acts[~acts["code"].astype(str).isin(kept)], frame[~frame["version_code"].astype(str).isin(kept)]
    made = save_delimitation(conn, acts, namespace=namespace, import_id=import_id)
    made.versions |= before
    keep = [
        "code",
        "version_code",
        "bank",
        "from_m",
        "to_m",
        "basis",
        "valid_from",
        "valid_to",
        "source_feature",
        "source",
        frame.geometry.name,
    ]
    segments = frame[[c for c in keep if c in frame]].rename(columns={"version_code": "boundary_code"})
    segments = segments.assign(
        boundary_code=segments["boundary_code"].where(segments["boundary_code"].isin(made.versions), None)
    )
    orphan = segments["boundary_code"].isna()
    saved = versions.save(
        conn,
        "boundary_segment",
        segments[~orphan],
        namespace=namespace,
        import_id=import_id,
        refs={"boundary_code": "boundary_version"},
    )
    saved.set_aside += without
    sentences = {a.source_feature: a for a in made.set_aside}
    first = next(iter(sentences.values()), None)
    for feature in segments.loc[orphan, "source_feature"]:
        saved.set_aside.append(
            sentences.get(str(feature))
            or versions.SetAside(
                str(feature),
                "missing_reference",
                first.sentence if first else "Its delimitation could not be recorded.",
            )
        )
    return saved


def _save_areas(
    conn: Connection, frame: gpd.GeoDataFrame, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    changed = _changed(conn, "boundary_area", frame, None, namespace)
    without = [_unchangeable(str(f)) for f in frame.loc[changed, "source_feature"]]
    frame = frame[~changed]
    frame["area_m2"] = crs.area_m2(frame.geometry.values)
    frame = frame.drop(columns=[c for c in ("river_code",) if c in frame]).rename(
        columns={"version_code": "boundary_code"}
    )
    saved = versions.save(
        conn,
        "boundary_area",
        frame,
        namespace=namespace,
        import_id=import_id,
        refs={"boundary_code": "boundary_version"},
    )
    saved.set_aside += without
    return saved


def _unchangeable(feature: str) -> versions.SetAside:
    return versions.SetAside(
        feature,
        "announced_unchanged",
        "It was announced with another shape under the same announcement, and what is announced is not changed by an import: "
        "give the number and date of the announcement that changes it, or open a draft on it ('rivergis boundary version open').",
    )


def _unchangeable_act(feature: str) -> versions.SetAside:
    return versions.SetAside(
        feature,
        "announced_unchanged",
        "Its delimitation was announced for another river or line type, or was revoked, and it is delivered as something else under the "
        "same code: give the new delimitation a code of its own.",
    )


def _another_act(conn: Connection, acts: pd.DataFrame, namespace: str) -> set[str]:
    """Codes of announced delimitations that are delivered with another river, line type or basis, or although they were revoked."""
    held = conn.execute(
        text("""SELECT v.code, v.river_id, v.line_type, bool_or(v.state = 'revoked') FROM data.boundary_version v
        WHERE v.superseded_at IS NULL AND v.code_namespace = :n AND v.code = ANY(:c) AND v.basis = 'announced'
          AND v.state IN ('announced', 'revoked') GROUP BY 1, 2, 3"""),
        {"n": namespace, "c": [str(c) for c in acts["code"]]},
    )
    was = {str(c): (r, t, "announced", revoked) for c, r, t, revoked in held}
    said = {
        str(a["code"]): (versions.identity("river", namespace, str(a["river_code"])), a["line_type"], a["basis"], False)
        for a in acts.to_dict("records")
    }
    return {c for c, act in was.items() if said[c] != act}


def _changed(
    conn: Connection, noun: str, frame: gpd.GeoDataFrame, acts: pd.DataFrame | None, namespace: str
) -> pd.Series:
    """Rows with another shape than the announced one of the same code, while the announcement is the same as before, or of another act.

    ``acts``: announcements delivered with the rows; None = what is recorded already is what counts.
    """
    held = read_frame(
        conn,
        f"""SELECT DISTINCT ON (s.code) s.code, s.geom, v.code AS act, v.announce_gov, v.announce_doc_no, v.announced_on,
          (SELECT w.announce_doc_no FROM data.boundary_version w WHERE w.id = v.id AND w.recorded_at <= s.recorded_at ORDER BY w.version DESC LIMIT 1)
            IS NOT DISTINCT FROM v.announce_doc_no AS same
        FROM data.{noun} s JOIN data.boundary_version v ON v.id = s.boundary_id AND v.superseded_at IS NULL
        WHERE s.superseded_at IS NULL AND s.code_namespace = :n AND s.code = ANY(:c) AND v.basis = 'announced' AND v.state = 'announced'
        ORDER BY s.code, s.version DESC, v.version DESC""",
        {"n": namespace, "c": [str(c) for c in frame["code"]]},
    )
    if acts is not None and len(held):
        proof = ["announce_gov", "announce_doc_no", "announced_on"]
        said = {
            str(r["version_code" if "version_code" in r else "code"]): [str(r.get(p)) for p in proof]
            for r in acts.to_dict("records")
        }
        held["same"] = [
            said.get(str(r["act"])) == [str(r[p]) for p in proof] for r in held[["act", *proof]].to_dict("records")
        ]
    shape = dict(zip(held["code"], held.geometry, strict=True))
    act = dict(zip(held["code"], held["act"], strict=True))
    of = frame["version_code"].astype(str)
    same = dict(zip(held["code"], held["same"], strict=True))
    changed = [
        (str(c) in act and act[str(c)] != a)
        or (bool(same.get(str(c))) and shapely.to_wkb(g) != shapely.to_wkb(shape[str(c)]))
        for c, g, a in zip(frame["code"], frame.geometry, of, strict=True)
    ]
    return pd.Series(changed, index=frame.index, dtype=bool)


def areas(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Management areas in force with the act they rest on; geom MultiPolygon, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT a.id, a.version, v.id AS boundary_id, v.version AS boundary_version, v.code AS boundary_code,
          v.basis, v.announce_gov, v.announce_doc_no, v.announced_on, v.xy_error_m, v.river_id, r.code AS river_code, r.name AS river, a.geom
        FROM app.boundary_area_as_of(:on, :known) a
        JOIN app.boundary_version_as_of(:on, :known) v ON v.id = a.boundary_id
        JOIN app.river_as_of(:on, :known) r ON r.id = v.river_id
        WHERE v.line_type = 'management' AND v.state <> 'revoked' ORDER BY a.id""",
        {"on": on, "known": known_at},
    )


def lines(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Boundary lines in force with the act they rest on; geom LineString, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT s.id, s.version, s.code, s.bank, s.from_m, s.to_m, v.id AS boundary_id, v.version AS boundary_version,
          v.code AS boundary_code, v.basis, v.line_type, v.announce_doc_no, v.river_id, r.code AS river_code, r.name AS river, s.geom
        FROM app.boundary_segment_as_of(:on, :known) s
        JOIN app.boundary_version_as_of(:on, :known) v ON v.id = s.boundary_id
        JOIN app.river_as_of(:on, :known) r ON r.id = v.river_id
        WHERE v.state <> 'revoked' ORDER BY s.id""",
        {"on": on, "known": known_at},
    )


def function_zones(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Shoreline function zones (岸线功能区) in force; geom LineString along a bank, EPSG:4490, or missing."""
    return read_frame(
        conn,
        """SELECT id, version, code, river_id, bank, zone_type, from_m, to_m, plan_name, geom
        FROM app.function_zone_as_of(:on, :known) ORDER BY id""",
        {"on": on, "known": known_at},
    )
