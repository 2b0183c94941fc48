"""Listening to a broker for a moment, as the bridge would, without leaving a trace there."""

import secrets
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from twin_bridge.broker_url import BrokerUrl, why_not_reached

ANSWER_SECONDS = 5.0
MAX_MESSAGES = 20_000
EVERYTHING = "#"


@dataclass
class Heard:
    """What a broker said. `trouble` tells why it said nothing."""

    trouble: str = ""
    refused: str = ""
    """The broker's own words for not letting us in; `trouble` is set too."""
    denied: list[str] = field(default_factory=list)
    """Topic filters that it does not let us read."""
    messages: list[tuple[str, bytes]] = field(default_factory=list)


def listen(broker: BrokerUrl, topics: list[str], seconds: float) -> Heard:
    """All messages of so many seconds, on `topics` and, where that is allowed, on everything else."""
    heard, connected, subscribed = Heard(), threading.Event(), threading.Event()
    wanted = [*topics, EVERYTHING]
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"xgtwin-doctor-{secrets.token_hex(4)}",
        protocol=MQTTProtocolVersion.MQTTv5 if broker.version == "5" else MQTTProtocolVersion.MQTTv311,
    )
    if broker.user:
        client.username_pw_set(broker.user, broker.password)

    def on_connect(_client: Client, _data: object, _flags: object, code: Any, _props: object) -> None:
        heard.refused = str(code) if code.is_failure else ""
        connected.set()

    def on_subscribe(_client: Client, _data: object, _mid: int, codes: Any, _props: object) -> None:
        heard.denied = [topic for topic, code in zip(wanted, codes, strict=False) if code.is_failure]
        subscribed.set()

    def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
        if len(heard.messages) < MAX_MESSAGES:
            heard.messages.append((message.topic, bytes(message.payload)))

    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    try:
        if broker.tls:
            client.tls_set_context(ssl.create_default_context())
        client.connect(broker.host, broker.port, keepalive=10)
    except OSError as error:
        heard.trouble = why_not_reached(error)
        return heard
    client.loop_start()
    try:
        if not connected.wait(ANSWER_SECONDS):
            heard.trouble = "it takes the connection and says nothing; does it want mqtts://?"
        elif heard.refused:
            heard.trouble = f"it refuses us: {heard.refused}"
        else:
            client.subscribe([(topic, 0) for topic in wanted])
            subscribed.wait(ANSWER_SECONDS)
            threading.Event().wait(seconds)
    finally:
        client.disconnect()
        client.loop_stop()
    return heard
