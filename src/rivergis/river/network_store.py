"""Networks in the database: builds recorded, numbers for tracing kept, traces and routes asked (schema ``cache``, ``app.river_*``)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis import crs
from rivergis.db import versions
from rivergis.db.connect import copy_frame, read_frame, read_table
from rivergis.errors import InputError, NotFound
from rivergis.river import rows
from rivergis.river.network import Network
from rivergis.river.store import save
from rivergis.river.topology import topology


@dataclass(frozen=True)
class NetworkSaved:
    """What a network left in the database: new versions, equal rows, and reaches that its file no longer gives."""

    build_id: uuid.UUID
    imported: int
    unchanged: int
    ended: int
    rivers: int
    defects: int
    untraceable: str | None = None


def save_network(
    conn: Connection, reaches: gpd.GeoDataFrame, defects: gpd.GeoDataFrame, *, namespace: str, build: Mapping[str, Any]
) -> NetworkSaved:
    """Record a built network: rivers, their axes, reaches and the build with its defects, and renew the tracing numbers.

    ``reaches``, ``defects``: layers of ``build.Built`` (EPSG:4490). ``build``: ``file_name``, ``file_sha256``, ``options``,
    ``rule_set``, ``counts``. Rivers that were imported keep what they have. Reaches that the last build of the same file in
    the namespace made and this one does not end today. Equal content again changes nothing. ``InputError``: see ``require_free``.
    """
    last = _reaches_of_last_builds(conn, namespace)
    before = last.pop(str(build["file_name"]), set())
    rows.require_free({versions.identity("reach", namespace, c): c for c in rows.numbered(reaches)}, last)
    rivers = rows.river_rows(reaches, _rivers_not_built(conn, namespace))
    save(conn, "river", rivers, namespace=namespace, import_id=None)
    lines = rows.axis_rows(reaches[reaches["river_id"].isin(rivers["code"])])
    axes_ = save(conn, "axis", lines, namespace=namespace, import_id=None).versions
    chain = rows.reach_rows(reaches, axes_, lambda code: versions.identity("reach", namespace, code))
    saved = save(conn, "reach", chain, namespace=namespace, import_id=None)
    ended = _end(conn, "reach", before - {id_ for id_, _ in saved.versions.values()})
    _end_empty_rivers(conn, namespace)
    build_id = _record_build(conn, defects, namespace, build, saved)
    return NetworkSaved(build_id, saved.imported, saved.unchanged, ended, len(rivers), len(defects), _renewed(conn))


def _renewed(conn: Connection) -> str | None:
    """Renew the tracing numbers; why not, where reaches that came another way run in a circle."""
    try:
        if not topology_current(conn):
            rebuild_topology(conn)
    except InputError as error:
        return error.sentence
    return None


def _rivers_not_built(conn: Connection, namespace: str) -> set[str]:
    """Codes of rivers that came by another way than a build."""
    return set(
        conn.execute(
            text(
                "SELECT code FROM app.river WHERE code_namespace = :n AND source ->> 'made_by' IS DISTINCT FROM :made"
            ),
            {"n": namespace, "made": rows.MADE["made_by"]},
        ).scalars()
    )


def _reaches_of_last_builds(conn: Connection, namespace: str) -> dict[str, set[uuid.UUID]]:
    """Reaches that the last build of each file made, by its name."""
    found = read_table(
        conn,
        """SELECT b.file_name, r.reach_id FROM data.network_build_reach r JOIN (SELECT DISTINCT ON (file_name)
          id, file_name FROM data.network_build WHERE code_namespace = :n ORDER BY file_name, recorded_at DESC) b ON b.id = r.build_id""",
        {"n": namespace},
    )
    return {str(file_name): set(ids) for file_name, ids in found.groupby("file_name")["reach_id"]}


def _end(conn: Connection, noun: str, ids: set[uuid.UUID]) -> int:
    """Record that things were in force until yesterday; another content hash, so that they can come back."""
    ended = conn.execute(
        text(f"""SELECT id, CAST(daterange(lower(valid), app.today()) AS text), md5(content_hash || app.today()) FROM app.{noun}
        WHERE id = ANY(CAST(:ids AS uuid[])) AND (lower_inf(valid) OR lower(valid) < app.today()) ORDER BY id"""),
        {"ids": [str(i) for i in ids]},
    )
    return versions.amend(conn, noun, pd.DataFrame(ended, columns=["id", "valid", "content_hash"]))


def _end_empty_rivers(conn: Connection, namespace: str) -> None:
    """End rivers that builds made and that no reach in force belongs to any more, with their axes."""
    empty = set(
        conn.execute(
            text("""SELECT id FROM app.river r WHERE code_namespace = :n AND source ->> 'made_by' = :made
          AND NOT EXISTS (SELECT FROM app.reach h WHERE h.river_id = r.id)"""),
            {"n": namespace, "made": rows.MADE["made_by"]},
        ).scalars()
    )
    lines = conn.execute(
        text("SELECT id FROM app.axis WHERE river_id = ANY(CAST(:ids AS uuid[]))"), {"ids": [str(i) for i in empty]}
    ).scalars()
    _end(conn, "axis", set(lines))
    _end(conn, "river", empty)


def _record_build(
    conn: Connection, defects: gpd.GeoDataFrame, namespace: str, build: Mapping[str, Any], saved: versions.Saved
) -> uuid.UUID:
    """Record a build, its reaches and its defects, once for equal inputs and outcome."""
    about = {k: build[k] for k in ("file_name", "file_sha256", "options", "rule_set", "counts")}
    told = [defects.drop(columns=defects.geometry.name).to_csv(), *shapely.to_wkb(defects.geometry.values, hex=True)]
    told += sorted(f"{code}/{version}" for code, (_, version) in saved.versions.items())
    outcome = hashlib.sha256("\n".join(map(str, told)).encode()).hexdigest()
    build_id = versions.identity("network_build", namespace, versions.content_hash({**about, "outcome": outcome}))
    if conn.execute(text("SELECT EXISTS (SELECT FROM data.network_build WHERE id = :id)"), {"id": build_id}).scalar():
        return build_id
    copy_frame(conn, "data.network_build", pd.DataFrame([{"id": build_id, "code_namespace": namespace, **about}]))
    of = {code: id_ for code, (id_, _) in saved.versions.items()}
    copy_frame(conn, "data.network_build_reach", pd.DataFrame({"build_id": build_id, "reach_id": list(of.values())}))
    there = ~(shapely.is_missing(defects.geometry.values) | shapely.is_empty(defects.geometry.values))
    said = defects[["code", "severity", "measure", "unit", "proposal", "done"]].assign(
        build_id=build_id, reach_id=[of.get(r) for r in defects["reach_id"]], geom=defects.geometry.where(there, None)
    )
    copy_frame(conn, "data.network_defect", said)
    return build_id


def network_frame(conn: Connection, on: date, known_at: datetime, namespace: str | None = None) -> gpd.GeoDataFrame:
    """The network in force as the frame ``reaches`` of a build: reach_id and river_id are codes, EPSG:4490.

    ``namespace``: only what it names; needed where two namespaces use the same codes.
    """
    frame = read_frame(
        conn,
        """SELECT h.code AS reach_id, h.from_node, h.to_node, n.code AS next_reach_id, r.code AS river_id, r.name AS river_name,
          h.name, h.kind, h.covered, h.channel, h.length_m, h.from_m, h.to_m, h.upstream_area_km2, h.half_width_m,
          h.direction_basis, CAST(CAST(h.direction_confidence AS text) AS double precision) AS direction_confidence, h.repair,
          h.source, r.source ->> 'made_by' = :made AS made, h.geom AS geometry
        FROM app.reach_as_of(:on, :known) h JOIN app.river_as_of(:on, :known) r ON r.id = h.river_id
        LEFT JOIN data.identity n ON n.id = h.next_reach_id
        WHERE CAST(:namespace AS text) IS NULL OR h.code_namespace = :namespace ORDER BY h.code_namespace, h.code""",
        {"on": on, "known": known_at, "namespace": namespace, "made": rows.MADE["made_by"]},
        geom="geometry",
    )
    return rows.as_built(frame)


def topology_current(conn: Connection) -> bool:
    """Whether the numbers that traces in the database rest on are those of the reaches in force today."""
    return bool(conn.execute(text("SELECT app.river_topology_current()")).scalar())


def rebuild_topology(conn: Connection) -> int:
    """Make the tracing numbers anew from the reaches in force today; returns how many reaches they cover.

    Raises ``InputError`` when water would run in a circle. Reaches cannot change while it runs.
    """
    conn.execute(text("INSERT INTO cache.network_state DEFAULT VALUES ON CONFLICT DO NOTHING"))
    conn.execute(text("SELECT FROM cache.network_state FOR UPDATE"))
    frame = _reaches_in_force(conn)
    write_topology(conn, Network.of(frame), frame)
    conn.execute(
        text("""UPDATE cache.network_state SET built_changes = changes, built_at = now(), from_day = app.today(), until_day = (
          SELECT min(day) FROM data.reach, unnest(ARRAY[lower(valid), upper(valid)]) day
          WHERE superseded_at IS NULL AND day > app.today())""")
    )
    return len(frame)


def _reaches_in_force(conn: Connection) -> pd.DataFrame:
    """Reaches of today's network by id, nodes with their namespace; with geometry where nodes are not named."""
    frame = read_table(
        conn,
        """SELECT CAST(id AS text) AS reach_id, code, code_namespace, code_namespace || '/' || from_node AS from_node,
          code_namespace || '/' || to_node AS to_node, CAST(next_reach_id AS text) AS next_reach_id, river_id, name, kind, channel,
          length_m, upstream_area_km2
        FROM app.reach WHERE kind <> 'shoreline' ORDER BY code_namespace, code""",
    )
    # the successor of a reach that was turned, or one that is not in force, is none
    begins = frame.set_index("reach_id")["from_node"].reindex(frame["next_reach_id"]).to_numpy(dtype=object)
    goes_on = frame["next_reach_id"].isin(frame["reach_id"]) & (
        (begins == frame["to_node"]) | (pd.isna(begins) & frame["to_node"].isna())
    )
    frame["next_reach_id"] = frame["next_reach_id"].where(goes_on, None)
    if frame[["from_node", "to_node"]].notna().all(axis=None):
        return frame
    lines = conn.execute(
        text("SELECT ST_AsBinary(geom) FROM app.reach WHERE kind <> 'shoreline' ORDER BY code_namespace, code")
    ).scalars()
    return gpd.GeoDataFrame(frame, geometry=[shapely.from_wkb(bytes(g)) for g in lines], crs=crs.STORAGE)


