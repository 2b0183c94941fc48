"""The story of the bridge, both ways.

MQTT in:  message -> its lamp family reads it -> device table -> open commands that it fulfils -> every client
Command:  client -> checks -> its lamp family writes it -> MQTT -> PUBACK -> the lamp reports -> `applied`
"""

import asyncio
import time
from collections.abc import Sequence

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_BAD_PAYLOADS, TWIN_STATES
from twin_bridge.client_messages import Cmd
from twin_bridge.commands import Commands, Reply
from twin_bridge.hub import Hub
from twin_bridge.lamps.protocol import BadPayload, Change, LampFamily, Sighting
from twin_bridge.mqtt import Incoming, MqttLink
from twin_bridge.protocol import Stage, Status
from twin_bridge.state import DeviceTable, TableFull

log = get_logger(__name__)

STALE_SECONDS = 900.0
"""A lamp without an availability topic that is silent for so long is shown as stale."""
STALE_CHECK_SECONDS = 15.0
COMPLAINT_SECONDS = 60.0
"""A lamp that sends rubbish is logged once in so long; every payload is counted."""


class Relay:
    """One broker, its lamps, all clients. Everything runs on the event loop that `start` was called on."""

    def __init__(self, table: DeviceTable, hub: Hub, family: LampFamily, link: MqttLink) -> None:
        self.table = table
        self.hub = hub
        self.broker = False
        self.reason = "not connected yet"
        self._family = family
        self._link = link
        self._commands = Commands(table, self._publish, hub.changed)
        self._complaints: dict[tuple[str, str], float] = {}
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._link.start(self)
        self._watch = asyncio.create_task(self._watch_for_silence())

    async def stop(self) -> None:
        if self._watch:
            self._watch.cancel()
        self._commands.close()
        await self._link.stop()

    def on_messages(self, batch: Sequence[Incoming]) -> None:
        """MQTT in. One bad message never costs the others of its batch."""
        for message in batch:
            try:
                self._take(message)
            except BadPayload as error:
                self._refuse(error)

    def on_broker(self, connected: bool, reason: str) -> None:
        """The connection to the broker came or went; clients hear of it at once."""
        if (connected, reason) == (self.broker, self.reason):
            return
        turned = connected != self.broker
        self.broker, self.reason = connected, reason
        if connected:
            log.info("broker_connected")
        else:
            log.warning("broker_away", reason=reason)
        if turned:
            self.hub.tell(Status(broker=connected, reason=reason, now=epoch_ms()))

    def command(self, sender: str, cmd: Cmd, reply: Reply) -> None:
        """A client's command; `reply` gets its stages. Raises `Refused`."""
        self._commands.submit(sender, cmd, reply)

    def ping(self) -> None:
        """For /readyz: raises `Unavailable` while there is no broker."""
        if not self.broker:
            raise Unavailable(f"The MQTT broker is not connected ({self.reason}). Check TWIN__MQTT_URL.")

    def _take(self, message: Incoming) -> None:
        seen = self._family.read(message.topic, message.payload)
        if seen.removed:
            if self.table.remove(seen.device_id):
                self._commands.gone(seen.device_id, Stage.FAILED, "The lamp was taken out of the twin.")
                self.hub.removed(seen.device_id)
            return
        if seen.report is None and seen.online is None and seen.device_id not in self.table:
            return  # the last word about a lamp that never was
        try:
            changed = self.table.take(
                seen, self._family.source, retained=message.retained, now=time.monotonic(), epoch_ms=epoch_ms()
            )
        except TableFull as error:
            raise BadPayload(seen.device_id, "too_many_devices") from error
        if changed:
            self.hub.changed(seen.device_id)
        self._settle(seen, retained=message.retained)

    def _settle(self, seen: Sighting, *, retained: bool) -> None:
        if seen.report is not None:
            TWIN_STATES.inc()
            if not retained:
                self._commands.reported(seen.device_id)
        elif seen.online is False:
            self._commands.gone(seen.device_id, Stage.OFFLINE, "The lamp went offline.")

    def _publish(self, device_id: str, change: Change) -> "asyncio.Future[None]":
        outgoing = self._family.write(device_id, change)
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
        while True:
            await asyncio.sleep(STALE_CHECK_SECONDS)
            for device_id in self.table.quiet_since(time.monotonic() - STALE_SECONDS):
                self.table.mark_stale(device_id)
                self.hub.changed(device_id)


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000
