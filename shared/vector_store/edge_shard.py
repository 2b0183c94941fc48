"""A shard of Qdrant Edge as files: held, made, opened; and its errors in our words."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import qdrant_edge as edge

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.vector_store import shard_folder
from shared.vector_store.generation import DamagedVectors, InUse
from shared.vector_store.stored_chunk import DAY, DENSE, DOCUMENT_ID, LABELS, LEX, SHELF, TERMS, VERSION

log = get_logger(__name__)

_update = edge.UpdateOperation

LOADING_BYTES = 64 << 20
"""Opening a shard makes files too: with less free than this, a failure says nothing about the vectors."""
_PASSING = tuple(
    os.strerror(code)
    for code in (
        *(errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS),
        *(errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOMEM),
    )
)
"""Reasons of the operating system: the vectors may be whole."""


def held(folder: Path) -> IO[bytes]:
    """The folder's lock, until it is closed. Raises `InUse` while another process has it."""
    if file := shard_folder.hold(folder):
        return file
    raise InUse(
        "The vectors in the data folder (XGTWIN_DATA_DIR) are in use by another xgtwin process. "
        "Stop that one, or let both use a Qdrant server (STORE__QDRANT_URL)."
    )


def create(path: Path, dimension: int | None) -> None:
    """Make an empty shard with its indexes; without a dimension it has no dense vectors."""
    dense = {} if dimension is None else {DENSE: edge.EdgeVectorParams(dimension, edge.Distance.Cosine)}
    sparse = {LEX: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)}
    with speaking():
        shard = edge.EdgeShard.create(str(path), edge.EdgeConfig(vectors=dense, sparse_vectors=sparse))
        for field in (SHELF, DOCUMENT_ID, LABELS):
            shard.update(_update.create_field_index(field, edge.KeywordIndexParams()))
        shard.update(_update.create_field_index(DAY, edge.IntegerIndexParams(lookup=False, range=True)))
        for field in (TERMS, VERSION):
            shard.update(_update.create_field_index(field, edge.IntegerIndexParams(lookup=True, range=False)))
        shard.close()


def load(folder: Path) -> edge.EdgeShard:
    """The shard, open. Raises `DamagedVectors`, or `Unavailable` if something else than its files is in the way; the
    cause is in the log."""
    try:
        return edge.EdgeShard.load(str(folder))
    except Exception as error:
        log.error("vector_store_not_opened", error=str(error))
        if reason := _passing(str(error), folder):
            raise Unavailable(
                f"The vectors in the data folder (XGTWIN_DATA_DIR) cannot be opened: {reason}."
            ) from error
        raise DamagedVectors(
            "The vectors in the data folder (XGTWIN_DATA_DIR) cannot be read; the log says why."
        ) from error


def _passing(error: str, folder: Path) -> str | None:
    """All errors of the engine are of one class; the operating system's words stand in them."""
    if shutil.disk_usage(folder).free < LOADING_BYTES:
        return "the disk is full"
    return next((reason for reason in _PASSING if reason in error), None)


@contextmanager
def speaking() -> Iterator[None]:
    """Turn the engine's errors into ours: the cause (which may name paths) for the log, the meaning for the caller."""
    try:
        yield
    except Exception as error:
        log.error("vector_store_failed", store="edge", error=str(error))
        raise Unavailable("The vector store in the data folder failed or is closed; the log says why.") from error
