"""`xgtwin lamp simulate` as an operator types it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from twin_bridge.lamps.lamps_file import read_lamps_file
from xgtwin.demo_broker import DemoBroker


@pytest.fixture
def broker() -> Iterator[DemoBroker]:
    with DemoBroker(0) as running:
        yield running


def ready_for_ctrl_c() -> None:
    """What a terminal's shell gives its programs; one that starts this test in the background ignores the signal."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def played(kind: str, url: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "xgtwin", "lamp", "simulate", "--kind", kind, "--mqtt-url", url, *more]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=ready_for_ctrl_c,  # noqa: PLW1509 - it takes no lock
    )


def test_plain_lamps_print_the_lamps_file_that_they_need(broker: DemoBroker, tmp_path: Path):
    process = played("plain", broker.url, "--count", "2")
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(16)]
    process.send_signal(signal.SIGINT)
    rest, trouble = process.communicate(timeout=20)
    assert (process.returncode, trouble) == (0, "")
    assert lines[0] == "2 simulated plain lamps. Ctrl+C ends.\n"
    (tmp_path / "lamps.yaml").write_text("".join(lines[3:]) + rest)
    assert len(read_lamps_file(tmp_path / "lamps.yaml").lamps) == 2


def test_a_lamp_that_leaves_says_so(broker: DemoBroker):
    words: Queue[bytes] = Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _d, message: words.put(bytes(message.payload))
    client.connect("127.0.0.1", broker.port)
    client.subscribe("tele/tasmota_A10001/LWT", 1)
    client.loop_start()
    process = played("tasmota", broker.url)
    assert words.get(timeout=20) == b"Online"
    process.send_signal(signal.SIGINT)
    assert words.get(timeout=20) == b"Offline"
    process.communicate(timeout=20)
    client.disconnect()
    client.loop_stop()


def test_without_a_broker_it_says_what_to_check():
    process = played("z2m", "mqtt://127.0.0.1:1")
    _, trouble = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "finds no MQTT broker at 127.0.0.1:1" in trouble
    assert "Traceback" not in trouble
