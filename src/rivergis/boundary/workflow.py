"""Jobs on boundaries: surrogate areas for rivers that have no line, and the night's questions about lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import geopandas as gpd
from sqlalchemy import Connection

from rivergis import crs
from rivergis.boundary import check, store
from rivergis.boundary.drafting import surrogate as draft
from rivergis.db.connect import Database, now_of
from rivergis.lead import Lead
from rivergis.river import store as river_store
from rivergis.river.register import Register
from rivergis.rules import RuleBook, RuleView, path_of


@dataclass(frozen=True)
class SurrogatesMade:
    """Rivers given a surrogate area, with the rule rows used and those of them that are unconfirmed."""

    rivers: int
    unchanged: int
    rules: list[str]
    unconfirmed: list[str]


def make_surrogates(db: Database, book: RuleBook, on: date, actor: str, *, adcode: str = "000000") -> SurrogatesMade:
    """Record a surrogate management area (basis = surrogate) for every river without any boundary in force on a day.

    Offsets come from ``boundary.surrogate.*`` of the rules. One transaction; a second run changes nothing.
    """
    view = book.at(path_of(adcode), on)
    with db.write(actor) as conn:
        known = now_of(conn)
        reaches = river_store.reaches(conn, on, known)
        bound = set(store.areas(conn, on, known).query("basis != 'surrogate'")["river_id"]) | set(
            store.lines(conn, on, known)["river_id"]
        )
        reaches = reaches[~reaches["river_id"].isin(bound)]
        if reaches.empty:
            return SurrogatesMade(0, 0, [], [])
        metric = crs.to_metric(reaches)
        water = river_store.water_areas(conn, on, known).to_crs(metric.crs)
        offsets = {
            kind: view.number("boundary.surrogate.line_offset", reach_kind=kind) for kind in sorted(set(metric["kind"]))
        }
        areas = crs.to_storage(
            draft.surrogate_areas(metric, water, offsets, view.number("boundary.surrogate.water_offset"))
        )
        of_river = reaches.drop_duplicates("river_id").set_index("river_id")
        rows = gpd.GeoDataFrame(
            {
                "code": ["surrogate-" + of_river.loc[r, "river_code"] for r in areas["river_id"]],
                "river_code": [of_river.loc[r, "river_code"] for r in areas["river_id"]],
                "namespace": [of_river.loc[r, "code_namespace"] for r in areas["river_id"]],
                "geom": areas.geometry.values,
            },
            geometry="geom",
            crs=crs.STORAGE,
        )
        made = unchanged = 0
        for namespace, group in rows.groupby("namespace"):
            acts = group[["code", "river_code"]].assign(
                line_type="management",
                basis="surrogate",
                state="draft",
                reason="替代边界,仅供参考 / surrogate from water and line, for orientation only",
            )
            store.save_delimitation(conn, acts, namespace=str(namespace), import_id=None)
            saved = store.save(
                conn,
                "boundary_area",
                group[["code", "geom"]].assign(version_code=group["code"]).set_geometry("geom"),
                namespace=str(namespace),
                import_id=None,
            )
            made, unchanged = made + saved.imported, unchanged + saved.unchanged
    used = view.used
    return SurrogatesMade(
        made, unchanged, sorted({v.key for v in used}), sorted({v.key for v in used if v.status == "unconfirmed"})
    )


def leads(conn: Connection, view: RuleView, register: Register, on: date, known_at: datetime) -> list[Lead]:
    """Boundary lines in force on a civil day that lie on the wrong side of their own river (界线待核); reads only."""
    lines = store.lines(conn, on, known_at)
    axes = river_store.axes(conn, on, known_at)
    if lines.empty or axes.empty:
        return []
    metric = crs.to_metric(lines)
    limit = view.value("boundary.check.min_wrong_side")
    question = view.prohibition("boundary.line_check")
    out = []
    for defect in check.check_lines(metric, axes.to_crs(metric.crs), float(limit.value)):
        place, part = gpd.GeoSeries([defect.place, defect.part], crs=metric.crs).to_crs(crs.STORAGE)
        row = lines.iloc[defect.row]
        spot = register.spots([place], [row["river_id"]])[0]
        where = {
            k: v
            for k, v in spot.as_dict().items()
            if k in ("river", "river_code", "at_m", "chainage", "village", "town", "county", "chiefs")
        }
        out.append(
            Lead(
                topic="boundary_line",
                key=f"{row['id']}/{defect.code}/{spot.chainage}",
                kind=defect.code,
                class_code=question.code,
                place=place,
                geom=part,
                position="undecided",
                basis=row["basis"],
                clause=question.clause,
                competent_authority=question.competent_authority,
                our_action=question.our_action,
                figures={
                    "line_bank": row["bank"],
                    "wrong_side_m": round(defect.length_m, 1),
                    "line": row["code"],
                    "announce_doc_no": row["announce_doc_no"],
                    **where,
                },
                rules=[limit.as_dict()],
                inputs={"line": [str(row["id"]), int(row["version"])]},
                sources=[{"line": str(row["id"]), "version": int(row["version"]), "code": row["code"]}],
                boundary_id=str(row["boundary_id"]),
                boundary_version=int(row["boundary_version"]),
                district=spot.village_code or "",
            )
        )
    return out
