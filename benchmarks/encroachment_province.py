"""A province of management areas and candidates as GeoParquet: what the engine of the overlay is measured on.

Run: .venv/bin/python benchmarks/encroachment_province.py FOLDER [--reaches N] [--vertices N] [--candidates N] [--permits N]
     [--crs EPSG:4490] [--order spatial] [--seed N]
No question of its own. Rivers of 40 km lie in bands of 4 km; each is a chain of strips between natural banks, cut across
every 2 km. Neighbours share the cut edge, every eighth reaches tens of metres into the next, some have islands as holes,
and bends of two rivers may meet. About 4 % of the candidates (buildings, land use, inspectors' points, a few very large
ones) touch an area. Everything is drawn in EPSG:4547 and written as GeoParquet 1.1 with bbox covering columns in row groups
of 100,000. The same seed makes the same files; rows are made and written in batches, so that memory does not grow.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]
DRAWN_IN, CENTRE = "EPSG:4547", (500_000.0, 3_375_000.0)
REACH_M, REACHES_PER_RIVER, BAND_M = 2_000.0, 20, 4_000.0
RIVER_M = REACH_M * REACHES_PER_RIVER
BATCH = 100_000
AREAS, CANDIDATES, PERMITS = 1, 2, 3  # streams of chance, so that one layer does not move another
BBOX = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Plan:
    """How large the province is, and where its rivers start."""

    reaches: int
    vertices: int
    candidates: int
    permits: int
    seed: int
    spatial: bool

    @property
    def rivers(self) -> int:
        return -(-self.reaches // REACHES_PER_RIVER)

    @property
    def columns(self) -> int:
        return max(1, round((self.rivers * BAND_M / RIVER_M) ** 0.5))

    def start(self, river: npt.NDArray[np.int64] | int) -> tuple[Floats, Floats]:
        """West end and middle line of a river's band, metres; rivers are counted along rows, from the south."""
        row, column = np.divmod(np.asarray(river), self.columns)
        rows = -(-self.rivers // self.columns)
        return CENTRE[0] + (column - self.columns / 2) * RIVER_M, CENTRE[1] + (row + 0.5 - rows / 2) * BAND_M

    def rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stream])


class Course:
    """One river: its axis and half its width as functions of the way along its band.

    A bank is a graph over (way, offset from the axis), and offsets stay below the radius of every bend: strips cut from it
    are simple however rough the bank is.
    """

    def __init__(self, plan: Plan, river: int) -> None:
        rng = plan.rng(AREAS, river)
        self.x, self.y = (float(at) for at in plan.start(river))
        self.wave = 2 * np.pi / rng.uniform(3_000.0, 10_000.0, 4)
        self.swing = rng.uniform(0.05, 0.25, 4) / self.wave
        self.phase = rng.uniform(0, 2 * np.pi, 4)
        self.marks = np.arange(-200.0, RIVER_M + 400.0, 8.0)
        drift = rng.normal(0, 1, (2, len(self.marks))).cumsum(axis=1)
        rough = drift - np.stack([np.convolve(one, np.full(64, 1 / 64), "same") for one in drift])
        middle = rng.uniform(25, 90) * (1 + 0.25 * np.sin(self.marks * 2 * np.pi / 9_000.0 + self.phase[0]))
        self.half = np.clip(middle + 1.5 * rough, 12.0, 180.0)
        self.rng = rng

    def at(self, along: Floats, offset: Floats) -> Floats:
        """Places so far along and so far left of the axis, metres."""
        angle = self.wave[:, None] * along + self.phase[:, None]
        rise = (self.swing[:, None] * np.sin(angle)).sum(axis=0)
        slope = (self.swing[:, None] * self.wave[:, None] * np.cos(angle)).sum(axis=0)
        lean = np.hypot(1.0, slope)
        return np.column_stack([self.x + along - offset * slope / lean, self.y + rise + offset / lean])

    def bank(self, along: Floats, side: int) -> Floats:
        return self.at(along, (1 - 2 * side) * np.interp(along, self.marks, self.half[side]))

    def strip(self, start: float, end: float, vertices: int, island: bool) -> shapely.Polygon:
        """The area between two cuts across; every vertex counts, those of an island too."""
        ring = 24 if island and vertices >= 80 else 0
        left = (vertices - ring) // 2
        right = vertices - ring - left
        shell = np.vstack([self.bank(np.linspace(start, end, left), 0), self.bank(np.linspace(end, start, right), 1)])
        return shapely.Polygon(shell, [self.island(start, end, ring)] if ring else None)

    def island(self, start: float, end: float, vertices: int) -> Floats:
        angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
        centre, length = (start + end) / 2, self.rng.uniform(60, 300)
        wide = 0.4 * np.interp(centre + length * np.linspace(-1, 1, 9), self.marks, self.half.min(axis=0)).min()
        return self.at(centre + length * np.cos(angle), wide * np.sin(angle))

    def areas(self, count: int, vertices: int) -> list[shapely.Polygon]:
        """The chain of strips: shared cuts, some that reach into the next, some with an island."""
        over = np.where(self.rng.random(count) < 1 / 8, self.rng.uniform(10, 60, count), 0.0)
        island = self.rng.random(count) < 1 / 12
        cuts = REACH_M * np.arange(count + 1)
        return [self.strip(cuts[k], cuts[k + 1] + over[k], vertices, bool(island[k])) for k in range(count)]


