"""Vectors made anew by one process while another one reads, replaces and deletes documents."""

import io
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from ingest_service.documents.arrivals import Arrival
from ingest_service.documents.versions import Work
from ingest_service.filling.copying import Copier, Proceed
from ingest_service.filling.filler import Filler
from ingest_service.jobs.running import run_next
from ingest_service.jobs.workers import Workers
from ingest_service.passages import chunking
from ingest_service.tables import SourceKind
from ingest_service.workshop import Workshop, keeper_of, open_ledger, open_workshop
from shared.db.engine import open_engine
from shared.embeddings.model import NO_MODEL
from shared.embeddings.protocol import Embedder
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from shared.settings import IngestSettings, Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.generation import Generation
from shared.vector_store.generational_store import GenerationalStore
from tests.acceptance.product import wait_until
from tests.postgres import Databases

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Interrupted(Copier):
    """Once it has copied so many documents, something else happens before anybody looks again."""

    then: Callable[[], None] = lambda: None
    after: int = 0

    def copy(self, work: Work, following: Generation, embedder: Embedder | None, proceed: Proceed) -> int | None:
        count = super().copy(work, following, embedder, proceed)
        if following.store.count(ORG) == self.after:
            self.then()
        return count


class Elsewhere:
    """Does the work of a worker process, over a store that it opened for itself."""

    def __init__(self, stack: ExitStack, settings: Settings) -> None:
        engine = open_engine(settings)
        stack.callback(engine.dispose)
        self.ledger = open_ledger(settings, engine)
        self.store = opened(stack, settings)
        hands = Workers(self.ledger, keeper_of(settings, self.ledger), count=0, lease_s=60)
        self.shop: Workshop = open_workshop(
            settings, store=self.store, model=NO_MODEL, ledger=self.ledger, dispatcher=hands
        )
        stack.callback(self.shop.sandbox.close)
        self.shop.blobs.prepare()

    def add(self, name: str, text: str) -> UUID:
        admission = self.shop.intake.admit(Arrival(ORG, SourceKind.UPLOAD, name, name), io.BytesIO(text.encode()))
        self.work()
        return admission.document_id

    def work(self) -> None:
        while run_next(self.ledger, self.shop.runner.run):
            pass


class Publishing:
    """Between publishing a document and telling the ledger of it, as long as one likes."""

    def __init__(self, store: GenerationalStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        publish = store.publish

        def slowly(organization_id: UUID, document_id: UUID, version: int) -> None:
            publish(organization_id, document_id, version)
            self.begun.set()
            assert self.go_on.wait(PATIENCE_S)

        monkeypatch.setattr(store, "publish", slowly)


def opened(stack: ExitStack, settings: Settings) -> GenerationalStore:
    store = open_store(settings, None, chunker=chunking.FINGERPRINT)
    stack.callback(store.close)
    return store


def installed(stack: ExitStack, folder: Path, postgres: Databases) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=folder / "data",
        database_url=stack.enter_context(postgres.migrated()),
        store={"kind": "pgvector"},
        ingest=IngestSettings(watch="off"),
    )


def begin_filling(
    stack: ExitStack, copier: Copier, folder: Path, leads: Callable[[], bool] = lambda: True, *, ask: bool = True
) -> Filler:
    filler = Filler(copier, NO_MODEL, busy=lambda: False, request=folder / "reindex", leads=leads)
    if ask:
        filler.ask()
    filler.start()
    stack.callback(filler.stop)
    return filler


def texts(store: GenerationalStore, document_id: UUID) -> list[str]:
    return [chunk.text for chunk in store.chunks(ORG, document_id)]


