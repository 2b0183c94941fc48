"""`xgtwin doctor` on real brokers: why no lamp shows up, and which line mends it."""

from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client as MqttClient

from shared.settings import Settings, TwinSettings
from tests.integration.twin.rig import Mosquitto, free_port, peer
from xgtwin.finding import Verdict
from xgtwin.lamp_doctor import lamp_findings
from xgtwin.simulated.plain import PlainLamp
from xgtwin.simulated.tasmota import TasmotaBulb
from xgtwin.simulated.z2m import Zigbee2MqttNetwork


def findings(url: str, **twin: Any) -> list[tuple[Verdict, str, str]]:
    settings = Settings(_env_file=None, twin=TwinSettings(mqtt_url=url, **twin))
    return [(found.verdict, found.subject, found.words) for found in lamp_findings(settings, seconds=0.5)]


def test_a_broker_that_does_not_run_is_told_with_the_line_for_the_network():
    ((verdict, subject, words),) = findings(f"mqtt://127.0.0.1:{free_port()}")
    assert (verdict, subject) == (Verdict.WRONG, "MQTT broker")
    assert "Connection refused" in words
    assert "listener 1883 0.0.0.0" in words


@pytest.mark.parametrize(
    ("user", "advice"), [("", "allow_anonymous true"), ("lab:wrong@", "mosquitto_passwd /etc/mosquitto/passwords lab")]
)
def test_a_broker_that_refuses_us_is_told_with_the_password_it_wants(
    own_mosquitto: Mosquitto, tmp_path: Path, user: str, advice: str
):
    own_mosquitto.kill()
    (tmp_path / "passwords").touch()
    own_mosquitto._config.write_text(
        f"user root\nlistener {own_mosquitto.port} 127.0.0.1\n"
        f"allow_anonymous false\npassword_file {tmp_path}/passwords\n"
    )
    own_mosquitto.start()
    ((verdict, _, words),) = findings(f"mqtt://{user}127.0.0.1:{own_mosquitto.port}")
    assert verdict is Verdict.WRONG
    assert "refuses us: Not authorized" in words
    assert advice in words


def test_a_silent_broker_is_told(own_mosquitto: Mosquitto):
    (_, (verdict, _, words)) = findings(own_mosquitto.url)
    assert verdict is Verdict.NOTE
    assert "nothing is stored at the broker" in words
    assert "listener 1883 0.0.0.0" in words


@pytest.mark.parametrize(
    ("topic", "word"),
    [("shellyplus1-aabb/online", "true"), ("tele/bulb/LWT", "Online"), ("twin/v1/a/availability", "online")],
)
def test_a_lamp_that_waits_to_be_asked_is_not_called_missing(own_mosquitto: Mosquitto, topic: str, word: str):
    with peer(own_mosquitto.port) as lamp:
        lamp.publish(topic, word, retain=True)
        (_, (verdict, _, words)) = findings(own_mosquitto.url)
    assert verdict is Verdict.NOTE
    assert f"lamps may be there: {topic}." in words


def test_a_filter_that_the_broker_refuses_is_named(own_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch):
    # Mosquitto's acl_file grants every subscription and withholds the messages: others refuse, with this very packet.
    answer = MqttClient._handle_suback

    def refusing(client: MqttClient) -> object:
        packet = client._in_packet["packet"]
        client._in_packet["packet"] = packet[:2] + bytes([0x80]) + packet[3:]
        return answer(client)

    monkeypatch.setattr(MqttClient, "_handle_suback", refusing)
    (_, (verdict, _, words), *_) = findings(own_mosquitto.url, families=["native"])
    assert verdict is Verdict.WRONG
    assert "does not let us read twin/v1/+/state;" in words


def test_lamps_are_counted_by_family_and_nothing_is_left_behind(own_mosquitto: Mosquitto):
    with Zigbee2MqttNetwork(own_mosquitto.url, 3).wire, TasmotaBulb(own_mosquitto.url, 1).wire:
        assert findings(own_mosquitto.url)[1:] == [
            (Verdict.OK, "lamps", "1 tasmota, 3 z2m; GET /devices lists them"),
        ]  # fmt: skip
    with peer(own_mosquitto.port, "twin/v1/bridge/+/status") as later:
        later.publish("twin/v1/bridge/mark/status", b"end")
        assert later.heard.get(timeout=5)[0] == "twin/v1/bridge/mark/status", "the doctor is no bridge"


def test_topics_that_nobody_reads_are_named(own_mosquitto: Mosquitto):
    with PlainLamp(own_mosquitto.url, 1).wire:
        (_, (verdict, _, words)) = findings(own_mosquitto.url)
    assert verdict is Verdict.NOTE
    assert "plain/lamp1/alive, plain/lamp1/state" in words
    assert "TWIN__LAMPS_FILE" in words


def test_a_lamps_file_that_is_wrong_or_names_a_silent_lamp_is_told(own_mosquitto: Mosquitto, tmp_path: Path):
    file = tmp_path / "lamps.yaml"
    file.write_text("lamps:\n" + PlainLamp(own_mosquitto.url, 1).entry + PlainLamp(own_mosquitto.url, 2).entry)
    with PlainLamp(own_mosquitto.url, 1).wire:
        assert findings(own_mosquitto.url, lamps_file=file)[1:] == [
            (Verdict.NOTE, "lamps file", "plain_2 said nothing in 0.5 s; are their topics right?"),
            (Verdict.OK, "lamps", "1 plain; GET /devices lists them"),
        ]
    file.write_text("lamps:\n  - {family: plain}\n")
    ((verdict, subject, words), *_) = findings(own_mosquitto.url, lamps_file=file)
    assert (verdict, subject) == (Verdict.WRONG, "lamps file")
    assert "line 2" in words


def test_payloads_that_are_not_understood_are_told_with_their_lamp(own_mosquitto: Mosquitto):
    with peer(own_mosquitto.port) as lamp:
        lamp.publish("twin/v1/torta/state", b'{"on":"yes"}', retain=True)
        lamp.publish("homeassistant/light/velha/config", b'{"cmd_t":"a","schema":"template"}', retain=True)
        words = [words for _, _, words in findings(own_mosquitto.url)]
    assert "torta sends what is not understood: bad_field" in words
    assert "velha sends what is not understood: unknown_schema" in words