class Layer:
    """A GeoParquet 1.1 file written batch by batch; the bounds of the whole are known when it is closed."""

    def __init__(self, path: Path, code: str, geometry_types: list[str]) -> None:
        self.path, self.types, self.crs = path, geometry_types, pyproj.CRS.from_user_input(code)
        self.turn = None
        if self.crs != pyproj.CRS.from_user_input(DRAWN_IN):
            self.turn = pyproj.Transformer.from_crs(DRAWN_IN, self.crs, always_xy=True)
        self.writer: pq.ParquetWriter | None = None
        self.bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])

    def __enter__(self) -> Layer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.writer is not None, "a layer has at least one batch"
        column = {
            "encoding": "WKB",
            "geometry_types": self.types,
            "crs": self.crs.to_json_dict(),
            "bbox": self.bounds.tolist(),
            "covering": {"bbox": {side: ["bbox", side] for side in BBOX}},
        }
        geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
        self.writer.add_key_value_metadata({"geo": json.dumps(geo)})
        self.writer.close()

    def write(self, columns: dict[str, object], shapes: Shapes) -> None:
        """One row group; shapes in the metres they were drawn in, ``None`` where there is none."""
        if self.turn is not None:
            shapes = shapely.transform(shapes, lambda xy: np.column_stack(self.turn.transform(*xy.T)))
        bounds = shapely.bounds(shapes)
        self.bounds[:2] = np.fmin(self.bounds[:2], np.nanmin(bounds[:, :2], axis=0))
        self.bounds[2:] = np.fmax(self.bounds[2:], np.nanmax(bounds[:, 2:], axis=0))
        wkb = shapely.to_wkb(shapes)
        hashes = [hashlib.blake2b(one or b"", digest_size=16).hexdigest() for one in wkb]
        sides = [pa.array(bounds[:, i], mask=np.isnan(bounds[:, i])) for i in range(4)]
        box = pa.StructArray.from_arrays(sides, names=list(BBOX))
        table = pa.table({**columns, "content_hash": hashes, "bbox": box, "geometry": pa.array(wkb, pa.binary())})
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, table.schema)
        self.writer.write_table(table, row_group_size=BATCH)


def batches(total: int, size: int) -> Iterator[tuple[int, int]]:
    return ((first, min(first + size, total)) for first in range(0, total, size))


def numbered(letter: str, first: int, last: int) -> list[str]:
    return [f"{letter}{i:08d}" for i in range(first, last)]


