"""The story of the bridge, both ways.

MQTT in:  message -> its lamp family reads it -> device table -> open commands that it fulfils -> every client
Command:  client -> checks -> its lamp family writes it -> MQTT -> PUBACK -> the lamp reports -> `applied`
"""

import asyncio
import time
from collections.abc import Iterable, Sequence

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_BAD_PAYLOADS, TWIN_BROKER_CONNECTIONS, TWIN_STAGE_SECONDS, TWIN_STATES
from twin_bridge.client_messages import Cmd
from twin_bridge.command_lane import Reply
from twin_bridge.commands import Commands
from twin_bridge.history.recorder import Recorder
from twin_bridge.hub import Hub
from twin_bridge.inbox import Incoming
from twin_bridge.lamps.families import Families
from twin_bridge.lamps.protocol import BadPayload, Change, Outgoing, Reading, Sighting
from twin_bridge.mqtt import MqttLink
from twin_bridge.polling import ANSWER_SECONDS, Questions, SilenceWatch
from twin_bridge.protocol import Stage, Status
from twin_bridge.state import DeviceTable, TableFull

log = get_logger(__name__)
_READ = TWIN_STAGE_SECONDS.labels("read")

SILENCE_CHECK_SECONDS = 15.0
ANSWER_CHECK_SECONDS = 1.0
COMPLAINT_SECONDS = 60.0
"""A lamp that sends rubbish is logged once in so long; every payload is counted."""


