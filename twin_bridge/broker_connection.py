"""The connection to the MQTT broker, on the event loop. The only module that knows paho.

paho's own thread would contend with the loop for the interpreter at every message, and wake it for the first of many.
Here the loop reads whatever has come in one go. Only connecting, which waits for names and handshakes, has a thread.
"""

import asyncio
import random
import secrets
import ssl
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Protocol

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_BAD_PAYLOADS
from twin_bridge.broker_url import BrokerUrl, why_not_reached
from twin_bridge.waiting import acknowledge_now, within

log = get_logger(__name__)

KEEPALIVE_SECONDS = 15
KEEPALIVE_CHECK_SECONDS = 1.0
MIN_BACKOFF, MAX_BACKOFF = 0.5, 15.0
"""Seconds between attempts, doubled each time and spread by +-50 %, so that not all bridges return at once."""
READ_BYTES = 64 * 1024
"""Read in one go; more than a TLS record, so nothing stays behind where the loop does not see it."""
MAX_PACKETS = 500
"""Taken in one turn of the loop, so that a flood does not keep the clients waiting; the rest stays with the broker."""
STOP_SECONDS = 1.0


class Events(Protocol):
    """What happens to a connection. Called on the event loop, from inside paho: take note, and act in a later turn."""

    def on_accepted(self) -> None: ...
    def on_lost(self, reason: str) -> None: ...
    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None: ...
    def on_confirmed(self, mid: int, failure: str) -> None: ...


class BrokerConnection:
    """Connected again for ever, with nothing kept of the connection before.

    `will_topic` gets a retained `offline` from the broker when the connection breaks.
    """

    def __init__(self, broker: BrokerUrl, name: str, will_topic: str) -> None:
        self._broker = broker
        self._client = _client(broker, name)
        self._client.will_set(will_topic, b"offline", qos=1, retain=True)
        self._client.on_connect = _guarded(self._on_connect)
        self._client.on_disconnect = _guarded(self._on_disconnect)
        self._client.on_message = _guarded(self._on_message)
        self._client.on_publish = _guarded(self._on_publish)
        self._client.on_subscribe = _guarded(self._on_subscribe)
        self._client.on_socket_close = _guarded(self._on_socket_close)
        self._client.on_socket_register_write = _guarded(self._on_register_write)
        self._client.on_socket_unregister_write = _guarded(self._on_unregister_write)
        self._watched = False
        """Whether the event loop watches the socket; not while it is being opened."""
        self._behind = False
        """Whether a turn did not suffice, and the next one goes on."""
        self._accepted: bool | None = None
        """What the broker said to this connection."""

    def start(self, events: Events) -> None:
        """Connect in the background and go on trying; call on the event loop that will hear of everything."""
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._closed, self._stopping = asyncio.Event(), asyncio.Event()
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=KEEPALIVE_SECONDS)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Disconnect in order, which makes the broker forget the last will."""
        self._stopping.set()
        self._client.disconnect()
        _, late = await asyncio.wait({self._task}, timeout=STOP_SECONDS)
        if late:
            log.info("mqtt_not_closed_in_order")
            self._task.cancel()

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """Send with QoS 1 and return the number that `on_confirmed` will name. Raises `Unavailable`."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc not in {paho.MQTT_ERR_SUCCESS, paho.MQTT_ERR_NO_CONN}:
            raise Unavailable(f"The MQTT client cannot take more ({paho.error_string(info.rc)}).")
        return info.mid

    def subscribe(self, topics: Sequence[str]) -> int | None:
        """With QoS 1; returns the number that `on_confirmed` will name, or None: a broker that is away is not asked."""
        return self._client.subscribe([(topic, 1) for topic in topics])[1]

    def unsubscribe(self, topics: list[str]) -> None:
        self._client.unsubscribe(topics)

    async def _run(self) -> None:
        delay = MIN_BACKOFF
        while not self._stopping.is_set():
            self._accepted = None
            await self._live()
            delay = MIN_BACKOFF if self._accepted else delay
            await within(delay * random.uniform(0.5, 1.5), self._stopping)  # noqa: S311 - not a secret
            delay = min(2 * delay, MAX_BACKOFF)

    async def _live(self) -> None:
        """One connection from its beginning to its end."""
        self._closed.clear()
        try:
            await asyncio.to_thread(self._client.reconnect)
        except OSError as error:
            self._events.on_lost(why_not_reached(error))
            return
        sock: Any = self._client.socket()
        self._watched = True
        self._loop.add_reader(sock, self._readable)
        self._loop.add_writer(sock, self._client.loop_write)  # CONNECT waits
        if self._stopping.is_set():
            self._client.disconnect()
        while self._watched:
            await within(KEEPALIVE_CHECK_SECONDS, self._closed)
            self._client.loop_misc()

    def _readable(self) -> None:
        if not self._behind:
            self._read()

    def _read(self) -> None:
        for _ in range(MAX_PACKETS):
            self._client.loop_read()
            if not self._client.unread:
                break
        self._behind = self._client.unread
        if self._behind:
            self._loop.call_soon(self._read)
        acknowledge_now(self._client.socket())

    # --- called by paho ---

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, code: Any, _props: object) -> None:
        client.drop_out_messages()  # paho would repeat the commands of the connection before
        self._accepted = not code.is_failure
        if self._accepted:
            self._events.on_accepted()
        else:
            self._events.on_lost(f"the broker refused us: {code}; check user and password")

    def _on_disconnect(self, client: paho.Client, _data: object, _flags: object, code: Any, _props: object) -> None:
        client.drop_out_messages()
        if self._accepted is None:
            self._events.on_lost("it closed the connection without a word; does it want mqtts://?")
        elif self._accepted:  # the reason of a refusal is told already, and better
            self._events.on_lost(f"connection lost: {code}")

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._events.on_message(message.topic, bytes(message.payload), retained=message.retain)

    def _on_publish(self, _client: paho.Client, _data: object, mid: int, code: Any, _props: object) -> None:
        self._events.on_confirmed(mid, str(code) if code.is_failure else "")

    def _on_subscribe(self, _client: paho.Client, _data: object, mid: int, _codes: object, _props: object) -> None:
        self._events.on_confirmed(mid, "")

    def _on_register_write(self, client: paho.Client, _data: object, sock: Any) -> None:
        if self._watched:
            self._loop.add_writer(sock, client.loop_write)

    def _on_unregister_write(self, _client: paho.Client, _data: object, sock: Any) -> None:
        self._loop.remove_writer(sock)

    def _on_socket_close(self, _client: paho.Client, _data: object, sock: Any) -> None:
        self._watched = False
        self._client.forget()
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)
        self._closed.set()