def write_areas(plan: Plan, path: Path, code: str) -> None:
    """Management areas; fewer to a row group than of the others, because each has so many vertices."""
    rivers = max(1, min(BATCH, 1_000_000 // plan.vertices) // REACHES_PER_RIVER)
    with Layer(path, code, ["Polygon"]) as layer:
        for first, last in batches(plan.rivers, rivers):
            shapes: list[shapely.Polygon] = []
            for river in range(first, last):
                count = min(REACHES_PER_RIVER, plan.reaches - river * REACHES_PER_RIVER)
                shapes += Course(plan, river).areas(count, plan.vertices)
            number = np.arange(first * REACHES_PER_RIVER, first * REACHES_PER_RIVER + len(shapes))
            river_number = number // REACHES_PER_RIVER
            columns: dict[str, object] = {
                "id": numbered("A", int(number[0]), int(number[-1]) + 1),
                "kind": ["management"] * len(number),
                "source": ["survey"] * len(number),
                "name": [f"第{r}号河第{k}段" for r, k in zip(river_number, number % REACHES_PER_RIVER, strict=True)],
                "reach": [f"R{i}" for i in number],
                "county": [f"500{c:03d}" for c in river_number // 20],
                "basis": np.where(river_number % 5 == 0, "surrogate", "announced"),
                "accuracy_m": np.where(river_number % 5 == 0, 5.0, 0.5),
            }
            layer.write(columns, np.array(shapes, dtype=object))


def spots(plan: Plan, rng: np.random.Generator, first: int, last: int) -> Floats:
    """Where candidates of a batch stand: anywhere in the bands that the batch covers, or anywhere at all."""
    lowest, highest = 0.0, float(plan.rivers)
    if plan.spatial:
        lowest, highest = (plan.rivers * at / plan.candidates for at in (first, last))
    x, y = plan.start(np.floor(rng.uniform(lowest, highest, last - first)).astype(np.int64))
    return np.column_stack([x + rng.uniform(0, RIVER_M, len(x)), y + rng.uniform(-BAND_M / 2, BAND_M / 2, len(y))])


def turned(rng: np.random.Generator, centre: Floats, outline: Floats) -> Floats:
    """Outlines (n, k, 2) about their centres, each turned by chance."""
    angle = rng.uniform(0, np.pi, len(centre))
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = outline[..., 0], outline[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1) + centre[:, None]


def buildings(rng: np.random.Generator, centre: Floats, side_m: tuple[float, float] = (6.0, 32.0)) -> Shapes:
    """Rectangles, every third with a corner cut out of it."""
    size = rng.uniform(*side_m, (len(centre), 1, 2)) / 2
    plain = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float)
    angled = np.array([[-1, -1], [1, -1], [1, 0.1], [0.2, 0.1], [0.2, 1], [-1, 1]], dtype=float)
    shapes, cut = np.empty(len(centre), dtype=object), rng.random(len(centre)) < 1 / 3
    for which, outline in ((~cut, plain), (cut, angled)):
        shapes[which] = shapely.polygons(turned(rng, centre[which], outline * size[which]))
    return shapes


def patches(rng: np.random.Generator, centre: Floats, corners: int, radius_m: tuple[float, float]) -> Shapes:
    """Land use: outlines of so many corners, seen whole from their middle."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    waves = np.arange(2, 6)
    bend = rng.uniform(0, 0.12, (len(centre), 4)), rng.uniform(0, 2 * np.pi, (len(centre), 4))
    lobes = (bend[0][:, :, None] * np.sin(waves[:, None] * angle + bend[1][:, :, None])).sum(axis=1)
    rough = 1 + lobes + rng.normal(0, 0.02, lobes.shape).clip(-0.05, 0.05)
    smallest, largest = np.log(radius_m)
    reach = np.exp(rng.uniform(smallest, largest, len(centre)))[:, None] * rough
    outline = np.stack([reach * np.cos(angle), 0.6 * reach * np.sin(angle)], axis=-1)
    return shapely.polygons(turned(rng, centre, outline))


# what a candidate is: share of all, kind, source, its accuracy, and how it is drawn
SORTS = (
    (0.790, "building", "footprints", 2.0, buildings),
    (0.100, "occupation", "landuse", 5.0, lambda rng, at: patches(rng, at, 24, (10.0, 60.0))),
    (0.060, "dump", "remote_sensing", 4.0, lambda rng, at: patches(rng, at, 48, (10.0, 60.0))),
    (0.034, "quarry", "remote_sensing", 4.0, lambda rng, at: patches(rng, at, 120, (20.0, 90.0))),
    (0.001, "occupation", "landuse", 10.0, lambda rng, at: patches(rng, at, 600, (400.0, 2_500.0))),
    (0.015, "dump", "inspector", 10.0, lambda rng, at: shapely.points(at)),
)


def write_candidates(plan: Plan, path: Path, code: str) -> None:
    share = np.array([sort[0] for sort in SORTS])
    kinds, sources = (np.array([sort[i] for sort in SORTS]) for i in (1, 2))
    accuracy = np.array([sort[3] for sort in SORTS])
    with Layer(path, code, ["Polygon", "Point"]) as layer:
        for first, last in batches(plan.candidates, BATCH):
            rng = plan.rng(CANDIDATES, first)
            at, sort = spots(plan, rng, first, last), rng.choice(len(SORTS), last - first, p=share / share.sum())
            shapes = np.empty(len(at), dtype=object)
            for i, (_, _, _, _, draw) in enumerate(SORTS):
                shapes[sort == i] = draw(rng, at[sort == i])
            named = rng.random(len(at)) < 0.2
            columns: dict[str, object] = {
                "id": numbered("c", first, last),
                "kind": kinds[sort],
                "source": sources[sort],
                "name": [f"图斑{i}" if given else None for i, given in enumerate(named, first)],
                "accuracy_m": accuracy[sort],
            }
            layer.write(columns, shapes)


def write_permits(plan: Plan, path: Path, code: str) -> None:
    """Permits beside the rivers: most with an area, a tenth without, a third of them ended or not begun on 2026-06-01."""
    rng, count = plan.rng(PERMITS), plan.permits
    axes = {river: Course(plan, river) for river in np.unique(rng.integers(0, plan.rivers, min(count, 200)))}
    river = rng.choice(sorted(axes), count)
    along = rng.uniform(0, RIVER_M, count)
    at = np.vstack([axes[r].at(np.array([s]), np.zeros(1)) for r, s in zip(river, along, strict=True)])
    shapes, bare = buildings(rng, at, (60.0, 600.0)), rng.random(count) < 0.1
    shapes[bare] = None
    day = np.datetime64("2026-06-01")
    begins = day - rng.integers(-100, 700, count)
    ends = day + rng.integers(-200, 700, count)
    columns: dict[str, object] = {
        "id": numbered("p", 0, count),
        "allows": rng.choice(["building", "occupation", "dump", "quarry"], count),
        "kind": rng.choice(["permanent_work", "temporary_use", "sand_mining", "dredging"], count),
        "name": [f"许可{i}" for i in range(count)],
        "valid_from": pa.array(np.minimum(begins, ends)),
        "valid_to": pa.array(np.maximum(begins, ends)),
        "position_kind": np.where(bare, "name", "polygon"),
        "river_id": [f"第{r}号河" for r in river],
    }
    with Layer(path, code, ["Polygon"]) as layer:
        layer.write(columns, shapes)


def province(plan: Plan, folder: Path, code: str) -> dict[str, Path]:
    """The three files of a province in a folder: areas, candidates, permits."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.parquet" for name in ("areas", "candidates", "permits")}
    write_areas(plan, paths["areas"], code)
    write_candidates(plan, paths["candidates"], code)
    write_permits(plan, paths["permits"], code)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reaches", type=int, default=40_000)
    parser.add_argument("--vertices", type=int, default=1_000, help="of each area")
    parser.add_argument("--candidates", type=int, default=5_000_000)
    parser.add_argument("--permits", type=int, default=5_000)
    parser.add_argument("--crs", default="EPSG:4490", help="of the files; EPSG:4547 has metres")
    parser.add_argument(
        "--order", choices=("spatial", "random"), default="spatial", help="of the candidates in their file"
    )
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    sizes = (asked.reaches, asked.vertices, asked.candidates, asked.permits)
    start = time.perf_counter()
    made = province(Plan(*sizes, asked.seed, asked.order == "spatial"), asked.folder, asked.crs)
    for path in made.values():
        print(f"{path}: {pq.read_metadata(path).num_rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB")
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.perf_counter() - start:.0f} s, {held:.0f} MiB at most")


if __name__ == "__main__":
    main()
