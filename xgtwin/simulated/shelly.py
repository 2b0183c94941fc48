"""A Shelly Gen2: JSON-RPC, notifications of what changed and nothing else, true answers."""

import json
import time
from typing import Any

from xgtwin.simulated.wire import Wire

ANSWER_SECONDS = 0.04
KINDS = ("light", "rgbw", "cct", "switch")
_MODELS = {"light": "shellydimmerg3", "rgbw": "shellyplusrgbwpm", "cct": "shellyprodm2cct", "switch": "shellyplus1"}
_NAMESPACES = {"Light": "light", "RGBW": "rgbw", "CCT": "cct", "Switch": "switch"}
_FIRST: dict[str, dict[str, Any]] = {
    "light": {"output": False, "brightness": 50},
    "rgbw": {"output": False, "brightness": 50, "rgb": [255, 180, 120], "white": 0},
    "cct": {"output": False, "brightness": 50, "ct": 2700},
    "switch": {"output": False},
}
_RENAMED = {"on": "output"}


class ShellyDevice:
    """One component of the kind that `number` falls on, unless `kind` says which."""

    def __init__(self, url: str, number: int = 1, kind: str = "", prefix: str = "") -> None:
        self.kind = kind or KINDS[(number - 1) % len(KINDS)]
        self.id = f"{_MODELS[self.kind]}-{0xA8032A000000 + number:012x}"
        self.prefix = prefix or self.id
        self._number = number
        self.broken = ""
        self._status: dict[str, Any] = {"id": 0, "source": "init", **_FIRST[self.kind]}
        self.wire = Wire(url, self.id, (f"{self.prefix}/online", "false"))
        self.wire.hear(f"{self.prefix}/rpc", self._on_call)
        self.wire.greet(lambda: self.wire.say(f"{self.prefix}/online", "true", retain=True))

    def press(self, **changes: Any) -> None:
        """Somebody uses its button; only what changed is told."""
        self._status |= changes
        self._notify({**changes, "source": "button"})

    def _on_call(self, _topic: str, payload: bytes) -> None:
        call = json.loads(payload)
        params = call.get("params", {})
        namespace, _, method = call["method"].partition(".")
        answer: dict[str, Any] = {"id": call["id"], "src": self.id, "dst": call["src"]}
        if call["method"] == "Shelly.GetStatus":
            answer["result"] = {
                "ble": {}, "cloud": {"connected": False}, "mqtt": {"connected": True}, f"{self.kind}:0": self._status,
                "sys": {"mac": self.id.rpartition("-")[2].upper(), "restart_required": False, "uptime": 120},
                "wifi": {"sta_ip": "192.0.2.9", "status": "got ip", "ssid": "lab", "rssi": -58},
            }  # fmt: skip
        elif call["method"] == "Shelly.GetDeviceInfo":
            answer["result"] = {"name": f"Corredor {self._number}", "id": self.id, "gen": 2, "ver": "1.4.4"}
        elif _NAMESPACES.get(namespace) != self.kind or params.get("id") != 0:
            answer["error"] = {"code": 404, "message": f"No handler for {call['method']}"}
        elif method == "GetStatus":
            answer["result"] = dict(self._status)
        elif problem := self._set(params):
            answer["error"] = {"code": -103, "message": problem}
        else:
            answer["result"] = {"was_on": self._status["output"]} if self.kind == "switch" else None
        self.wire.later(ANSWER_SECONDS, lambda: self.wire.say(f"{call['src']}/rpc", answer))

    def _set(self, params: dict[str, Any]) -> str:
        """Take over what a call wants; the words of its refusal, or nothing."""
        if self.broken:
            return self.broken
        if not {"on", "brightness"} & params.keys():
            return "Missing required argument 'on' or 'brightness'!"
        if not 0 <= params.get("brightness", 0) <= 100:
            return "Argument 'brightness', value out of range!"
        wanted = {_RENAMED.get(key, key): value for key, value in params.items()}
        changes = {key: wanted[key] for key in _FIRST[self.kind] if key in wanted and wanted[key] != self._status[key]}
        self._status |= changes
        if changes:
            self.wire.later(ANSWER_SECONDS, lambda: self._notify({**changes, "source": "MQTT"}))
        return ""

    def _notify(self, changes: dict[str, Any]) -> None:
        params = {"ts": round(time.time(), 2), f"{self.kind}:0": {"id": 0, **changes}}
        frame = {"src": self.id, "dst": f"{self.prefix}/events", "method": "NotifyStatus", "params": params}
        self.wire.say(f"{self.prefix}/events/rpc", frame)
