"""Load the fictional demo county: files through the same doors as anybody's, then the nights of its story."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rivergis import rules
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.errors import InputError
from rivergis.intake import profile as profiles
from rivergis.jobs import nightly, receive
from rivergis.river import workflow as river_workflow
from rivergis.rules import RuleBook

NAMESPACE = "demo"
FIRST, SECOND = date(2026, 5, 18), date(2026, 5, 20)
NIGHTS = (date(2026, 5, 18), date(2026, 5, 19), date(2026, 5, 20))
SCENES = (date(2026, 4, 11), date(2026, 5, 19))
# people who try the demo: name, display name, roles
USERS = (
    ("demo-inspector", "演示核查员", ("inspector", "viewer")),
    ("demo-planner", "演示划界员", ("planner", "viewer")),
    ("demo-reviewer", "演示审核员", ("reviewer",)),
    ("demo-security", "演示安全管理员", ("security_officer",)),
    ("demo-admin", "演示系统管理员", ("system_admin",)),
    ("demo-auditor", "演示审计员", ("auditor",)),
)
PASSWORD = "yunxi-demo-2026"  # printed to whoever loads the demo; the data is fictional

Progress = Callable[[str], None]


@dataclass(frozen=True)
class DemoLoaded:
    """What was loaded: imported rows by layer, tracks, nights, and how to sign in."""

    imported: dict[str, int]
    set_aside: int
    tracks: int
    nights: list[dict[str, Any]]
    users: list[str]
    password: str
    new_users: list[str] = field(default_factory=list)
    turned_reaches: list[str] = field(default_factory=list)
    """Reaches that were digitised upstream and are recorded as running downstream."""


def load(
    db: Database,
    book: RuleBook,
    folder: Path,
    actor: str,
    *,
    rules_dir: Path,
    store_dir: Path,
    report_dir: Path,
    progress: Progress = lambda _: None,
) -> DemoLoaded:
    """Load the county from ``folder`` and run its three nights; a second run changes nothing."""
    if not (folder / "county.gpkg").exists():
        raise InputError(
            f"{folder} does not hold the demo county: make it with 'python data/make_demo.py --out {folder}'.",
            file=str(folder),
        )
    profile = profiles.load("demo_county", rules_dir)
    first = receive.Options(namespace=NAMESPACE, delivered_on=FIRST)
    done = receive.import_all(
        db, folder / "county.gpkg", actor=actor, profile=profile, options=first, progress=progress
    )
    progress("reaches against their axis")
    turned = river_workflow.orient(db, actor)
    for day in SCENES:
        scene, cloud = folder / "imagery" / f"{day}.tif", folder / "imagery" / f"{day}_cloud.geojson"
        if scene.exists():
            progress(f"imagery {day}")
            done.append(
                receive.import_imagery(
                    db,
                    scene,
                    day,
                    actor=actor,
                    store_dir=store_dir,
                    cloud=cloud if cloud.exists() else None,
                    namespace=NAMESPACE,
                )
            )
    progress("patrol tracks of May 2026")
    tracks = receive.import_tracks(
        db,
        folder / "tracks",
        book=rules.load(rules_dir),
        index=folder / "tracks" / "index.json",
        actor=actor,
        store_dir=store_dir,
        namespace=NAMESPACE,
    )
    later = folder / f"candidates_{SECOND}.geojson"
    done += receive.import_file(
        db,
        "candidate",
        later,
        actor=actor,
        profile=profile,
        options=receive.Options(namespace=NAMESPACE, delivered_on=SECOND),
        source_layer=later.stem,
    )
    new_users = _users(db, actor)
    nights = []
    for night in NIGHTS:
        progress(f"night {night}")
        nights.append(_night(db, book, night, actor, store_dir, report_dir, progress))
    progress("patrols of the other days")
    nightly.score_patrols(db, book, sorted(set(_track_days(folder)) - set(NIGHTS)), actor)
    imported: dict[str, int] = {}
    for r in done:
        imported[r.layer] = imported.get(r.layer, 0) + r.imported
    return DemoLoaded(
        imported,
        sum(r.quarantined for r in done),
        tracks.new,
        nights,
        [u[0] for u in USERS],
        PASSWORD,
        new_users,
        turned.turned,
    )


def _night(
    db: Database, book: RuleBook, night: date, actor: str, store_dir: Path, report_dir: Path, progress: Progress
) -> dict[str, Any]:
    """Run one night; one that was recorded under other rules or software, with later nights after it, stays as it is."""
    result = nightly.run(db, book, night, actor, store_dir=store_dir, report_dir=report_dir, progress=progress)
    return {
        "night": str(night),
        "changed": result.changed,
        "report": result.report,
        "topics": result.counts.get("topics", {}),
    }


def _track_days(folder: Path) -> list[date]:
    return [date.fromisoformat(t["day"]) for t in truth(folder)["tracks"]]


def _users(db: Database, actor: str) -> list[str]:
    """The demo's users, made once."""
    made = []
    with db.write(actor) as conn:
        known = {u["name"] for u in people.list_users(conn)}
        for name, display, roles in USERS:
            if name in known:
                continue
            people.add_user(conn, name, display, password=PASSWORD)
            for role in roles:
                people.grant(conn, name, role)
            made.append(name)
    return made


def truth(folder: Path) -> dict[str, Any]:
    """What was planted in the county, for measuring against."""
    body: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return body
