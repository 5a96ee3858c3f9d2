"""A key in the address (``/k/KEY/wms``), for programs that can send nothing but an address: ArcMap, old SuperMap.

The key is taken out of the address before anybody else sees it, so that no log of ours holds it. It can still stand in
project files, in the history of a browser and in the log of a proxy: such a key should have the role viewer and an end.
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

_ADDRESS = re.compile(r"(/k/([A-Za-z0-9_-]{20,200}))(/(?:wms|wfs|wmts|imagery|tiles)(?:[/.].*)?)")
_WAYS_IN = (b"authorization", b"cookie")


class KeyInPath:
    """The ASGI layer: the key becomes the header ``Authorization``, and addresses in answers carry it again."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _ADDRESS.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        before, key, path = found.groups()
        headers = [h for h in scope["headers"] if h[0] not in _WAYS_IN]
        headers.append((b"authorization", f"Bearer {key}".encode()))
        root = scope.get("root_path", "") + before
        await self.app(
            {**scope, "path": path, "raw_path": path.encode(), "root_path": root, "headers": headers}, receive, send
        )
