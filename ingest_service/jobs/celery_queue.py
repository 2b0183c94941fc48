"""The `JobQueue` on Redis by Celery: sending, taking, and the beat.

A message holds no job: one that is lost, doubled or redelivered changes nothing in the ledger
(docs/decisions/0011-celery.md).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from celery import Celery, signals
from celery.beat import ScheduleEntry, Scheduler
from kombu.exceptions import OperationalError
from pydantic import SecretStr

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.redis_link import what_is_wrong

log = get_logger(__name__)

WORK = "xgtwin.ingest.work"
"""Claim the job whose turn it is, and run it."""
TEND = "xgtwin.ingest.tend"
"""Take jobs over from the dead, clear old ones away, and ring for what waits."""
TEND_EVERY_S = 5.0
CONNECT_S = 3.0
LEASES_UNTIL_REDELIVERY = 60
"""A worker that works longer than this on one job has its message doubled, which is harmless; that of a dead one comes
back as late, and is not waited for."""


class CeleryQueue:
    """Opens nothing until it is used."""

    def __init__(self, url: SecretStr, *, lease_s: float) -> None:
        self._app = Celery("xgtwin", broker=url.get_secret_value(), set_as_current=False)
        self._app.conf.update(
            broker_connection_max_retries=None,
            broker_connection_retry_on_startup=True,
            broker_connection_timeout=CONNECT_S,
            broker_transport_options={
                "socket_connect_timeout": CONNECT_S,
                "socket_timeout": 2 * CONNECT_S,
                "socket_keepalive": True,
                "visibility_timeout": LEASES_UNTIL_REDELIVERY * lease_s,
            },
            task_acks_late=True,
            task_ignore_result=True,
            task_reject_on_worker_lost=True,
            worker_cancel_long_running_tasks_on_connection_loss=False,
            # Its subscription notices that Redis went away. Without it a worker whose acknowledgement was lost waits
            # for room to take another message, for ever.
            worker_enable_remote_control=True,
            worker_prefetch_multiplier=1,
            beat_schedule={"tend": {"task": TEND, "schedule": TEND_EVERY_S, "options": {"queue": TEND}}},
        )

    def ring(self, wanted: int) -> None:
        connection = self._app.connection_for_write()
        try:
            with connection:
                connection.ensure_connection(max_retries=1, timeout=CONNECT_S)
                missing = wanted - _waiting(connection, WORK)
                producer = self._app.amqp.Producer(connection)
                for _ in range(missing):
                    self._app.send_task(WORK, queue=WORK, producer=producer, retry=False)
        except _away(connection) as error:
            raise Unavailable(
                f"Redis, which tells the workers of new documents (REDIS__URL), {what_is_wrong(error)}. What was "
                "accepted is kept and is worked on when it does."
            ) from error

    def serve(
        self,
        *,
        work: Callable[[], None],
        tend: Callable[[], None],
        threads: int,
        stopping: Callable[[], None],
    ) -> None:
        """Take messages in this process until SIGTERM or SIGINT, in so many threads. What `work` and `tend` raise is
        logged; `stopping` is called by the handler of the signal, before jobs in hand are waited for."""
        self._app.task(work, name=WORK)
        self._app.task(tend, name=TEND)
        signals.setup_logging.connect(_logs_as_it_is, weak=False)
        signals.worker_shutting_down.connect(lambda **_: stopping(), weak=False)
        worker = self._app.Worker(
            # Threads: one model and one store for all, and no child that a fork would leave with broken ones.
            pool="threads",
            concurrency=threads,
            queues=[WORK, TEND],
            without_gossip=True,
            without_heartbeat=True,
            without_mingle=True,
            quiet=True,
        )
        worker.start()

    def beat(self, reached: Callable[[], object]) -> None:
        """Have a worker look after the ledger every few seconds, until SIGTERM or SIGINT; `reached` is called each time
        that Redis answered."""
        signals.setup_logging.connect(_logs_as_it_is, weak=False)
        self._app.Beat(scheduler_cls=partial(SparingScheduler, reached=reached), quiet=True).run()


class SparingScheduler(Scheduler):  # type: ignore[misc]  # Celery comes without types
    """Sends nothing while what it sent before still waits: without workers the queue would grow for ever. Keeps its
    schedule in memory: there is nothing in it to remember."""

    def __init__(self, *given: Any, reached: Callable[[], object], **named: Any) -> None:
        self._reached = reached
        super().__init__(*given, **named)

    def apply_async(self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **options: Any) -> Any:
        try:
            sent = None
            if not _waiting(self.connection, TEND):
                sent = super().apply_async(entry, producer=producer, advance=advance, retry=False, **options)
            self._reached()
            return sent
        except _away(self.connection) as error:
            log.warning("beat_not_sent", reason=str(error))
            return None


def _waiting(connection: Any, queue: str) -> int:
    count: int = connection.default_channel.queue_declare(queue).message_count
    return count


def _away(connection: Any) -> tuple[type[Exception], ...]:
    return (OperationalError, *connection.connection_errors, *connection.channel_errors)


def _logs_as_it_is(**_: object) -> None:
    """Celery configures no logging where somebody listens to this signal: ours is in place."""