class _BufferedClient(paho.Client):
    """paho asks the system for single bytes of each packet; here it gets them from what was read in one go.

    A paho without this hook reads as it always did, which is slower.
    """

    def forget(self) -> None:
        """Drop what a connection that is over has left unread."""
        self._buffer, self._at = b"", 0

    @property
    def unread(self) -> bool:
        """Whether there is more that the system will not tell of again."""
        return self._at < len(self._buffer)

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self.unread:
            self._buffer, self._at = super()._sock_recv(READ_BYTES), 0
        data = self._buffer[self._at : self._at + bufsize]
        self._at += len(data)
        return data


def _client(broker: BrokerUrl, name: str) -> _BufferedClient:
    """A client that is not connected yet."""
    client = _BufferedClient(
        CallbackAPIVersion.VERSION2,
        # A part of its own: two bridges with one name would throw each other out for ever.
        client_id=f"xgtwin-{name}-{secrets.token_hex(4)}",
        protocol=paho.MQTTv5 if broker.version == "5" else paho.MQTTv311,
        reconnect_on_failure=False,  # it would wait on the event loop
    )
    client.forget()
    if broker.user:
        client.username_pw_set(broker.user, broker.password)
    if broker.tls:
        client.tls_set_context(ssl.create_default_context())
    return client


def _guarded(callback: Callable[..., None]) -> Callable[..., None]:
    """A fault of ours in one message must not cost the connection."""

    @wraps(callback)
    def run(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception as error:
            TWIN_BAD_PAYLOADS.labels("callback_failed").inc()
            log.error("mqtt_callback_failed", callback=callback.__name__, exc_info=error)

    return run
