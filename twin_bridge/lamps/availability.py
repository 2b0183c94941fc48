"""Whether a lamp is online, by one or several topics that say so."""

from dataclasses import dataclass, field
from enum import StrEnum

from twin_bridge.lamps.payloads import read_object, read_word
from twin_bridge.lamps.protocol import BadPayload


class Rule(StrEnum):
    """What several topics mean together."""

    ALL = "all"
    ANY = "any"
    LATEST = "latest"


@dataclass(frozen=True)
class AvailabilityTopic:
    topic: str
    online: str = "online"
    offline: str = "offline"
    key: str = "state"
    """Where the word is, in a payload that is a JSON object."""

    def read(self, device_id: str, payload: bytes) -> bool | None:
        """The word itself or `{"state":"online"}`; None once the retained word is deleted. Raises `BadPayload`."""
        if not payload:
            return None
        if payload.lstrip().startswith(b"{"):
            word = str(read_object(device_id, payload).values.get(self.key))  # true is `True`, as in a template
        else:
            word = read_word(device_id, payload)
        if word == self.online:
            return True
        if word == self.offline:
            return False
        raise BadPayload(device_id, "bad_availability")


@dataclass
class Availability:
    """The topics of one lamp, and what they said."""

    topics: tuple[AvailabilityTopic, ...] = ()
    rule: Rule = Rule.LATEST
    _said: dict[str, bool | None] = field(default_factory=dict)
    _latest: bool | None = None

    def hear(self, device_id: str, topic: str, payload: bytes) -> None:
        """Take in what one of the topics says. Raises `BadPayload`."""
        for each in self.topics:
            if each.topic == topic:
                self._latest = self._said[topic] = each.read(device_id, payload)

    @property
    def online(self) -> bool | None:
        """None as long as it cannot be known."""
        if self.rule is Rule.LATEST:
            return self._latest
        said = [self._said.get(each.topic) for each in self.topics]
        decisive = self.rule is Rule.ANY  # one `True` decides for any, one `False` for all
        if decisive in said:
            return decisive
        return None if None in said else not decisive
