"""Home Assistant's discovery message of a whole device, `<prefix>/device/[NODE/]OBJECT/config`: its lights, one by one.

What its components have in common stands at its root, unless a component says otherwise.
"""

from typing import Any

from twin_bridge.lamps.payloads import read_object
from twin_bridge.lamps.protocol import MAX_INVENTORY_BYTES, BadPayload

_SHARED = (
    ("device", "dev"),
    ("origin", "o"),
    ("~", "~"),
    ("state_topic", "stat_t"),
    ("command_topic", "cmd_t"),
    ("availability", "avty"),
    ("availability_mode", "avty_mode"),
    ("availability_topic", "avty_t"),
    ("availability_template", "avty_tpl"),
    ("payload_available", "pl_avail"),
    ("payload_not_available", "pl_not_avail"),
)


def lights_of(place: str, payload: bytes) -> dict[str, dict[str, Any]]:
    """The configuration of each light by its name in the message; one that is withdrawn is not among them.

    Raises `BadPayload`.
    """
    root = read_object(place[:64], payload, MAX_INVENTORY_BYTES)
    components = _either(root.values, "components", "cmps")
    if not isinstance(components, dict):
        raise BadPayload(place[:64], "bad_discovery")
    shared = {name: value for name, short in _SHARED if (value := _either(root.values, name, short)) is not None}
    found = {}
    for key, component in components.items():
        if not isinstance(component, dict) or _either(component, "platform", "p") != "light":
            continue
        if not component.keys() - {"platform", "p"}:
            continue  # nothing but what it was: it is withdrawn
        own = {name for name, short in _SHARED if name in component or short in component}
        found[key] = {name: value for name, value in shared.items() if name not in own} | component
    return found


def _either(values: dict[str, Any], name: str, short: str) -> Any:
    return values.get(name, values.get(short))
