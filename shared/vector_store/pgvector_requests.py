"""What is asked of pgvector, in SQL. Compare qdrant_requests.py: the scores are the same but for what
decision 0010 tells ("Fusion").

Words are BM25 as everywhere: the vectors of the `LexicalEncoder`, multiplied by the rarity of each token among the
organization's published chunks. Only chunks that hold one of the question's rarest tokens are compared (decision 0010).
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause, text

from shared.models import Filters
from shared.vector_store import stored_chunk
from shared.vector_store.pgvector_rows import every, folded
from shared.vector_store.pgvector_tables import LEXICAL_DIMENSIONS
from shared.vector_store.protocol import SearchRequest
from shared.vector_store.stored_chunk import DOCUMENT_ID, LABELS

COMPARED = 2000
"""About how many chunks are compared word by word: the best ten stay the same as with all, and 10,000 chunks take a
sixth of the time."""

# Both joins leave out what no published chunk holds; then `question` is NULL, and so is the score.
_QUESTION = """
WITH asked AS (
    SELECT given.key, counted.n,
        given.weight * ln(1 + (every.n - counted.n + 0.5::float8) / (counted.n + 0.5::float8)) AS weight
    FROM unnest(CAST(:keys AS int[]), CAST(:weights AS real[])) AS given (key, weight)
    JOIN {counts} AS counted ON counted.key = given.key AND counted.n > 0
    JOIN {counts} AS every ON every.key = :every
), rarest AS (
    SELECT array_agg(key) AS keys FROM (
        SELECT key, row_number() OVER rarer AS place, sum(n) OVER rarer AS chunks FROM asked
        WINDOW rarer AS (ORDER BY weight DESC, key)
    ) AS tokens WHERE place = 1 OR chunks <= :compared
), question AS (
    SELECT CAST('{{' || string_agg(key || ':' || weight, ',') || '}}/' || CAST(:dimensions AS text) AS sparsevec) AS lex
    FROM asked
),
"""
# `published` and the keys alone, so that no other index than that of the keys can be taken: PostgreSQL compares arrays
# number by number, 50 microseconds a chunk, and takes that for cheap. The keys are an organization's own.
_AMONG_ALL = """
found AS MATERIALIZED (
    SELECT id, organization_id, lex FROM {chunks} WHERE published AND keys && (SELECT keys FROM rarest)
), by_words AS (
    SELECT id FROM found, question WHERE organization_id = :organization
    ORDER BY found.lex <#> question.lex LIMIT :depth
)
"""
# What other documents hold must not decide what is compared, and these are fewer.
_AMONG_SOME = """
by_words AS (
    SELECT id FROM {chunks} AS chunks, question WHERE {visible} AND chunks.lex <#> question.lex < 0
    ORDER BY chunks.lex <#> question.lex LIMIT :depth
)
"""
_RESULT_BY_WORDS = """
SELECT chunk, -(chunks.lex <#> question.lex) AS score
FROM {chunks} AS chunks JOIN by_words USING (id), question
ORDER BY score DESC, id LIMIT :limit
"""
# Every candidate gets both scores, so that a find by words alone is not scored as if unrelated.
_RESULT_FUSED = """
, by_meaning AS (
    SELECT id FROM {chunks} WHERE {visible} AND dense IS NOT NULL ORDER BY dense <=> CAST(:dense AS vector) LIMIT :depth
)
SELECT chunk, coalesce(-(chunks.lex <#> question.lex), 0)
    + :dense_weight * coalesce(1 - (dense <=> CAST(:dense AS vector)), 0) AS score
FROM {chunks} AS chunks JOIN (SELECT id FROM by_words UNION SELECT id FROM by_meaning) AS found USING (id), question
ORDER BY score DESC, id LIMIT :limit
"""


def query(request: SearchRequest, chunks: str, counts: str) -> tuple[TextClause, Mapping[str, Any]] | None:
    """One statement and its values for tables of these (quoted) names; None when there is nothing to search with."""
    fused = request.dense is not None and request.dense_weight != 0
    if not fused and not request.lex.indices:
        return None
    organization = request.organization_id
    weights = folded(organization, request.lex)
    visible, values = _visible(request)
    values |= {"keys": list(weights), "weights": list(weights.values()), "every": every(organization)}
    values |= {"compared": COMPARED, "dimensions": LEXICAL_DIMENSIONS}
    values |= {"depth": stored_chunk.candidates(request.limit), "limit": request.limit}
    if fused:
        values |= {"dense": json.dumps(request.dense), "dense_weight": request.dense_weight}
    narrowed = request.filters != Filters()
    statement = _QUESTION + (_AMONG_SOME if narrowed else _AMONG_ALL) + (_RESULT_FUSED if fused else _RESULT_BY_WORDS)
    return text(statement.format(chunks=chunks, counts=counts, visible=visible)), values


def _visible(request: SearchRequest) -> tuple[str, dict[str, Any]]:
    wanted = stored_chunk.conditions(request.filters)
    values: dict[str, Any] = {"organization": request.organization_id}
    narrowed = ["organization_id = :organization", "published"]
    for number, (name, alternatives) in enumerate(wanted.any_of):
        condition = {DOCUMENT_ID: "document_id = ANY(CAST({} AS uuid[]))", LABELS: "labels && CAST({} AS text[])"}[name]
        narrowed.append(condition.format(f":given_{number}"))
        values[f"given_{number}"] = alternatives
    for sign, day in zip(("day >= :first", "day <= :last"), wanted.days or (None, None), strict=True):
        if day is not None:
            narrowed.append(sign)
            values[sign.rpartition(":")[2]] = day
    return " AND ".join(narrowed), values
