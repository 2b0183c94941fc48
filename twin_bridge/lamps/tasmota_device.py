"""A Tasmota device: its topics, its relays and lights, and how it announces them (`tasmota/discovery/<mac>/config`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from twin_bridge.lamps import colour
from twin_bridge.lamps.device_ids import device_id
from twin_bridge.lamps.payloads import Payload, plain_topic, read_object, shown_name
from twin_bridge.lamps.protocol import BadPayload, Limits, Outgoing
from twin_bridge.protocol import Cap

STAT_TOPICS = ("RESULT", "STATE", "STATUS11", "DIMMER", "COLOR", "HSBCOLOR", "CT", "WHITE", "POWER")
"""Below `stat/<topic>/`; with SetOption4 each command has one of its own instead of RESULT."""
COLDEST_MIRED, WARMEST_MIRED = 153, 500
NARROW_MIRED = (200, 380)
"""With SetOption82."""


class Channels(IntEnum):
    """`lt_st`: what a light is made of."""

    RELAY = 0
    DIMMER = 1
    WHITES = 2
    """Cold and warm white."""
    RGB = 3
    RGBW = 4
    RGBWW = 5


_CAPS: dict[Channels, frozenset[Cap]] = {
    Channels.RELAY: frozenset({Cap.ON}),
    Channels.DIMMER: frozenset({Cap.ON, Cap.BRI}),
    Channels.WHITES: frozenset({Cap.ON, Cap.BRI, Cap.CT}),
    Channels.RGB: frozenset({Cap.ON, Cap.BRI, Cap.RGB}),
    Channels.RGBW: frozenset({Cap.ON, Cap.BRI, Cap.RGB}),
    Channels.RGBWW: frozenset({Cap.ON, Cap.BRI, Cap.RGB, Cap.CT}),
}


@dataclass(frozen=True)
class TasmotaLamp:
    device_id: str
    name: str
    relay: int = 1
    """n of `POWER<n>`."""
    only: bool = True
    """It is the only relay of its device, which then says `POWER`."""
    caps: frozenset[Cap] | None = None
    """None: what it has shown so far."""
    limits: Limits = Limits()  # noqa: RUF009 - it is frozen
    own_channel: bool = False
    """It is one channel of several that are dimmed apart (SetOption68)."""

    @property
    def power(self) -> str:
        return "POWER" if self.only else f"POWER{self.relay}"

    @property
    def dimmer(self) -> str:
        return f"Channel{self.relay}" if self.own_channel else "Dimmer"


@dataclass(frozen=True)
class TasmotaDevice:
    topic: str
    lamps: tuple[TasmotaLamp, ...]
    full_topic: str = "%prefix%/%topic%/"
    prefixes: tuple[str, str, str] = ("cmnd", "stat", "tele")
    lwt: tuple[str, str] = ("Online", "Offline")
    words: tuple[str, str] = ("ON", "OFF")
    guessed: bool = False
    """Only its last will is known; whether it is a lamp shows once it speaks."""

    def command(self, name: str) -> str:
        return self._path(self.prefixes[0]) + name

    @property
    def question(self) -> Outgoing:
        """It answers with everything, on `stat/<topic>/RESULT`."""
        return Outgoing(self.command("STATE"), b"", tuple(lamp.device_id for lamp in self.lamps))

    @property
    def places(self) -> dict[str, str]:
        """Every topic that it speaks on, with what is said there."""
        stat, tele = self._path(self.prefixes[1]), self._path(self.prefixes[2])
        powers = [f"POWER{lamp.relay}" for lamp in self.lamps]
        found = {f"{stat}{name}": name for name in (*STAT_TOPICS, *powers)}
        return found | {f"{tele}STATE": "STATE", f"{tele}LWT": "LWT"}

    def with_light(self) -> "TasmotaDevice":
        """The same, known to be one lamp."""
        return replace(self, lamps=(TasmotaLamp(device_id(self.topic), shown_name(self.topic)),))

    def _path(self, prefix: str) -> str:
        path = self.full_topic.replace("%prefix%", prefix).replace("%topic%", self.topic)
        return path if path.endswith("/") else f"{path}/"


def read_discovery(mac: str, payload: bytes) -> TasmotaDevice:
    """The device that a discovery message describes, perhaps without lamps. Raises `BadPayload`."""
    said = read_object(mac[:64], payload)
    topic = said.text("t") or ""
    full_topic = (said.text("ft") or "%prefix%/%topic%/").replace("%hostname%", said.text("hn") or "")
    command, stat, tele = _words(said, "tp", ("cmnd", "stat", "tele"))
    off, on = _words(said, "state", ("OFF", "ON"))
    device = TasmotaDevice(
        topic=topic,
        lamps=_lamps(topic, said),
        full_topic=full_topic.replace("%id%", mac[-6:]),
        prefixes=(command, stat, tele),
        lwt=(said.text("onln") or "Online", said.text("ofln") or "Offline"),
        words=(on, off),
    )
    plain_topic(mac, topic)
    for place in (device.command("POWER"), *device.places):
        plain_topic(mac, place)
    return device


def _lamps(topic: str, said: Payload) -> tuple[TasmotaLamp, ...]:
    """One for each relay and light; shutters are none.

    Where several lights share the channels in another way (unlinked white), they are taken as lamps that switch.
    """
    kinds = [kind if isinstance(kind, int) else 0 for kind in said.items("rl")]
    names = [name if isinstance(name, str) else "" for name in said.items("fn")]
    channels = int(said.number("lt_st") or 0)
    apart = bool(said.inner("so").number("68")) and channels > 0
    whole = kinds.count(2) == 1 and channels in set(Channels)
    present = [relay for relay, kind in enumerate(kinds, start=1) if kind]
    found = []
    for relay in (relay for relay in present if kinds[relay - 1] in {1, 2}):
        only = len(present) == 1
        light = Channels.RELAY
        if kinds[relay - 1] == 2:
            light = Channels.DIMMER if apart else Channels(channels) if whole else Channels.RELAY
        name = names[relay - 1] if relay <= len(names) else ""
        found.append(
            TasmotaLamp(
                device_id(topic if only else f"{topic}-{relay}"),
                shown_name(name or said.text("dn") or topic),
                relay,
                only,
                _CAPS[light],
                _limits(narrow=bool(said.inner("so").number("82"))),
                apart and kinds[relay - 1] == 2,
            )
        )
    return tuple(found)


def _limits(*, narrow: bool = False) -> Limits:
    coldest, warmest = NARROW_MIRED if narrow else (COLDEST_MIRED, WARMEST_MIRED)
    return Limits(kelvin=(colour.from_mired(warmest), colour.from_mired(coldest)))


def _words(said: Payload, key: str, usual: Sequence[str]) -> list[str]:
    """As many texts as usual. Raises `BadPayload` for anything else than texts."""
    words = said.items(key)[: len(usual)] or list(usual)
    if len(words) != len(usual) or not all(isinstance(word, str) and word for word in words):
        raise BadPayload(said.device_id, "bad_discovery")
    return words
