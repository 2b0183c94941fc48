"""The native topics: `twin/v1/<id>/state`, `/availability`, `/set`."""

import json
from typing import Any

from xgtwin.simulated.wire import Wire

FIRST_STATE: dict[str, Any] = {
    "on": False, "bri": 0.5, "mode": "rgb", "r": 255, "g": 180, "b": 120, "ct": 2700, "effect": "",
}  # fmt: skip
CAPS = ("on", "bri", "rgb", "ct")


class NativeLamp:
    """It answers every `set` with its state; transitions are applied at once."""

    def __init__(self, url: str, device_id: str, name: str = "Simulated lamp") -> None:
        self.device_id = device_id
        self._base = f"twin/v1/{device_id}"
        self._name = name
        self._state = dict(FIRST_STATE)
        self.wire = Wire(url, device_id, (f"{self._base}/availability", "offline"))
        self.wire.hear(f"{self._base}/set", self._on_set)
        self.wire.greet(self._greet)

    def press(self, **changes: Any) -> None:
        """Somebody uses the lamp itself."""
        self._state |= changes
        self._report()

    def _greet(self) -> None:
        self.wire.say(f"{self._base}/availability", "online", retain=True)
        self._report()

    def _on_set(self, _topic: str, payload: bytes) -> None:
        wish = dict(json.loads(payload))
        self._state |= {key: wish[key] for key in FIRST_STATE.keys() & wish.keys()}
        if "r" in wish:
            self._state["mode"] = "rgb"
        elif "ct" in wish:
            self._state["mode"] = "ct"
        self._report()

    def _report(self) -> None:
        self.wire.say(f"{self._base}/state", {**self._state, "name": self._name, "caps": CAPS}, retain=True)
