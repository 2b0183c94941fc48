"""The connection to the MQTT broker. The only module that knows paho.

paho runs on a thread of its own. Its callbacks do nothing but hand over to the event loop, with one wake-up for
everything that arrived meanwhile; they catch all exceptions, because one that escapes ends the thread without a word.
"""

import asyncio
import random
import secrets
import socket
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any, Protocol

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_BAD_PAYLOADS
from twin_bridge.broker_url import BrokerUrl, read_broker_url, why_not_reached
from twin_bridge.inbox import Inbox, Incoming

log = get_logger(__name__)

KEEPALIVE_SECONDS = 15
MIN_BACKOFF, MAX_BACKOFF = 0.5, 15.0
"""Seconds between attempts; each bridge draws its own within +-50 %, so that not all return at once."""
MAX_BATCH = 500
"""Messages handled in one turn of the loop, so that clients are served in between."""
MAX_TOPICS = 100
"""Topics in one SUBSCRIBE; brokers limit the size of a packet."""
STOP_SECONDS = 1.0


class Listener(Protocol):
    """Called on the event loop."""

    def on_messages(self, batch: Sequence[Incoming]) -> None: ...
    def on_broker(self, connected: bool, reason: str) -> None: ...


def _guarded(callback: Callable[..., None]) -> Callable[..., None]:
    @wraps(callback)
    def run(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception as error:
            TWIN_BAD_PAYLOADS.labels("callback_failed").inc()
            log.error("mqtt_callback_failed", callback=callback.__name__, exc_info=error)

    return run


class MqttLink:
    """One broker, reconnected for ever; subscriptions are renewed with each connection.

    Raises `Unavailable` if `url` is not one that `read_broker_url` understands.
    `twin/v1/bridge/<name>/status` says `online` or, by last will, `offline`; retained.
    """

    def __init__(self, url: str, name: str, subscriptions: Sequence[str]) -> None:
        self.connected = False
        self._subscriptions = dict.fromkeys(subscriptions)
        self._status_topic = f"twin/v1/bridge/{name}/status"
        self._broker = read_broker_url(url)
        self._client = _client(self._broker, name)
        self._client.will_set(self._status_topic, b"offline", qos=1, retain=True)
        self._client.on_connect = _guarded(self._on_connect)
        self._client.on_connect_fail = _guarded(self._on_connect_fail)
        self._client.on_disconnect = _guarded(self._on_disconnect)
        self._client.on_message = _guarded(self._on_message)
        self._client.on_publish = _guarded(self._on_publish)
        self._lock = threading.Lock()
        self._inbox = Inbox()
        self._signals: deque[Callable[[], None]] = deque()
        self._woken = self._stopping = False
        self._unconfirmed: dict[int, asyncio.Future[None]] = {}
        self._answered = ""  # what the broker said to this connection, on paho's thread

    def start(self, listener: Listener) -> None:
        """Connect in the background and go on trying; call on the event loop that will hear of everything."""
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        spread = random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
        # paho says int, and computes with whatever it gets
        self._client.reconnect_delay_set(MIN_BACKOFF * spread, MAX_BACKOFF * spread)  # type: ignore[arg-type]
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=KEEPALIVE_SECONDS)
        self._client.loop_start()

    async def stop(self) -> None:
        """Say goodbye to the broker and end the thread; the listener hears nothing of it."""
        self._stopping = True
        if self.connected:
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.publish(self._status_topic, b"offline", retain=True)
            except (TimeoutError, Unavailable) as error:
                log.info("mqtt_goodbye_not_confirmed", reason=str(error))
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> "asyncio.Future[None]":
        """Publish with QoS 1; the future ends with PUBACK, or with `Unavailable` when the connection is lost first.

        Nothing is kept for later: a lamp must not switch when the broker comes back. Raises `Unavailable` if it is
        away already.
        """
        if not self.connected:
            raise Unavailable("The MQTT broker is not connected.")
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc not in {paho.MQTT_ERR_SUCCESS, paho.MQTT_ERR_NO_CONN}:
            raise Unavailable(f"The MQTT client cannot take more ({paho.error_string(info.rc)}).")
        # PUBACK is heard on the other thread, but told on this one, so it cannot come before this line.
        future = self._unconfirmed[info.mid] = self._loop.create_future()
        return future

    def subscribe(self, topics: Iterable[str]) -> None:
        """Listen to more topics, from now on and after each reconnect; what is retained there comes again."""
        if new := tuple(topics):
            with self._lock:
                self._subscriptions.update(dict.fromkeys(new))
            self._subscribe(new)

    def unsubscribe(self, topics: Iterable[str]) -> None:
        if old := list(topics):
            with self._lock:
                for topic in old:
                    self._subscriptions.pop(topic, None)
            self._client.unsubscribe(old)

    def _subscribe(self, topics: Sequence[str]) -> None:
        for start in range(0, len(topics), MAX_TOPICS):
            self._client.subscribe([(topic, 1) for topic in topics[start : start + MAX_TOPICS]])

    # --- on paho's thread ---

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, code: Any, _props: object) -> None:
        client.drop_out_messages()  # paho would repeat the commands of the connection before
        self._answered = "refused" if code.is_failure else "accepted"
        if code.is_failure:
            self._post(partial(self._lost, f"the broker refused us: {code}; check user and password"))
            return
        with self._lock:
            topics = tuple(self._subscriptions)
        self._subscribe(topics)
        self._post(self._found)

    def _on_connect_fail(self, _client: paho.Client, _data: object) -> None:
        self._post(partial(self._lost, why_not_reached(sys.exception())))  # paho calls this from its except clause

    def _on_disconnect(self, client: paho.Client, _data: object, _flags: object, code: Any, _props: object) -> None:
        client.drop_out_messages()
        answered, self._answered = self._answered, ""
        if not answered:
            self._post(partial(self._lost, "it closed the connection without a word; does it want mqtts://?"))
        elif answered == "accepted":  # the reason of a refusal is told already, and better
            self._post(partial(self._lost, f"connection lost: {code}"))

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if not self._woken:  # once for each batch
            _acknowledge_now(client.socket())
        with self._lock:
            self._inbox.put(message.topic, message.payload, retained=message.retain)
            self._wake()

    def _on_publish(self, client: paho.Client, _data: object, mid: int, code: Any, _props: object) -> None:
        _acknowledge_now(client.socket())
        self._post(partial(self._confirmed, mid, str(code) if code.is_failure else ""))

    def _post(self, signal: Callable[[], None]) -> None:
        with self._lock:
            self._signals.append(signal)
            self._wake()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:  # the loop ended before this thread did
                log.info("mqtt_event_after_the_end")

    # --- on the event loop ---

    def _drain(self) -> None:
        with self._lock:
            signals, self._signals = self._signals, deque()
            batch = self._inbox.take(MAX_BATCH)
            self._woken = bool(self._inbox)
        if self._woken:
            self._loop.call_soon(self._drain)
        for signal in signals:
            signal()
        if batch:
            self._listener.on_messages(batch)

    def _found(self) -> None:
        self.connected = True
        self.publish(self._status_topic, b"online", retain=True).add_done_callback(_log_failure)
        self._listener.on_broker(True, "")

    def _lost(self, reason: str) -> None:
        self.connected = False
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        for future in unconfirmed.values():
            if not future.done():
                future.set_exception(Unavailable(f"The MQTT broker did not take the command: {reason}."))
        if not self._stopping:
            self._listener.on_broker(False, reason)

    def _confirmed(self, mid: int, failure: str) -> None:
        future = self._unconfirmed.pop(mid, None)
        if future is None or future.done():
            return
        if failure:
            future.set_exception(Unavailable(f"The MQTT broker refused the message: {failure}."))
        else:
            future.set_result(None)


def _acknowledge_now(sock: Any) -> None:
    """Have TCP confirm what came at once: a broker with Nagle's algorithm (Mosquitto, unless told otherwise) holds the
    next state, or the lamp's answer, back until then, which is 40 ms. Linux only, and to be said each time."""
    if sock is not None and hasattr(socket, "TCP_QUICKACK"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _log_failure(future: "asyncio.Future[None]") -> None:
    if not future.cancelled() and (error := future.exception()):
        log.info("mqtt_status_not_published", reason=str(error))


def _client(broker: BrokerUrl, name: str) -> paho.Client:
    """A client that is not connected yet."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        # A part of its own: two bridges with one name would throw each other out for ever.
        client_id=f"xgtwin-{name}-{secrets.token_hex(4)}",
        protocol=paho.MQTTv5 if broker.version == "5" else paho.MQTTv311,
    )
    if broker.user:
        client.username_pw_set(broker.user, broker.password)
    if broker.tls:
        client.tls_set_context(ssl.create_default_context())
    return client
