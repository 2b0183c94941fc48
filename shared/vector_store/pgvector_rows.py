"""What a chunk is in PostgreSQL, and the statements that write many of them at once.

Rows go as one JSON text, which the server turns into columns: with a parameter for each value, preparing a statement
takes the service longer than all else that storing costs it.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, TextClause, text

from shared.vector_store import stored_chunk
from shared.vector_store.pgvector_tables import LEXICAL_DIMENSIONS
from shared.vector_store.protocol import EmbeddedChunk, SparseVector
from shared.vector_store.stored_chunk import CHUNK_FIELDS, DAY, LABELS, Stems

RELABELLED = ("labels", "day", "keys", "lex", "chunk")
"""The columns of `relabelled`."""

Rows = Sequence[Mapping[str, Any]]
Writing = tuple[TextClause, Mapping[str, str]]
"""A statement and its values."""

_STORING = """
INSERT INTO {chunks} SELECT * FROM json_populate_recordset(CAST(NULL AS {chunks}), CAST(:rows AS json))
ON CONFLICT (id) DO UPDATE SET {assigned}
"""
_CHANGING = """
UPDATE {chunks} AS stored SET {assigned}
FROM json_populate_recordset(CAST(NULL AS {chunks}), CAST(:rows AS json)) AS new WHERE stored.id = new.id
"""


def storing(chunks: Table, quoted: str, rows: Rows) -> Writing:
    """Insert `rows`, or put them in the place of those with their ids. `quoted` is the name of `chunks`."""
    assigned = _assigned((column.name for column in chunks.columns if column.name != "id"), "excluded")
    return text(_STORING.format(chunks=quoted, assigned=assigned)), {"rows": json.dumps(rows)}


def changing(quoted: str, names: Sequence[str], rows: Rows) -> Writing:
    """Give these columns of stored chunks the values of the row with the same id; of `chunk`, its given fields."""
    assigned = _assigned(names, "new").replace('= new."chunk"', '= stored."chunk" || new."chunk"')
    return text(_CHANGING.format(chunks=quoted, assigned=assigned)), {"rows": json.dumps(rows)}


def row(embedded: EmbeddedChunk, stems: Stems, *, with_dense: bool) -> dict[str, Any]:
    """The columns of a chunk that is not published yet."""
    chunk = embedded.chunk
    fields = chunk.model_dump(mode="json", include=set(CHUNK_FIELDS))
    dense = {"dense": embedded.dense} if with_dense else {}
    placed = {name: fields[name] for name in ("id", "organization_id", "document_id", "version", "index")}
    return {"published": False, "chunk": fields} | placed | _found_by(embedded, stems) | dense


def relabelled(embedded: EmbeddedChunk, stems: Stems) -> dict[str, Any]:
    """The columns that `relabel` replaces, and the chunk's id."""
    names = stored_chunk.changeable(embedded)
    del names[LABELS], names[DAY]
    return {"id": str(embedded.chunk.id), "chunk": names} | _found_by(embedded, stems)


def _found_by(embedded: EmbeddedChunk, stems: Stems) -> dict[str, Any]:
    """The columns that a chunk is found by, without its dense vector."""
    organization, labels = embedded.chunk.organization_id, stored_chunk.changeable(embedded)
    weights = folded(organization, embedded.lex)
    terms = {term(organization, stem) for stem in stems(embedded.chunk.text)}
    return {
        "labels": labels[LABELS],
        "day": labels[DAY],
        "lex": _sparse(weights),
        "keys": [every(organization), *weights, *sorted(terms)],
    }


def term(organization_id: UUID, stem: str) -> int:
    """The key of a stem in the text itself; negative, so that it is never that of a token."""
    return -(stored_chunk.term_id(organization_id, stem) % 2**31) - 1


def every(organization_id: UUID) -> int:
    """The key that each chunk of the organization has."""
    return term(organization_id, "")


def folded(organization_id: UUID, lex: SparseVector) -> dict[int, float]:
    """Tokens as keys of this organization, from 1. Two that become one add up: one in 2,000 among 500,000 tokens."""
    salt = zlib.crc32(organization_id.bytes)
    found: dict[int, float] = {}
    for token, weight in zip(lex.indices, lex.values, strict=True):
        key = (token ^ salt) % LEXICAL_DIMENSIONS + 1
        found[key] = found.get(key, 0.0) + weight
    return found


def _sparse(weights: Mapping[int, float]) -> str:
    """As `sparsevec` is written."""
    return "{" + ",".join(f"{key}:{weight}" for key, weight in weights.items()) + f"}}/{LEXICAL_DIMENSIONS}"


def _assigned(names: Iterable[str], source: str) -> str:
    return ", ".join(f'"{name}" = {source}."{name}"' for name in names)
