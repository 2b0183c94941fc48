"""Which families a bridge listens to, from the settings and the lamps file. The only place that chooses."""

from collections.abc import Sequence

from shared.settings import TwinSettings
from twin_bridge.lamps.availability import Availability, AvailabilityTopic
from twin_bridge.lamps.device_ids import device_id
from twin_bridge.lamps.families import Families
from twin_bridge.lamps.home_assistant import HomeAssistantLights
from twin_bridge.lamps.json_lamps import ConfiguredJsonLamps, JsonLamp
from twin_bridge.lamps.json_light import JsonLight
from twin_bridge.lamps.lamps_file import (
    EsphomeEntry,
    JsonEntry,
    LampsFile,
    PlainEntry,
    ShellyEntry,
    TasmotaEntry,
    read_lamps_file,
)
from twin_bridge.lamps.native import NativeLamps
from twin_bridge.lamps.plain import PlainLamp, PlainLamps
from twin_bridge.lamps.protocol import LampFamily, Outgoing
from twin_bridge.lamps.shelly import ShellyLamps
from twin_bridge.lamps.tasmota import TasmotaLamps
from twin_bridge.lamps.tasmota_device import TasmotaDevice, TasmotaLamp
from twin_bridge.lamps.zigbee2mqtt import Zigbee2Mqtt
from twin_bridge.protocol import Cap


def build_families(twin: TwinSettings) -> Families:
    """The families that are listened to (TWIN__FAMILIES), and those of the lamps file (TWIN__LAMPS_FILE).

    Raises `Unavailable` if the lamps file is wrong.
    """
    file = read_lamps_file(twin.lamps_file)
    found = set(twin.families)
    families: list[LampFamily] = []
    if "native" in found:
        families.append(NativeLamps())
    configured = _configured(file)
    families += configured
    if "z2m" in found:
        families.append(Zigbee2Mqtt(file.z2m_bases))
    tasmotas = [entry for entry in file.lamps if isinstance(entry, TasmotaEntry)]
    if "tasmota" in found or tasmotas:
        families.append(TasmotaLamps(_tasmotas(tasmotas), discover="tasmota" in found))
    shellys = {entry.prefix: entry.name for entry in file.lamps if isinstance(entry, ShellyEntry)}
    if "shelly" in found or shellys:
        families.append(ShellyLamps(twin.name, shellys, discover="shelly" in found))
    if "ha" in found:
        listed = frozenset(topic for family in configured for topic in family.subscriptions)
        families.append(HomeAssistantLights(twin.ha_prefix, skip_zigbee2mqtt="z2m" in found, skip_topics=listed))
    return Families(families, file.ignore)


def _configured(file: LampsFile) -> list[LampFamily]:
    """The families that exist in the lamps file alone."""
    plain = [_plain(entry) for entry in file.lamps if isinstance(entry, PlainEntry)]
    json = [_json(entry) for entry in file.lamps if isinstance(entry, JsonEntry)]
    esphome = [_esphome(entry) for entry in file.lamps if isinstance(entry, EsphomeEntry)]
    families: list[LampFamily] = []
    if plain:
        families.append(PlainLamps(plain))
    if json:
        families.append(ConfiguredJsonLamps("json", json))
    if esphome:
        families.append(ConfiguredJsonLamps("esphome", esphome))
    return families


def _plain(entry: PlainEntry) -> PlainLamp:
    return PlainLamp(
        entry.id,
        entry.name or entry.id,
        entry.state_topic,
        entry.command_topic,
        entry.payload_on,
        entry.payload_off,
        entry.brightness_max,
        Outgoing(entry.ask_topic, b"") if entry.ask_topic else None,
        _availability(entry),
    )


def _json(entry: JsonEntry) -> JsonLamp:
    light = JsonLight(
        name=entry.name or entry.id,
        caps=_caps(entry.caps),
        scale=entry.brightness_scale,
        in_kelvin=entry.color_temp_kelvin,
        form=entry.colour,
    )
    topic = _availability(entry)
    return JsonLamp(entry.id, light, entry.state_topic, entry.command_topic, Availability((topic,) if topic else ()))


def _esphome(entry: EsphomeEntry) -> JsonLamp:
    identity = entry.id or device_id(f"{entry.prefix}-{entry.light}")
    # Its parser takes whole seconds of transition only, and would fade as configured otherwise.
    light = JsonLight(name=entry.name or entry.light, caps=_caps(entry.caps), form=entry.colour, whole_seconds=True)
    topic = f"{entry.prefix}/light/{entry.light}"
    availability = Availability((AvailabilityTopic(f"{entry.prefix}/status"),))
    return JsonLamp(identity, light, f"{topic}/state", f"{topic}/command", availability)


def _tasmotas(entries: Sequence[TasmotaEntry]) -> list[TasmotaDevice]:
    """One device for all entries with the same topic."""
    devices: dict[str, TasmotaDevice] = {}
    for entry in entries:
        only = entry.relay is None
        identity = entry.id or device_id(entry.topic if only else f"{entry.topic}-{entry.relay}")
        lamp = TasmotaLamp(identity, entry.name or identity, entry.relay or 1, only, _caps(entry.caps))
        known = devices.get(entry.topic)
        lamps = (*known.lamps, lamp) if known else (lamp,)
        devices[entry.topic] = TasmotaDevice(entry.topic, lamps, entry.full_topic)
    return list(devices.values())


def _availability(entry: PlainEntry | JsonEntry) -> AvailabilityTopic | None:
    if entry.availability_topic is None:
        return None
    return AvailabilityTopic(entry.availability_topic, entry.payload_available, entry.payload_not_available)


def _caps(caps: Sequence[Cap] | None) -> frozenset[Cap] | None:
    return None if caps is None else frozenset({Cap.ON, *caps})
