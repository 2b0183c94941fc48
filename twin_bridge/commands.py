"""Commands from `accepted` to their end. Lamps do not acknowledge; the bridge compares what they report.

```mermaid
stateDiagram-v2
    [*] --> accepted: known lamp, fields it has, within range
    [*] --> offline: the lamp is announced as offline
    accepted --> published: PUBACK
    published --> applied: a later report matches
    accepted --> offline: the broker is away
    accepted --> failed: the broker went away before PUBACK
    accepted --> superseded: newer command for the same fields
    published --> superseded
    published --> timeout: ttl over
    accepted --> timeout
    published --> offline: last will
```

Per lamp each field belongs to the newest command that set it; a command that lost all its fields is superseded. So a
lamp never has more open commands than fields, however fast a slider moves. An off supersedes all that came before it
and was not reported yet. All of this runs on the event loop.
"""

import asyncio
from collections.abc import Callable
from itertools import count

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_COMMANDS
from twin_bridge.client_messages import Cmd
from twin_bridge.command_checks import check
from twin_bridge.command_lane import Command, Lane, Reply, change_of
from twin_bridge.known_commands import KnownCommands
from twin_bridge.lamps.protocol import Change, Limits
from twin_bridge.matching import matches, overlay
from twin_bridge.protocol import Stage
from twin_bridge.state import DeviceTable

log = get_logger(__name__)

COALESCE_SECONDS = 0.05
"""The first command of a lamp goes out at once; those that follow so soon are sent together, the newest value each."""
DEFAULT_TTL_MS = 3000
"""Beside the transition, at whose end many lamps report."""
FAIR_MS = 1000
"""Beside the transition too. A lamp that was given less time and said nothing may be as healthy as ever."""

Publish = Callable[[str, Change], "asyncio.Future[None]"]
"""Send a change to a lamp; the future ends with PUBACK. Raises `Unavailable` if there is no broker to send it to; the
future ends with `Unavailable` if the broker goes away before it confirms, and then nobody knows."""
Changed = Callable[[str], None]


