"""An ESPHome node with one RGB and white-temperature light: abbreviated discovery, retained states, exact words.

Its `unique_id` is that of every node with a light of this name, as ESPHome makes it unless told otherwise.
Its parser takes whole numbers only: a transition or a channel with a fraction is passed over.
"""

import json
from typing import Any

from xgtwin.simulated.wire import Wire

ANSWER_SECONDS = 0.03
EFFECTS = ("None", "Rainbow", "Pulse")


class EsphomeNode:
    def __init__(self, url: str, number: int = 1, *, discovery: bool = True) -> None:
        self.node = f"no-{number}"
        self.mac = f"{0xC4DD57000000 + number:012x}"
        self.transitions: list[int] = []
        self._discovery = discovery
        self._state: dict[str, Any] = {"on": False, "brightness": 128, "rgb": [255, 180, 120], "mired": 370}
        self._mode, self._effect = "rgb", "None"
        self.wire = Wire(url, self.node, (f"{self.node}/status", "offline"))
        self.wire.hear(f"{self.node}/light/luz/command", self._on_command)
        self.wire.greet(self._greet)

    def press(self, **changes: Any) -> None:
        """Somebody uses the lamp itself."""
        self._state |= changes
        self._report()

    def _greet(self) -> None:
        self.wire.say(f"{self.node}/status", "online", retain=True)
        if self._discovery:
            self.wire.say(f"homeassistant/light/{self.node}/luz/config", self._description(), retain=True)
        self._report()

    def _description(self) -> dict[str, Any]:
        return {
            "schema": "json", "clrm": True, "sup_clrm": ["color_temp", "rgb"], "brightness": True,
            "min_mirs": 153, "max_mirs": 500, "effect": True, "fx_list": [*EFFECTS[1:], EFFECTS[0]],
            "name": "Luz", "stat_t": f"{self.node}/light/luz/state", "cmd_t": f"{self.node}/light/luz/command",
            "avty_t": f"{self.node}/status", "uniq_id": "ESPlightluz",
            "dev": {
                "ids": self.mac, "name": f"Nó {self.node}", "sw": "esphome v2025.2.0", "mf": "espressif",
            },
        }  # fmt: skip

    def _on_command(self, _topic: str, payload: bytes) -> None:
        wish, state = json.loads(payload), self._state
        if wish.get("state") in {"ON", "OFF"}:
            state["on"] = wish["state"] == "ON"
        if _is_whole(wish.get("brightness")):
            state["brightness"] = wish["brightness"]
        colour = wish.get("color", {})
        if all(_is_whole(colour.get(channel)) for channel in "rgb"):
            state["rgb"], self._mode = [colour[channel] for channel in "rgb"], "rgb"
        if _is_whole(wish.get("color_temp")):
            state["mired"], self._mode = wish["color_temp"], "color_temp"
        if wish.get("effect") in EFFECTS:
            self._effect = wish["effect"]
        if _is_whole(wish.get("transition")):
            self.transitions.append(wish["transition"])
        self.wire.later(ANSWER_SECONDS, self._report)

    def _report(self) -> None:
        shown: dict[str, Any] = {"effect": self._effect, "color_mode": self._mode, "color": {}}
        shown |= {"state": "ON" if self._state["on"] else "OFF", "brightness": self._state["brightness"]}
        if self._mode == "rgb":
            shown["color"] = dict(zip("rgb", self._state["rgb"], strict=True))
        else:
            shown["color_temp"] = self._state["mired"]
        self.wire.say(f"{self.node}/light/luz/state", shown, retain=True)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
