"""Serving applications with uvicorn: one service alone, or several in one process."""

import asyncio
import gc
import resource
import signal
import socket
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import uvicorn
import uvloop
from starlette.types import ASGIApp

from shared.errors import Unavailable
from shared.observability.logs import get_logger

log = get_logger(__name__)

OPEN_FILES = 20_000
"""A stream takes two, its own and the one to the language model; many systems begin with 1,024."""
SHUTDOWN_SECONDS = 5
"""Open streams get this long at shutdown; without it uvicorn waits for them for ever."""


@dataclass(frozen=True)
class Listener:
    """An application and where it listens; `setting` is named when the port is taken."""

    name: str
    app: ASGIApp
    host: str
    port: int
    setting: str
    ws_max_bytes: int = 16 * 1024
    send_buffer_bytes: int = 0
    """What the system may hold of each connection, unsent; 0 lets it choose, which is megabytes."""
    trusted_proxies: Sequence[str] = ()
    """Whose word on a caller's address (X-Forwarded-For) is taken."""


class _Server(uvicorn.Server):
    """uvicorn wants the signals for itself; with several servers in one process the process decides."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(main: Coroutine[None, None, None]) -> None:
    """`asyncio.run` on uvloop, whose sockets are faster, and with as many of them as the system allows.

    What is there before it starts (libraries, applications) stays: the collector need not look through it again and
    again, which stopped a busy loop for 12 % of its time.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


def bind(listener: Listener) -> socket.socket:
    """The listening socket, taken before anything starts, so that a taken port is said at once and clearly."""
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.send_buffer_bytes:  # connections inherit it
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, listener.send_buffer_bytes)
    try:
        sock.bind((listener.host, listener.port))
    except OSError as error:
        sock.close()
        raise Unavailable(
            f"The {listener.name} service cannot listen on {listener.host}:{listener.port} ({error.strerror}). "
            f"Is xgtwin running already? Otherwise choose another port with {listener.setting}."
        ) from error
    return sock


async def serve(listeners: Sequence[Listener]) -> None:
    """Run all until SIGINT or SIGTERM, then stop all; if one cannot start or dies, stop the others and raise.

    Raises `Unavailable` when a port is taken or an application fails to start.
    """
    sockets: list[socket.socket] = []
    try:
        for listener in listeners:
            sockets.append(bind(listener))
        await _serve_bound(listeners, sockets)
    finally:
        for sock in sockets:
            sock.close()


async def _serve_bound(listeners: Sequence[Listener], sockets: Sequence[socket.socket]) -> None:
    servers = [_Server(uvicorn_config(listener)) for listener in listeners]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    async def run(listener: Listener, server: uvicorn.Server, sock: socket.socket) -> str | None:
        try:
            await server.serve(sockets=[sock])
        except SystemExit:  # how uvicorn says that the lifespan failed; its log has the traceback
            return f"The {listener.name} service could not start; the log above says why."
        finally:
            stop()
        return None

    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for signum in signals:
        loop.add_signal_handler(signum, stop)
    try:
        failures = await asyncio.gather(*(run(*each) for each in zip(listeners, servers, sockets, strict=True)))
    finally:
        for signum in signals:
            loop.remove_signal_handler(signum)
    if reasons := [failure for failure in failures if failure]:
        raise Unavailable(" ".join(reasons))


def uvicorn_config(listener: Listener) -> uvicorn.Config:
    """How each of our applications is served."""
    return uvicorn.Config(
        listener.app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(listener.trusted_proxies),
        forwarded_allow_ips=list(listener.trusted_proxies),
        ws=_websocket_class(),
        ws_max_size=listener.ws_max_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def _websocket_class() -> type[asyncio.Protocol] | Literal["auto"]:
    """Ours if this uvicorn has the class it is made from; its own otherwise, which is slower with many clients."""
    try:
        from shared.web.direct_websocket import DirectWebSocket
    except ImportError as error:
        log.info("direct_websocket_missing", reason=str(error))
        return "auto"
    return DirectWebSocket
