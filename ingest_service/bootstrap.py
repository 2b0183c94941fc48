"""Where the parts of the ingest service are put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import Engine

from ingest_service.api.admission import Admissions
from ingest_service.api.documents import Parts, document_routes
from ingest_service.api.generations import generation_routes
from ingest_service.api.jobs import job_routes
from ingest_service.api.manifest import manifest_routes
from ingest_service.api.pages import page_routes
from ingest_service.api.web import web_routes
from ingest_service.census import Census
from ingest_service.documents.blobs import Blobs
from ingest_service.documents.catalogue import Catalogue
from ingest_service.documents.changes import Changes
from ingest_service.documents.idempotency import IdempotencyKeys
from ingest_service.documents.manifest import Manifests
from ingest_service.documents.refusals import Refusals
from ingest_service.filling.copying import Copier
from ingest_service.filling.filler import Filler
from ingest_service.jobs.dispatcher import Dispatcher
from ingest_service.jobs.ledger import Ledger
from ingest_service.jobs.recovery import drop_orphaned_bytes, finish_deletions, queue_what_the_store_lost
from ingest_service.jobs.turns import anything_to_do
from ingest_service.jobs.workers import Workers
from ingest_service.reading.page_images import PageImages
from ingest_service.watched_folder.folder import WatchedFolder
from ingest_service.web.fetch import Fetcher
from ingest_service.web.guard import AddressGuard
from ingest_service.web.pages import WebPages
from ingest_service.web.refresh import Refreshes
from ingest_service.workshop import keeper_of, open_bell, open_ledger, open_queue, open_workshop
from shared.auth.guard import Guard
from shared.db.leadership import Leader, Leadership
from shared.dense import Dense
from shared.embeddings.model import NO_MODEL, EmbeddingModel
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.redis_choice import redis_link
from shared.settings import Settings
from shared.vector_store.bootstrap import reindex_request
from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.protocol import VectorStore
from shared.web.app import create_service_app
from shared.web.origins import Origins
from shared.web.rate_limit import RateLimit, RateLimitHeaders

log = get_logger(__name__)

MIB = 1024 * 1024


def build_app(
    settings: Settings, *, engine: Engine, store: GenerationalStore, model: EmbeddingModel = NO_MODEL
) -> FastAPI:
    """The ingest service over a migrated database and an open store, both of which stay the caller's.

    Of several replicas one leads: it alone takes up what was cut short, watches the folder and makes new generations of
    vectors.

    Nothing runs before the lifespan. It starts: leftovers first (half-received bytes, jobs of the dead, deletions cut
    short), so that new work never meets them; then the workers; then the folder, which makes work for them. It stops
    in the opposite order: the folder first, so that nothing new comes in; then the workers, which give back what they
    hold; then the reading processes, which only then have nobody who waits for them.
    """
    ingest = settings.ingest
    ledger, redis = open_ledger(settings, engine), redis_link(settings, part="ingest")
    dispatcher = _dispatcher(settings, ledger, store)
    shop = open_workshop(settings, store=store, model=model, ledger=ledger, dispatcher=dispatcher)
    intake, blobs, reader = shop.intake, shop.blobs, shop.reader
    refusals = Refusals(engine)
    fetcher = Fetcher(AddressGuard(ingest.url_allowed_hosts), max_mb=ingest.max_file_mb, timeout_s=ingest.url_timeout_s)
    pages = WebPages(engine, intake, fetcher, shop.sandbox)
    refreshes = Refreshes(engine, pages)
    leader = Leader(
        Leadership(engine, "ingest"),
        lambda: _recover(engine, store, blobs),
    )
    filler = Filler(
        Copier(store, shop.versions, blobs, reader, shop.lexicon),
        model,
        busy=lambda: ingest.workers > 0 and anything_to_do(engine),
        request=reindex_request(settings),
        leads=lambda: leader.leads,
    )
    folder = WatchedFolder(ingest, engine, intake, shop.remover, leads=lambda: leader.leads)
    catalogue, changes = Catalogue(engine), Changes(engine, blobs, dispatcher.wake)
    census = Census(engine, catalogue, folder, Dense(model, store), ocr=shop.languages.state, jobs=dispatcher.facts)

    def start() -> None:
        blobs.prepare()
        shop.sandbox.warm_up()
        leader.start()
        if orphans := drop_orphaned_bytes(engine, blobs.kept(), intake.forget_bytes):
            log.warning("orphaned_bytes_dropped", count=orphans)
        reader.forget_all_but(blobs.kept())
        dispatcher.start(shop.runner.run)
        folder.start()
        filler.start()

    def stop() -> None:
        filler.stop()
        folder.stop()
        dispatcher.stop()
        leader.stop()
        shop.sandbox.close()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(start)
        try:
            yield
        finally:
            await refreshes.stop()
            await asyncio.to_thread(stop)
            if redis is not None:
                await redis.close()

    required = settings.auth_required(ingest)
    guard = Guard(engine, required=required)
    limit = RateLimit(ingest.rate_limit, service="ingest", keys_required=required, link=redis)
    app = create_service_app(
        "ingest",
        description="Documents in: upload, follow, replace and delete documents; the watched folder feeds it too.",
        pings={"database": census.take, "store": store.ping},
        facts=lambda: {**census.facts(), "leads": leader.leads},
        lifespan=lifespan,
        origins=Origins(
            ingest.allowed_origins,
            keys_required=required,
            own=(ingest.url, ingest.host),
        ),
        max_body_bytes=(ingest.max_file_mb + 1) * MIB,
        body_advice=(
            f"The request is larger than the limit of {ingest.max_file_mb} MiB (INGEST__MAX_FILE_MB). "
            "Send files one by one, split the document, or raise the limit."
        ),
    )
    app.add_middleware(RateLimitHeaders)
    admissions = Admissions(intake, refusals, pages, IdempotencyKeys(engine, ledger.owner))
    for router in (
        document_routes(Parts(guard, intake, shop.remover, changes, catalogue, blobs, store, admissions, limit.admit)),
        manifest_routes(guard, Manifests(engine, refusals, max_file_mb=ingest.max_file_mb)),
        page_routes(guard, PageImages(catalogue, blobs, store, reader)),
        web_routes(guard, refreshes),
        job_routes(guard, catalogue, changes, folder),
        generation_routes(guard, filler),
    ):
        app.include_router(router)
    return app


def _dispatcher(settings: Settings, ledger: Ledger, store: GenerationalStore) -> Dispatcher:
    ingest = settings.ingest
    if settings.jobs.kind == "celery":
        return open_bell(open_queue(settings), ledger.engine, store)
    return Workers(ledger, keeper_of(settings, ledger), count=ingest.workers, lease_s=ingest.lease_s)


def _recover(engine: Engine, store: VectorStore, blobs: Blobs) -> None:
    if unfinished := finish_deletions(engine):
        log.warning("deletions_taken_up", count=unfinished)
    try:
        if lost := queue_what_the_store_lost(engine, store, blobs):
            log.warning("documents_missing_from_store", count=lost)
    except Unavailable as error:
        # The service starts without its store and says so in /readyz; the next start compares again.
        log.warning("store_not_compared", reason=error.detail)