class Commands:
    def __init__(self, table: DeviceTable, publish: Publish, changed: Changed) -> None:
        self._table = table
        self._publish = publish
        self._changed = changed
        self._lanes: dict[str, Lane] = {}
        self._known = KnownCommands()
        self._numbers = count()

    def submit(self, sender: str, cmd: Cmd, reply: Reply) -> None:
        """Start a command, or join the one that `sender` started with the same `cid`. Raises `Refused`.

        `reply` gets every stage from here on; the last one is final.
        """
        loop = asyncio.get_running_loop()
        if known := self._known.find(sender, cmd, loop.time()):
            if not known.stage.final and reply not in known.replies:
                known.replies.append(reply)
            reply(known.ack(self._rev(cmd.id)))
            return
        known_device = self._table.get(cmd.id)
        device = check(cmd, known_device, self._table.limits(cmd.id) if known_device else Limits())
        command = Command(cmd, [reply], loop.time(), next(self._numbers), set(cmd.mask))
        self._known.add(sender, command)
        if not device.online:
            self._finish(command, Stage.OFFLINE, "The lamp is offline.")
            return
        self._tell(command)
        command.timer = loop.call_later(_patience_ms(cmd) / 1000, self._expire, command)
        lane = self._lanes.setdefault(cmd.id, Lane())
        for former in lane.take_over(command):
            self._finish(former, Stage.SUPERSEDED)
        if lane.timer is None:
            if loop.time() >= lane.next_at:
                self._send(cmd.id, lane)
            else:
                lane.timer = loop.call_at(lane.next_at, self._send, cmd.id, lane)
        self._show(cmd.id)

    def reported(self, device_id: str) -> None:
        """The lamp reported (retained relics do not count): acknowledge what it now fulfils."""
        device, lane = self._table.get(device_id), self._lanes.get(device_id)
        if device is None or lane is None:
            return
        for command in lane.open():
            command.answered = command.sent
            if command.sent and matches(device.state, command.cmd.state, command.fields):
                self._reach(command, Stage.PUBLISHED)  # the report can outrun the PUBACK, and proves it
                self._finish(command, Stage.APPLIED)
                if command.turns_off:
                    self._overtake(lane, command)
        self._show(device_id)

    def gone(self, device_id: str, stage: Stage, error: str) -> None:
        """The lamp went offline or was taken out: end its commands."""
        lane = self._lanes.get(device_id)
        for command in lane.open() if lane else []:
            self._finish(command, stage, error)
        if device_id in self._table:
            self._show(device_id)
        elif (lane := self._lanes.pop(device_id, None)) and lane.timer:
            lane.timer.cancel()

    def close(self) -> None:
        """Stop all timers; the event loop is about to end."""
        for lane in self._lanes.values():
            for timer in (lane.timer, *(command.timer for command in lane.open())):
                if timer:
                    timer.cancel()

    def _overtake(self, lane: Lane, off: Command) -> None:
        """What the lamp was told before it went dark, and has not reported until now, it never will."""
        for command in lane.open():
            if command.number < off.number:
                self._finish(command, Stage.SUPERSEDED)

    def _send(self, device_id: str, lane: Lane) -> None:
        lane.timer = None
        lane.next_at = asyncio.get_running_loop().time() + COALESCE_SECONDS
        commands, pointless = lane.take_unsent()
        for command in pointless:
            self._finish(command, Stage.SUPERSEDED)
        if lane.unsent:
            lane.timer = asyncio.get_running_loop().call_at(lane.next_at, self._send, device_id, lane)
        if not commands:
            return
        for command in commands:
            command.sent = True
        try:
            future = self._publish(device_id, change_of(commands))
        except Unavailable as error:
            self._end(commands, Stage.OFFLINE, str(error))
        else:
            future.add_done_callback(lambda done: self._published(commands, done.exception()))

    def _published(self, commands: list[Command], error: BaseException | None) -> None:
        if error is not None:
            self._end(commands, Stage.FAILED, str(error))
            return
        for command in commands:
            self._reach(command, Stage.PUBLISHED)
            self._show(command.cmd.id)

    def _end(self, commands: list[Command], stage: Stage, error: str) -> None:
        for command in commands:
            self._finish(command, stage, error)
            self._show(command.cmd.id)

    def _expire(self, command: Command) -> None:
        error = f"The lamp did not report this state within {_patience_ms(command.cmd)} ms."
        self._finish(command, Stage.TIMEOUT, error)
        fair = _patience_ms(command.cmd) >= FAIR_MS + command.cmd.trans * 1000
        unheard = command.sent and not command.answered and fair
        if unheard and self._table.mark_stale(command.cmd.id):  # cut at the wall, perhaps: do not trust its last state
            self._changed(command.cmd.id)
        self._show(command.cmd.id)

    def _reach(self, command: Command, stage: Stage) -> None:
        if command.stage is Stage.ACCEPTED:
            self._enter(command, stage)
            self._tell(command)

    def _finish(self, command: Command, stage: Stage, error: str = "") -> None:
        if command.stage.final:
            return
        self._enter(command, stage)
        command.error = error
        if command.timer:
            command.timer.cancel()
        if lane := self._lanes.get(command.cmd.id):
            lane.release(command)
        TWIN_COMMANDS.labels(stage.value).inc()
        if error:
            log.warning("command_without_effect", device=command.cmd.id, stage=stage.value, error=error)
        self._tell(command)
        command.replies.clear()  # whoever holds the other end may go

    def _enter(self, command: Command, stage: Stage) -> None:
        command.stage = stage
        command.ms = round((asyncio.get_running_loop().time() - command.started) * 1000)

    def _tell(self, command: Command) -> None:
        ack = command.ack(self._rev(command.cmd.id))
        for reply in command.replies:
            reply(ack)

    def _rev(self, device_id: str) -> int:
        device = self._table.get(device_id)
        return device.rev if device else 0

    def _show(self, device_id: str) -> None:
        """Let `pending` and `desired` of the device say what is still open."""
        device, lane = self._table.get(device_id), self._lanes.get(device_id)
        if device is None or lane is None:
            return
        desired = None
        for command in lane.open():
            desired = overlay(desired or device.state, command.cmd.state, command.fields)
        if self._table.set_desired(device_id, desired):
            self._changed(device_id)


def _patience_ms(cmd: Cmd) -> int:
    return cmd.ttl or DEFAULT_TTL_MS + round(cmd.trans * 1000)
