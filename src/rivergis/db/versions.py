"""Versions as rows: one way to write any noun that has identity, version, valid and recorded time.

Equal content makes no new version; changed content supersedes what it overlaps in valid time, and what lay
before or after it stays in force there as a version of its own. Nothing is overwritten.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis import layers
from rivergis.db.connect import copy_frame

# fixed for all time: ids of all deployments derive from it
IDENTITY_NAMESPACE = uuid.UUID("6f1c2f0e-6d1b-5c77-9e52-0a4c1f6a4490")
BOOKKEEPING = (
    "id",
    "version",
    "recorded_at",
    "superseded_at",
    "actor",
    "import_id",
    "source_feature",
    "source",
    "content_hash",
)


@dataclass(frozen=True)
class SetAside:
    """A row that could not be taken: number of the feature in its file, code, and one sentence."""

    source_feature: str
    code: str
    sentence: str


@dataclass
class Saved:
    """Outcome of a save: how many rows became new versions, how many were equal, which were set aside."""

    imported: int = 0
    unchanged: int = 0
    set_aside: list[SetAside] = field(default_factory=list)
    versions: dict[str, tuple[uuid.UUID, int]] = field(default_factory=dict)
    """code -> (id, version in force), of imported and unchanged rows."""


def identity(noun: str, namespace: str, code: str) -> uuid.UUID:
    """The uuid of the thing that ``namespace`` calls ``code``; the same everywhere and for ever."""
    return uuid.uuid5(IDENTITY_NAMESPACE, f"{noun}/{namespace}/{code}")


def valid_range(valid_from: Any, valid_to: Any) -> str:
    """Civil dates, both inclusive, missing = open, as a half-open PostgreSQL daterange literal."""
    lower = "" if pd.isna(valid_from) else pd.Timestamp(valid_from).date().isoformat()
    upper = "" if pd.isna(valid_to) else (pd.Timestamp(valid_to).date() + pd.Timedelta(days=1)).isoformat()
    return f"[{lower},{upper})" if lower else f"(,{upper})"


def _plain(value: Any) -> Any:
    if isinstance(value, shapely.Geometry):
        return shapely.to_wkb(value, hex=True, byte_order=1)
    if value is None or (not isinstance(value, (dict, list, tuple)) and pd.isna(value)):
        return None
    return value if isinstance(value, (dict, list, int, float, bool)) else str(value)


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)


def content_hash(values: dict[str, Any]) -> str:
    """Hash over a row's content; independent of column order."""
    body = _ENCODER.encode({k: _plain(v) for k, v in values.items()})
    return hashlib.sha256(body.encode()).hexdigest()


