"""A small installation, filled by the services themselves: documents, a conversation, feedback, a key, lamps."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine

import ingest_service.bootstrap
import query_service.bootstrap
from ingest_service.passages import chunking
from shared.auth.keys import Scope, create_key
from shared.db.engine import migrate, open_engine
from shared.embeddings.model import NO_MODEL, EmbeddingModel
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.generational_store import GenerationalStore
from tests.acceptance.product import wait_until
from twin_bridge.history.store import Batch, Change, HistoryStore
from twin_bridge.protocol import Cap, Device, LampState

TEXTS = {
    "bancada.txt": "A bancada Jatobá é reservada na coordenação, com dois dias de antecedência.",
    "estágio.txt": "A carga horária mínima do estágio curricular é de 160 horas. O relatório é entregue em junho.",
    "sala.txt": "A sala de estudos abre às sete horas e fecha às vinte e duas horas.",
}
QUESTION = "Com que antecedência reservo a bancada Jatobá?"
VISITOR = "ana"
STATES = 1200
"""More than are read or written at once."""


def settings_of(folder: Path, database: str = "", **others: Any) -> Settings:
    """Settings over the data folder `folder/data`."""
    # A short lease: a job that was running when a backup was made is taken over after it.
    ingest = {"watch": "off", "watch_dir": folder / "watched", "url": "http://127.0.0.1:1", "lease_s": 2}
    others = {"ingest": ingest, **others}
    return Settings(_env_file=None, data_dir=folder / "data", database_url=database, auth="off", **others)


@dataclass
class Running:
    """The ingest and query services, answering; and what they work over."""

    ingest: TestClient
    query: TestClient
    engine: Engine
    store: GenerationalStore

    def add(self, name: str, text: str) -> dict[str, Any]:
        """Upload a document and wait until it is searchable."""
        answer = self.ingest.post("/documents", files={"files": (name, text.encode())}).raise_for_status().json()
        page = f"/documents/{answer['documents'][0]['id']}"
        wait_until(lambda: self.ingest.get(page).json()["status"] == "ready", 60, f"{name} to be ready")
        document: dict[str, Any] = self.ingest.get(page).json()
        return document

    def documents(self) -> dict[str, dict[str, Any]]:
        """All documents by name."""
        return {item["name"]: item for item in self.ingest.get("/documents").raise_for_status().json()["items"]}

    def ask(self, question: str = QUESTION, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.query.post("/ask", json={"question": question, **body}).raise_for_status().json()
        return answer

    def messages(self, conversation_id: str) -> list[dict[str, Any]]:
        page = self.query.get(f"/conversations/{conversation_id}/messages").raise_for_status().json()
        items: list[dict[str, Any]] = page["items"]
        return items


@contextmanager
def running(settings: Settings, model: EmbeddingModel = NO_MODEL) -> Iterator[Running]:
    with ExitStack() as stack:
        engine = open_engine(settings)
        stack.callback(engine.dispose)
        migrate(engine)
        store = open_store(settings, model.current(), chunker=chunking.FINGERPRINT)
        stack.callback(store.close)
        settings.ingest.watch_dir.mkdir(parents=True, exist_ok=True)
        ingest, query = (
            stack.enter_context(TestClient(service.build_app(settings, engine=engine, store=store, model=model)))
            for service in (ingest_service.bootstrap, query_service.bootstrap)
        )
        yield Running(ingest, query, engine, store)


@dataclass(frozen=True)
class Filled:
    """A stopped installation, and what its services answered before."""

    folder: Path
    documents: dict[str, dict[str, Any]]
    conversation: str
    messages: list[dict[str, Any]]
    key: str

    def copy(self, folder: Path) -> Settings:
        """Settings of a copy that a test may spoil."""
        shutil.copytree(self.folder / "data", folder / "data")
        return settings_of(folder)


def fill(folder: Path, model: EmbeddingModel = NO_MODEL, **others: Any) -> Filled:
    """An installation with something in every table."""
    settings = settings_of(folder, **others)
    with running(settings, model) as services:
        for name, text in TEXTS.items():
            services.add(name, text)
        services.ingest.put(
            f"/documents/{services.documents()['sala.txt']['id']}",
            files={"files": ("sala.txt", b"A sala de estudos abre agora \xc3\xa0s oito horas.")},
        ).raise_for_status()
        wait_until(lambda: services.documents()["sala.txt"]["status"] == "ready", 60, "the second version")
        unread = {"files": ("vazio.pdf", b"%PDF-1.4 nothing that follows is a document")}
        services.ingest.post("/documents", files=unread, headers={"Idempotency-Key": "once"})
        same = {"files": ("bancada.txt", TEXTS["bancada.txt"].encode())}
        services.ingest.post("/documents", files=same, headers={"Idempotency-Key": "twice"}).raise_for_status()
        wait_until(
            lambda: all(page["status"] in {"ready", "quarantined", "failed"} for page in services.documents().values()),
            60,
            "everything to be settled",
        )
        answer = services.ask(user=VISITOR)
        conversation = answer["conversation_id"]
        services.ask("E quem autoriza?", conversation_id=conversation, user=VISITOR)
        opinion = {"rating": "up", "comment": "Ótimo: 100 %\n‘sim’", "user": VISITOR}
        services.query.post(f"/messages/{answer['message_id']}/feedback", json=opinion).raise_for_status()
        key = create_key(services.engine, "unity-lab", [Scope.ASK])
        _lamps(services.engine)
        return Filled(folder, services.documents(), conversation, services.messages(conversation), key)


def _lamps(engine: Engine) -> None:
    history = HistoryStore(engine, "xgtwin")
    timeline = history.open().timeline
    shown = LampState(on=True, bri=0.1)
    lamp = Device(
        id="lamp_001", name="Bancada", src="native", online=True, stale=False, known=True, rev=3, ts=0,
        caps=[Cap.ON, Cap.BRI], state=shown, pending=False, desired=shown,
    )  # fmt: skip
    changes = [Change(1_700_000_000_000 + at, lamp) for at in range(STATES)]
    kept = {"lamp_001": (1, lamp)}
    history.save(Batch(timeline.epoch, timeline.seq, timeline.started, timeline.horizon, kept, changes))
