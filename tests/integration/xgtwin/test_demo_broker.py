"""The demo broker keeps the part of MQTT that newcomers will try on it."""

import queue

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from xgtwin.demo_broker import DemoBroker
from xgtwin.simulated_lamp import SimulatedLamp


def test_a_new_client_gets_only_the_retained_messages_it_subscribed_to():
    with DemoBroker(0) as broker, SimulatedLamp("lamp_a", port=broker.port):
        listener = _client(broker, "twin/v1/+/state")
        assert listener.get(timeout=5).topic == "twin/v1/lamp_a/state"
        other = _client(broker, "twin/v1/other/set")
        speaker = Client(CallbackAPIVersion.VERSION2, client_id="speaker")
        speaker.connect("127.0.0.1", broker.port)
        speaker.loop_start()
        speaker.publish("twin/v1/other/set", "mark", qos=1).wait_for_publish(5)
        assert other.get(timeout=5).payload == b"mark", "something else came first"
        speaker.loop_stop()


def test_the_next_free_port_is_taken_when_the_usual_one_is_not_free():
    with DemoBroker(0) as first, DemoBroker(first.port) as second:
        assert second.port > first.port


def _client(broker: DemoBroker, topic: str) -> "queue.Queue[MQTTMessage]":
    """A client whose subscription is confirmed, and what reaches it."""
    received: queue.Queue[MQTTMessage] = queue.Queue()
    subscribed: queue.Queue[None] = queue.Queue()
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"client-{topic.replace('/', '-').replace('+', 'all')}")
    client.on_message = lambda _client, _data, message: received.put(message)
    client.on_subscribe = lambda *_: subscribed.put(None)
    client.connect("127.0.0.1", broker.port)
    client.subscribe(topic, qos=1)
    client.loop_start()
    subscribed.get(timeout=5)
    return received
