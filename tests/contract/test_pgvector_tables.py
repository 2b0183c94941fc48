"""What lies in PostgreSQL after writing: nothing that later searches pay for."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from shared.models import Labels
from tests.contract.stores import ORGANIZATION, NewDatabase, document, embedded, ingest, pgvector_installation

COUNTS, WAITING = 'xgtwin_vectors."test-1-counts"', "gin_clean_pending_list('xgtwin_vectors.\"test-1-keys\"')"
"""What `WAITING` gives: how many pages of keys had not been entered into the index."""

Scalar = Callable[[str], int]


@pytest.fixture
def url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture
def scalar(url: str) -> Iterator[Scalar]:
    with psycopg.connect(url, autocommit=True) as connection:

        def asked(expression: str) -> int:
            found = connection.execute(f"SELECT {expression}".encode()).fetchone()
            assert found is not None
            return int(found[0])

        yield asked


def test_words_that_no_document_holds_any_more_are_not_counted_for_ever(url: str, scalar: Scalar):
    installation = pgvector_installation(url)
    store = installation.open()
    kept, gone = document("A torre do campus.", name="kept"), document("A lâmpada do laboratório.", name="gone")
    ingest(store, kept)
    before = scalar(f"count(*) FROM {COUNTS}")
    ingest(store, gone)
    assert scalar(f"count(*) FROM {COUNTS}") > before
    store.delete(ORGANIZATION, gone[0].document_id)
    assert scalar(f"count(*) FROM {COUNTS}") == before

    ingest(store, document("Uma antena.", name="kept", version=2))
    store.delete(ORGANIZATION, kept[0].document_id)
    assert scalar(f"count(*) FROM {COUNTS}") == 0
    installation.close()


def test_what_was_published_or_changed_is_in_the_index_of_words_at_once(url: str, scalar: Scalar):
    installation = pgvector_installation(url)
    store = installation.open()
    chunks = document("A torre do campus.", "A lâmpada do laboratório.")
    ingest(store, chunks)
    assert scalar(WAITING) == 0
    store.relabel(embedded(chunks, labels=Labels(language="pt")))
    assert scalar(WAITING) == 0
    store.add_dense({chunks[0].id: (1.0, 0.0, 0.0, 0.0)})
    assert scalar(WAITING) == 0
    installation.close()
