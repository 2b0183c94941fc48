"""Where the twin stands in the order of all changes: what a client's `epoch` and `since` are measured by.

Kept together with the devices and their numbers it outlives the bridge: history/store.py.
"""

import secrets
from dataclasses import dataclass, field

MAX_TOMBSTONES = 1000
"""Removals remembered for clients that resume; who was away for longer gets the full snapshot."""

LOST = 10**9
"""More changes than a bridge can have told and not kept."""


@dataclass
class Timeline:
    epoch: str = field(default_factory=lambda: secrets.token_hex(4))
    """Numbers of different epochs mean nothing to each other."""
    seq: int = 0
    """Number of the last change."""
    horizon: int = 0
    """The highest number whose removal was forgotten."""
    tombstones: dict[str, int] = field(default_factory=dict)
    """Device -> number of its removal, oldest first."""
    started: int = 0
    """Where this run of the bridge began to count."""
    lost: range = range(0)
    """Numbers that the run before may have told, but did not keep."""

    def advance(self) -> int:
        """The number of the next change."""
        self.seq += 1
        return self.seq

    def resume(self) -> None:
        """Begin another run, after a gap: a bridge that was killed may have told more than it had kept.

        Clients of the run before resume; those of earlier ones get everything, since nobody knows what was lost there.
        """
        self.horizon = max(self.horizon, self.started)
        self.lost = range(self.seq + 1, self.seq + LOST + 1)
        self.started = self.seq = self.seq + LOST

    def bury(self, device_id: str) -> None:
        """A device is gone, which is a change too."""
        self.tombstones.pop(device_id, None)
        self.tombstones[device_id] = self.advance()
        if len(self.tombstones) > MAX_TOMBSTONES:
            self.horizon = self.tombstones.pop(next(iter(self.tombstones)))

    def revive(self, device_id: str) -> None:
        """It is there again."""
        self.tombstones.pop(device_id, None)

    def removed_since(self, seq: int) -> tuple[str, ...]:
        """Devices that are gone since."""
        return tuple(sorted(device_id for device_id, number in self.tombstones.items() if number > seq))

    def reaches(self, epoch: str, seq: int) -> bool:
        """Whether everything that changed after `seq` of that epoch is still known."""
        return epoch == self.epoch and 0 < seq <= self.seq and self.horizon <= seq and seq not in self.lost
