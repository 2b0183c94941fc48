"""Vectors made anew beside the old ones, by the real service: other models, kills, writes that come in between."""

import asyncio
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ingest_service.passages import chunking
from shared.embeddings.model import ModelState, ModelStatus, Present
from shared.embeddings.protocol import Embedder, Vector
from shared.errors import Unavailable
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from shared.observability.metrics import EMBEDDINGS_MADE
from shared.vector_store.protocol import SearchRequest, SparseVector
from tests.integration.ingest.documents import long_text
from tests.integration.ingest.service import Service, running, until

ROOT = Path(__file__).parents[3]
NOTES = {f"nota{n}.txt": f"A nota {n} fala do farol número {n}.".encode() for n in range(5)}


class Letters:
    """An embedder that needs no model: how often each letter stands in a text. `gate` holds every passage back."""

    def __init__(self, name: str = "letters", letters: str = "abcdefghijklmnopqrstuvwxyz", window: int = 512) -> None:
        self.name, self.letters, self.window = name, letters, window
        self.dimension = len(letters)
        self.gate = threading.Event()
        self.gate.set()
        self.failing = False

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def embed_passages(self, texts: Sequence[str]) -> Iterator[Vector]:
        for text in texts:
            self.gate.wait(30)
            yield self.embed_question(text)

    def embed_question(self, text: str) -> Vector:
        if self.failing:
            raise Unavailable("The embedding server does not answer.")
        counts = [1.0 + text.lower().count(letter) for letter in self.letters]
        length = math.hypot(*counts)
        return tuple(count / length for count in counts)

    def ping(self) -> None:
        pass


