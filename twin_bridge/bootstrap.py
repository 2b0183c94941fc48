"""What the bridge is made of. The only place that chooses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket
from sqlalchemy import Engine

from shared.db.leadership import Leadership
from shared.errors import Unavailable
from shared.settings import Settings
from shared.web.app import create_service_app
from twin_bridge.devices_api import device_routes
from twin_bridge.gate import Gate
from twin_bridge.history.api import history_routes
from twin_bridge.history.reading import HistoryReader
from twin_bridge.history.recorder import Recorder
from twin_bridge.history.replay import Replays
from twin_bridge.history.store import HistoryStore
from twin_bridge.http_access import admission
from twin_bridge.hub import Hub
from twin_bridge.lamps.bootstrap import build_families
from twin_bridge.mqtt import MqttLink
from twin_bridge.protocol import MAX_MESSAGE_BYTES
from twin_bridge.relay import Relay
from twin_bridge.state import DeviceTable
from twin_bridge.thing_description import thing_routes
from twin_bridge.websocket import serve_client


def build_app(settings: Settings, *, engine: Engine) -> FastAPI:
    """The twin bridge as an application; it connects to the broker when it starts, and goes on trying.

    The database behind `engine` (the caller disposes of it) is brought up to date at the start; without it the lamps
    are as live, but nothing is remembered.

    Raises `Unavailable` if there is no broker to connect to, no token where one is required, or a wrong lamps file.
    """
    if not settings.twin.mqtt_url:
        raise Unavailable(
            "The twin bridge needs an MQTT broker. Set TWIN__MQTT_URL, such as mqtt://127.0.0.1:1883, "
            "or start everything with a demo broker: make up"
        )
    gate = Gate(settings)
    table = DeviceTable()
    hub = Hub(table, settings.twin.max_clients)
    families = build_families(settings.twin)
    own_name = "-".join(filter(None, (settings.twin.name, settings.twin.instance)))
    link = MqttLink(settings.twin.mqtt_url, own_name, families.subscriptions)
    store = HistoryStore(engine, settings.twin.name)
    leadership = Leadership(engine, f"twin-{settings.twin.name}")
    recorder = Recorder(table, store, leadership, settings.twin.history_days)
    relay = Relay(table, hub, families, link, recorder)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await recorder.start(relay.changed)
        relay.start()
        try:
            yield
        finally:
            await relay.stop()
            await recorder.stop()

    app = create_service_app(
        "twin",
        description="Lamps, live: MQTT <-> WebSocket (`/ws/v1`, told in docs/twin.md; shapes at `/protocol.json`).",
        pings={"broker": relay.ping},
        facts=lambda: {
            "broker": relay.broker,
            "devices": len(table),
            "clients": len(hub),
            "auth": gate.required,
            "history": recorder.trouble or ("ok" if recorder.writes else "another bridge of this name writes it"),
        },
        lifespan=lifespan,
        origins=gate.origins,
        max_body_bytes=MAX_MESSAGE_BYTES,
        body_advice="A command is some hundred bytes of JSON; the limit is 16 KB.",
    )
    admit, reader = admission(gate), HistoryReader(engine, settings.twin.name)
    app.include_router(device_routes(relay, admit))
    app.include_router(history_routes(table, reader, admit))
    app.include_router(thing_routes(table, admit, settings.twin, token_required=gate.required))

    replays = Replays(reader)

    async def websocket(ws: WebSocket) -> None:
        await serve_client(ws, relay, gate, replays)

    for path in ("/ws/v1", "/ws"):
        app.add_api_websocket_route(path, websocket)
    return app
