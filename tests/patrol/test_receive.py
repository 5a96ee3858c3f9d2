"""Receiving tracks: in any order and any number of times the database ends up the same; parts of one outing find each other."""

from __future__ import annotations

import json
import threading
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.errors import InputError
from rivergis.jobs import receive as job
from rivergis.patrol import outing, store
from rivergis.patrol.outing import Gaps
from tests.patrol.ground import BOOK, NOON, receive, river, walk

GAPS = Gaps(1800, 43200)


@pytest.fixture(scope="module")
def county(module_db: Database) -> Database:
    river(module_db)
    return module_db


# ---- which files are parts of one outing ----------------------------------------------------------------------------

minutes = st.integers(0, 600)
files = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["p1", "p2", None]), st.sampled_from(["s1", None]), minutes, st.integers(1, 60)),
    min_size=1, max_size=8,
)  # fmt: skip


def table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (f"t{i}", chief, device, session, NOON + timedelta(minutes=start), NOON + timedelta(minutes=start + long))
            for i, (chief, device, session, start, long) in enumerate(rows)
        ],
        columns=["id", "chief_id", "device", "session", "started_at", "ended_at"],
    )


@settings(max_examples=40)
@given(files, st.randoms(use_true_random=False))
def test_heads_do_not_depend_on_the_order_of_the_files(rows: list[tuple[Any, ...]], shuffle: Any) -> None:
    tracks = table(rows)
    expected = dict(zip(tracks["id"], outing.heads(tracks, GAPS), strict=True))
    order = list(tracks.index)
    shuffle.shuffle(order)
    mixed = tracks.loc[order]
    assert dict(zip(mixed["id"], outing.heads(mixed, GAPS), strict=True)) == expected


@settings(max_examples=40)
@given(files)
def test_a_head_heads_itself_begins_first_and_is_of_the_same_chief(rows: list[tuple[Any, ...]]) -> None:
    tracks = table(rows)
    heads = dict(zip(tracks["id"], outing.heads(tracks, GAPS), strict=True))
    of = tracks.set_index("id")
    for own, head in heads.items():
        assert heads[head] == head
        assert of.at[head, "started_at"] <= of.at[own, "started_at"]
        assert of.at[head, "chief_id"] == of.at[own, "chief_id"]


def test_a_pause_longer_than_the_rule_is_another_outing() -> None:
    # a ====  b ====            c ====    (minutes: 0-10, 35-45, 80-90)
    rows = [("a", "p1", None, 0, 10), ("a", "p1", None, 35, 10), ("a", "p1", None, 80, 10)]
    assert list(outing.heads(table(rows), GAPS)) == ["t0", "t0", "t2"]
    # the same session bridges it, somebody else's does not
    same = [(c, d, "s1", a, b) for c, d, _, a, b in rows]
    assert list(outing.heads(table(same), GAPS)) == ["t0", "t0", "t0"]
    assert list(outing.heads(table([same[0], ("b", *same[1][1:])]), GAPS)) == ["t0", "t1"]


# ---- the database ---------------------------------------------------------------------------------------------------


def content(db: Database, prefix: str) -> list[tuple[Any, ...]]:
    """What the database holds of files whose names begin so; names without the prefix."""
    with db.read() as conn:
        rows = conn.execute(
            text("""SELECT substr(t.file_name, length(:p) + 1), t.chief_id, t.device, t.session, t.unit_code, t.datum_declared, t.started_at,
              t.ended_at, t.day, t.clock_offset_s, t.clock_basis, t.fix_count, t.uploaded_at, ST_AsText(t.box),
              substr(h.file_name, length(:p) + 1) AS head, (SELECT count(*) FROM data.fix f WHERE f.track_id = t.id),
              (SELECT count(*) FROM data.patrol_party y WHERE y.track_id = t.id)
            FROM data.track t LEFT JOIN data.track h ON h.id = t.part_of WHERE starts_with(t.file_name, :p) ORDER BY 1"""),
            {"p": prefix},
        )
        return [tuple(r) for r in rows]


