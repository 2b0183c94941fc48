"""Several writers at once in PostgreSQL: those of other documents do not wait, and what is counted stays exact."""

import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from shared.models import Chunk, Labels
from shared.vector_store.protocol import VectorStore
from tests.acceptance.product import wait_until
from tests.contract.stores import (
    ORGANIZATION,
    Installation,
    NewDatabase,
    document,
    embedded,
    ingest,
    pgvector_installation,
)

TABLE = 'xgtwin_vectors."test-1"'
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
WORDS = ["torre", "campus", "lâmpada", "antena", "motor", "bomba", "válvula", "sensor", "rede", "cabo", "painel"]
PATIENCE_S = 60.0


@pytest.fixture
def url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture
def installation(url: str) -> Iterator[Installation]:
    installation = pgvector_installation(url)
    yield installation
    installation.close()


@contextmanager
def held(url: str, chunk: Chunk) -> Iterator[None]:
    """Whoever writes this chunk waits in the middle of it."""
    with psycopg.connect(url) as connection:
        connection.execute(f"SELECT 1 FROM {TABLE} WHERE id = %s FOR UPDATE".encode(), [chunk.id])
        yield


def somebody_waits(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute(WAITING).fetchone() != (0,)


def test_other_documents_are_written_while_a_book_is_being_published(url: str, installation: Installation):
    store = installation.open()
    book, lamp, motor = (document(f"Sobre {name}.", name=name) for name in ("livro", "lâmpada", "motor"))
    ingest(store, lamp)
    store.upsert(embedded(book))

    def write_others() -> None:
        ingest(store, motor)
        store.relabel(embedded(motor, labels=Labels(language="pt")))
        store.add_dense({motor[0].id: (1.0, 0.0, 0.0, 0.0)})
        store.delete(ORGANIZATION, lamp[0].document_id)

    with ThreadPoolExecutor(2) as pool:
        with held(url, book[0]):
            publishing = pool.submit(store.publish, ORGANIZATION, book[0].document_id, 1)
            wait_until(lambda: somebody_waits(url), PATIENCE_S, "the book to be published")
            pool.submit(write_others).result(timeout=PATIENCE_S)
            assert not publishing.done()
        publishing.result(timeout=PATIENCE_S)
    assert store.count(ORGANIZATION) == 2


def test_writers_of_the_same_words_and_documents_neither_block_each_other_nor_miscount(
    url: str, installation: Installation
):
    stores = [installation.open(), installation.open()]
    with ThreadPoolExecutor(4) as pool:
        writers: list[Future[None]] = [pool.submit(write_at_random, stores[seed % 2], seed) for seed in range(4)]
        for writer in writers:
            writer.result()
    with psycopg.connect(url) as connection:
        counted = connection.execute('SELECT key, n FROM xgtwin_vectors."test-1-counts"').fetchall()
        there = connection.execute(
            f"SELECT key, count(*) FROM {TABLE}, unnest(keys) AS key WHERE published GROUP BY key".encode()
        ).fetchall()
    assert dict(counted) == dict(there)


def write_at_random(store: VectorStore, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        name, version = f"d{chance.randrange(5)}", chance.randint(1, 3)
        words = random.Random(f"{name} {version}")
        chunks = document(*(" ".join(words.sample(WORDS, 6)) for _ in range(8)), name=name, version=version)
        match chance.randrange(5):
            case 0 | 1:
                ingest(store, chunks)
            case 2:
                store.relabel(embedded(chunks, labels=Labels(language=chance.choice(["pt", "en"]))))
            case 3:
                store.add_dense({chunk.id: (1.0, 0.0, 0.0, chance.random()) for chunk in chunks})
            case _:
                store.delete(ORGANIZATION, chunks[0].document_id)


def test_a_database_of_an_earlier_release_counts_as_this_one_does(url: str, installation: Installation):
    store = installation.open()
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION xgtwin_vectors.count_keys() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RETURN NULL; END $$"
        )
    ingest(store, document("A torre.", name="antes"))
    assert store.count(ORGANIZATION) == 0
    store = installation.reopen()
    ingest(store, document("A torre.", name="depois"))
    assert store.count(ORGANIZATION) == 1