class Coming(Present):
    """A model that arrives when it is told to."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder)
        self.arrived = False

    def current(self) -> Embedder | None:
        return super().current() if self.arrived else None

    def status(self) -> ModelStatus:
        return super().status() if self.arrived else ModelStatus(self.name, ModelState.WAITING, "on its way")


async def swapped(service: Service, model: str | None, seconds: float = 30) -> dict[str, Any]:
    """The state of the generations once searches see vectors of this model."""

    async def so_far() -> dict[str, Any] | None:
        seen: dict[str, Any] = (await service.http.get("/generations")).json()
        return seen if seen["model"] == model and seen["next"] is None and not seen["requested"] else None

    return await until(so_far, f"vectors with {model}", seconds)


async def by_meaning(service: Service, embedder: Embedder, question: str) -> list[str]:
    """Names of documents that dense vectors alone find."""
    request = SearchRequest(ORG, SparseVector((1,), (0.0,)), dense=embedder.embed_question(question), limit=20)
    return [hit.chunk.filename for hit in await asyncio.to_thread(service.store.search, request)]


async def add_notes(service: Service) -> None:
    for name, data in NOTES.items():
        await service.add(name, data)


async def test_a_model_that_comes_later_joins_without_a_restart(tmp_path: Path):
    model = Coming(Letters())
    async with running(tmp_path, model=model) as service:
        await add_notes(service)
        assert len(await service.found("farol")) == 5
        facts = await service.facts()
        assert (facts["retrieval"], facts["embedding"]["state"]) == ("lexical", "waiting")
        model.arrived = True
        await swapped(service, "letters")
        assert len(await by_meaning(service, Letters(), "farol")) == 5
        facts = await service.facts()
        assert (facts["retrieval"], facts["embedding"]["state"]) == ("lexical + letters", "ready")


async def test_another_model_is_filled_beside_the_old_vectors_and_swapped_in(tmp_path: Path):
    async with running(tmp_path, embedder=Letters("first")) as service:
        await add_notes(service)
        assert (await swapped(service, "first"))["current"] == 1
    second = Letters("second", "aeiou")
    second.gate.clear()
    async with running(tmp_path, embedder=second) as service:
        assert len(await service.found("farol")) == 5, "a second start with another model serves at once"
        assert (await service.facts())["embedding"]["state"] == "filling"
        second.gate.set()
        await swapped(service, "second")
        assert len(await by_meaning(service, second, "farol")) == 5
    async with running(tmp_path) as service:
        await swapped(service, None)
        assert len(await service.found("farol")) == 5, "and back to words alone"


async def test_what_happens_while_vectors_are_made_anew_is_in_the_new_ones(tmp_path: Path):
    async with running(tmp_path) as service:
        await add_notes(service)
        ids = {name: each["id"] for name, each in (await service.documents()).items()}
    embedder = Letters()
    embedder.gate.clear()
    async with running(tmp_path, embedder=embedder) as service:

        async def filling() -> bool:
            return bool((await service.http.get("/generations")).json()["filling"])

        await until(filling, "the filling")
        assert (await service.http.delete(f"/documents/{ids['nota0.txt']}")).is_success
        await service.http.patch(f"/documents/{ids['nota1.txt']}", json={"title": "Outro título", "collection": "novo"})
        embedder.gate.set()
        await service.upload("nota2.txt", b"A nota 2 agora fala de outra coisa: a antena.")
        await service.upload("nova.txt", b"Uma nota nova sobre o mastro.")
        await swapped(service, "letters")
        for each in (await service.documents()).values():
            await service.settled(each["id"])
        assert sorted(await by_meaning(service, embedder, "nota")) == [
            "nota1.txt", "nota2.txt", "nota3.txt", "nota4.txt", "nova.txt",
        ]  # fmt: skip
        assert "nota2.txt" not in await service.found("farol")
        (renamed,) = await asyncio.to_thread(service.store.chunks, ORG, UUID(ids["nota1.txt"]))
        assert renamed.title == "Outro título"
        assert await asyncio.to_thread(service.store.unembedded, 5) == []
        assert await service.chunks_of(ids["nota0.txt"]) == 0


async def test_what_an_interrupted_filling_has_done_is_not_done_again(tmp_path: Path):
    async with running(tmp_path) as service:
        await add_notes(service)
    made = EMBEDDINGS_MADE._value.get()

    class Some(Letters):
        def embed_question(self, text: str) -> Vector:
            if EMBEDDINGS_MADE._value.get() - made >= 3:
                raise Unavailable("Three are enough for now.")
            return super().embed_question(text)

    async with running(tmp_path, embedder=Some()) as service:

        async def three() -> bool:
            return bool(EMBEDDINGS_MADE._value.get() - made == 3)

        await until(three, "three documents")
    async with running(tmp_path, embedder=Letters()) as service:
        await swapped(service, "letters")
        assert len(await by_meaning(service, Letters(), "farol")) == 5
    assert EMBEDDINGS_MADE._value.get() - made == 5


async def test_a_model_with_a_short_window_gets_the_documents_cut_anew(tmp_path: Path):
    text = long_text(20).encode()
    async with running(tmp_path) as service:
        before = (await service.add("longo.txt", text))["chunks"]
    narrow = Letters("narrow", window=120)
    async with running(tmp_path, embedder=narrow) as service:
        await swapped(service, "narrow")
        (document,) = (await service.documents()).values()
        chunks = await asyncio.to_thread(service.store.chunks, ORG, UUID(document["id"]))
        assert len(chunks) == document["chunks"] > before
        assert all(narrow.count_tokens(chunk.text) <= narrow.window for chunk in chunks)
    async with running(tmp_path, embedder=narrow) as service:
        assert (await service.documents())["longo.txt"]["status"] == "ready", "the next start finds nothing missing"


async def test_vectors_of_another_chunker_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chunking, "FINGERPRINT", "blocks-0/older")
    async with running(tmp_path) as service:
        old = await service.add("nota.txt", b"A nota sobre o farol antigo.")
        (before,) = await asyncio.to_thread(service.store.chunks, ORG, UUID(old["id"]))
    monkeypatch.undo()
    async with running(tmp_path) as service:

        async def newer() -> bool:
            return bool((await service.http.get("/generations")).json()["current"] == 2)

        await until(newer, "the swap")
        (after,) = await asyncio.to_thread(service.store.chunks, ORG, UUID(old["id"]))
        assert after.id != before.id
        assert after.text == before.text


async def test_documents_are_found_by_words_while_the_embedding_server_is_down_and_repaired_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ingest_service.filling.filler.REPAIR_EVERY_S", 0.1)
    embedder = Letters()
    async with running(tmp_path, embedder=embedder) as service:
        await swapped(service, "letters")
        embedder.failing = True
        document = await service.add("nota.txt", b"A nota sobre o farol antigo.")
        assert document["status"] == "ready"
        assert await service.found("farol") == ["nota.txt"]
        assert len(await asyncio.to_thread(service.store.unembedded, 5)) == document["chunks"]
        embedder.failing = False

        async def repaired() -> bool:
            return not await asyncio.to_thread(service.store.unembedded, 5)

        await until(repaired, "the repair")
        assert await by_meaning(service, embedder, "farol") == ["nota.txt"]


async def test_damaged_vectors_are_made_anew_from_the_kept_documents(tmp_path: Path):
    async with running(tmp_path) as service:
        await service.add("nota.txt", b"A nota sobre o farol antigo.")
    for state in (tmp_path / "data" / "vectors").glob("*/*/segments/*/segment.json"):
        state.write_text("")
    async with running(tmp_path) as service:

        async def found() -> bool:
            return await service.found("farol") == ["nota.txt"]

        await until(found, "the document to be found again")


async def test_a_reindex_on_request_makes_a_fresh_generation_and_survives_a_restart(tmp_path: Path):
    async with running(tmp_path) as service:
        await add_notes(service)
        answer = await service.http.post("/generations")
        assert (answer.status_code, answer.json()["current"]) == (202, 1)

        async def fresh() -> bool:
            return bool((await service.http.get("/generations")).json()["current"] == 2)

        await until(fresh, "the fresh generation")
        assert len(await service.found("farol")) == 5
    (tmp_path / "data" / "reindex-requested").touch()
    async with running(tmp_path) as service:

        async def again() -> bool:
            return bool((await service.http.get("/generations")).json()["current"] == 3)

        await until(again, "the generation that was asked for while nothing ran")
        assert len(await service.found("farol")) == 5


async def test_only_an_operator_may_renew_the_vectors(tmp_path: Path):
    async with running(tmp_path, auth="on") as service:
        assert (await service.http.post("/generations")).status_code == 401


KILLED = """
import asyncio, os, sys
from pathlib import Path
from shared.vector_store.{module} import {cls}
from tests.integration.ingest.service import running, until
from tests.integration.ingest.test_filling import Letters

