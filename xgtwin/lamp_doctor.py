"""The lamp part of `xgtwin doctor`: the broker, the lamps file, and why no lamp shows up."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.errors import Unavailable
from shared.sections import LOOPBACK_HOSTS
from shared.settings import Settings
from twin_bridge.broker_url import BrokerUrl, read_broker_url
from twin_bridge.lamps.bootstrap import build_families
from twin_bridge.lamps.families import Families
from xgtwin.broker_probe import EVERYTHING, Heard, listen
from xgtwin.finding import Finding, Verdict

LISTEN_SECONDS = 3.0
BROKER, LAMPS, FILE = "MQTT broker", "lamps", "lamps file"
OPEN = (
    "to be reached from the network, mosquitto.conf needs `listener 1883 0.0.0.0`, `allow_anonymous false` and "
    "`password_file /etc/mosquitto/passwords`"
)
NOT_LAMPS = ("$SYS/", "twin/v1/bridge/")
_EXAMPLES = 3


def lamp_findings(settings: Settings, seconds: float = LISTEN_SECONDS) -> Iterator[Finding]:
    """The findings, in the order in which a person mends them; listens to the broker for so many seconds."""
    families = None
    try:
        families = build_families(settings.twin)
    except Unavailable as error:
        yield Finding(Verdict.WRONG, FILE, error.detail)
    if not settings.twin.mqtt_url:
        yield Finding(Verdict.NOTE, BROKER, "none configured, `xgtwin up` starts a demo broker (TWIN__MQTT_URL)")
        return
    try:
        broker = read_broker_url(settings.twin.mqtt_url)
    except Unavailable as error:
        yield Finding(Verdict.WRONG, BROKER, error.detail)
        return
    heard = listen(broker, families.subscriptions if families else [], seconds)
    address = f"{broker.host}:{broker.port}"
    if heard.trouble:
        yield Finding(Verdict.WRONG, BROKER, f"{address}: {heard.trouble}. {_remedy(broker, heard)}")
        return
    yield Finding(Verdict.OK, BROKER, f"{address} lets us in")
    if families is not None:
        yield from _lamps(families, heard, seconds, local=broker.host in LOOPBACK_HOSTS)


def _remedy(broker: BrokerUrl, heard: Heard) -> str:
    if not heard.refused:
        return (
            "Check TWIN__MQTT_URL, and that it runs (systemctl status mosquitto). Mosquitto without a listener line "
            f"serves its own machine only; {OPEN}"
        )
    if broker.user:
        return (
            f"Check user and password in TWIN__MQTT_URL; `mosquitto_passwd /etc/mosquitto/passwords {broker.user}` "
            "sets a new password, then restart Mosquitto"
        )
    return (
        "It wants a password: TWIN__MQTT_URL=mqtt://USER:PASSWORD@HOST, made by "
        "`mosquitto_passwd -c /etc/mosquitto/passwords USER`; for trying out, mosquitto.conf: `allow_anonymous true`"
    )


def _lamps(families: Families, heard: Heard, seconds: float, *, local: bool) -> Iterator[Finding]:
    named = {seen.device_id for _, reading in families.start() for seen in reading.sightings}
    found = _read(families, heard)
    for topic in heard.denied:
        if topic != EVERYTHING:
            words = f"the broker does not let us read {topic}; see what its rules allow this user"
            yield Finding(Verdict.WRONG, LAMPS, words)
    for device, reason in sorted(found.refusals)[:_EXAMPLES]:
        yield Finding(Verdict.NOTE, LAMPS, f"{device} sends what is not understood: {reason}")
    if silent := sorted(named - found.sources.keys()):
        words = f"{', '.join(silent[:_EXAMPLES])} said nothing in {seconds:g} s; are their topics right?"
        yield Finding(Verdict.NOTE, FILE, words)
    if found.sources:
        makes = Counter(found.sources.values())
        words = ", ".join(f"{count} {source}" for source, count in sorted(makes.items()))
        yield Finding(Verdict.OK, LAMPS, f"{words}; GET /devices lists them")
    elif found.mute:
        examples = ", ".join(sorted(found.mute)[:_EXAMPLES])
        yield Finding(
            Verdict.NOTE,
            LAMPS,
            f"no state in {seconds:g} s, but lamps may be there: {examples}. Many speak only when they are asked, "
            "which the bridge does and the doctor does not; GET /devices lists those that answered",
        )
    elif found.unread:
        examples = ", ".join(sorted(found.unread)[:_EXAMPLES])
        yield Finding(
            Verdict.NOTE,
            LAMPS,
            f"none found; topics that nobody reads here: {examples}. Name lamps that announce nothing in a lamps file "
            "(TWIN__LAMPS_FILE), and see TWIN__FAMILIES",
        )
    elif not found.refusals:
        where = f" A lamp on the network needs more: {OPEN}." if local else ""
        yield Finding(
            Verdict.NOTE,
            LAMPS,
            f"nothing is stored at the broker, and nobody spoke in {seconds:g} s. Do lamps use this broker, do they "
            f"announce themselves, does an acl_file hide them?{where} To try it: xgtwin lamp simulate --kind z2m",
        )


@dataclass
class _Found:
    """What the families make of what was heard."""

    sources: dict[str, str] = field(default_factory=dict)
    """Devices, each with its family."""
    refusals: set[tuple[str, str]] = field(default_factory=set)
    """Devices with the reasons why something of theirs is not understood."""
    mute: set[str] = field(default_factory=set)
    """Topics that a family reads, and that told of no lamp yet: an availability, mostly."""
    unread: set[str] = field(default_factory=set)
    """Topics that no family reads."""


def _read(families: Families, heard: Heard) -> _Found:
    """Read everything, and what nobody read again: a state may come before the announcement that tells whose it is."""
    found = _Found()
    waiting = [message for message in heard.messages if not _note(families, *message, found)]
    found.unread = {
        topic
        for topic, payload in waiting
        if not _note(families, topic, payload, found) and not topic.startswith(NOT_LAMPS)
    }
    return found


def _note(families: Families, topic: str, payload: bytes, found: _Found) -> bool:
    """Whether somebody read the message."""
    readings = families.read(topic, payload)
    if readings and payload and not any(reading.refusals for _, reading in readings):
        found.mute.add(topic)
    for source, reading in readings:
        for seen in reading.sightings:
            if seen.report is not None:
                found.sources.setdefault(seen.device_id, source)
        found.refusals.update((error.device_id, error.reason) for error in reading.refusals)
    return bool(readings)
