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
    reply: Reply
    started: float
    fields: set[Cap]
    """Those that no newer command has taken over."""
    stage: Stage = Stage.ACCEPTED
    error: str = ""
    sent: bool = False
    ms: int = 0
    timer: asyncio.TimerHandle | None = None


@dataclass
class Lane:
    """Each field belongs to the newest command that set it."""

    owners: dict[str, Command] = field(default_factory=dict)
    unsent: set[str] = field(default_factory=set)
    next_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def open(self) -> list[Command]:
        return list(dict.fromkeys(self.owners.values()))

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

    def unsent_commands(self) -> list[Command]:
        """Those with something to send; from now on nothing is unsent."""
        commands = [self.owners[slot] for slot in self.unsent if slot in self.owners]
        self.unsent.clear()
        return list(dict.fromkeys(commands))


def change_of(commands: list[Command]) -> Change:
    """What several commands of one lamp ask for together."""
    values: dict[str, object] = {}
    fields: set[Cap] = set()
    for command in commands:
        for cap in command.fields:
            fields.add(cap)
            names = ("r", "g", "b") if cap is Cap.RGB else (cap.value,)
            values |= {name: getattr(command.cmd.state, name) for name in names}
    newest = max(commands, key=lambda command: command.started)
    return Change(frozenset(fields), Wish.model_validate(values), newest.cmd.trans)


def _slot(cap: Cap) -> str:
    return _SLOTS.get(cap, cap.value)
