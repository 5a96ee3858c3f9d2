"""What is counted of a night when it has come to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from rivergis.db import system
from rivergis.db.nights import JOB
from rivergis.encroachment import night_store
from rivergis.encroachment import store as finding_store
from rivergis.jobs.night_units import PATROLS, REGISTERS, TOPICS, Running


def _unconfirmed_before(conn: Connection, run_: Running) -> list[str]:
    """Unconfirmed rules that what stands still rests on, though this night did not look at it again."""
    if run_.before is None:
        return []
    last = system.latest_job_run(conn, JOB, run_.before.night)
    same = last is not None and run_.same("rules")
    return list(last["counts"].get("rules_unconfirmed", [])) if same and last is not None else []


def counts(conn: Connection, run_: Running, parts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What a night came to over all of its parts: leads by topic and status, what is not told and why, each district, files, pictures."""
    night, known = run_.begun.night, run_.begun.known_at
    topics: dict[str, Any] = {t: {"leads": 0, "on_announced": 0, "statuses": {}, "verdicts": 0} for t in TOPICS}
    for row in finding_store.told_by_night(conn, night):
        of = topics.get(row["topic"])
        if of is not None:
            of["statuses"][row["status"]] = int(row["n"])
            if row["status"] not in ("gone", "permitted", "merged"):
                of["leads"] += int(row["n"])
                of["on_announced"] += int(row["announced"])
    for topic, n in finding_store.verdicts_of_night(conn, night).items():
        if topic in topics:
            topics[topic]["verdicts"] = n
    reasons = finding_store.reasons_of_night(conn, night)
    standing = night_store.count_standing(conn, night, known)
    outside = standing - sum(reasons.values()) - finding_store.objects_told(conn, night)
    districts = {
        part.split("/")[1]: {"state": r["state"], **({"sentence": r["message"]} if r["message"] else {}), **r["counts"]}
        for part, r in parts.items()
        if part.startswith(f"{JOB}/")
    }
    patrols = parts.get(f"{PATROLS}/", {}).get("counts", {})
    registers = parts.get(f"{REGISTERS}/", {}).get("counts", {})
    return {
        "tracks": 0,
        "tracks_scored": 0,
        "tracks_to_review": 0,
        **patrols,
        "candidates": standing,
        "changed": len(run_.plan.changed),
        "full": run_.plan.full,
        "not_told": reasons | ({"outside": outside} if outside > 0 else {}),
        "topics": topics,
        "districts": districts,
        "failed": sorted(p for p, r in parts.items() if r["state"] == "failed"),
        "files": run_.begun.files,
        "pictures": sum(d.get("pictures", 0) for d in districts.values()),
        "pictures_failed": sum(d.get("pictures_failed", 0) for d in districts.values()),
        "report_photos": registers.get("report_photos", 0),
        "patches_filled": registers.get("patches_filled", 0),
        "rules_unconfirmed": sorted({*run_.unconfirmed, *_unconfirmed_before(conn, run_)}),
    }
