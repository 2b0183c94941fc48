"""Conversations in PostgreSQL, and what visitors are told while it is away."""

from pathlib import Path

from fastapi.testclient import TestClient

from query_service.bootstrap import build_app
from shared.db.engine import migrate, open_engine
from shared.settings import Settings
from shared.vector_store.generational_store import GenerationalStore
from tests.integration.query.conftest import NOWHERE
from tests.postgres import local_postgres

QUESTION = {"question": "Quando o Inatel foi fundado?"}


def test_questions_are_refused_with_a_reason_until_the_database_is_back(tmp_path: Path, store: GenerationalStore):
    with local_postgres() as server:
        url = server.url("postgres")
        settings = Settings(data_dir=tmp_path, _env_file=None, database_url=url, ingest={"url": NOWHERE})
        engine = open_engine(settings)
        migrate(engine)
        with TestClient(build_app(settings, engine=engine, store=store)) as client:
            known = client.post("/ask", json=QUESTION).json()
            assert known["grounded"]

            server.stop()
            refused = client.post("/ask", json=QUESTION)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert client.get(f"/conversations/{known['conversation_id']}/messages").status_code == 503
            assert client.get("/readyz").status_code == 503
            spoken = client.post("/api/llm/perguntar", json={"pergunta": QUESTION["question"]})
            assert spoken.status_code == 503

            server.start()
            again = client.post("/ask", json={**QUESTION, "conversation_id": known["conversation_id"]})
            assert again.status_code == 200
            assert client.get("/readyz").status_code == 200
        engine.dispose()