class Relay:
    """One broker, its lamps, all clients. Everything runs on the event loop that `start` was called on."""

    replay = False

    def __init__(self, table: DeviceTable, hub: Hub, families: Families, link: MqttLink, recorder: Recorder) -> None:
        self.table = table
        self.hub = hub
        self.broker = False
        self.reason = "not connected yet"
        self._families = families
        self._link = link
        self._recorder = recorder
        self._questions = Questions(lambda question: link.publish(question.topic, question.payload))
        self._silence = SilenceWatch(table, families, self._questions)
        self._commands = Commands(table, self._publish, self.changed)
        self._complaints: dict[tuple[str, str], float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        for source, reading in self._families.start():
            self._follow(reading, source, retained=True)
        self._link.start(self)
        work = self._questions.run(), self._watch_for_answers(), self._watch_for_silence()
        self._tasks = [asyncio.create_task(each) for each in work]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._commands.close()
        await self._link.stop()

    def on_messages(self, batch: Sequence[Incoming]) -> None:
        """MQTT in. One bad message never costs the others of its batch."""
        for message in batch:
            for source, reading in self._families.read(message.topic, message.payload):
                self._follow(reading, source, retained=message.retained)
        _READ.observe(time.monotonic() - batch[0].at)

    def on_broker(self, connected: bool, reason: str) -> None:
        """The connection to the broker came or went; clients hear of it at once."""
        if (connected, reason) == (self.broker, self.reason):
            return
        turned = connected != self.broker
        self.broker, self.reason = connected, reason
        if connected:
            TWIN_BROKER_CONNECTIONS.inc()
            log.info("broker_connected")
            self._ask_all()
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._miss_the_unannounced)
        else:
            log.warning("broker_away", reason=reason)
            self._questions.drop()
        if turned:
            self.hub.tell(Status(broker=connected, reason=reason, now=epoch_ms()))

    def command(self, sender: str, cmd: Cmd, reply: Reply) -> None:
        """A client's command; `reply` gets its stages. Raises `Refused`."""
        self._commands.submit(sender, cmd, reply)

    def ping(self) -> None:
        """For /readyz: raises `Unavailable` while there is no broker."""
        if not self.broker:
            raise Unavailable(f"The MQTT broker is not connected ({self.reason}). Check TWIN__MQTT_URL.")

    def _ask_all(self) -> None:
        """Nobody heard what lamps said while there was no connection."""
        for device in self.table.devices():
            if device.online:
                if questions := self._families.poll(device):
                    self._questions.ask(device.src, questions)
                else:
                    self._questions.expect(device.id)

    def _miss_the_unannounced(self) -> None:
        """What is announced is retained, and has come by now: a lamp of the run before that is not was taken away."""
        for device in self.table.unclaimed() if self.broker else ():
            if self._families.tells_all(device):
                self._remove(device.id)
            elif self._families.announced_first(device) and self.table.miss(device.id):
                self.changed(device.id)

    def _follow(self, reading: Reading, source: str, *, retained: bool) -> None:
        for error in reading.refusals:
            self._refuse(error)
        self._link.unsubscribe(reading.unsubscribe)
        self._link.subscribe(reading.subscribe)
        self._questions.ask(source, reading.ask)
        for seen in reading.sightings:
            try:
                self._take(seen, source, retained=retained)
            except BadPayload as error:
                self._refuse(error)

    def _take(self, seen: Sighting, source: str, *, retained: bool) -> None:
        device = self.table.get(seen.device_id)
        if device is not None and device.src != source:
            if seen.report is None or device not in self.table.unclaimed():
                raise BadPayload(seen.device_id, "id_taken")
            self._remove(seen.device_id)  # what is only remembered makes room for a lamp that is there
            device = None
        if seen.removed:
            self._remove(seen.device_id)
            return
        if seen.refused:
            self._commands.gone(seen.device_id, Stage.FAILED, f"The lamp refused: {seen.refused}")
            return
        if seen.report is None and seen.online is None and device is None:
            return  # the last word about a lamp that never was
        try:
            changed = self.table.take(seen, source, retained=retained, now=time.monotonic(), epoch_ms=epoch_ms())
        except TableFull as error:
            raise BadPayload(seen.device_id, "too_many_devices") from error
        if changed:
            self.changed(seen.device_id)
        self._settle(seen, retained=retained)

    def _remove(self, device_id: str) -> None:
        if self.table.remove(device_id):
            self._commands.gone(device_id, Stage.FAILED, "The lamp was taken out of the twin.")
            self.hub.removed(device_id)
            self._recorder.removed(device_id, epoch_ms())

    def changed(self, device_id: str) -> None:
        """Tell the clients, and have it written down."""
        self.hub.changed(device_id)
        self._recorder.changed(device_id, epoch_ms())

    def _settle(self, seen: Sighting, *, retained: bool) -> None:
        if seen.report is not None and seen.report.of_state:
            TWIN_STATES.inc()
            self._questions.answered(seen.device_id, retained=retained)
            if not retained:
                self._commands.reported(seen.device_id)
        elif seen.online is False:
            self._commands.gone(seen.device_id, Stage.OFFLINE, "The lamp went offline.")
        elif seen.report is None:
            self._ask_again(seen.device_id)

    def _ask_again(self, device_id: str) -> None:
        """A gateway may be back later than the broker: what was asked in between was lost."""
        device = self.table.get(device_id)
        if device is not None and (device.stale or self._questions.awaits(device_id)):
            self._questions.ask(device.src, self._families.poll(device))

    def _publish(self, device_id: str, change: Change) -> "asyncio.Future[None]":
        device = self.table.get(device_id)
        if device is None:
            raise Unavailable("The lamp was taken out of the twin.")
        confirmed = [self._publish_one(outgoing) for outgoing in self._families.write(device, change)]
        return confirmed[0] if len(confirmed) == 1 else asyncio.ensure_future(_all(confirmed))

    def _publish_one(self, outgoing: Outgoing) -> "asyncio.Future[None]":
        return self._link.publish(outgoing.topic, outgoing.payload)

    def _refuse(self, error: BadPayload) -> None:
        TWIN_BAD_PAYLOADS.labels(error.reason).inc()
        now = time.monotonic()
        key = (error.device_id, error.reason)
        if now - self._complaints.get(key, -COMPLAINT_SECONDS) >= COMPLAINT_SECONDS:
            if len(self._complaints) > 1000:
                self._complaints.clear()
            self._complaints[key] = now
            log.warning("bad_payload", device=error.device_id, reason=error.reason)

    async def _watch_for_silence(self) -> None:
        await asyncio.sleep(ANSWER_SECONDS)
        for device_id in self.table.settle():
            self.changed(device_id)
        while True:
            await asyncio.sleep(SILENCE_CHECK_SECONDS)
            for device_id in self._silence.check(time.monotonic()):
                self.changed(device_id)

    async def _watch_for_answers(self) -> None:
        while True:
            await asyncio.sleep(ANSWER_CHECK_SECONDS)
            for device_id in self._questions.overdue():
                device = self.table.get(device_id)
                if device and device.online and device.known and self.table.mark_stale(device_id):
                    self.changed(device_id)


async def _all(confirmed: "Iterable[asyncio.Future[None]]") -> None:
    await asyncio.gather(*confirmed)


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000
