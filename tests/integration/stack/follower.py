"""A WebSocket client of the bridge that goes on where it was, as the Unity package does."""

import json
import threading
import time
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.integration.stack.compose import Stack


class Follower:
    """Knows the last state of one lamp. `connections` counts how often it had to come back, `faults` what it was told
    that no restart excuses."""

    def __init__(self, stack: Stack, lamp: str) -> None:
        self.state: dict[str, Any] = {}
        self.connections = 0
        self.faults: list[str] = []
        self._url = stack.twin_url.replace("http", "ws", 1) + "/ws/v1"
        self._token = stack.settings["TWIN__TOKEN"]
        self._lamp = lamp
        self._epoch, self._since = "", 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (OSError, ConnectionClosed, InvalidHandshake, InvalidMessage):
                time.sleep(0.5)

    def _follow(self) -> None:
        with connect(self._url, subprotocols=[Subprotocol("twin.v1.json")], open_timeout=10, proxy=None) as ws:
            hello = {"t": "auth", "v": 1, "token": self._token, "client": "follower"}
            ws.send(json.dumps({**hello, "epoch": self._epoch, "since": self._since}))
            self.connections += 1
            while not self._stop.is_set():
                try:
                    self._hear(json.loads(ws.recv(timeout=1)))
                except TimeoutError:
                    continue

    def _hear(self, message: dict[str, Any]) -> None:
        if message["t"] == "welcome":
            self._epoch = message["epoch"]
        if message["t"] == "state" or (message["t"] == "snapshot" and message["part"] == message["parts"]):
            self._since = message["seq"]
        for device in message.get("devices", ()):
            if device["id"] == self._lamp:
                self.state = device
        if message["t"] == "error":
            self.faults.append(json.dumps(message))
