"""Which commands are recognised when they are sent again, as a client does that missed an answer."""

from collections import OrderedDict

from twin_bridge.client_messages import Cmd, Refused
from twin_bridge.command_lane import Command
from twin_bridge.protocol import ErrorCode

REMEMBERED = 4096
"""Commands of all senders together."""
REMEMBERED_SECONDS = 120.0
"""From its start, or as long as it is open; afterwards the same `cid` is a new command."""


class KnownCommands:
    """Commands by sender and `cid`."""

    def __init__(self) -> None:
        self._commands: OrderedDict[tuple[str, str], Command] = OrderedDict()

    def find(self, sender: str, cmd: Cmd, now: float) -> Command | None:
        """The command that `sender` started with this `cid`. Raises `Refused` if that asked for something else."""
        known = self._commands.get((sender, cmd.cid))
        if known is None or (known.stage.final and now - known.started > REMEMBERED_SECONDS):
            return None
        if known.cmd != cmd:
            detail = "this cid was another command; each command needs its own, and each client a name of its own"
            raise Refused(ErrorCode.BAD_FIELD, detail, cid=cmd.cid)
        return known

    def add(self, sender: str, command: Command) -> None:
        key = sender, command.cmd.cid
        self._commands[key] = command
        self._commands.move_to_end(key)
        if len(self._commands) > REMEMBERED:
            self._commands.popitem(last=False)
