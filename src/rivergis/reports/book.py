"""The facts that reports and pages show of a night, put in words once: Chinese first, English beside."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.db import system
from rivergis.db.connect import now_of
from rivergis.encroachment import store as finding_store
from rivergis.maps import leads as lead_words_
from rivergis.patrol import review_store
from rivergis.patrol import store as patrol_store
from rivergis.river import store as river_store
from rivergis.river.chainage import label

SHANGHAI = ZoneInfo("Asia/Shanghai")
OUTWARD_REASONS = (
    "permitted",
    "not_observed",
    "undecided",
    "permit_place_open",
    "permit_unaccepted",
    "allowed_use",
    "below_min_area",
    "within_tolerance",
    "touches_only",
    "degenerate",
)
SHOWN_ROWS = 60  # a report stays readable; what is left out is counted and said


@dataclass(frozen=True)
class Night:
    """Everything a report or page shows of one night."""

    night: date
    run: dict[str, Any] | None
    demo: bool
    leads: list[dict[str, Any]]
    not_told: list[dict[str, Any]]
    patrols: list[dict[str, Any]]
    rules_unconfirmed: list[str]

    def of(self, topic: str, *statuses: str) -> list[dict[str, Any]]:
        """Leads of a topic, of some statuses if they are named; announced lines first."""
        return [x for x in self.leads if x["topic"] == topic and (not statuses or x["status"] in statuses)]


def night(conn: Connection, on: date, store_dir: Path | None = None, *, patrols: bool = True) -> Night:
    """The facts of a night; with ``store_dir`` pictures are embedded, so that the page is one file; ``patrols=False``: no named people."""
    run = system.latest_job_run(conn, "nightly", on)
    if run:
        run["finished_local"] = run["finished_at"].astimezone(SHANGHAI)
    leads = [lead_words(r) for r in finding_store.findings_of_night(conn, on).drop(columns="geom").to_dict("records")]
    for lead in leads:
        if lead["status"] in ("new", "rebound", "grown"):
            lead["pictures"] = pictures(conn, lead["id"], store_dir)
    order = {"announced": 0, "gazette": 0}
    leads.sort(
        key=lambda x: (
            x["topic"],
            order.get(x["basis"], 1),
            x["status"] != "new",
            not x["figures"].get("imagery_first_seen"),
            x["place"],
            str(x["id"]),
        )
    )
    return Night(
        on,
        run,
        is_demo(conn),
        leads,
        _not_told(conn, on),
        _patrols(conn, on) if patrols else [],
        (run or {}).get("counts", {}).get("rules_unconfirmed", []),
    )


def is_demo(conn: Connection) -> bool:
    """Whether the database holds the fictional demo county: every map and export of it is stamped."""
    return river_store.has_namespace(conn, "demo")


def lead_words(row: dict[str, Any]) -> dict[str, Any]:
    """A lead with the words that people read beside its codes."""
    f = row.get("figures") or {}
    place = " ".join(
        p for p in (f.get("river"), words.say("bank." + f["bank"]) if f.get("bank") else None, f.get("chainage")) if p
    )
    chiefs = f.get("chiefs") or []
    return {
        **row,
        "figures": f,
        "class_words": class_words(row.get("class_code")),
        "status_words": words.both("status." + row["status"]),
        "position_words": words.both("position." + row["position"]) if row.get("position") else "",
        "basis_words": words.both("basis." + row["basis"]) if row.get("basis") else "",
        "kind_words": words.both(
            "kind." + str(f.get("kind") or (row.get("sources") or [{}])[0].get("kind") or "unknown")
        ),
        "place": place,
        "chief_words": "、".join(f"{words.say('level.' + c['level'])} {c['chief']}" for c in chiefs),
        "short": str(row["id"])[:8],
        # only an announced line or a gazetted zone may word a lead; everything else says what it is
        "headline": words.both("page.lead")
        if row.get("basis") in ("announced", "gazette")
        else words.both("basis." + str(row.get("basis"))),
        "area_words": lead_words_.area(f),
        "pictures": [],
    }


def class_words(code: str | None) -> str:
    return words.both("class." + code) if code else ""


def pictures(conn: Connection, finding_id: Any, store_dir: Path | None) -> list[dict[str, Any]]:
    """Before and after pictures of a lead, oldest first, embedded when the store is at hand."""
    rows = finding_store.pictures_of(conn, finding_id)
    for row in rows:
        file = store_dir / row["file_path"] if store_dir else None
        row["src"] = (
            f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"
            if file and file.exists()
            else f"/evidence/{row['id']}"
        )
    return rows


def _not_told(conn: Connection, on: date) -> list[dict[str, Any]]:
    """Candidates that were not told, by reason; plainly outside ones are only counted by the run."""
    rows = finding_store.not_findings_of_night(conn, on).drop(columns="geom").to_dict("records")
    rank = {r: i for i, r in enumerate(OUTWARD_REASONS)}
    for r in rows:
        d = r["detail"] or {}
        r["reason_words"], r["kind_words"] = words.both("reason." + r["reason"]), words.both("kind." + r["kind"])
        r["place"] = " ".join(
            p
            for p in (d.get("river"), words.say("bank." + d["bank"]) if d.get("bank") else None, d.get("chainage"))
            if p
        )
        r["because"] = (
            "、".join(d.get("permits") or [])
            or d.get("because")
            or (f"影像 {d['scene']} 此处有云或阴影" if d.get("scene") else "")
        )
    return sorted(rows, key=lambda r: (rank.get(r["reason"], 99), r["code"]))


def _patrols(conn: Connection, on: date) -> list[dict[str, Any]]:
    found = patrol_store.results_of_day(conn, on, now_of(conn)).to_dict("records")
    rows = review_store.waiting(conn, [{str(k): v for k, v in r.items()} for r in found])
    for r in rows:
        r["started_local"] = _local(r["started_at"])
        r["ended_local"] = _local(r["ended_at"])
        r["strips"] = strips(patrol_store.legs_on_rivers(conn, r["result_id"]))
        r["level_words"] = words.say("level." + r["level"]) if isinstance(r["level"], str) else ""
    return rows


def _local(value: Any) -> datetime | None:
    return None if value is None or pd.isna(value) else pd.Timestamp(value).tz_convert(SHANGHAI).to_pydatetime()


def strips(legs: pd.DataFrame) -> list[dict[str, Any]]:
    """Legs as stretches of each river and bank along its chainage, for drawing: seen, or not seen and why."""
    out = []
    for (river, bank), group in legs.groupby(["river", "bank"], sort=True):
        lo, hi = float(group["at_from_m"].min()), float(group["at_to_m"].max())
        span = max(hi - lo, 1.0)
        parts = [
            {
                "x": (r.at_from_m - lo) / span * 100,
                "w": max((r.at_to_m - r.at_from_m) / span * 100, 0.3),
                "why": "seen" if r.seen else r.reason,
                "words": f"{label(r.at_from_m)} – {label(r.at_to_m)} "
                + ("看到 seen" if r.seen else words.both("unseen." + r.reason)),
            }
            for r in group.sort_values(["seen", "at_from_m"]).itertuples()
        ]
        seen = float((group["at_to_m"] - group["at_from_m"])[group["seen"]].sum())
        out.append(
            {
                "river": river,
                "bank": words.both("bank." + bank),
                "from": label(lo),
                "to": label(hi),
                "parts": parts,
                "seen_m": round(seen),
                "reasons": sorted({words.both("unseen." + r) for r in group.loc[~group["seen"], "reason"]}),
            }
        )
    return out
