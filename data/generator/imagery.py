"""Two dates of four-band imagery over the leveed trunk, painted from the planted ground; a cloud on the second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.features import shapes as outlines
from scipy.ndimage import gaussian_filter
from scipy.ndimage import shift as move
from shapely.geometry import MultiPolygon, Polygon, shape

from . import landscape, plan
from .canvas import Canvas
from .frame import METRIC, ORIGIN, as_read, stream
from .landscape import FINE_M, HEIGHT_M, SOUTH, WEST, Ground, Landscape
from .object_plan import IMAGE_ONLY, IMAGES, SPECS

GSD_M = 4.0
SHIFT_CELLS, GAIN, OFFSET = ((0.0, 0.0), (0.4, -0.7)), (1.0, 1.035), (0.0, 2.0)
"""How the second scene differs: it lies 0.8 m and 1.4 m off (rows, columns), and is a little brighter."""
CLOUD_AT = (7465.0, -82.0)
SHADOW_SHIFT_M = (-300.0, 420.0)
CROPS = {
    # what a parcel shows in April and in May, and how often
    "paddy": ("paddy_wet", "paddy_green", 0.34), "rape": ("rape_ripe", "paddy_wet", 0.18),
    "maize": ("bare", "maize", 0.16), "veg": ("veg", "veg", 0.16), "fallow": ("grass", "grass", 0.08),
    "orchard": ("orchard", "orchard", 0.08),
}  # fmt: skip
OBJECT_COVER = {
    "house": "roof_grey", "shed": "roof_blue", "warehouse": "roof_blue", "hard_surface": "concrete", "sand": "pit",
    "dredged_material": "silt", "construction_waste": "rubble", "household_waste": "rubble", "greenhouse": "film",
    "material_yard": "sand", "bridge": "concrete", "pump_house": "roof_white", "hydrology_station": "roof_white",
    "arable": "veg",
}  # fmt: skip


@dataclass
class Scene:
    date: str
    bands: np.ndarray
    transform: Affine
    cloud: Polygon | MultiPolygon
    shadow: Polygon | MultiPolygon

    @property
    def unobserved(self) -> Polygon | MultiPolygon:
        return shapely.union(self.cloud, self.shadow)


def build(ground: Ground) -> list[Scene]:
    land = landscape.build(ground)
    return [_scene(ground, land, i) for i in range(len(IMAGES))]


def shift_m() -> tuple[float, float]:
    """How far east and north the second scene lies beside the first."""
    down, right = SHIFT_CELLS[1]
    return right * FINE_M, -down * FINE_M


def _scene(ground: Ground, land: Landscape, date: int) -> Scene:
    canvas = landscape.new_canvas()
    _fields(ground, land, canvas, date)
    for line, width, cover in [*((r, 7.0, "asphalt") for r in land.roads), *((r, 4.0, "track") for r in land.lanes)]:
        canvas.line(line, width, cover)
    _river(ground, land, canvas, date)
    _settlements(land, canvas)
    _planted(ground, canvas, IMAGES[date])
    everywhere = np.ones(canvas.shape, bool)
    canvas.shade(everywhere, landscape.hillshade(land.relief))
    canvas.texture(stream(ground.seed, f"sensor-{date}"), everywhere, 2.2, 0.03)
    cloud, shadow = _cloud(ground, canvas) if date == 1 else (Polygon(), Polygon())
    bands = canvas.scene(int(GSD_M / FINE_M), SHIFT_CELLS[date])
    bands = bands * GAIN[date] + OFFSET[date]
    bands = np.clip(np.round(bands / 2) * 2, 2, 254).astype("uint8")
    transform = Affine(GSD_M, 0, ORIGIN[0] + WEST, 0, -GSD_M, ORIGIN[1] + SOUTH + HEIGHT_M)
    return Scene(IMAGES[date], bands, transform, cloud, shadow)


def _fields(ground: Ground, land: Landscape, canvas: Canvas, date: int) -> None:
    rng = stream(ground.seed, "fields")
    names, parcels = list(CROPS), int(land.parcel.max()) + 1
    crop = rng.choice(len(names), size=parcels, p=[CROPS[n][2] for n in names])[land.parcel]
    tint = rng.normal(1, 0.05, (parcels, 1)) * rng.normal(1, 0.02, (parcels, 4))
    growth = stream(ground.seed, f"growth-{date}").normal(1, 0.025, (parcels, 1))
    for i, name in enumerate(names):
        canvas.fill(crop == i, CROPS[name][date])
    canvas.pixels *= (tint * growth)[land.parcel]
    _rows(canvas, land.parcel, crop == names.index("orchard"), 6.0, 0.16)
    _rows(canvas, land.parcel, crop == names.index("veg"), 5.0, 0.07)
    canvas.fill(land.rim, "ridge", 0.75)
    forest, grove = land.wild > 0.9, (land.wild > 0.55) & (land.wild <= 0.9)
    canvas.fill((land.wild > 0.15) & ~forest & (crop >= 3), "terrace", 0.55)
    canvas.fill(grove, "grove", 0.85)
    canvas.fill(forest, "forest")
    canvas.texture(rng, forest | grove, 3.4, 0.14)
    canvas.texture(rng, forest, 22.0, 0.07)
    canvas.texture(rng, np.ones(canvas.shape, bool), 40.0, 0.03)


def _rows(canvas: Canvas, parcel: np.ndarray, where: np.ndarray, spacing_m: float, amount: float) -> None:
    """Rows of trees or beds, in a direction of its own in every parcel."""
    turn = (parcel * 0.7) % np.pi
    across = canvas.xy[..., 0] * np.cos(turn) + canvas.xy[..., 1] * np.sin(turn)
    canvas.shade(where, 1 + amount * np.sin(2 * np.pi * across / spacing_m))


def _river(ground: Ground, land: Landscape, canvas: Canvas, date: int) -> None:
    rng = stream(ground.seed, "river")
    n = land.trunk_n
    leveed = canvas.mask(_leveed(ground))
    beach = (np.abs(n) < 88) & leveed
    patch = canvas.noise(rng, 26.0) + 0.3 * canvas.noise(rng, 7.0)
    canvas.fill(beach, "grass")
    canvas.fill(beach & (patch > 0.9), "grove", 0.9)
    canvas.fill(beach & (patch < -1.0), "beach", 0.8)
    canvas.texture(rng, beach, 5.0, 0.05)
    for low, high, cover in ((87, 104, "grass"), (89.5, 94.5, "track")):
        canvas.fill(leveed & (np.abs(n) > low) & (np.abs(n) < high), cover, 0.95)
    canvas.shade(leveed & (n > 94.5) & (n < 104) | leveed & (n < -81) & (n > -89.5), 0.86)
    canvas.shade(leveed & (n < -94.5) & (n > -104) | leveed & (n > 81) & (n < 89.5), 1.1)
    edge = canvas.noise(rng, 14.0) * 1.5
    water = canvas.mask(ground.waters.all_water)
    rim = canvas.mask(ground.waters.all_water.buffer(4.5)) & ~water
    canvas.fill(rim, "wet", np.clip(0.65 + 0.2 * edge, 0.2, 0.9))
    canvas.fill(rim & (canvas.noise(rng, 30.0) > 0.6), "beach", 0.8)
    canvas.fill(water, "water")
    shore = water & ~canvas.mask(ground.waters.all_water.buffer(-6))
    canvas.fill(shore, "shallow", 0.55)
    canvas.texture(stream(ground.seed, f"ripples-{date}"), water, 5.0, 0.03)
    canvas.texture(rng, water, 35.0, 0.05)
    for code in plan.DITCHES:
        line = ground.system.axes[code].line
        canvas.line(line, 6.0, "ridge", 0.8)
        canvas.line(line, 2.6, "water")


def _leveed(ground: Ground) -> Polygon:
    trunk = ground.system.axes["YXH"]
    return trunk.strip(trunk.chainage_at_east(5080.0), trunk.chainage_at_east(9050.0), 130.0, -130.0)


def _settlements(land: Landscape, canvas: Canvas) -> None:
    canvas.fill(canvas.mask(shapely.union_all([h.buffer(7) for h in land.houses])), "track", 0.55)
    canvas.cast_shadow(land.crowns, 6.0)
    canvas.fill(canvas.mask(land.crowns), "forest", 0.9)
    canvas.cast_shadow(land.houses, 8.0)
    for roof in landscape.ROOFS:
        canvas.fill(canvas.mask([h for h, r in zip(land.houses, land.roofs, strict=True) if r == roof]), roof)


def _planted(ground: Ground, canvas: Canvas, date: str) -> None:
    """The objects of the truth that stand on that day."""
    rng = stream(ground.seed, "planted")
    for spec in (*SPECS, IMAGE_ONLY):
        place = ground.objects.shapes[spec.key]
        if spec.appears > date or not place.intersects(landscape.window()) or spec.key.startswith("duplicate"):
            continue
        if spec.kind == "building":
            canvas.cast_shadow([place], 9.0 if spec.subtype == "bridge" else 6.0)
        if spec.key in ("new", "image_only", "dump_1", "quarry_new", "permitted_dump", "clouded"):
            canvas.fill(canvas.mask(place.buffer(7)), "soil", 0.6)
        where = canvas.mask(place)
        canvas.fill(where, OBJECT_COVER[spec.subtype])
        if spec.key == "new":
            _new_works(canvas, place)
        if spec.subtype == "greenhouse":
            _rows(canvas, np.zeros(canvas.shape, int), where, 8.0, 0.10)
        if spec.kind in ("dump", "quarry"):
            canvas.texture(rng, where, 3.0, 0.13)
        if spec.subtype == "arable":
            canvas.fill(canvas.mask(place.buffer(1.5)) & ~where, "ridge", 0.7)


def _new_works(canvas: Canvas, yard: Polygon) -> None:
    """The finding of the story: a concrete yard with a blue-roofed hall on half of it and a track leading there."""
    corners = np.array(yard.minimum_rotated_rectangle.exterior.coords)[:4]
    middle = (corners[0] + corners[1]) / 2, (corners[2] + corners[3]) / 2
    hall = Polygon([corners[0], middle[0], middle[1], corners[3]]).buffer(-1.2)
    canvas.cast_shadow([hall], 6.0)
    canvas.fill(canvas.mask(hall), "roof_blue")


def _cloud(ground: Ground, canvas: Canvas) -> tuple[Polygon | MultiPolygon, Polygon | MultiPolygon]:
    """A small cumulus with its shadow to the north-west; returns the outlines that hide or darken the ground."""
    rng = stream(ground.seed, "cloud")
    trunk = ground.system.axes["YXH"]
    centre = trunk.at(trunk.chainage_at_east(CLOUD_AT[0]), CLOUD_AT[1])
    away = canvas.xy - centre
    radius = np.hypot(away[..., 0] / 1.15, away[..., 1])
    lumps = 0.8 * canvas.noise(rng, 24.0) + 0.45 * canvas.noise(rng, 9.0)
    alpha = np.clip(1.55 - radius / 88 + 0.17 * lumps, 0, 1)
    alpha = np.clip(gaussian_filter(alpha, 2.5) * 1.1, 0, 1)
    cells = (-SHADOW_SHIFT_M[1] / FINE_M, SHADOW_SHIFT_M[0] / FINE_M)
    dark = gaussian_filter(move(alpha, cells, order=1), 4)
    canvas.shade(dark > 0.01, 1 - 0.55 * dark)
    white = np.array([236, 235, 233, 230]) * (1 + 0.02 * lumps[..., None])
    canvas.pixels = canvas.pixels * (1 - alpha[..., None]) + white * alpha[..., None]
    return _outline(alpha > 0.08, canvas), _outline(dark > 0.15, canvas)


def _outline(where: np.ndarray, canvas: Canvas) -> Polygon | MultiPolygon:
    parts = [shape(g) for g, v in outlines(where.astype("uint8"), where, transform=canvas.transform) if v]
    biggest = max(parts, key=lambda p: p.area)
    return as_read(Polygon(biggest.exterior).buffer(4).simplify(3.0))


def write(out_dir: Path, scene: Scene) -> None:
    out_dir.mkdir(parents=True, exist_ok=True)
    count, height, width = scene.bands.shape
    profile = {"driver": "GTiff", "dtype": "uint8", "count": count, "height": height, "width": width, "crs": METRIC,
               "transform": scene.transform, "compress": "deflate", "predictor": 2, "zlevel": 9, "tiled": True,
               "blockxsize": 256, "blockysize": 256, "interleave": "band", "photometric": "minisblack"}  # fmt: skip
    with rasterio.open(out_dir / f"{scene.date}.tif", "w", **profile) as dataset:
        dataset.write(scene.bands)
        dataset.update_tags(TAKEN_AT=f"{scene.date}T03:12:00Z", NOTE="虚构演示数据 fictitious demonstration data")
        for i, name in enumerate(("blue", "green", "red", "nir"), start=1):
            dataset.set_band_description(i, name)
