"""The open commands of one lamp: which fields belong to which of them, and what has not been sent yet."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from twin_bridge.client_messages import Cmd, Wish
from twin_bridge.lamps.protocol import Change
from twin_bridge.protocol import Ack, Cap, Stage

Reply = Callable[[Ack], None]

_SLOTS = {Cap.RGB: "colour", Cap.CT: "colour"}
"""Fields that displace each other share a slot; all others have their own."""


@dataclass(eq=False)
class Command:
    cmd: Cmd
    replies: list[Reply]
    """Of everybody who sent it; nobody any more after the final stage."""
    started: float
    number: int
    """Commands are numbered as they come."""
    fields: set[Cap]
    """Those that no newer command has taken over."""
    stage: Stage = Stage.ACCEPTED
    error: str = ""
    sent: bool = False
    answered: bool = False
    """The lamp has reported since it was sent, whatever that was."""
    ms: int = 0
    timer: asyncio.TimerHandle | None = None

    @property
    def turns_off(self) -> bool:
        return Cap.ON in self.fields and not self.cmd.state.on

    def ack(self, rev: int) -> Ack:
        return Ack(cid=self.cmd.cid, id=self.cmd.id, stage=self.stage, error=self.error, rev=rev, ms=self.ms)


@dataclass
class Lane:
    """Each field belongs to the newest command that set it."""

    owners: dict[str, Command] = field(default_factory=dict)
    unsent: set[str] = field(default_factory=set)
    next_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def open(self) -> list[Command]:
        """Oldest first."""
        return sorted(set(self.owners.values()), key=_number)

    def take_over(self, command: Command) -> list[Command]:
        """Give the command its fields; returns those that lost their last one to it."""
        displaced = []
        for cap in tuple(command.fields):
            slot = _slot(cap)
            former = self.owners.get(slot)
            self.owners[slot] = command
            self.unsent.add(slot)
            if former is not None and former is not command:
                former.fields -= {each for each in former.fields if _slot(each) == slot}
                if not former.fields:
                    displaced.append(former)
        return displaced

    def release(self, command: Command) -> None:
        """Its fields belong to nobody any more."""
        self.owners = {slot: owner for slot, owner in self.owners.items() if owner is not command}

    def take_unsent(self) -> tuple[list[Command], list[Command]]:
        """The commands to be sent together now, oldest first; and those that will not be, because the lamp goes off.

        An off is sent alone: a lamp that goes dark reports nothing else. What is older is pointless then; what is newer
        stays unsent until the next time.
        """
        waiting = sorted({self.owners[slot] for slot in self.unsent & self.owners.keys()}, key=_number)
        off = next((command for command in waiting if command.turns_off), None)
        if off is None:
            self.unsent.clear()
            return waiting, []
        self.unsent = {slot for slot in self.unsent & self.owners.keys() if self.owners[slot].number > off.number}
        return [off], [command for command in waiting if command.number < off.number]


def change_of(commands: list[Command]) -> Change:
    """What several commands of one lamp, oldest first, ask for together."""
    values: dict[str, object] = {}
    fields: set[Cap] = set()
    for command in commands:
        for cap in command.fields:
            fields.add(cap)
            names = ("r", "g", "b") if cap is Cap.RGB else (cap.value,)
            values |= {name: getattr(command.cmd.state, name) for name in names}
    return Change(frozenset(fields), Wish.model_validate(values), commands[-1].cmd.trans)


def _slot(cap: Cap) -> str:
    return _SLOTS.get(cap, cap.value)


def _number(command: Command) -> int:
    return command.number
