"""A Tasmota bulb with five channels (RGB, cold and warm white): discovery, last will, partial answers."""

import colorsys
from typing import Any

from xgtwin.simulated.wire import Wire

ANSWER_SECONDS = 0.03


class TasmotaBulb:
    def __init__(self, url: str, number: int = 1, *, discovery: bool = True) -> None:
        self.topic = f"tasmota_{0xA10000 + number:06X}"
        self._mac = f"DC4F22{0xA10000 + number:06X}"
        self._number = number
        self._discovery = discovery
        self._on, self._dimmer, self._hue, self._saturation, self._ct, self._white = False, 50, 30, 100, 326, False
        self.wire = Wire(url, self.topic, (f"tele/{self.topic}/LWT", "Offline"))
        for command in ("POWER", "Dimmer", "HSBColor", "Color2", "CT", "Speed2", "STATE"):
            self.wire.hear(f"cmnd/{self.topic}/{command}", self._on_command)
        self.wire.greet(self._greet)

    def press(self, *, on: bool) -> None:
        """Somebody uses its button: only the power is told."""
        self._on = on
        self._tell_power()

    def _greet(self) -> None:
        self.wire.say(f"tele/{self.topic}/LWT", "Online", retain=True)
        if self._discovery:
            self.wire.say(f"tasmota/discovery/{self._mac}/config", self._description(), retain=True)
        self.wire.say(f"tele/{self.topic}/STATE", self._everything())

    def _description(self) -> dict[str, Any]:
        return {
            "ip": "192.0.2.7", "dn": f"Bancada {self._number}",
            "fn": [f"Bancada {self._number}", None, None, None, None, None, None, None],
            "hn": f"{self.topic}-0001", "mac": self._mac, "md": "Simulated bulb", "ty": 0, "if": 0,
            "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "14.4.1",
            "t": self.topic, "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"],
            "rl": [2, 0, 0, 0, 0, 0, 0, 0], "swc": [-1] * 8, "swn": [None] * 8, "btn": [0] * 8,
            "so": {"4": 0, "11": 0, "13": 0, "17": 0, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0, "117": 0},
            "lk": 1, "lt_st": 5, "bat": 0, "dslp": 0, "sho": [], "sht": [], "ver": 1,
        }  # fmt: skip

    def _on_command(self, topic: str, payload: bytes) -> None:
        command, value = topic.rpartition("/")[2], payload.decode()
        if command == "STATE":
            self._answer(self._everything())
        elif command == "POWER":
            self._on = value in {"ON", "1"}
            self.wire.later(ANSWER_SECONDS, self._tell_power)
        elif command == "Speed2":
            self._answer({"Speed2": int(value)})
        else:
            self._set_light(command, value)
            self.wire.later(ANSWER_SECONDS, lambda: self.wire.say(f"stat/{self.topic}/RESULT", self._light()))

    def _set_light(self, command: str, value: str) -> None:
        if command == "Dimmer":
            self._dimmer = int(value)
        elif command == "HSBColor":
            self._hue, self._saturation, self._dimmer = (int(part) for part in value.split(","))
        elif command == "Color2":
            hue, saturation, _ = colorsys.rgb_to_hsv(*(int(part) / 255 for part in value.split(",")))
            self._hue, self._saturation = round(hue * 360) % 360, round(saturation * 100)
        elif command == "CT":
            self._ct = int(value)
        self._white = command == "CT" or (self._white and command == "Dimmer")
        self._on = self._dimmer > 0

    def _answer(self, payload: dict[str, Any]) -> None:
        self.wire.later(ANSWER_SECONDS, lambda: self.wire.say(f"stat/{self.topic}/RESULT", payload))

    def _tell_power(self) -> None:
        power = "ON" if self._on else "OFF"
        self.wire.say(f"stat/{self.topic}/RESULT", {"POWER": power})
        self.wire.say(f"stat/{self.topic}/POWER", power)

    def _light(self) -> dict[str, Any]:
        """What a command of colour or brightness is answered with."""
        level = self._dimmer / 100
        rgb = (0.0, 0.0, 0.0) if self._white else colorsys.hsv_to_rgb(self._hue / 360, self._saturation / 100, level)
        warm = (self._ct - 153) / 347
        whites = ((1 - warm) * level, warm * level) if self._white else (0.0, 0.0)
        channels = [*rgb, *whites]
        return {
            "POWER": "ON" if self._on else "OFF", "Dimmer": self._dimmer,
            "Color": "".join(f"{round(part * 255):02X}" for part in channels),
            "HSBColor": f"{self._hue},{self._saturation},{0 if self._white else self._dimmer}",
            "White": self._dimmer if self._white else 0, "CT": self._ct,
            "Channel": [round(part * 100) for part in channels],
        }  # fmt: skip

    def _everything(self) -> dict[str, Any]:
        wifi = {"AP": 1, "SSId": "lab", "RSSI": 74, "Signal": -63, "Downtime": "0T00:00:03"}
        head = {"Time": "2026-01-01T00:00:09", "Uptime": "0T00:00:12", "Heap": 27, "Sleep": 50, "MqttCount": 1}
        return {**head, **self._light(), "Scheme": 0, "Fade": "OFF", "Speed": 1, "LedTable": "ON", "Wifi": wifi}