before = {cls}.{step}
def dies(self, *arguments):
    if {after}:
        before(self, *arguments)
    os._exit(9)
{cls}.{step} = dies

async def main():
    async with running(Path(sys.argv[1]), embedder=Letters()) as service:
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("cls", "module", "step", "after"),
    [
        ("EdgeGenerations", "edge_generations", "create", False),
        ("EdgeGenerations", "edge_generations", "create", True),
        ("EdgeVectorStore", "edge", "publish", True),
        ("EdgeGenerations", "edge_generations", "make_current", False),
        ("EdgeGenerations", "edge_generations", "make_current", True),
        ("EdgeGenerations", "edge_generations", "drop", True),
    ],
)
async def test_killed_at_any_step_the_filling_ends_after_the_restart(
    tmp_path: Path, cls: str, module: str, step: str, after: bool
):
    async with running(tmp_path) as service:
        await add_notes(service)
    code = KILLED.format(cls=cls, module=module, step=step, after=after)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    died = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, env=environment, check=False
    )
    assert died.returncode == 9
    async with running(tmp_path, embedder=Letters()) as service:
        assert len(await service.found("farol")) == 5, "answers go on right after the start"
        seen = await swapped(service, "letters")
        assert sorted(await by_meaning(service, Letters(), "farol")) == sorted(NOTES)
        folder = service.data / "vectors" / "xgtwin"

        async def alone() -> bool:
            return [path.name for path in folder.iterdir() if path.is_dir()] == [str(seen["current"])]

        await until(alone, "the old generation to go")