def write_topology(conn: Connection, network: Network, frame: pd.DataFrame) -> None:
    """Replace the tracing numbers by those of a network whose ids are uuids; ``frame``: code, kind, name, upstream_area_km2."""
    labels = topology(network)
    measured = rows.measure(frame, network)
    table = labels.reaches.assign(
        reach_id=network.reach_id,
        code=frame["code"].to_numpy(),
        from_node=network.node_id[network.start],
        to_node=network.node_id[network.end],
        **{c: getattr(measured, c) for c in rows.MEASURED if c not in labels.reaches},
    )
    # not TRUNCATE: whoever reads at this moment goes on reading the old numbers
    conn.execute(text("DELETE FROM cache.reach_topology"))
    conn.execute(text("DELETE FROM cache.reach_side"))
    copy_frame(conn, "cache.reach_topology", table.sort_values("number"))
    copy_frame(conn, "cache.reach_side", labels.sides)
    conn.execute(text("ANALYZE cache.reach_topology, cache.reach_side"))
    conn.execute(
        text("UPDATE cache.network_state SET forks = :n"),
        {"n": int(labels.sides["fork"].max() if len(labels.sides) else 0)},
    )


def locate(conn: Connection, lon: float, lat: float, within_m: float) -> dict[str, Any]:
    """Nearest reach to a position in degrees: reach_id, code, at_m, offset_m, bank, direction_confidence; ``NotFound`` when none is that near."""
    row = conn.execute(
        text("SELECT * FROM app.river_locate(:lon, :lat, :within)"), {"lon": lon, "lat": lat, "within": within_m}
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"No reach lies within {within_m:g} m of {lon:.6f}, {lat:.6f}: give a position nearer to a channel."
        )
    return dict(row._mapping)


