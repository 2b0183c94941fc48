"""What `/readyz` tells of ingestion: counted in the check's thread, shown from memory."""

from collections.abc import Callable, Mapping

from sqlalchemy import Engine

from ingest_service.documents.catalogue import Catalogue
from ingest_service.watched_folder.folder import WatchedFolder
from shared.db import engine as database
from shared.dense import Dense


class Census:
    """`take` is one of the checks of `/readyz`; `facts` is what it saw, without touching the database."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        folder: WatchedFolder,
        dense: Dense,
        *,
        ocr: str,
        jobs: Callable[[], Mapping[str, object]],
    ) -> None:
        self.engine = engine
        self.catalogue = catalogue
        self.folder = folder
        self.dense = dense
        self.ocr = ocr
        self.jobs = jobs
        self._scanned = False
        self._documents: dict[str, int] = {}

    def take(self) -> None:
        """Count. Raises `Unavailable` when the database does not answer."""
        database.ping(self.engine)
        # In this order: whoever sees `scanned` also sees every document that the first scan admitted.
        scanned = self.folder.scanned
        self._documents = self.catalogue.counts()
        self._scanned = scanned

    def facts(self) -> Mapping[str, object]:
        """Documents by status, who works on them, how the folder is watched, whether its first scan is over, what was
        held back, what recognises text, and how far the vectors are."""
        return {
            "documents": self._documents,
            "jobs": self.jobs(),
            "watch": self.folder.mode.name,
            "watch_reason": self.folder.mode.why,
            "scanned": self._scanned,
            "held_back": self.folder.held_back,
            "held_back_note": self.folder.note,
            "embedder": self.dense.model.name or "none",
            "ocr": self.ocr,
            **self.dense.facts(),
        }