def _hashes(frame: pd.DataFrame, content: list[str]) -> list[str]:
    """``content_hash`` of every row."""
    columns = {
        c: shapely.to_wkb(frame[c].to_numpy(dtype=object), hex=True, byte_order=1)
        if frame[c].dtype.name == "geometry"
        else frame[c]
        for c in content
    }
    return [content_hash(dict(zip(content, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _resolve(conn: Connection, frame: pd.DataFrame, refs: dict[str, str], namespace: str, saved: Saved) -> pd.DataFrame:
    """Replace code columns by ids; rows that name a thing the database does not know are set aside."""
    for column, noun in refs.items():
        codes = frame[column]
        ids = codes.map(lambda c, n=noun: None if pd.isna(c) or c == "" else identity(n, namespace, str(c)))
        wanted = sorted({i for i in ids if i is not None})
        known = (
            set(conn.execute(text("SELECT id FROM data.identity WHERE id = ANY(:ids)"), {"ids": wanted}).scalars())
            if wanted
            else set()
        )
        missing = ids.map(lambda i, k=known: i is not None and i not in k)
        for row in frame[missing].itertuples():
            saved.set_aside.append(
                SetAside(
                    str(row.source_feature),
                    "missing_reference",
                    f"It names {noun} {getattr(row, column)!r}, which the database does not hold in namespace {namespace!r}: import that first.",
                )
            )
        frame = frame.assign(**{column.removesuffix("_code") + "_id": ids}).drop(columns=column)[~missing]
    return frame


def _drop_doubles(frame: pd.DataFrame, saved: Saved) -> pd.DataFrame:
    double = frame.duplicated(["code", "valid"], keep="first")
    saved.set_aside += [_double(str(row.source_feature), row.code) for row in frame[double].itertuples()]
    return frame[~double]


def _double(feature: str, code: Any) -> SetAside:
    said = f"The code {code!r} stands on more than one feature with the same dates: the first was kept."
    return SetAside(feature, "duplicate_code", said)


def _overlap(feature: str, code: Any) -> SetAside:
    said = f"The code {code!r} stands on more than one feature and their dates overlap: the first was kept; correct valid_from and valid_to."
    return SetAside(feature, "dates_overlap", said)


def save(
    conn: Connection,
    noun: str,
    frame: pd.DataFrame,
    *,
    namespace: str,
    import_id: uuid.UUID | None,
    refs: dict[str, str] | None = None,
) -> Saved:
    """Record the rows of ``frame`` as versions of ``noun`` in the current transaction.

    ``frame``: content columns of ``data.<noun>``, ``code``, and optionally ``valid_from``/``valid_to`` (dates, both
    inclusive), ``source_feature``, ``source`` (dict), ``geom`` as active geometry (EPSG:4490). ``refs``: code column
    -> noun it refers to. Rows that cannot be taken are returned in ``set_aside``, the others go on.
    """
    saved = Saved()
    if frame.empty:
        return saved
    frame = frame.copy()
    for column, default in (("source_feature", ""), ("valid_from", None), ("valid_to", None)):
        if column not in frame:
            frame[column] = default
    frame["valid"] = [valid_range(a, b) for a, b in zip(frame.pop("valid_from"), frame.pop("valid_to"), strict=True)]
    frame["code"] = frame["code"].astype(str)
    frame = _drop_doubles(_resolve(conn, frame, refs or {}, namespace, saved), saved)
    if frame.empty:
        return saved
    content = [c for c in frame.columns if c not in BOOKKEEPING]
    frame["content_hash"] = _hashes(frame, content)
    frame["id"] = [identity(noun, namespace, c) for c in frame["code"]]
    frame["code_namespace"] = namespace
    frame["import_id"] = import_id
    if "source" not in frame:
        frame["source"] = [{} for _ in range(len(frame))]
    _write(conn, noun, frame, import_id, saved)
    return saved


def save_layer(
    conn: Connection,
    layer_name: str,
    frame: pd.DataFrame,
    *,
    namespace: str,
    import_id: uuid.UUID | None,
    defaults: Mapping[str, Any] | None = None,
) -> Saved:
    """``save`` for a layer of the contract: its reference columns are resolved, missing values take ``defaults``."""
    frame = frame.copy()
    for column, default in (defaults or {}).items():
        frame[column] = frame[column].fillna(default) if column in frame else default
    refs = {c.name: c.refers for c in layers.layer(layer_name).columns if c.refers and c.name in frame}
    return save(conn, layer_name, frame, namespace=namespace, import_id=import_id, refs=refs)


def _columns(conn: Connection, noun: str) -> list[str]:
    return list(conn.execute(text(f"SELECT * FROM data.{noun} LIMIT 0")).keys())


def _drop_overlaps(conn: Connection, import_id: uuid.UUID, saved: Saved) -> None:
    """Set aside rows of a thing that this import, in this piece of its file or one before, already has for those days.

    What the import has is kept in a table of the transaction, so that a trial that is undone undoes this too.
    """
    conn.execute(text("SET LOCAL client_min_messages = warning"))
    conn.execute(
        text("""CREATE TEMP TABLE IF NOT EXISTS taken (import_id uuid, id uuid, valid daterange, PRIMARY KEY (import_id, id, valid))
        ON COMMIT DROP""")
    )
    for before, order in (("incoming", "k.ctid < i.ctid"), ("taken", "k.import_id = :import")):
        gone = conn.execute(
            text(f"""DELETE FROM incoming i USING {before} k WHERE k.id = i.id AND k.valid && i.valid AND {order}
            RETURNING i.source_feature, i.code, k.valid = i.valid"""),
            {"import": import_id},
        )
        once = {feature: (code, same) for feature, code, same in gone}
        saved.set_aside += [_double(f, code) if same else _overlap(f, code) for f, (code, same) in once.items()]
    conn.execute(text("INSERT INTO taken SELECT :import, id, valid FROM incoming"), {"import": import_id})


def taken(
    conn: Connection, noun: str, namespace: str, import_id: uuid.UUID | None, codes: list[str]
) -> dict[str, tuple[uuid.UUID, int]]:
    """code -> (id, version in force) of those things that this import already recorded from an earlier piece of its file."""
    ids = {identity(noun, namespace, c): c for c in codes}
    if import_id is None or not conn.execute(text("SELECT to_regclass('pg_temp.taken')")).scalar():
        return {}
    rows = conn.execute(
        text(f"""SELECT t.id, max(t.version) FROM data.{noun} t JOIN taken k ON k.id = t.id AND k.import_id = :import
        WHERE t.superseded_at IS NULL AND t.id = ANY(CAST(:ids AS uuid[])) GROUP BY t.id"""),
        {"import": import_id, "ids": [str(i) for i in ids]},
    )
    return {ids[i]: (i, version) for i, version in rows}


def _write(conn: Connection, noun: str, frame: pd.DataFrame, import_id: uuid.UUID | None, saved: Saved) -> None:
    columns = list(frame.columns)
    names = ", ".join(f'"{c}"' for c in columns)
    conn.execute(text(f"CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {names} FROM data.{noun} WITH NO DATA"))
    copy_frame(conn, "incoming", frame if isinstance(frame, gpd.GeoDataFrame) else pd.DataFrame(frame))
    if import_id is not None:
        _drop_overlaps(conn, import_id, saved)
    conn.execute(
        text(
            "INSERT INTO data.identity (id, noun, code_namespace, code) "
            "SELECT DISTINCT id, :noun, code_namespace, code FROM incoming ON CONFLICT DO NOTHING"
        ),
        {"noun": noun},
    )
    saved.unchanged = conn.execute(
        text(
            f"DELETE FROM incoming i USING data.{noun} t WHERE t.id = i.id AND t.superseded_at IS NULL AND t.content_hash = i.content_hash"
        )
    ).rowcount
    before = [c for c in _columns(conn, noun) if c not in ("version", "valid", "recorded_at", "superseded_at")]
    kept = ", ".join(f't."{c}"' for c in before)
    conn.execute(
        text(f"""CREATE TEMP TABLE remains ON COMMIT DROP AS
        SELECT {kept}, r.valid FROM data.{noun} t JOIN incoming i ON i.id = t.id AND i.valid && t.valid
        CROSS JOIN LATERAL (VALUES (CASE WHEN lower_inf(i.valid) THEN 'empty' ELSE t.valid * daterange(NULL, lower(i.valid)) END),
                                   (CASE WHEN upper_inf(i.valid) THEN 'empty' ELSE t.valid * daterange(upper(i.valid), NULL) END)) r(valid)
        WHERE t.superseded_at IS NULL AND NOT isempty(r.valid)""")
    )
    conn.execute(
        text(f"""UPDATE data.{noun} t SET superseded_at = now() FROM incoming i
        WHERE t.id = i.id AND t.superseded_at IS NULL AND t.valid && i.valid""")
    )
    for source, cols in (("remains", [*before, "valid"]), ("incoming", columns)):
        listed = ", ".join(f'"{c}"' for c in cols)
        chosen = ", ".join(f's."{c}"' for c in cols)
        done = conn.execute(
            text(f"""INSERT INTO data.{noun} ({listed}, version)
            SELECT {chosen}, coalesce((SELECT max(version) FROM data.{noun} t WHERE t.id = s.id), 0)
                   + row_number() OVER (PARTITION BY s.id ORDER BY s.valid) FROM {source} s""")
        ).rowcount
        if source == "incoming":
            saved.imported = done
    ids = [str(i) for i in frame["id"]]
    for code, id_, version in conn.execute(
        text(
            f"SELECT code, id, max(version) FROM data.{noun} WHERE superseded_at IS NULL AND id = ANY(CAST(:ids AS uuid[])) GROUP BY code, id"
        ),
        {"ids": ids},
    ):
        saved.versions[code] = (id_, version)
    conn.execute(text("DROP TABLE incoming, remains"))


def amend(conn: Connection, noun: str, changes: pd.DataFrame) -> int:
    """Record new versions that differ from the current ones only in derived columns; returns how many.

    ``changes``: ``id`` and the columns to set. The content hash stays that of the delivered content, so that
    the same delivery again is still recognised as equal.
    """
    if changes.empty:
        return 0
    columns = [c for c in _columns(conn, noun) if c not in ("version", "recorded_at", "superseded_at", "actor")]
    new = [c for c in changes.columns if c != "id"]
    listed = ", ".join(f'"{c}"' for c in ("id", *new))
    conn.execute(text(f"CREATE TEMP TABLE amended ON COMMIT DROP AS SELECT {listed} FROM data.{noun} WITH NO DATA"))
    copy_frame(conn, "amended", changes[["id", *new]])
    chosen = ", ".join(f'a."{c}"' if c in new else f't."{c}"' for c in columns)
    conn.execute(
        text(f"""CREATE TEMP TABLE renewed ON COMMIT DROP AS SELECT {chosen},
          (SELECT max(version) FROM data.{noun} m WHERE m.id = t.id) + row_number() OVER (PARTITION BY t.id ORDER BY t.valid) AS version
        FROM data.{noun} t JOIN amended a ON a.id = t.id WHERE t.superseded_at IS NULL""")
    )
    conn.execute(
        text(
            f"UPDATE data.{noun} t SET superseded_at = now() FROM amended a WHERE a.id = t.id AND t.superseded_at IS NULL"
        )
    )
    names = ", ".join(f'"{c}"' for c in (*columns, "version"))
    done = conn.execute(text(f"INSERT INTO data.{noun} ({names}) SELECT {names} FROM renewed")).rowcount
    conn.execute(text("DROP TABLE amended, renewed"))
    return done
