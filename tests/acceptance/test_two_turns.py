"""Visitors' second questions over the sample documents find what their stand-alone forms find."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from query_service.conversations.followup import standalone_form
from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from shared.embeddings.folding import fold
from shared.models import DEFAULT_ORGANIZATION_ID, ScoredChunk
from shared.part_settings import RetrievalSettings
from shared.settings import IngestSettings
from xgtwin.evaluation.documents import read_documents
from xgtwin.evaluation.library import Library, opened

ROOT = Path(__file__).parents[2]
TOP = 5
PROMISED_SHARE = 0.9
Row = dict[str, Any]

ROWS: list[Row] = [json.loads(line) for line in (ROOT / "tests/data/two_turns.jsonl").read_text().splitlines()]
FOLLOW_UPS = [row for row in ROWS if row["second"] != row["standalone"]]
NEW_SUBJECTS = [row for row in ROWS if row["second"] == row["standalone"]]


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    with opened(read_documents(ROOT / "watched_docs", IngestSettings(), None), None) as library:
        yield library


def as_understood(row: Row, library: Library) -> str:
    history = [Turn(role=Role.USER, content=row["first"])]
    return standalone_form(row["second"], history, library.reader) or row["second"]


def finds(library: Library, question: str, row: Row) -> bool:
    found = library.retriever(RetrievalSettings(), None).retrieve(DEFAULT_ORGANIZATION_ID, question, TOP)
    return any(holds(passage, row) for passage in found.passages)


def holds(passage: ScoredChunk, row: Row) -> bool:
    chunk = passage.chunk
    if chunk.filename != row["document"]:
        return False
    if row["page"] is None:  # a format without pages: the answer itself must be there
        return plain(row["answer"]) in plain(" ".join([*chunk.heading_path, chunk.context, chunk.text]))
    return chunk.page_start is not None and chunk.page_start <= row["page"] <= (chunk.page_end or 0)


def plain(text: str) -> str:
    return " ".join(fold(text).split())


def test_a_second_question_finds_at_least_nine_tenths_of_what_its_stand_alone_form_finds(library: Library):
    alone = sum(finds(library, row["standalone"], row) for row in FOLLOW_UPS)
    second = [row["id"] for row in FOLLOW_UPS if finds(library, as_understood(row, library), row)]
    missed = sorted({row["id"] for row in FOLLOW_UPS} - set(second))
    assert len(FOLLOW_UPS) >= 40
    assert len(second) >= PROMISED_SHARE * alone, missed


def test_a_new_subject_is_not_searched_for_together_with_the_old_one(library: Library):
    assert [row["second"] for row in NEW_SUBJECTS if as_understood(row, library) != row["second"]] == []
