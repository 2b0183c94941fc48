"""`xgtwin up`: the three services in one process on embedded parts.

The order is the story: state first (database, vectors), then the lamps' broker, then the services over them; what was
opened last is closed first. Every port is bound before anything is announced.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from rich.console import Console

import ingest_service.bootstrap
import query_service.bootstrap
import twin_bridge.bootstrap
from ingest_service.passages import chunking
from shared.observability.logs import configure_logging
from shared.observability.traces import tracing
from shared.parts import open_parts
from shared.settings import Settings
from shared.web.server import Listener, run, serve
from twin_bridge.protocol import SEND_BUFFER_BYTES
from xgtwin.demo_broker import DemoBroker
from xgtwin.simulated_lamp import SimulatedLamp
from xgtwin.startup_report import announce

DEMO_LAMP = "lamp_001"


@dataclass(frozen=True)
class DemoParts:
    """What `up` plays when no broker is configured; empty words mean that it is not played."""

    broker: str = ""
    lamp: str = ""


def run_embedded(settings: Settings) -> None:
    """Run until Ctrl+C. Raises `Unavailable` when a port or the data folder is taken."""
    configure_logging(settings.log)
    with ExitStack() as stack:
        stack.enter_context(tracing(settings.traces, "xgtwin"))
        settings, demo = stack.enter_context(_lamps(settings))
        listeners = stack.enter_context(_services(settings))
        run(_serve_and_announce(settings, listeners, demo))


@contextmanager
def _lamps(settings: Settings) -> Iterator[tuple[Settings, DemoParts]]:
    """Settings with a broker in them: the configured one, or a demo broker with a simulated lamp."""
    if settings.twin.mqtt_url:
        yield settings, DemoParts()
        return
    with ExitStack() as stack:
        broker = stack.enter_context(DemoBroker())
        address = f"127.0.0.1:{broker.port}"
        if settings.twin.demo_lamp:
            stack.enter_context(SimulatedLamp(DEMO_LAMP, port=broker.port))
        twin = settings.twin.model_copy(update={"mqtt_url": f"mqtt://{address}"})
        demo = DemoParts(broker=address, lamp=DEMO_LAMP if settings.twin.demo_lamp else "")
        yield settings.model_copy(update={"twin": twin}), demo


@contextmanager
def _services(settings: Settings) -> Iterator[list[Listener]]:
    """The three applications over one database and one store, which are closed after the applications stopped."""
    with open_parts(settings, chunker=chunking.FINGERPRINT) as parts:
        engine, store, model = parts.engine, parts.store, parts.model
        ingest = ingest_service.bootstrap.build_app(settings, engine=engine, store=store, model=model)
        query = query_service.bootstrap.build_app(settings, engine=engine, store=store, model=model)
        twin = twin_bridge.bootstrap.build_app(settings, engine=engine)
        yield [
            Listener(
                "query",
                query,
                settings.query.host,
                settings.query.port,
                "QUERY__PORT",
                trusted_proxies=settings.query.trusted_proxies,
            ),
            Listener(
                "ingest",
                ingest,
                settings.ingest.host,
                settings.ingest.port,
                "INGEST__PORT",
                trusted_proxies=settings.ingest.trusted_proxies,
            ),
            Listener(
                "twin",
                twin,
                settings.twin.host,
                settings.twin.port,
                "TWIN__PORT",
                send_buffer_bytes=SEND_BUFFER_BYTES,
                trusted_proxies=settings.twin.trusted_proxies,
            ),
        ]


async def _serve_and_announce(settings: Settings, listeners: list[Listener], demo: DemoParts) -> None:
    report = asyncio.create_task(announce(settings, Console(highlight=False), demo_broker=demo.broker, lamp=demo.lamp))
    try:
        await serve(listeners)
    finally:
        report.cancel()
        await asyncio.gather(report, return_exceptions=True)
