"""Brokers and bridges for the benchmarks of the twin: real processes on loopback and free ports."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xgtwin.demo_broker import DemoBroker

START_SECONDS = 15


@dataclass(frozen=True)
class Server:
    """A process that listens for MQTT, WebSocket or both; 0 where it does not."""

    pid: int
    mqtt_port: int = 0
    ws_port: int = 0

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@contextlib.contextmanager
def demo_broker() -> Iterator[Server]:
    """amqtt in this process."""
    with DemoBroker(port=0) as broker:
        yield Server(os.getpid(), broker.port)


@contextlib.contextmanager
def mosquitto(*, websockets: bool = False) -> Iterator[Server]:
    """Mosquitto as Debian ships it, if asked with its own WebSocket listener."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit("Mosquitto is not installed (apt install mosquitto).")
    port, ws_port = _free_port(), _free_port() if websockets else 0
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        listeners = f"listener {port} 127.0.0.1\n"
        if websockets:
            listeners += f"listener {ws_port} 127.0.0.1\nprotocol websockets\n"
        config.write_text(f"{listeners}allow_anonymous true\nuser root\n")
        process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield Server(process.pid, port, ws_port)
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def bridge(mqtt_port: int) -> Iterator[Server]:
    """The bridge as `python -m twin_bridge` serves it, connected to a broker."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as data:
        settings = {
            "TWIN__MQTT_URL": f"mqtt://127.0.0.1:{mqtt_port}", "TWIN__PORT": str(port), "LOG__LEVEL": "error",
            "XGTWIN_DATA_DIR": data,
        }  # fmt: skip
        process = subprocess.Popen([sys.executable, "-m", "twin_bridge"], env={**os.environ, **settings})
        try:
            _wait_for(port)
            deadline = time.monotonic() + START_SECONDS
            while not _ready(port):
                if time.monotonic() > deadline:
                    raise SystemExit("The bridge did not find the broker.")
                time.sleep(0.02)
            yield Server(process.pid, ws_port=port)
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise SystemExit(f"Nothing listens on port {port} after {START_SECONDS} s.")
        time.sleep(0.02)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
            return True
    except OSError:
        return False
