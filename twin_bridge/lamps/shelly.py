"""Shelly Gen2 and later: JSON-RPC over MQTT.

`<prefix>/events/rpc` tells what changed (`NotifyStatus`, only the changed fields), `<prefix>/status/<component>` the
whole component, if that is switched on in the device. Calls go to `<prefix>/rpc`; the device answers on `<src>/rpc`,
where `src` is ours alone, and new with each start: answers to another bridge, whose calls have the same numbers, must
not be taken for ours. Each command is followed by a question for the status, because a lamp that is already as asked
notifies nobody.

Devices are found by `<prefix>/online`. One whose prefix is not `shelly...` is asked how it is only once it has spoken
like a Shelly, or if the lamps file names it.
"""

import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from pydantic_core import to_json

from twin_bridge.lamps.device_ids import device_id
from twin_bridge.lamps.payloads import Payload, plain_topic, read_object, read_word, shown_name
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
from twin_bridge.lamps.shelly_components import Component, kind_of, parameters, read_status

REMEMBERED_CALLS = 4096
"""Calls whose answer is still understood."""
_PLACES = ("online", "events/rpc", "status/+")


@dataclass
class _Device:
    prefix: str
    name: str = ""
    own_id: str = ""
    """What it calls itself, as far as it spoke since it was last announced; its prefix may be any other."""
    lamps: dict[str, Component] = field(default_factory=dict)
    lit: dict[str, bool] = field(default_factory=dict)
    online: bool | None = None


@dataclass(frozen=True)
class _Call:
    device: _Device
    component: str
    """Empty for a question about the whole device."""


