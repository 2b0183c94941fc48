"""A worker process: `python -m ingest_service.worker`. Any number share one database, one store and the data folder."""

import sys

from prometheus_client import start_http_server

from ingest_service.jobs.keeping import Heartbeat
from ingest_service.passages import chunking
from ingest_service.workshop import keeper_of, open_bell, open_ledger, open_queue, open_workshop
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.part_settings import JobsSettings
from shared.parts import open_parts
from shared.settings import Settings
from shared.standalone import run_alone

log = get_logger(__name__)


def main(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then give back what is in hand and end.

    Every job is claimed from the ledger, so that organizations take turns over all workers together.
    """
    with open_parts(settings, chunker=chunking.FINGERPRINT) as parts:
        ledger = open_ledger(settings, parts.engine)
        queue = open_queue(settings)
        bell, keeper = open_bell(queue, parts.engine, parts.store), keeper_of(settings, ledger)
        shop = open_workshop(settings, store=parts.store, model=parts.model, ledger=ledger, dispatcher=bell)
        heartbeat = Heartbeat(settings.ingest.lease_s, ledger.renew)

        def work() -> None:
            bell.answer(ledger, shop.runner.run)

        def tend() -> None:
            keeper.tend()
            bell.wake()

        _show_metrics(settings.jobs)
        shop.sandbox.warm_up()
        bell.start(shop.runner.run)
        heartbeat.start()
        try:
            open_queue(settings).serve(
                work=work, tend=tend, threads=max(settings.ingest.workers, 1), stopping=bell.give_back
            )
        finally:
            bell.stop()
            heartbeat.stop()
            shop.sandbox.close()


def _show_metrics(jobs: JobsSettings) -> None:
    if not jobs.metrics_port:
        return
    try:
        start_http_server(jobs.metrics_port, jobs.metrics_host)
    except OSError as error:
        raise Unavailable(
            f"The metrics of the worker cannot be shown on {jobs.metrics_host}:{jobs.metrics_port} ({error.strerror}). "
            "Choose another port with JOBS__METRICS_PORT, or 0 for none."
        ) from error


if __name__ == "__main__":
    sys.exit(run_alone("ingest_service.worker", main))
