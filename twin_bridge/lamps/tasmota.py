"""Tasmota: `tele/<topic>/STATE` and everything below `stat/<topic>/` are states, `cmnd/<topic>/<command>` is a command.

Lamps announce themselves on `tasmota/discovery/<mac>/config`. Where that is switched off (SetOption19), a device with a
`tele/<topic>/LWT` is a lamp once it reports something only lamps have (a dimmer, a colour, a white). Relays count as
lamps that switch, if discovery or the lamps file tells of them: one lamp each, as `<topic>-2`.
"""

from collections.abc import Sequence

from twin_bridge.lamps.payloads import Payload, plain_topic, read_object, read_word
from twin_bridge.lamps.protocol import (
    MAX_LAMPS,
    NOTHING,
    BadPayload,
    Change,
    Outgoing,
    Reading,
    Report,
    Sighting,
    announced,
    combined,
)
from twin_bridge.lamps.tasmota_device import TasmotaDevice, TasmotaLamp, read_discovery
from twin_bridge.lamps.tasmota_payloads import commands, is_light, read_state

DISCOVERY = "tasmota/discovery/+/config"
LAST_WILL = "tele/+/LWT"


class TasmotaLamps:
    source = "tasmota"
    quiet_seconds = 750.0
    """It reports every TelePeriod, 300 s unless set otherwise."""
    announced_first = True
    tells_all = False

    def __init__(self, configured: Sequence[TasmotaDevice] = (), *, discover: bool = True) -> None:
        self._devices: dict[str, TasmotaDevice] = {}
        self._lamps: dict[str, tuple[TasmotaDevice, TasmotaLamp]] = {}
        self._places: dict[str, tuple[str, str]] = {}  # topic: the device's own topic, and what is said there
        self._online: dict[str, bool | None] = {}
        self._macs: dict[str, str] = {}
        self._configured = frozenset(device.topic for device in configured)
        for device in configured:
            self._take_in(device)
        self.subscriptions: Sequence[str] = (*((DISCOVERY, LAST_WILL) if discover else ()), *self._places)

    def start(self) -> Reading:
        devices = [device for device in self._devices.values() if device.topic in self._configured]
        return Reading(tuple(seen for device in devices for seen in _descriptions(device)))

    def read(self, topic: str, payload: bytes) -> Reading:
        if topic.startswith("tasmota/discovery/"):
            return self._discovery(topic.split("/")[2], payload)
        if topic not in self._places:
            return self._guess(topic, payload)
        name, kind = self._places[topic]
        device = self._devices[name]
        if kind == "LWT":
            return self._last_will(device, payload)
        said = _said(name[:64], kind, payload)
        if device.guessed and not device.lamps and is_light(said):
            device = device.with_light()
            return combined([self._take_in(device), _states(device, said)])
        return _states(device, said)

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        device, lamp = announced(self._lamps, device_id)
        return [Outgoing(device.command(name), value.encode()) for name, value in commands(lamp, change)]

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        known = self._lamps.get(device_id)
        return (known[0].question,) if known else ()

    def _discovery(self, mac: str, payload: bytes) -> Reading:
        former = self._macs.get(mac)
        if not payload:
            self._macs.pop(mac, None)
            return self._forget(former) if former else NOTHING
        device = read_discovery(mac, payload)
        if device.topic in self._configured:
            return NOTHING  # the lamps file knows better
        moved = self._forget(former) if former and former != device.topic else NOTHING
        self._macs[mac] = device.topic
        return combined([moved, self._take_in(device)])

    def _guess(self, topic: str, payload: bytes) -> Reading:
        """A last will of somebody who was not announced, perhaps a Tasmota."""
        name = topic.removeprefix("tele/").removesuffix("/LWT")
        device = TasmotaDevice(plain_topic(name, name), (), guessed=True)
        if payload.decode(errors="replace") not in device.lwt:
            return NOTHING
        taken_in = self._take_in(device)
        return combined([taken_in, self._last_will(device, payload)])

    def _take_in(self, device: TasmotaDevice) -> Reading:
        """A device that is new, or known better than before."""
        if device.topic not in self._devices and len(self._devices) >= MAX_LAMPS:
            raise BadPayload(device.topic[:64], "too_many_devices")
        former = self._devices.get(device.topic)
        new = [place for place in device.places if place not in self._places]
        dropped = self._drop(former, keep=device) if former else NOTHING
        self._devices[device.topic] = device
        self._places |= {place: (device.topic, kind) for place, kind in device.places.items()}
        self._lamps |= {lamp.device_id: (device, lamp) for lamp in device.lamps}
        online = self._online.get(device.topic)
        vouched = [Sighting(lamp.device_id, online=online) for lamp in device.lamps if online is not None]
        question = (device.question,) if device != former else ()
        return combined([dropped, Reading((*_descriptions(device), *vouched), subscribe=tuple(new), ask=question)])

    def _forget(self, name: str) -> Reading:
        device = self._devices.pop(name, None)
        self._online.pop(name, None)
        return self._drop(device) if device else NOTHING

    def _drop(self, device: TasmotaDevice, keep: TasmotaDevice | None = None) -> Reading:
        """Let go of the topics and lamps of a device, but for those of `keep`."""
        kept_places = keep.places if keep else {}
        kept_lamps = {lamp.device_id for lamp in keep.lamps} if keep else set()
        topics = tuple(place for place in device.places if place not in kept_places)
        gone = [lamp.device_id for lamp in device.lamps if lamp.device_id not in kept_lamps]
        for topic in topics:
            self._places.pop(topic, None)
        for device_id in gone:
            self._lamps.pop(device_id, None)
        return Reading(tuple(Sighting(device_id, removed=True) for device_id in gone), unsubscribe=topics)

    def _last_will(self, device: TasmotaDevice, payload: bytes) -> Reading:
        word = read_word(device.topic[:64], payload)
        if word and word not in device.lwt:
            raise BadPayload(device.topic[:64], "bad_availability")
        online = word == device.lwt[0] if word else None
        back = online and self._online.get(device.topic) is False
        self._online[device.topic] = online
        sightings = tuple(Sighting(lamp.device_id, online=online) for lamp in device.lamps)
        return Reading(sightings, ask=(device.question,) if back else ())


def _descriptions(device: TasmotaDevice) -> list[Sighting]:
    return [
        Sighting(lamp.device_id, report=Report(name=lamp.name, caps=lamp.caps, limits=lamp.limits))
        for lamp in device.lamps
    ]


def _said(name: str, kind: str, payload: bytes) -> Payload:
    if kind.startswith("POWER"):
        return Payload(name, {kind: read_word(name, payload)})
    if not payload.lstrip().startswith(b"{"):
        return Payload(name, {})  # the answer to a command that is not ours
    said = read_object(name, payload)
    return said.inner("StatusSTS") if "StatusSTS" in said else said


def _states(device: TasmotaDevice, said: Payload) -> Reading:
    """What a message says of each lamp of the device."""
    reports = [(lamp.device_id, read_state(device, lamp, said)) for lamp in device.lamps]
    return Reading(tuple(Sighting(device_id, report=report) for device_id, report in reports if report.of_state))
