"""What works on documents, put together: the same for the service and for a worker process of its own."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from ingest_service.documents.blobs import Blobs
from ingest_service.documents.deletion import Remover
from ingest_service.documents.intake import Intake
from ingest_service.documents.versions import Versions
from ingest_service.jobs.bell import Bell, JobQueue
from ingest_service.jobs.dispatcher import Dispatcher
from ingest_service.jobs.keeping import Keeper
from ingest_service.jobs.ledger import Ledger
from ingest_service.jobs.outcomes import Runner
from ingest_service.jobs.owner import Owner
from ingest_service.parsing.blocks import ParsingLimits
from ingest_service.parsing.ocr.tessdata import LanguageData, find_language_data
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.pipeline import Pipeline
from ingest_service.reading.reader import Reader
from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.model import EmbeddingModel
from shared.errors import Unavailable
from shared.settings import Settings
from shared.vector_store.generational_store import GenerationalStore

if TYPE_CHECKING:
    from ingest_service.jobs.celery_queue import CeleryQueue

MOST_READERS = 8
"""Beyond one for each worker: each takes 100 MB before it reads anything."""


@dataclass(frozen=True)
class Workshop:
    """Nothing runs yet. Whoever opened it closes `sandbox` last, when nobody waits for a document any more."""

    sandbox: Sandbox
    languages: LanguageData
    reader: Reader
    blobs: Blobs
    versions: Versions
    lexicon: LexicalEncoder
    intake: Intake
    remover: Remover
    runner: Runner


def open_ledger(settings: Settings, engine: Engine) -> Ledger:
    """The ledger as this process writes it."""
    return Ledger(engine, lease_s=settings.ingest.lease_s, owner=Owner.this_process())


def keeper_of(settings: Settings, ledger: Ledger) -> Keeper:
    return Keeper(ledger, keep_jobs=timedelta(days=settings.ingest.keep_jobs_days))


def open_queue(settings: Settings) -> "CeleryQueue":
    """What tells worker processes of work. Raises `Unavailable` where the settings name none."""
    if settings.jobs.kind != "celery":
        raise Unavailable("JOBS__KIND is in_process: the ingest service does the work itself. Set it to celery.")
    if not settings.redis.url.get_secret_value():
        raise Unavailable("JOBS__KIND is celery, but REDIS__URL does not name a Redis server.")
    from ingest_service.jobs.celery_queue import CeleryQueue  # 0.3 s, only where it is used

    return CeleryQueue(settings.redis.url, lease_s=settings.ingest.lease_s)


def open_bell(queue: JobQueue, engine: Engine, store: GenerationalStore) -> Bell:
    """Raises `Unavailable` where worker processes have no store that they could share."""
    if not store.shared:
        raise Unavailable(
            "JOBS__KIND is celery, but the vectors are embedded (Qdrant Edge), which one process has for itself: set "
            "STORE__QDRANT_URL to a Qdrant server or STORE__KIND to pgvector, or leave JOBS__KIND at in_process."
        )
    return Bell(queue, engine)


def open_workshop(
    settings: Settings, *, store: GenerationalStore, model: EmbeddingModel, ledger: Ledger, dispatcher: Dispatcher
) -> Workshop:
    """Over the ledger's database and an open store, both of which stay the caller's."""
    ingest, data, engine = settings.ingest, settings.data_dir.absolute(), ledger.engine
    limits = ParsingLimits(
        max_pages=ingest.max_pages,
        timeout_s=ingest.parse_timeout_s,
        memory_mb=ingest.parse_memory_mb,
        max_unpacked_mb=ingest.max_unpacked_mb,
    )
    # More readers than workers: the pages of a scanned document are recognised side by side.
    sandbox = Sandbox(limits, readers=max(ingest.workers, min(os.cpu_count() or 1, MOST_READERS)))
    languages = find_language_data(ingest.tessdata_dir)
    reader = Reader(sandbox, data / "recognised", languages)
    blobs = Blobs(data / "originals", max_mb=ingest.max_file_mb, dropping=reader.forget)
    intake = Intake(engine, blobs, ledger, sandbox, max_queued=ingest.max_queued, wake=dispatcher.wake)
    remover = Remover(engine, store, intake, dispatcher.wake)
    versions, lexicon = Versions(engine), LexicalEncoder()
    pipeline = Pipeline(
        ledger=ledger,
        versions=versions,
        blobs=blobs,
        reader=reader,
        store=store,
        lexicon=lexicon,
        model=model,
        forget_bytes=intake.forget_bytes,
        stopping=dispatcher.stopping,
    )
    runner = Runner(ledger, versions, pipeline, remover, max_attempts=ingest.max_attempts)
    return Workshop(sandbox, languages, reader, blobs, versions, lexicon, intake, remover, runner)