def parts(folder: Path, prefix: str, n: int) -> list[tuple[Path, dict[str, Any]]]:
    """a and b of one device with a short pause, c two hours later of the same session as b, d of another device."""
    said: list[dict[str, Any]] = [
        {"device": f"{prefix}p"},
        {"device": f"{prefix}p", "session": f"{prefix}s", "party": ({"part": "assistant", "person": "王五"},)},
        {"session": f"{prefix}s", "uploaded_at": NOON + timedelta(days=3)},
        {"device": f"{prefix}q"},
    ]
    starts = [0, 20, 140, 20]
    # another n makes other bytes, the same walk
    return [
        (walk(folder / f"{prefix}{name}.csv", NOON + timedelta(minutes=m, seconds=1e-3 * n), metres=150, seed=k), s)
        for k, (name, m, s) in enumerate(zip("abcd", starts, said, strict=True))
    ]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=2))
def test_files_in_any_order_and_any_number_of_times_give_the_same(
    county: Database, tmp_path: Path, order: list[int], again: list[int]
) -> None:
    seen = []
    for sequence in ([0, 1, 2, 3], [*order, *again]):
        with county.write("t") as conn:
            n = int(conn.execute(text("SELECT count(*) FROM data.track")).scalar_one())
        prefix = f"x{n}-"
        files = parts(tmp_path, prefix, n)
        for i in sequence:
            receive(county, tmp_path / "store", files[i][0], **files[i][1])
        seen.append(
            [[str(v).replace(prefix, "") for i, v in enumerate(r) if i not in (6, 7)] for r in content(county, prefix)]
        )
    assert seen[0] == seen[1] and len(seen[0]) == 4
    assert [r[-3] for r in seen[0]] == ["None", "a.csv", "a.csv", "None"]


def test_what_is_said_later_is_added_and_contradictions_are_refused(county: Database, tmp_path: Path) -> None:
    path, kept = walk(tmp_path / "late.csv", NOON + timedelta(days=9)), tmp_path / "store"
    first = receive(county, kept, path, chief_code=None)
    later = receive(county, kept, path, chief_code="H1", device="phone")
    assert (first.new, later.new, first.track_id) == (True, False, later.track_id)
    nothing = receive(county, kept, path, chief_code=None)
    assert content(county, "late")[0][1] is not None and not nothing.new
    with pytest.raises(InputError, match="another chief"):
        receive(county, kept, path, chief_code="H2")
    with pytest.raises(InputError, match="whom the database does not hold"):
        receive(county, kept, path, chief_code="nobody")
    assert [p.name for p in (kept / "tracks").iterdir()] == [f"{first_hash(county, first.track_id)}.csv"]


def first_hash(db: Database, track_id: str) -> str:
    with db.read() as conn:
        return str(conn.execute(text("SELECT raw_sha256 FROM data.track WHERE id = :t"), {"t": track_id}).scalar())


def test_the_same_file_twice_at_once_is_one_track(county: Database, tmp_path: Path) -> None:
    path = walk(tmp_path / "twice.csv", NOON + timedelta(days=11))
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(receive(county, tmp_path / "store", path))) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(r.new for r in got) == [False, False, True] and len({r.track_id for r in got}) == 1


def test_a_clock_is_repaired_and_the_day_is_that_of_the_repaired_start(county: Database, tmp_path: Path) -> None:
    """A phone that is a year behind sends while walking: the day is that of the server's clock."""
    rows = ["time,lon,lat,recv_time"]
    for i in range(20):
        now = NOON + timedelta(days=13, seconds=10 * i)
        rows.append(
            f"{(now - timedelta(days=365)).isoformat()},{106 + i * 1e-4},29.4001,{(now + timedelta(seconds=2)).isoformat()}"
        )
    path = tmp_path / "clock.csv"
    path.write_text("\n".join(rows))
    assert receive(county, tmp_path / "store", path).day == (NOON + timedelta(days=13)).date().isoformat()
    row = content(county, "clock")[0]
    assert row[9] == pytest.approx(365 * 86400 + 2, abs=5) and row[10] == "received"
    with county.read() as conn:
        phone = conn.execute(
            text("SELECT min(at) FROM data.fix f JOIN data.track t ON t.id = track_id WHERE file_name = 'clock.csv'")
        ).scalar()
    assert phone.year == 2025, "what the phone said is kept"