def test_what_another_process_replaces_and_deletes_meanwhile_is_so_in_the_new_vectors(
    tmp_path: Path, postgres: Databases
):
    with ExitStack() as stack:
        settings = installed(stack, tmp_path, postgres)
        there = Elsewhere(stack, settings)
        replaced, deleted, kept = (there.add(f"{word}.txt", f"Fala do {word}.") for word in ("sol", "mar", "rio"))

        def meanwhile() -> None:
            there.shop.intake.replace(ORG, replaced, "sol.txt", io.BytesIO(b"Agora fala da lua."))
            there.shop.remover.delete(ORG, deleted)
            there.work()

        here, shop = opened(stack, settings), there.shop
        before = here.number
        copier = Interrupted(here, shop.versions, shop.blobs, shop.reader, shop.lexicon, then=meanwhile, after=3)
        begin_filling(stack, copier, tmp_path)
        wait_until(lambda: here.number != before, PATIENCE_S, "the new vectors to become the current ones")
        assert texts(here, replaced) == ["Agora fala da lua."]
        assert here.count(ORG, deleted, published=None) == 0
        assert texts(here, kept) == ["Fala do rio."]

        # Whoever has not looked since the swap writes into the new vectors all the same.
        later = there.add("fim.txt", "Fala do fim.")
        assert texts(here, later) == ["Fala do fim."]


def test_what_another_process_publishes_just_then_is_not_lost_with_the_old_vectors(
    tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
):
    with ExitStack() as stack:
        settings = installed(stack, tmp_path, postgres)
        there = Elsewhere(stack, settings)
        there.add("rio.txt", "Fala do rio.")
        publishing = Publishing(there.store, monkeypatch)
        added: list[UUID] = []
        worker = threading.Thread(target=lambda: added.append(there.add("sol.txt", "Fala do sol.")))
        worker.start()
        assert publishing.begun.wait(PATIENCE_S)

        here, shop = opened(stack, settings), there.shop
        before = here.number
        copier = Copier(here, shop.versions, shop.blobs, shop.reader, shop.lexicon)
        begin_filling(stack, copier, tmp_path)
        wait_until(lambda: here.filling and here.filling.stage == "swapping", PATIENCE_S, "all to be copied")
        worker.join(1.0)  # time enough for a swap under its hands
        assert here.number == before
        publishing.go_on.set()
        worker.join(PATIENCE_S)
        wait_until(lambda: here.number != before, PATIENCE_S, "the new vectors to become the current ones")
        assert texts(here, added[0]) == ["Fala do sol."]


@pytest.mark.parametrize("notices", [True, False])
def test_a_process_that_takes_the_filling_over_loses_nothing_to_the_one_that_led_before(
    tmp_path: Path, postgres: Databases, notices: bool
):
    """`notices`: whether whoever led knows at once that it does no longer."""
    with ExitStack() as stack:
        settings = installed(stack, tmp_path, postgres)
        worker = Elsewhere(stack, settings)
        documents = {worker.add(f"{word}.txt", f"Fala do {word}."): word for word in ("sol", "mar", "rio")}
        before, after = opened(stack, settings), opened(stack, settings)
        first, shop, leads = before.number, worker.shop, {"before": True, "after": False}

        def lead_moves() -> None:
            if leads["after"]:
                return
            leads.update(before=not notices, after=True)
            wait_until(lambda: after.number != first, PATIENCE_S, "its successor to swap")
            leads.update(after=False)

        def everything_is_found() -> bool:
            return all(
                texts(store, document) == [f"Fala do {word}."]
                for store in (before, after, worker.store)
                for document, word in documents.items()
            )

        parts = shop.versions, shop.blobs, shop.reader, shop.lexicon
        successor = Copier(after, *parts)
        begin_filling(stack, successor, tmp_path, lambda: leads["after"], ask=False)
        losing = Interrupted(before, *parts, then=lead_moves, after=2)
        filler = begin_filling(stack, losing, tmp_path, lambda: leads["before"])
        wait_until(lambda: after.number != first, PATIENCE_S, "its successor to swap")
        wait_until(lambda: before.next is None, PATIENCE_S, "it to leave the filling to its successor")
        assert everything_is_found()

        leads.update(before=True)
        swapped = before.number
        leads["after"] = True  # `then` has nothing more to do
        filler.ask()
        wait_until(lambda: before.number != swapped, PATIENCE_S, "it to make the vectors anew when it leads again")
        assert everything_is_found()
