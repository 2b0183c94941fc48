"""A demo MQTT broker in this process, for `xgtwin up` without a broker of one's own. The only module that knows amqtt.

A demo aid: it listens on loopback only, sends no last will when a client falls silent, knows MQTT 3.1.1 only, and
forgets everything when it stops. Whoever has lamps runs Mosquitto and sets TWIN__MQTT_URL.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from types import TracebackType

from amqtt.broker import Broker
from amqtt.errors import AMQTTError
from amqtt.session import Session

from shared.errors import Unavailable
from shared.observability.logs import get_logger

log = get_logger(__name__)

HOST = "127.0.0.1"
USUAL_PORT = 1883
PORTS_TRIED = 100
START_SECONDS = 10.0
STOP_SECONDS = 5.0


class _Broker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt 0.12.1 greets a new client with the retained messages of everybody's subscriptions, not of its own."""

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        subscribers = self._subscriptions.get(subscription[0], ())
        if any(subscriber.client_id == session.client_id for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class DemoBroker:
    """Runs between `with` and its end, on a thread and an event loop of its own.

    `port` is 1883, or the next one that is free; with `port=0` any free one. Raises `Unavailable` if none is.
    """

    def __init__(self, port: int = USUAL_PORT) -> None:
        self.port = port
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-mqtt-broker", daemon=True)

    @property
    def url(self) -> str:
        return f"mqtt://{HOST}:{self.port}"

    def __enter__(self) -> "DemoBroker":
        # amqtt reports each connection, and each client that leaves abruptly, as if something were wrong.
        logging.getLogger("amqtt").setLevel(logging.ERROR)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        self.port = _free_port(self.port)
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._failure:
            raise Unavailable(
                "The demo MQTT broker did not start. Set TWIN__MQTT_URL to a broker of your own."
            ) from self._failure
        log.warning("demo_broker_started", port=self.port, note="a demo aid on loopback; yours: TWIN__MQTT_URL")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            log.warning("demo_broker_did_not_stop", seconds=STOP_SECONDS)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        broker = _Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{self.port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            },
            loop=self._loop,
        )
        try:
            await broker.start()
        except AMQTTError as error:
            self._failure = error
            return
        finally:
            self._ready.set()
        await self._stop.wait()
        await broker.shutdown()
        leftover = asyncio.all_tasks() - {asyncio.current_task()}
        for task in leftover:
            task.cancel()
        await asyncio.gather(*leftover, return_exceptions=True)


def _free_port(first: int) -> int:
    """`first` or the next port that nobody listens on; 0 asks the system for one."""
    for port in range(first, first + PORTS_TRIED if first else 1):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                probe.listen()
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable(
        f"The demo MQTT broker found no free port from {first} on. Set TWIN__MQTT_URL to a broker of your own."
    )
