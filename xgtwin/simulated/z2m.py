"""Zigbee2MQTT with a network of bulbs: one gateway connection, `bridge/devices`, states that are not retained.

Like the real one it announces its lamps to Home Assistant too, answers `/set` after the radio took its time, repeats
stale fields beside the `color_mode` that counts, and keeps silent about a bulb that is cut at the wall.
"""

import json
from typing import Any

from xgtwin.simulated.wire import Wire

RADIO_SECONDS = 0.06


class Zigbee2MqttNetwork:
    """`count` bulbs: in turn with colour and white, white only, dimming only."""

    def __init__(self, url: str, count: int = 1, base: str = "zigbee2mqtt", names: tuple[str, ...] = ()) -> None:
        self.base = base
        self.names = [*names, *(f"Sala/Lâmpada {number}" for number in range(len(names) + 1, count + 1))][:count]
        self.addresses = [f"0x00158d{number:010x}" for number in range(1, count + 1)]
        self.dead: set[str] = set()
        self._states = {name: _first_state(number % 3) for number, name in enumerate(self.names)}
        self.wire = Wire(url, "zigbee2mqtt", (f"{base}/bridge/state", json.dumps({"state": "offline"})))
        for name in self.names:
            self._listen(name)
        self.wire.greet(self._greet)

    def press(self, name: str, **changes: Any) -> None:
        """Somebody uses a remote control bound to the bulb."""
        self._states[name] |= changes
        self._report(name)

    def unplug(self, name: str) -> None:
        """Cut at the wall: the network does not notice for minutes."""
        self.dead.add(name)

    def rename(self, old: str, new: str) -> None:
        self.names[self.names.index(old)] = new
        self._states[new] = self._states.pop(old)
        self._listen(new)
        self._list_devices()

    def _listen(self, name: str) -> None:
        self.wire.hear(f"{self.base}/{name}/set", self._on_set)
        self.wire.hear(f"{self.base}/{name}/get", self._on_get)

    def _greet(self) -> None:
        self.wire.say(f"{self.base}/bridge/state", {"state": "online"}, retain=True)
        self._list_devices()
        for number, name in enumerate(self.names):
            self.wire.say(f"{self.base}/{name}/availability", {"state": "online"}, retain=True)
            self._announce_to_home_assistant(self.addresses[number], name)

    def _list_devices(self) -> None:
        coordinator = {
            "ieee_address": "0x00124b0014d9a001", "type": "Coordinator", "friendly_name": "Coordinator",
            "supported": True, "disabled": False, "definition": None, "endpoints": {}, "interview_completed": True,
        }  # fmt: skip
        sensor = {
            "ieee_address": "0x00158d00deadbeef", "type": "EndDevice", "friendly_name": "Janela", "supported": True,
            "disabled": False, "definition": {"model": "MCCGQ11LM", "vendor": "Aqara", "exposes": [_binary("contact")]},
        }  # fmt: skip
        bulbs = [
            {
                "ieee_address": address, "type": "Router", "friendly_name": name, "supported": True, "disabled": False,
                "network_address": 4000 + number, "power_source": "Mains (single phase)", "interview_completed": True,
                "endpoints": {"11": {"clusters": {"input": ["genOnOff", "genLevelCtrl", "lightingColorCtrl"]}}},
                "definition": {
                    "model": "SIM-1", "vendor": "xgtwin", "description": "Simulated bulb",
                    "exposes": [{"type": "light", "features": _features(number % 3)}, _number("linkquality", 255, 1)],
                },
            }
            for number, (address, name) in enumerate(zip(self.addresses, self.names, strict=True))
        ]  # fmt: skip
        self.wire.say(f"{self.base}/bridge/devices", [coordinator, sensor, *bulbs], retain=True)

    def _announce_to_home_assistant(self, address: str, name: str) -> None:
        topic = f"{self.base}/{name}"
        config = {
            "schema": "json", "name": None, "unique_id": f"{address}_light_{self.base}", "state_topic": topic,
            "command_topic": f"{topic}/set", "brightness": True, "brightness_scale": 254,
            "supported_color_modes": ["brightness"], "availability_mode": "all",
            "availability": [{"topic": f"{self.base}/bridge/state", "value_template": "{{ value_json.state }}"}],
            "device": {"identifiers": [f"zigbee2mqtt_{address}"], "name": name},
            "origin": {"name": "Zigbee2MQTT", "sw": "2.1.0"},
        }  # fmt: skip
        self.wire.say(f"homeassistant/light/{address}/light/config", config, retain=True)

    def _on_set(self, topic: str, payload: bytes) -> None:
        name = topic.removeprefix(f"{self.base}/").removesuffix("/set")
        if name in self.dead:
            return
        state, wish = self._states[name], dict(json.loads(payload))
        if "state" in wish:
            state["state"] = wish["state"]
        if "brightness" in wish:
            lit = max(int(wish["brightness"]), 1 if wish.get("state") == "ON" else 0)
            state["brightness"] = min(lit, 254)
            state["state"] = "ON" if lit else "OFF"
        if "color" in wish and "color" in state:
            state["color"] = {"x": wish["color"]["x"], "y": wish["color"]["y"]}
            state["color_mode"] = "xy"
        if "color_temp" in wish and "color_temp" in state:
            state["color_temp"] = min(max(int(wish["color_temp"]), 153), 500)
            state["color_mode"] = "color_temp"
        self.wire.later(RADIO_SECONDS, lambda: self._report(name))

    def _on_get(self, topic: str, _payload: bytes) -> None:
        name = topic.removeprefix(f"{self.base}/").removesuffix("/get")
        if name not in self.dead:
            self.wire.later(RADIO_SECONDS, lambda: self._report(name))

    def _report(self, name: str) -> None:
        if name not in self._states:
            return  # it got another name while the radio took its time
        self.wire.say(f"{self.base}/{name}", {**self._states[name], "linkquality": 143, "update": {"state": "idle"}})


def _first_state(kind: int) -> dict[str, Any]:
    state: dict[str, Any] = {"state": "OFF", "brightness": 127}
    if kind < 2:
        state |= {"color_mode": "color_temp", "color_temp": 370}
    if kind == 0:
        state |= {"color": {"x": 0.4599, "y": 0.4106}}
    return state


def _features(kind: int) -> list[dict[str, Any]]:
    found = [
        {**_binary("state"), "access": 7, "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE"},
        _number("brightness", 254, 7),
    ]
    if kind < 2:
        found.append({**_number("color_temp", 500, 7), "value_min": 153, "unit": "mired"})
    if kind == 0:
        axes = [_number(axis, 1, 7) for axis in ("x", "y")]
        found.append({"type": "composite", "name": "color_xy", "property": "color", "access": 7, "features": axes})
    return found


def _binary(name: str) -> dict[str, Any]:
    return {"type": "binary", "name": name, "property": name, "access": 1, "label": name.capitalize()}


def _number(name: str, highest: int, access: int) -> dict[str, Any]:
    return {"type": "numeric", "name": name, "property": name, "access": access, "value_min": 0, "value_max": highest}
