"""The whole county in one go: build the parts in order, then write them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import axes, boundary, imagery, objects, people, rivers, terrain, track_files, tracks, truth, write, zones
from .landscape import Ground
from .object_plan import DELIVERIES, IMAGE_ONLY, IMAGES, SPECS
from .rivers import Row

SEED = 20260520


@dataclass
class County:
    system: axes.System
    ground: terrain.Terrain
    waters: rivers.Waters
    lines: boundary.Boundary
    people: people.People
    zones: zones.Zones
    objects: objects.Objects
    tracks: list[tracks.Track]


def build(seed: int = SEED) -> County:
    system = axes.build(seed)
    ground = terrain.build(seed, system, rivers.levee_crests(system))
    waters = rivers.build(seed, system, ground.reservoir)
    lines = boundary.build(seed, system, ground.reservoir)
    return County(
        system, ground, waters, lines, people.build(seed, system), zones.build(seed, system, waters),
        objects.build(seed, system, lines), tracks.build(seed, system, lines, ground.reservoir),
    )  # fmt: skip


def layers(county: County) -> dict[str, list[Row]]:
    waters, lines, who = county.waters, county.lines, county.people
    return {
        "admin_unit": who.admin_unit, "river": waters.river, "reach": waters.reach, "water_area": waters.water_area,
        "bank_line": waters.bank_line, "levee": waters.levee, "boundary_line": lines.line, "boundary_area": lines.area,
        "function_zone": lines.function_zone, "stake": lines.stake, "intake": county.zones.intake,
        "source_zone": county.zones.source_zone, "outfall": county.zones.outfall,
        "candidate": county.objects.candidate[DELIVERIES[0]], "candidate_point": county.objects.point,
        "permit": county.objects.permit, "landmark": county.objects.landmark, "chief": who.chief, "duty": who.duty,
    }  # fmt: skip


def write_all(out_dir: Path, seed: int = SEED) -> None:
    out_dir.mkdir(parents=True, exist_ok=True)
    county = build(seed)
    write.geopackage(out_dir / "county.gpkg", layers(county))
    later = DELIVERIES[1]
    note: Row = {"note": write.STAMP, "delivered_on": later, "complete": True}
    write.geojson(out_dir / f"candidates_{later}.geojson", "candidate", county.objects.candidate[later], note)
    write.dem(out_dir / "dem_10m.tif", county.ground.z, county.ground.transform)
    scenes = imagery.build(Ground(seed, county.system, county.waters, county.lines, county.objects, county.ground))
    for scene in scenes:
        imagery.write(out_dir / "imagery", scene)
    _write_cloud(out_dir, scenes[-1])
    track_files.write(out_dir / "tracks", county.tracks)
    write.truth(out_dir / "truth.json", _truth(seed, county, scenes[-1]))


def _write_cloud(out_dir: Path, scene: imagery.Scene) -> None:
    rows: list[Row] = [{"kind": kind, "taken_on": scene.date, "geometry": area}
                       for kind, area in (("cloud", scene.cloud), ("shadow", scene.shadow))]  # fmt: skip
    write.geojson(out_dir / "imagery" / f"{scene.date}_cloud.geojson", "cloud", rows, {"note": write.STAMP})


def _truth(seed: int, county: County, scene: imagery.Scene) -> Row:
    judge = truth.Judge(county.system, county.waters, county.lines, county.people, county.objects, scene.unobserved)
    rows = truth.candidates(judge)
    track_rows, patrol = tracks.truth(county.tracks, county.people)
    return {
        "note": write.STAMP, "seed": seed, "deliveries": list(DELIVERIES),
        "story": truth.story(county.objects, county.lines, patrol),
        **truth.planted(county.waters, county.lines, county.people, county.zones, county.objects),
        "images": {"before": IMAGES[0], "after": IMAGES[1], "shift_m": list(imagery.shift_m()),
                   "appears_between": [{"key": spec.key, "code": county.objects.code_of.get(spec.key)}
                                       for spec in (*SPECS, IMAGE_ONLY) if spec.appears > IMAGES[0]],
                   "unobserved_candidates": [r["code"] for r in rows if r.get("unobserved_share")]},
        "story_patrol": patrol, "candidates": rows, "tracks": track_rows,
    }  # fmt: skip