class ShellyLamps:
    source = "shelly"
    quiet_seconds = 900.0
    announced_first = True
    tells_all = False

    def __init__(self, bridge: str, configured: Mapping[str, str] | None = None, *, discover: bool = True) -> None:
        """Answers come below `bridge`, our name; `configured` are prefixes of the lamps file, with names."""
        self._src = f"twin/v1/bridge/{bridge}/{secrets.token_hex(4)}"
        self._ids = count(1)
        self._calls: OrderedDict[int, _Call] = OrderedDict()
        self._devices = {prefix: _Device(prefix, name) for prefix, name in (configured or {}).items()}
        self._configured = frozenset(self._devices)
        self._lamps: dict[str, tuple[_Device, str]] = {}
        prefixes = [*(["+"] if discover else []), *self._devices]
        places = [f"{prefix}/{place}" for prefix in prefixes for place in _PLACES]
        self.subscriptions: Sequence[str] = (f"{self._src}/rpc", *places)

    def start(self) -> Reading:
        return NOTHING

    def read(self, topic: str, payload: bytes) -> Reading:
        if topic == f"{self._src}/rpc":
            return self._answer(payload)
        if topic.endswith("/online"):
            return self._online(topic.removesuffix("/online"), payload)
        if not payload:
            return NOTHING
        if topic.endswith("/events/rpc"):
            return self._event(topic.removesuffix("/events/rpc"), payload)
        prefix, _, key = topic.rpartition("/status/")
        device = self._devices.get(prefix)
        if device is None or kind_of(key) is None:
            return NOTHING
        return self._components(device, {key: read_object(prefix[:64], payload).values})

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        device, key = announced(self._lamps, device_id)
        lamp = device.lamps[key]
        params = parameters(lamp, change, lit=device.lit.get(key, False))
        return self._call(device, f"{lamp.namespace}.Set", params, key), *self.poll(device_id)

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        known = self._lamps.get(device_id)
        if known is None:
            return ()
        device, key = known
        lamp = device.lamps[key]
        question = self._call(device, f"{lamp.namespace}.GetStatus", {"id": lamp.number}, key)
        return (replace(question, devices=(device_id,)),)

    def _call(self, device: _Device, method: str, params: Mapping[str, object], key: str = "") -> Outgoing:
        number = next(self._ids)
        self._calls[number] = _Call(device, key)
        if len(self._calls) > REMEMBERED_CALLS:
            self._calls.popitem(last=False)
        frame = {"id": number, "src": self._src, "method": method, "params": params}
        return Outgoing(f"{device.prefix}/rpc", to_json(frame))

    def _answer(self, payload: bytes) -> Reading:
        """What a device says to a call of ours; answers to others are none of our business."""
        said = read_object("shelly", payload)
        number = int(said.number("id") or 0)
        call = self._calls.get(number)
        if call is None or self._devices.get(call.device.prefix) is not call.device:
            return NOTHING
        sender = said.text("src") or ""
        if call.device.own_id not in {"", sender}:
            raise BadPayload(call.device.prefix[:64], "wrong_sender")
        call.device.own_id = sender
        del self._calls[number]
        if "error" in said:
            lamp = call.device.lamps.get(call.component)
            words = (said.inner("error").text("message") or "it gives no reason")[:200]
            return Reading((Sighting(lamp.device_id, refused=words),)) if lamp else NOTHING
        result = said.inner("result")
        if call.component:
            return self._components(call.device, {call.component: result.values})
        if "gen" in result:
            return self._named(call.device, result.text("name") or "")
        return self._components(call.device, result.values)

    def _event(self, prefix: str, payload: bytes) -> Reading:
        said = read_object(prefix[:64], payload)
        method, src = said.text("method"), said.text("src") or ""
        if method not in {"NotifyStatus", "NotifyFullStatus"} or not src.startswith("shelly"):
            return NOTHING
        device = self._devices.get(prefix)
        newcomer = NOTHING
        if device is None:
            device = self._take_in(prefix)
            newcomer = Reading(ask=self._introductions(device))
        device.own_id = src
        return combined([newcomer, self._components(device, said.inner("params").values)])

    def _online(self, prefix: str, payload: bytes) -> Reading:
        word = read_word(prefix[:64], payload)
        if word not in {"true", "false", ""}:
            return NOTHING  # somebody else's `online`
        device = self._devices.get(prefix) or self._take_in(prefix)
        device.online, device.own_id = {"true": True, "false": False}.get(word), ""
        sightings = tuple(Sighting(lamp.device_id, online=device.online) for lamp in device.lamps.values())
        is_shelly = prefix.startswith("shelly") or prefix in self._configured or bool(device.lamps)
        return Reading(sightings, ask=self._introductions(device) if device.online and is_shelly else ())

    def _take_in(self, prefix: str) -> _Device:
        """A device that may be a Shelly; where there is no place left, for one that never showed a lamp."""
        if len(self._devices) >= MAX_LAMPS:
            idle = (each for each in self._devices.values() if not each.lamps and each.prefix not in self._configured)
            oldest = next(idle, None)
            if oldest is None:
                raise BadPayload(prefix[:64], "too_many_devices")
            del self._devices[oldest.prefix]
        device = self._devices[plain_topic(prefix, prefix)] = _Device(prefix)
        return device

    def _introductions(self, device: _Device) -> tuple[Outgoing, ...]:
        lamps = tuple(lamp.device_id for lamp in device.lamps.values())
        status = replace(self._call(device, "Shelly.GetStatus", {}), devices=lamps)
        return status, *(() if device.name else (self._call(device, "Shelly.GetDeviceInfo", {}),))

    def _named(self, device: _Device, name: str) -> Reading:
        device.name = shown_name(name)
        for key, lamp in device.lamps.items():
            device.lamps[key] = replace(lamp, name=_name(device, key))
        described = [Sighting(lamp.device_id, report=Report(name=lamp.name)) for lamp in device.lamps.values()]
        return Reading(tuple(described))

    def _components(self, device: _Device, said: Mapping[str, object]) -> Reading:
        """What is said of the components that are lamps; new ones are taken in."""
        sightings: list[Sighting] = []
        refusals: list[BadPayload] = []
        for key, values in said.items():
            part = kind_of(key)
            if part is None or not isinstance(values, dict):
                continue
            new = key not in device.lamps
            lamp = self._component(device, key, *part) if new else device.lamps[key]
            try:
                report = read_status(lamp, Payload(lamp.device_id, values))
            except BadPayload as error:
                refusals.append(error)
                continue
            if report.on is not None:
                device.lit[key] = report.on
            if new or report.of_state:
                sightings.append(Sighting(lamp.device_id, report=report))
            if new and device.online is not None:
                sightings.append(Sighting(lamp.device_id, online=device.online))
        return Reading(tuple(sightings), refusals=tuple(refusals))

    def _component(self, device: _Device, key: str, kind: str, number: int) -> Component:
        lamp = Component(device_id(f"{device.prefix}-{kind}-{number}"), _name(device, key), kind, number)
        device.lamps[key] = lamp
        self._lamps[lamp.device_id] = (device, key)
        return lamp


def _name(device: _Device, key: str) -> str:
    return shown_name(f"{device.name or device.prefix} {key}")