GPX = """<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="29.40003" lon="106.005"><time>2026-06-20T01:05:00Z</time><name>垃圾堆放</name><type>rubbish</type></wpt>
<wpt lat="29.5" lon="106.5"><name>远处</name></wpt>
<trk><trkseg>{}</trkseg></trk></gpx>"""


def test_waypoints_are_observations_on_river_chainage_and_bank(county: Database, tmp_path: Path) -> None:
    fixes = "".join(
        f'<trkpt lat="29.4001" lon="{106 + i * 1e-4}"><time>2026-06-20T01:{i:02}:00Z</time></trkpt>' for i in range(30)
    )
    path = tmp_path / "seen.gpx"
    path.write_text(GPX.format(fixes), encoding="utf-8")
    assert receive(county, tmp_path / "store", path).observations == 2
    assert receive(county, tmp_path / "store", path).observations == 0
    with county.read() as conn:
        near, far = conn.execute(
            text(
                "SELECT o.kind, o.text, o.at_m, o.bank, r.name FROM data.observation o LEFT JOIN app.river r ON r.id = o.river_id ORDER BY o.at_m"
            )
        )
    assert near == ("rubbish", "垃圾堆放", pytest.approx(485, abs=5), "left", "清溪")
    assert far == (None, "远处", None, None, None)


@pytest.mark.parametrize("packed", [False, True])
def test_an_offline_batch_lists_what_is_bad_and_takes_the_rest(county: Database, tmp_path: Path, packed: bool) -> None:
    root = tmp_path / "batch"
    (root / "tracks").mkdir(parents=True)
    day = NOON + timedelta(days=40 + packed)
    walk(root / "tracks" / "good.csv", day)
    walk(root / "tracks" / "unnamed.csv", day, seed=2)
    (root / "tracks" / "broken.gpx").write_text("<gpx>")
    index = [
        {"track_id": "1", "file": "tracks/good.csv", "chief_id": "H1", "datum_declared": None, "uploaded_at": "2026-08-01T00:00:00Z", "device": "d"},
        {"file": "tracks/broken.gpx", "chief_id": "H1"},
        {"file": "../../etc/passwd", "chief_id": "H1"},
        {"file": "tracks/absent.csv", "chief_id": "H1"},
    ]  # fmt: skip
    (root / "tracks.json").write_text(json.dumps(index))
    given_ = root
    if packed:
        given_ = tmp_path / "batch.zip"
        with zipfile.ZipFile(given_, "w") as z:
            for p in root.rglob("*"):
                z.write(p, p.relative_to(tmp_path))
    for new, known in ((1, 0), (0, 1)):
        got = job.import_tracks(county, given_, book=BOOK, actor="t", store_dir=tmp_path / "store")
        assert (got.new, got.known) == (new, known)
        assert [f["file"] for f in got.failed] == ["broken.gpx", "passwd", "absent.csv", "unnamed.csv"]
    [row] = [r for r in content(county, "good") if r[8] == day.date()]
    assert row[2] == "d" and row[12].isoformat() == "2026-08-01T00:00:00+00:00"


def test_who_saw_a_track_is_recorded_on_its_outing(county: Database, tmp_path: Path) -> None:
    got = receive(county, tmp_path / "store", walk(tmp_path / "look.csv", NOON + timedelta(days=50)), device="l")
    with county.write("t") as conn:
        head = store.head_starting(conn, got.track_id[:13])
        store.saw(conn, head, "t", "map")
    with county.read() as conn:
        assert store.accesses(conn, head)[["actor", "purpose"]].values.tolist() == [["t", "map"]]
    before = walk(tmp_path / "look0.csv", NOON + timedelta(days=50) - timedelta(minutes=15), seed=2)
    earlier = receive(county, tmp_path / "store", before, device="l")
    with county.read() as conn:  # what was seen before another file took the lead is still told
        assert earlier.head != got.track_id and len(store.accesses(conn, store.head_starting(conn, earlier.head))) == 1
    with pytest.raises(Exception, match="append only"), county.write("t") as conn:
        conn.execute(text("DELETE FROM sys.track_access"))
