"""``rivergis serve``: the pages and maps over HTTP."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from rivergis.cli import common
from rivergis.errors import EnvironmentFault

if TYPE_CHECKING:
    import uvicorn

# named, not imported: the command line and the service do not know each other
APP = "rivergis.web.app:served"


@click.command("serve")
@click.option(
    "--host", default=None, help="Address to listen on (default: RIVERGIS_HOST or 127.0.0.1, this machine only)."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Port (default: RIVERGIS_PORT or 8000); 0 takes a free one.",
)
def command(host: str | None, port: int | None) -> None:
    """Serve portal, maps, reports and API until interrupted. Everybody must sign in (rivergis user add).

    \b
    Example:
      rivergis serve --port 8000
    """
    s = common.settings()
    _ready()
    listener = _listen(s.host if host is None else host, s.port if port is None else port)
    try:
        _server(listener).run(sockets=[listener])
    except KeyboardInterrupt:
        click.echo("服务已停止 stopped")


def _ready() -> None:
    """The database answers and is at the state of this version before the first page is asked for."""
    common.database().close()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; ``EnvironmentFault`` with one sentence when the address is taken or not ours."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)  # a map asks for many tiles at once
    except OSError as error:
        raise EnvironmentFault(
            f"Cannot listen on {host} port {port} ({error.strerror or error}): another program may have it; "
            "choose another with --port."
        ) from error
    return listener


def _server(listener: socket.socket) -> uvicorn.Server:
    """The HTTP server; it prints its address once it really answers."""
    import uvicorn

    host, port = listener.getsockname()[:2]

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"服务已启动 serving at http://{shown}:{port}/ (Ctrl+C 停止 stops)")

    config = uvicorn.Config(
        APP,
        factory=True,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,  # a download that goes on does not hold up the end
    )
    return Announced(config)
