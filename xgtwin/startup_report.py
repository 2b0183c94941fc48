"""What `xgtwin up` prints: where each part listens, in which mode it runs, and when the documents are searchable.

All of it comes from the services' own `/readyz` pages: the report cannot say anything that they do not.
"""

import asyncio
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.db.engine import database_url
from shared.embeddings.model import ModelState
from shared.models import PENDING_STATUSES, DocumentStatus
from shared.sections import Service
from shared.settings import Settings
from shared.version import VERSION

POLL_SECONDS = 0.25


async def announce(settings: Settings, console: Console, *, demo_broker: str, lamp: str) -> None:
    """Wait for the services, print the report, then one line when the documents found at start are searchable."""
    started = time.monotonic()
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        query = await _facts(http, settings.query)
        ingest = await _facts(http, settings.ingest)
        twin = await _facts(http, settings.twin)
        console.print(_report(settings, query, ingest, twin, demo_broker=demo_broker, lamp=lamp))
        while _pending(ingest) or not ingest["scanned"]:
            await asyncio.sleep(POLL_SECONDS)
            ingest = await _facts(http, settings.ingest)
        query = await _facts(http, settings.query)
    documents = ingest["documents"]
    ready = documents.get(DocumentStatus.READY, 0)
    troubled = sum(documents.values()) - ready
    line = f"[green]{ready} documents are searchable[/] ({query['chunks']} chunks, {time.monotonic() - started:.1f} s)."
    if troubled:
        url = f"{settings.ingest.base_url}/documents?status=failed,quarantined,no_text"
        line += f" [yellow]{troubled} are not: see {url}[/]"
    console.print(line)
    console.print(f'Ask:   {_command()} ask "Quando o Inatel foi fundado?"      Stop: Ctrl+C')


async def _facts(http: httpx.AsyncClient, service: Service) -> dict[str, Any]:
    """The service's `/readyz` page, as soon as it answers at all."""
    while True:
        try:
            page: dict[str, Any] = (await http.get(f"{service.base_url}/readyz")).json()
            return page
        except httpx.TransportError:
            await asyncio.sleep(POLL_SECONDS)


def _pending(ingest: dict[str, Any]) -> int:
    return sum(ingest["documents"].get(status, 0) for status in PENDING_STATUSES)


def _report(
    settings: Settings,
    query: dict[str, Any],
    ingest: dict[str, Any],
    twin: dict[str, Any],
    *,
    demo_broker: str,
    lamp: str,
) -> Table:
    table = Table(title=f"xgtwin {VERSION}", title_justify="left", show_header=False, box=None, padding=(0, 2))
    documents = sum(ingest["documents"].values())
    where = f"{escape(str(settings.ingest.watch_dir))}/ ({ingest['watch']})"
    table.add_row("questions", settings.query.base_url, escape(query["mode"]))
    table.add_row("documents", settings.ingest.base_url, f"watching {where}, {documents} known")
    table.add_row("lamps", settings.twin.base_url, f"WebSocket {_ws(settings.twin)}")
    if demo_broker:
        demo_lamp = f", simulated lamp {lamp}" if lamp else ""
        table.add_row("broker", f"mqtt://{demo_broker}", f"DEMO broker on loopback{demo_lamp} (yours: TWIN__MQTT_URL)")
    else:
        table.add_row("broker", "configured", "connected" if twin["broker"] else "not connected yet")
    table.add_row("retrieval", "", escape(_retrieval(query)))
    table.add_row("state", escape(str(settings.data_dir)), f"{_database(settings)}, {_store(settings)}")
    table.add_row("access", "", _access(settings))
    return table


def _retrieval(query: dict[str, Any]) -> str:
    """The mode, and what is on its way to it."""
    coming = query["embedding"]
    done = coming["state"] in {ModelState.OFF, ModelState.READY}
    return query["retrieval"] if done else f"{query['retrieval']} for now: {coming['words']}"


def _ws(service: Service) -> str:
    return service.base_url.replace("http", "ws", 1) + "/ws/v1"


def _database(settings: Settings) -> str:
    return "SQLite" if database_url(settings).startswith("sqlite") else "PostgreSQL"


def _store(settings: Settings) -> str:
    if settings.store.kind == "pgvector":
        return "vectors in PostgreSQL"
    remote = settings.store.kind == "qdrant" or (settings.store.kind == "auto" and settings.store.qdrant_url)
    return f"Qdrant at {settings.store.qdrant_url}" if remote else "Qdrant Edge in this process"


def _access(settings: Settings) -> str:
    services: tuple[Service, ...] = (settings.query, settings.ingest, settings.twin)
    if any(settings.auth_required(service) for service in services):
        return "keys required (xgtwin keys create NAME)"
    if settings.auth == "off":
        return "[red]open to everybody who can reach it[/] (XGTWIN_AUTH=off)"
    return "open, on this machine only (everything listens on loopback)"


def _command() -> str:
    """How to call this program from here: by name where it is on the path, else by its place."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m xgtwin"
    if shutil.which(called.name):
        return called.name
    here = Path.cwd()
    return str(called.relative_to(here) if called.is_relative_to(here) else called)
