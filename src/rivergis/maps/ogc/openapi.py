"""The OGC API in OpenAPI 3.0, for whoever asks: the collections they may see, in Chinese and English. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rivergis import __version__, words
from rivergis.layers import Column
from rivergis.maps import export_filter, tiles
from rivergis.maps.collections import Collection
from rivergis.maps.ogc import ask as ogc_ask
from rivergis.maps.ogc import written
from rivergis.maps.ogc.ask import FORMATS, HTML, JSON
from rivergis.maps.ogc.documents import GRID, MVT, OPENAPI, ROOT, SCHEMA, column

_DAY = "datetime=2026-05-20 | 2026-05-20T08:00:00Z | 2026-01-01/2026-12-31 | ../2026-05-20"


def _parameter(name: str, about: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema, **more}


_TEXT, _URI = {"type": "string"}, {"type": "string", "format": "uri"}
PARAMETERS: dict[str, dict[str, Any]] = {
    "f": _parameter("f", "格式,优先于 Accept。Format; goes before the header Accept.", {"type": "string", "enum": [JSON, HTML]}),
    "form": _parameter(
        "f", "格式;fgb、gpkg、csv、parquet 为下载(须有导出权限,留痕)。Format; the files are downloads (capability export, audited).",
        {"type": "string", "enum": list(FORMATS)}),
    "limit": _parameter(
        "limit", f"每页要素数,超过 {ogc_ask.MOST} 按 {ogc_ask.MOST} 计。Features on a page; more than {ogc_ask.MOST} is capped.",
        {"type": "integer", "minimum": 1, "maximum": ogc_ask.MOST, "default": ogc_ask.DEFAULT_LIMIT}),
    "offset": _parameter("offset", "跳过的要素数。Features to leave out at the beginning.", {"type": "integer", "minimum": 0, "default": 0}),
    "after": _parameter("after", "下一页位置,取自 next 链接。Where a next link goes on; taken from the link.", _TEXT),
    "bbox": _parameter(
        "bbox", "范围,按 bbox-crs 的坐标轴顺序。Box, in the order of axes of bbox-crs.",
        {"type": "array", "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}], "items": {"type": "number"}},
        style="form", explode=False),
    "bbox-crs": _parameter("bbox-crs", "bbox 的坐标系,默认 CRS84。System of bbox; CRS84 by default.", _URI),
    "crs": _parameter("crs", "返回的坐标系,默认 CRS84。System of the answer; CRS84 by default.", _URI),
    "datetime": _parameter(
        "datetime", "有效日期:当日有效(北京时间);区间内曾有效者,取其最后一日的状态;巡河与现场报告按发生日。不给则为今天。"
        f"In force on that day (Beijing); in an interval each thing once, as on its last day in it; patrols and reports by their day. Today by default. {_DAY}",
        _TEXT),
    "filter": _parameter("filter", "CQL2 过滤条件。Filter in CQL2.", _TEXT),
    "filter-lang": _parameter(
        "filter-lang", "过滤语言。Language of the filter.",
        {"type": "string", "enum": [export_filter.TEXT, export_filter.JSON], "default": export_filter.TEXT}),
    "filter-crs": _parameter("filter-crs", "过滤条件中图形的坐标系,默认 CRS84。System of shapes in the filter; CRS84 by default.", _URI),
    "properties": _parameter(
        "properties", "只返回这些字段。Only these columns.", {"type": "array", "items": _TEXT}, style="form", explode=False),
}  # fmt: skip
# what is told is what is taken: the form of items has its own parameter there
_ITEMS = tuple("form" if name == "f" else name for name in ogc_ask.ITEMS)
_ERRORS = {
    "400": {"$ref": "#/components/responses/wrong"},
    "401": {"$ref": "#/components/responses/stranger"},
    "403": {"$ref": "#/components/responses/forbidden"},
    "404": {"$ref": "#/components/responses/unknown"},
    "429": {"$ref": "#/components/responses/often"},
    "default": {"$ref": "#/components/responses/fault"},
}


def document(shown: Sequence[tuple[Collection, Sequence[Column]]], base: str, writes: bool) -> dict[str, Any]:
    """The whole definition, with the paths of every collection."""
    paths = _common()
    for one, columns in shown:
        paths |= _of_collection(one, columns, writes)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": f"{words.both('product.name')} · OGC API",
            "description": f"{words.both('product.about')} · {words.both('page.disclaimer')}",
            "version": __version__,
        },
        "servers": [{"url": base + ROOT}],
        "security": [{"key": []}, {"name_and_key": []}, {"session": []}],
        "tags": [
            {"name": "service", "description": "服务 service"},
            *({"name": c.id, "description": c.label} for c, _ in shown),
        ],
        "paths": paths,
        "components": _components(),
    }


def _get(
    tag: str, name: str, about: str, parameters: Sequence[str | dict[str, Any]], content: dict[str, Any], **more: Any
) -> dict[str, Any]:
    named = [{"$ref": f"#/components/parameters/{p}"} if isinstance(p, str) else p for p in parameters]
    ok = {
        "description": "成功 done",
        "content": content,
        **({"headers": more.pop("headers")} if "headers" in more else {}),
    }
    return {
        "tags": [tag],
        "summary": about,
        "operationId": name,
        "parameters": named,
        "responses": {"200": ok, **_ERRORS},
        **more,
    }


def _object(*media: str) -> dict[str, Any]:
    return {m: {"schema": {"type": "string"} if m == FORMATS[HTML] else {"type": "object"}} for m in media}


def _common() -> dict[str, Any]:
    both = _object("application/json", FORMATS[HTML])
    grid = {"name": "tileMatrixSetId", "in": "path", "required": True, "schema": {"type": "string", "enum": [GRID]}}
    return {
        "/": {"get": _get("service", "landing", "入口 landing page", ["f"], both)},
        "/conformance": {"get": _get("service", "conformance", "符合性 conformance classes", ["f"], both)},
        "/api": {"get": _get("service", "api", "接口定义 this definition", ["f"], _object(OPENAPI, FORMATS[HTML]))},
        "/collections": {"get": _get("service", "collections", "数据集合 collections", ["f"], both)},
        "/tileMatrixSets": {"get": _get("service", "grids", "切片方案 tile matrix sets", ["f"], both)},
        "/tileMatrixSets/{tileMatrixSetId}": {"get": _get("service", "grid", "切片方案 a tile matrix set", [grid, "f"], both)},
        "/styles": {"get": _get("service", "styles", "样式 styles", ["f"], both)},
        "/styles/{style}": {"get": _get(
            "service", "style", "样式 a style for MapLibre",
            [{"name": "style", "in": "path", "required": True, "schema": _TEXT}, "f"], _object("application/vnd.mapbox.style+json"))},
    }  # fmt: skip


def _of_collection(one: Collection, columns: Sequence[Column], writes: bool) -> dict[str, Any]:
    at, name = f"/collections/{one.id}", one.id
    both = _object("application/json", FORMATS[HTML])
    crs = {
        "Content-Crs": {"schema": _TEXT, "description": "坐标系 system of the coordinates"},
        "ETag": {"schema": _TEXT},
    }
    asked = [_column(c) for c in columns if c.kind != "json" and c.name not in ogc_ask.ITEMS]
    ident = {
        "name": "item",
        "in": "path",
        "required": True,
        "schema": _TEXT,
        "description": "要素标识 id of the feature",
    }
    items = _get(name, f"{name}_items", f"{one.label}: 要素 items", [*_ITEMS, *asked],
                 {FORMATS[JSON]: {"schema": {"$ref": "#/components/schemas/features"}}, **_object(FORMATS[HTML])}, headers=crs)  # fmt: skip
    item = _get(name, f"{name}_item", f"{one.label}: 一个要素 one item", [ident, "f", "crs", "properties"],
                {FORMATS[JSON]: {"schema": {"$ref": "#/components/schemas/feature"}}, **_object(FORMATS[HTML])}, headers=crs)  # fmt: skip
    tile = [{"name": n, "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0, **({"maximum": tiles.MAXZOOM} if n == "tileMatrix" else {})}}
            for n in ("tileMatrix", "tileRow", "tileCol")]  # fmt: skip
    day = {
        "name": "day",
        "in": "query",
        "schema": {"type": "string", "format": "date"},
        "description": "有效日期 in force on",
    }
    paths: dict[str, Any] = {
        at: {"get": _get(name, f"{name}_collection", one.label, ["f"], both)},
        f"{at}/queryables": {"get": _get(name, f"{name}_queryables", f"{one.label}: 可查询字段 queryables", ["f"], _object(SCHEMA, FORMATS[HTML]))},
        f"{at}/schema": {"get": _get(name, f"{name}_schema", f"{one.label}: 字段结构 schema", ["f"], _object(SCHEMA, FORMATS[HTML]))},
        f"{at}/feature-schema": {"get": _get(name, f"{name}_feature_schema", f"{one.label}: 要素结构 schema of a feature", ["f"], _object(SCHEMA, FORMATS[HTML]))},
        f"{at}/items": {"get": items},
        f"{at}/items/{{item}}": {"get": item},
        f"{at}/tiles": {"get": _get(name, f"{name}_tilesets", f"{one.label}: 矢量瓦片 vector tilesets", ["f"], both)},
        f"{at}/tiles/{GRID}": {"get": _get(name, f"{name}_tileset", f"{one.label}: 矢量瓦片 a vector tileset", ["f"], both)},
        f"{at}/tiles/{GRID}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": {
            "get": _get(name, f"{name}_tile", f"{one.label}: 一张瓦片 a tile", [*tile, day], {MVT: {"schema": {"type": "string", "format": "binary"}}})
        },
    }  # fmt: skip
    if writes and one.id in written.WRITTEN:
        _writing(paths, at, one, ident)
    return paths


def _column(one: Column) -> dict[str, Any]:
    schema = {k: v for k, v in column(one).items() if k != "title"}
    return _parameter(one.name, f"{one.zh} {one.en}", schema)


def _writing(paths: dict[str, Any], at: str, one: Collection, ident: dict[str, Any]) -> None:
    """Create, replace, update, delete, as far as the collection takes them."""
    properties, required = written.properties(one.id)
    feature = {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "geometry": {"$ref": "#/components/schemas/geometry"},
            "properties": {"type": "object", "properties": properties, "required": required},
        },
    }
    body = {"required": True, "content": {FORMATS[JSON]: {"schema": feature}}}
    match = {
        "name": "If-Match",
        "in": "header",
        "schema": _TEXT,
        "description": "所改版本的 ETag; ETag of what was edited",
    }
    paths[f"{at}/items"]["post"] = _change(one, "create", "新增 create", body, [], "201")
    whole = paths[f"{at}/items/{{item}}"]
    for method, said in (("PUT", "替换 replace"), ("PATCH", "更新 update"), ("DELETE", "删除 delete")):
        if method in written.WRITTEN[one.id].methods:
            sent = None if method == "DELETE" else body if method == "PUT" else {
                "required": True, "content": {"application/merge-patch+json": {"schema": {"type": "object"}}}}  # fmt: skip
            whole[method.lower()] = _change(one, method.lower(), said, sent, [ident, match], "200")


def _change(
    one: Collection, name: str, about: str, body: dict[str, Any] | None, parameters: list[Any], done: str
) -> dict[str, Any]:
    more = {"requestBody": body} if body else {}
    refused = {"409": {"$ref": "#/components/responses/fault"}, "412": {"$ref": "#/components/responses/fault"},
               "422": {"$ref": "#/components/responses/wrong"}, "428": {"$ref": "#/components/responses/fault"}}  # fmt: skip
    return {
        "tags": [one.id],
        "summary": f"{one.label}: {about}",
        "operationId": f"{one.id}_{name}",
        "parameters": parameters,
        "responses": {done: {"description": "成功 done"}, "204": {"description": "成功 done"}, **_ERRORS, **refused},
        **more,
    }


def _said(about: str) -> dict[str, Any]:
    return {"description": about, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}}


def _components() -> dict[str, Any]:
    geometry = {"type": "object", "nullable": True, "required": ["type"], "properties": {"type": _TEXT}}
    feature = {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": _TEXT,
            "geometry": {"$ref": "#/components/schemas/geometry"},
            "properties": {"type": "object", "nullable": True},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
        },
    }
    features = {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/feature"}},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
            "timeStamp": {"type": "string", "format": "date-time"},
            "numberMatched": {"type": "integer", "minimum": 0},
            "numberReturned": {"type": "integer", "minimum": 0},
        },
    }
    linked = {
        "type": "object",
        "required": ["href"],
        "properties": dict.fromkeys(("href", "rel", "type", "title"), _TEXT),
    }
    error = {
        "type": "object",
        "required": ["error", "message"],
        "properties": dict.fromkeys(("error", "message", "message_zh"), _TEXT),
    }
    return {
        "parameters": PARAMETERS,
        "schemas": {"geometry": geometry, "feature": feature, "features": features, "link": linked, "error": error},
        "responses": {
            "wrong": _said("请求有误:一句话说明 a wrong request, told in one sentence"),
            "stranger": _said("请先登录或给出密钥 sign in, or send a key"),
            "forbidden": _said("没有权限 not permitted"),
            "unknown": _said("没有找到 not found"),
            "often": _said("请求过于频繁 too many requests"),
            "fault": _said("其他 any other refusal or fault"),
        },
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer", "description": "接口密钥 key: rivergis user key"},
            "name_and_key": {
                "type": "http",
                "scheme": "basic",
                "description": "用户名与接口密钥 user name, and a key as password",
            },
            "session": {"type": "apiKey", "in": "cookie", "name": "rivergis_session"},
        },
    }
