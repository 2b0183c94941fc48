"""The locks of single documents: who waits for whom, and who does not."""

import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

from ingest_service.documents.blobs import Blobs
from ingest_service.documents.document_locks import STRIPES, DocumentLocks

PATIENCE_S = 60.0
ONE, OTHER = UUID(int=1), UUID(int=2)
SHARES_WITH_ONE = UUID(int=1 + STRIPES)


def in_thread(lock: Callable[[], AbstractContextManager[None]]) -> threading.Event:
    taken = threading.Event()

    def take() -> None:
        with lock():
            taken.set()

    threading.Thread(target=take, daemon=True).start()
    return taken


def test_documents_do_not_wait_for_each_other_and_who_wants_all_waits_for_each(tmp_path: Path):
    here, in_another_process = DocumentLocks(tmp_path), DocumentLocks(tmp_path)
    for locks in (here, in_another_process):
        with here.of(ONE, SHARES_WITH_ONE):
            assert in_thread(lambda locks=locks: locks.of(OTHER)).wait(PATIENCE_S)  # type: ignore[misc]
            same = in_thread(lambda locks=locks: locks.of(ONE))  # type: ignore[misc]
            everything = in_thread(locks.all)
            assert not same.wait(0.2)
            assert not everything.is_set()
        assert same.wait(PATIENCE_S)
        assert everything.wait(PATIENCE_S)


def test_two_that_want_the_same_documents_in_another_order_do_not_wait_for_ever(tmp_path: Path):
    locks = DocumentLocks(tmp_path)
    for _ in range(50):
        both = [in_thread(lambda: locks.of(ONE, OTHER)), in_thread(lambda: locks.of(OTHER, ONE))]
        assert all(taken.wait(PATIENCE_S) for taken in both)


def test_a_document_that_turns_out_to_be_another_one_is_waited_for_instead(tmp_path: Path):
    blobs = Blobs(tmp_path / "originals", max_mb=1)
    answers: list[set[UUID]] = [{OTHER}, {ONE}, {ONE}, {ONE}]  # it changed after the first look

    def which() -> Collection[UUID]:
        return answers.pop(0)

    with blobs.publishing.of(ONE):
        held = in_thread(lambda: blobs.changing_documents(which))
        assert not held.wait(0.2)
        assert in_thread(lambda: blobs.changing_documents(set)).wait(PATIENCE_S), "meanwhile others go on"
    assert held.wait(PATIENCE_S)
    assert answers == []
