"""Real parts on loopback and random ports: Mosquitto, the bridge under uvicorn, a WebSocket client, an MQTT peer."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import jsonschema
import paho.mqtt.client as paho
import uvicorn
from paho.mqtt.enums import CallbackAPIVersion
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from shared.db.engine import open_engine
from shared.settings import Settings, TwinSettings
from shared.web.server import Listener, bind, uvicorn_config
from twin_bridge.bootstrap import build_app
from twin_bridge.client_messages import schema
from twin_bridge.protocol import MAX_MESSAGE_BYTES, SEND_BUFFER_BYTES

SECONDS = 10.0
"""Nothing here takes a second; what takes ten will not come."""

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


class Mosquitto:
    """A real broker that can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n")

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert MOSQUITTO
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_until(self._listens, "Mosquitto to listen")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(SECONDS)

    def freeze(self) -> None:
        """It no longer answers, and its connections stay open."""
        self._process.send_signal(signal.SIGSTOP)

    def _listens(self) -> bool:
        assert self._process.poll() is None, "Mosquitto ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Bridge:
    """An application as the bridge is served, on a thread with its own loop."""

    def __init__(self, app: ASGIApp, *, direct: bool = True, ping_seconds: float = 20.0) -> None:
        listener = Listener("twin", app, "127.0.0.1", 0, "", MAX_MESSAGE_BYTES, SEND_BUFFER_BYTES)
        self._socket = bind(listener)
        self.port = int(self._socket.getsockname()[1])
        self.http = f"http://127.0.0.1:{self.port}"
        self.ws = f"ws://127.0.0.1:{self.port}/ws/v1"
        config = uvicorn_config(listener)
        config.timeout_graceful_shutdown = 2
        if not direct:  # as on a server without our WebSocket class
            config.ws = "auto"
        config.ws_ping_interval = config.ws_ping_timeout = ping_seconds
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self._server.started, "the bridge to start")

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.http + path, trust_env=False, timeout=SECONDS, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return httpx.post(self.http + path, trust_env=False, timeout=SECONDS, **options)

    @property
    def connections(self) -> int:
        """Of any kind, whatever the application thinks of them."""
        return len(self._server.server_state.connections)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()


@contextmanager
def bridge(
    mqtt_url: str, *, auth: str = "off", direct: bool = True, data: Path | None = None, **twin: Any
) -> Iterator[Bridge]:
    """A bridge that has found its broker, or knows why not. Its memory is in `data`, or lasts as long as it does."""
    with TemporaryDirectory() as passing:
        settings = Settings(
            _env_file=None, auth=auth, data_dir=data or Path(passing), twin=TwinSettings(mqtt_url=mqtt_url, **twin)
        )
        engine = open_engine(settings)
        try:
            with serving(build_app(settings, engine=engine), direct=direct) as running:
                # What a lamp says before that, unretained, nobody hears.
                wait_until(lambda: "not connected yet" not in running.get("/readyz").text, "word of the broker")
                yield running
        finally:
            engine.dispose()


@contextmanager
def serving(app: ASGIApp, **options: Any) -> Iterator[Bridge]:
    running = Bridge(app, **options)
    running.start()
    try:
        yield running
    finally:
        running.stop()


class Peer:
    """Another MQTT client: plays lamps, and listens."""

    def __init__(self, port: int, *topics: str) -> None:
        self.heard: Queue[tuple[str, bytes, bool]] = Queue()
        self._subscribed = threading.Event()
        self._topics = topics
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _c, _d, m: self.heard.put((m.topic, bytes(m.payload), m.retain))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(SECONDS)

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe([(topic, 1) for topic in (*self._topics, "test/nothing")])

    def publish(self, topic: str, payload: str | bytes | dict[str, Any], *, retain: bool = False, qos: int = 1) -> None:
        """Publish, and wait until the broker has it."""
        data = json.dumps(payload) if isinstance(payload, dict) else payload
        self._client.publish(topic, data, qos=qos, retain=retain).wait_for_publish(SECONDS)

    def lamp(self, device_id: str, *, retain: bool = False, **state: Any) -> None:
        self.publish(f"twin/v1/{device_id}/state", state, retain=retain)

    async def hear(self) -> tuple[str, bytes, bool]:
        return await asyncio.to_thread(self.heard.get, timeout=SECONDS)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def peer(port: int, *topics: str) -> Iterator[Peer]:
    other = Peer(port, *topics)
    try:
        yield other
    finally:
        other.close()


_PUBLISHED = schema()["server"]
_VALIDATORS = {
    kind: jsonschema.Draft202012Validator({**_PUBLISHED["$defs"][ref.rpartition("/")[2]], "$defs": _PUBLISHED["$defs"]})
    for kind, ref in _PUBLISHED["discriminator"]["mapping"].items()
}


def check_published(message: dict[str, Any]) -> None:
    """Whether a message is one that /protocol.json describes, with neither more nor fewer fields."""
    validator = _VALIDATORS[message["t"]]
    validator.validate(message)
    assert message.keys() == validator.schema["properties"].keys()
    for device in message.get("devices", ()):
        assert device.keys() == _PUBLISHED["$defs"]["Device"]["properties"].keys()


class Client:
    """One WebSocket client that speaks the protocol by hand; what it is sent must be what is published."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws

    async def say(self, kind: str, **fields: Any) -> None:
        await self.ws.send(json.dumps({"t": kind, "v": 1, **fields}))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            message: dict[str, Any] = json.loads(await self.ws.recv())
        check_published(message)
        return message

    async def until(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """The next message of a kind with these fields; others are passed over."""
        while True:
            message = await self.next()
            if message["t"] == kind and wanted.items() <= message.items():
                return message

    async def until_device(self, device_id: str, **state: Any) -> dict[str, Any]:
        """The next device shown with this id and these fields in its state."""
        while True:
            message = await self.next()
            for device in message.get("devices", ()):
                if device["id"] == device_id and state.items() <= device["state"].items():
                    return dict(device)

    async def command(self, cid: str, device_id: str, *, ttl: int = 3000, **state: Any) -> None:
        fields = ["rgb" if name == "r" else name for name in state if name not in {"g", "b"}]
        await self.say("cmd", cid=cid, id=device_id, set=fields, state=state, ttl=ttl)

    async def closed(self) -> int:
        """The code that the server closes with."""
        async with asyncio.timeout(SECONDS):
            try:
                while True:
                    await self.ws.recv()
            except ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else 1006


@asynccontextmanager
async def client(url: str, *, auth: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[Client]:
    """A connected client; with `auth` also welcomed, with its snapshot still to be read."""
    async with connect(url, proxy=None, max_size=None, **options) as ws:
        speaker = Client(ws)
        if auth is not None:
            await speaker.say("auth", **auth)
            await speaker.until("welcome")
        yield speaker
