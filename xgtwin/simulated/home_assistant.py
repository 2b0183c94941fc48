"""A light of somebody's own make that follows Home Assistant's JSON schema: `~`, percent, kelvin, hue and saturation.

Like many sketches it does nothing without a `state`. Its gateway and itself both say whether they are online.
"""

import json
from typing import Any

from xgtwin.simulated.wire import Wire

ANSWER_SECONDS = 0.05


class HomeAssistantLight:
    def __init__(self, url: str, number: int = 1) -> None:
        self.base = f"casa/luz{number}"
        self.unique_id = f"luz_{number}"
        self._number = number
        self._state: dict[str, Any] = {
            "state": "OFF", "brightness": 50, "color_mode": "hs", "color": {"h": 30.0, "s": 100.0}, "color_temp": 2700,
        }  # fmt: skip
        self.wire = Wire(url, self.unique_id, (f"{self.base}/avail", "gone"))
        self.wire.hear(f"{self.base}/set", self._on_command)
        self.wire.greet(self._greet)

    def press(self, **changes: Any) -> None:
        """Somebody uses the lamp itself."""
        self._state |= changes
        self._report()

    def _greet(self) -> None:
        self.wire.say("casa/gateway", "online", retain=True)
        self.wire.say(f"{self.base}/avail", "here", retain=True)
        self.wire.say(f"homeassistant/light/{self.unique_id}/config", self._description(), retain=True)
        self._report()

    def _description(self) -> dict[str, Any]:
        return {
            "~": self.base, "schema": "json", "name": f"Luz {self._number}", "unique_id": self.unique_id,
            "stat_t": "~/state", "cmd_t": "~/set", "bri_scl": 100, "brightness": True,
            "supported_color_modes": ["hs", "color_temp"], "color_temp_kelvin": True,
            "min_kelvin": 2200, "max_kelvin": 6500, "availability_mode": "all",
            "availability": [
                {"topic": "casa/gateway"}, {"t": "~/avail", "pl_avail": "here", "pl_not_avail": "gone"},
            ],
            "device": {"identifiers": [self.unique_id], "name": "Luz"},
        }  # fmt: skip

    def _on_command(self, _topic: str, payload: bytes) -> None:
        wish = json.loads(payload)
        if wish.get("state") not in {"ON", "OFF"}:
            return
        self._state["state"] = wish["state"]
        if "brightness" in wish:
            self._state["brightness"] = int(wish["brightness"])
        if "color" in wish:
            self._state |= {"color": {"h": wish["color"]["h"], "s": wish["color"]["s"]}, "color_mode": "hs"}
        if "color_temp" in wish:
            self._state |= {"color_temp": int(wish["color_temp"]), "color_mode": "color_temp"}
        self.wire.later(ANSWER_SECONDS, self._report)

    def _report(self) -> None:
        self.wire.say(f"{self.base}/state", self._state, retain=True)
