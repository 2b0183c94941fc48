"""One MQTT connection of a simulated lamp or gateway. The only module here that knows paho."""

import json
import secrets
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from twin_bridge.broker_url import read_broker_url

log = get_logger(__name__)

START_SECONDS = 10.0
KEEPALIVE_SECONDS = 15

Hear = Callable[[str, bytes], None]


class Wire:
    """Connected between `with` and its end, with a last will if there is one. Raises `Unavailable` without a broker.

    `on_connect` runs with each connection, and hears of nothing that arrived before.
    """

    def __init__(self, url: str, name: str, will: tuple[str, str] | None = None) -> None:
        broker = read_broker_url(url)
        self._address = broker.host, broker.port
        self._will = will
        self._cut = False
        self._ready = threading.Event()
        self._hearers: dict[str, Hear] = {}
        self._greet: Callable[[], None] = lambda: None
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"{name[:40]}-{secrets.token_hex(4)}")
        if broker.user:
            self._client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            self._client.tls_set_context(ssl.create_default_context())
        if will:
            self._client.will_set(*will, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def greet(self, action: Callable[[], None]) -> None:
        """What is said after each connect."""
        self._greet = action

    def hear(self, topic: str, action: Hear) -> None:
        """Call `action` for messages on exactly this topic."""
        self._hearers[topic] = action
        if self._client.is_connected():
            self._client.subscribe(topic, 1)

    def say(self, topic: str, payload: Any, *, retain: bool = False) -> None:
        """Publish a text, bytes, or anything else as JSON."""
        data = payload if isinstance(payload, str | bytes) else json.dumps(payload, separators=(",", ":"))
        self._client.publish(topic, data, qos=1, retain=retain)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, action)
        timer.daemon = True
        timer.start()

    def cut(self) -> None:
        """Pull the plug: the connection ends without a word, and nobody reconnects."""
        self._cut = True
        socket = self._client.socket()
        self._client.loop_stop()
        if socket is not None:
            socket.close()

    def __enter__(self) -> Self:
        self._client.connect_async(*self._address, keepalive=KEEPALIVE_SECONDS)
        self._client.loop_start()
        if not self._ready.wait(START_SECONDS):
            self._client.loop_stop()
            host, port = self._address
            raise Unavailable(
                f"The simulated lamp finds no MQTT broker at {host}:{port}, or is refused there. "
                "Check the address; TWIN__DEMO_LAMP=false does without the lamp of the demo."
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._will and self._client.is_connected() and not self._cut:
            self._client.publish(*self._will, qos=1, retain=True).wait_for_publish(1)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _data: object, _flags: object, code: Any, _props: object) -> None:
        if code.is_failure:
            log.warning("simulated_lamp_refused", reason=str(code))
            return
        if self._hearers:
            client.subscribe([(topic, 1) for topic in self._hearers])
        self._greet()
        self._ready.set()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        # By exact topic: the demo broker also sends retained messages that nobody subscribed to.
        hearer = self._hearers.get(message.topic)
        if hearer is None or message.retain:
            return
        try:
            hearer(message.topic, bytes(message.payload))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            log.warning("simulated_lamp_does_not_understand", topic=message.topic, reason=str(error))
