"""Keeps the vectors as the settings ask for them: one thread that fills the next generation, swaps it in, and gives
chunks their dense vectors that came without.

Its states, and why nothing is lost whenever it is killed: docs/decisions/0009-generations-and-models.md.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from ingest_service.documents.versions import Work
from ingest_service.filling.copying import Copier
from ingest_service.passages import chunking
from shared.embeddings.model import EmbeddingModel
from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import FILL_DOCUMENTS, FILL_TROUBLE
from shared.vector_store.bootstrap import wanted_fingerprint
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generation import Filling, Generation, NoRoom

log = get_logger(__name__)

LOOK_AGAIN_S = 1.0
REPAIR_EVERY_S = 30.0
"""Looking for chunks without a dense vector goes through all of them."""
LONGEST_PAUSE_S = 300.0
YIELD_S = 10.0
"""At most so long it waits for jobs before each batch: a queue that never empties must not stop it for good."""
STOP_S = 4.0


Copied = dict[UUID, tuple[Work, int]]
"""Documents that the next generation holds: as they were when they were copied, and how many chunks they have there."""


class FillerStopping(Exception):
    """The service shuts down, something else is wanted now, or another process leads; what is done stays done."""


class Filler:
    """`busy` says whether jobs wait or run. `request` is a file whose presence asks for a fresh generation. Nothing is
    done while another process `leads`."""

    def __init__(
        self,
        copier: Copier,
        model: EmbeddingModel,
        busy: Callable[[], bool],
        request: Path,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self.copier = copier
        self.model = model
        self.busy = busy
        self.request = request
        self.leads = leads
        self.store = copier.store
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="filler", daemon=True)
        self._looked_for: Fingerprint | None = None
        self._repair_at = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(STOP_S)

    def ask(self) -> None:
        """Have a fresh generation filled, whatever the current one was made with. A restart does not forget it."""
        self.request.parent.mkdir(parents=True, exist_ok=True)
        self.request.touch()

    def proceed(self) -> None:
        """Give way to jobs; raises `FillerStopping`."""
        until = time.monotonic() + YIELD_S
        while self.busy() and time.monotonic() < until and not self._stop.is_set():
            self._stop.wait(0.1)
        if self._stop.is_set() or not self.leads():
            raise FillerStopping

    def wanted(self) -> Fingerprint | None:
        """What the vectors shall be made with; None while that waits for the model."""
        embedder, current = self.model.current(), self.store.made_with
        if embedder is None and self.model.name is not None and current.model is not None:
            return None
        return wanted_fingerprint(self.copier.lexicon, embedder, chunking.FINGERPRINT)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            try:
                self._turn()
                pause = LOOK_AGAIN_S
            except FillerStopping:
                pause = LOOK_AGAIN_S
            except Unavailable as error:
                if isinstance(error, NoRoom):
                    self.store.filling = Filling(0, 0, "waiting: no room on the disk")
                elif self.store.shared:  # perhaps another process led meanwhile, and swapped or dropped what is filled
                    self._let_go()
                pause = self._after_trouble(pause)
                log.warning("filling_interrupted", reason=error.detail, again_in_s=pause)
            except Exception:
                pause = self._after_trouble(pause)
                log.exception("filling_failed", again_in_s=pause)

    def _let_go(self) -> None:
        """Whoever leads next takes up what is filled, be it this process."""
        self.store.forget()
        self._looked_for = None
        FILL_DOCUMENTS.clear()

    def _after_trouble(self, pause: float) -> float:
        FILL_TROUBLE.inc()
        return min(max(2 * pause, LOOK_AGAIN_S), LONGEST_PAUSE_S)

    def _turn(self) -> None:
        if not self.leads():
            self._let_go()
            return
        if (wanted := self.wanted()) is None:
            return
        if self._looked_for != wanted:
            if self.store.next is not None and self.store.next.fingerprint != wanted:
                self.store.abandon()
            if self.store.unfinished(wanted):
                log.info("filling_taken_up", number=self.store.next and self.store.next.number)
            self._looked_for = wanted
        if self.request.exists() or (self.store.next is None and self.store.fingerprint != wanted):
            self.store.begin(wanted)
            self.copier.refused.clear()
            self.request.unlink(missing_ok=True)
            log.info("filling_begun", model=wanted.model, instead_of=self.store.fingerprint.model)
        following, embedder = self.store.next, self.model.current()
        if following is not None:
            self._fill(following, embedder)
            return
        self.store.filling = None  # what waited for room is not wanted any more
        if embedder is not None and time.monotonic() >= self._repair_at:
            while self.copier.repair(self.store, embedder, self.proceed):
                pass
            self._repair_at = time.monotonic() + REPAIR_EVERY_S

    def _fill(self, following: Generation, embedder: Embedder | None) -> None:
        self.store.touched()
        self._drop_the_deleted(following)
        copied: Copied = {}
        documents = self.copier.versions.published()
        while documents or not self._swapped(following, embedder, copied):
            self._copy(documents, following, embedder, copied)
            documents = self._changed_meanwhile(following, copied)
        log.info("generation_swapped", number=following.number, model=following.fingerprint.model)

    def _copy(self, documents: list[Work], following: Generation, embedder: Embedder | None, copied: Copied) -> None:
        for done, work in enumerate(documents):
            self._show(done, len(documents), "embedding" if embedder else "copying")
            if self.request.exists() or self.wanted() != following.fingerprint:
                raise FillerStopping
            self.proceed()
            self.store.require_room()
            copied.pop(work.document_id, None)
            count = self.copier.copy(work, following, embedder, self.proceed)
            if count is not None:
                copied[work.document_id] = work, count
        self._show(len(documents), len(documents), "swapping")
        while embedder is not None and self.copier.repair(following.store, embedder, self.proceed):
            pass

    def _changed_meanwhile(self, following: Generation, copied: Copied) -> list[Work]:
        """Documents to look at again; what was deleted goes from the next generation, which may have missed that."""
        touched = self.store.touched()
        for organization_id, document_id in touched.intersection(self.copier.versions.gone()):
            following.store.delete(organization_id, document_id)
        again = {document_id for _, document_id in touched}
        documents = [work for each in again if (work := self.copier.versions.published_of(each))]
        return documents + [work for work in self._unsettled(copied) if work.document_id not in again]

    def _unsettled(self, copied: Copied) -> list[Work]:
        """Published documents that came or changed since they were copied, by the hands of whatever process."""
        return [
            work
            for work in self.copier.versions.published()
            if work.document_id not in copied or copied[work.document_id][0] != work
        ]

    def _swapped(self, following: Generation, embedder: Embedder | None, copied: Copied) -> bool:
        """Make the next generation the current one, unless something was written since it was complete.

        While nothing is published, arrives or is deleted, so that nothing comes between the look and the swap.
        """
        blobs = self.copier.blobs
        with blobs.publishing.all(), blobs.changing:
            self.store.require_next(following)
            if not self.leads():
                raise FillerStopping
            if self.store.has_touched or self._unsettled(copied) or (embedder and self.copier.lacking(following.store)):
                return False
            kept = {work.document_id for work in self.copier.versions.published()}
            for document_id in copied.keys() - kept:  # deleted by another process since
                work, _ = copied.pop(document_id)
                following.store.delete(work.organization_id, document_id)
            self.copier.versions.recount({document_id: count for document_id, (_, count) in copied.items()})
            self.store.swap()
        self.store.filling = None
        FILL_DOCUMENTS.clear()
        return True

    def _drop_the_deleted(self, following: Generation) -> None:
        """Deletions that came while nobody held the next generation open."""
        for organization_id, document_id in self.copier.versions.gone():
            if following.store.count(organization_id, document_id, published=None):
                following.store.delete(organization_id, document_id)

    def _show(self, done: int, total: int, stage: str) -> None:
        self.store.filling = Filling(done, total, stage)
        FILL_DOCUMENTS.labels("done").set(done)
        FILL_DOCUMENTS.labels("total").set(total)