def reach_named(conn: Connection, code: str, namespace: str | None = None) -> uuid.UUID:
    """Id of the reach in force of that code; ``NotFound`` when there is none, or more than one namespace has it."""
    found = list(
        conn.execute(
            text("""SELECT id FROM app.reach WHERE code = :c AND kind <> 'shoreline'
            AND (CAST(:n AS text) IS NULL OR code_namespace = :n)"""),
            {"c": code, "n": namespace},
        ).scalars()
    )
    if len(found) != 1:
        problem = "There is no reach" if not found else "More than one namespace has a reach"
        raise NotFound(f"{problem} {code!r} in the network in force: name another reach or its namespace.")
    return uuid.UUID(str(found[0]))


def trace(
    conn: Connection,
    reach: uuid.UUID,
    at_m: float,
    direction: str,
    within_m: float | None = None,
    stop_at: pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """``Network.trace`` by the database, with ``code`` and the whole geometry of each reached reach (EPSG:4490).

    ``stop_at``: ``reach_id``, ``at_m``. Raises ``InputError`` when the tracing numbers are out of date.
    """
    stops = pd.DataFrame({"reach_id": [], "at_m": []}) if stop_at is None else stop_at
    return read_frame(
        conn,
        """SELECT t.*, h.geom FROM app.river_trace(:reach, :at, :direction, :within, CAST(:stops AS uuid[]), CAST(:stop_m AS float8[])) t
        JOIN app.reach h ON h.id = t.reach_id ORDER BY t.visit""",
        {
            "reach": reach,
            "at": at_m,
            "direction": direction,
            "within": within_m,
            "stops": [str(r) for r in stops["reach_id"]],
            "stop_m": [float(m) for m in stops["at_m"]],
        },
    )


def route(conn: Connection, a: tuple[uuid.UUID, float], b: tuple[uuid.UUID, float]) -> gpd.GeoDataFrame:
    """``Network.route`` by the database, part by part, with the whole geometry of each reach; ``NotFound`` if not connected."""
    frame = read_frame(
        conn,
        """SELECT t.*, h.geom FROM app.river_route(:a, :a_m, :b, :b_m) t JOIN app.reach h ON h.id = t.reach_id ORDER BY t.step""",
        {"a": a[0], "a_m": a[1], "b": b[0], "b_m": b[1]},
    )
    if frame.empty:
        raise NotFound(
            "No water joins the two places: neither drains to the other, and they meet at no confluence below."
        )
    return frame


PLACED_LAYERS = {"outfall": "name", "intake": "name", "landmark": "name", "finding": "topic"}


def placed(conn: Connection, layer: str, within_m: float, area: shapely.Geometry | None = None) -> pd.DataFrame:
    """Things of a layer on their nearest reach, if within ``within_m``: layer, id, name, reach_id, at_m, offset_m, bank, direction_confidence.

    ``layer``: one of ``PLACED_LAYERS``. ``area`` (EPSG:4490): only things in it or about that far round it.
    """
    if layer not in PLACED_LAYERS:
        raise NotFound(f"Nothing of a layer {layer!r} lies on reaches; there are {', '.join(PLACED_LAYERS)}.")
    return read_table(
        conn,
        f"""SELECT CAST(:layer AS text) AS layer, CAST(o.id AS text) AS id, o.{PLACED_LAYERS[layer]} AS name,
          l.reach_id, l.at_m, l.offset_m, l.bank, l.direction_confidence
        FROM app.{layer} o CROSS JOIN LATERAL (SELECT ST_PointOnSurface(o.geom) AS at) p
        CROSS JOIN LATERAL app.river_locate(ST_X(p.at), ST_Y(p.at), :within) l
        WHERE o.geom IS NOT NULL AND (CAST(:area AS text) IS NULL
          OR o.geom && ST_Expand(ST_GeomFromText(:area, 4490), :within / 30000.0)) ORDER BY o.id""",
        {"layer": layer, "within": within_m, "area": None if area is None else area.wkt},
    )
