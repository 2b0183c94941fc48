"""What is asked of Qdrant Edge, in its own words. Compare qdrant_requests.py: they are the same."""

from uuid import UUID

import qdrant_edge as edge

from shared.vector_store import stored_chunk
from shared.vector_store.protocol import SearchRequest, SparseVector
from shared.vector_store.stored_chunk import CHUNK_FIELDS, DAY, DENSE, DOCUMENT_ID, INDEX, LEX, SHELF, VERSION, Places


def query(request: SearchRequest) -> edge.QueryRequest | None:
    """One request to the engine; None when there is nothing to search with."""
    wanted = stored_chunk.conditions(request.filters)
    narrowed = [edge.FieldCondition(name, match=edge.MatchAny(values)) for name, values in wanted.any_of]
    if wanted.days:
        narrowed.append(edge.FieldCondition(DAY, range=edge.RangeFloat(gte=wanted.days[0], lte=wanted.days[1])))
    visible = all_of(equals(SHELF, stored_chunk.published(request.organization_id)), *narrowed)
    lex = edge.Query.Nearest(sparse(request.lex), using=LEX)
    if request.dense is None or not request.dense_weight:
        if not request.lex.indices:
            return None
        return edge.QueryRequest(limit=request.limit, query=lex, filter=visible, with_payload=CHUNK_FIELDS)
    dense = edge.Query.Nearest(list(request.dense), using=DENSE)
    depth = stored_chunk.candidates(request.limit)
    by_words = edge.Prefetch(limit=depth, query=lex, filter=visible)
    by_meaning = edge.Prefetch(limit=depth, query=dense, filter=visible)
    # The cosine of everything that either way found, so that a find by words alone is not scored as if unrelated.
    cosine = edge.Prefetch(limit=2 * depth, query=dense, prefetches=[by_words, by_meaning])
    weighted = edge.Expression.Mult(
        [edge.Expression.Constant(request.dense_weight), edge.Expression.Variable("$score[1]")]
    )
    formula = edge.Formula(
        edge.Expression.Sum([edge.Expression.Variable("$score[0]"), weighted]),
        defaults={"$score[0]": 0.0, "$score[1]": 0.0},
    )
    return edge.QueryRequest(
        limit=request.limit, query=formula, prefetches=[by_words, cosine], with_payload=CHUNK_FIELDS
    )


def all_of(*conditions: edge.FieldCondition, but_not: edge.FieldCondition | None = None) -> edge.Filter:
    return edge.Filter(must=list(conditions), must_not=None if but_not is None else [but_not])


def equals(key: str, value: str | int) -> edge.FieldCondition:
    return edge.FieldCondition(key, match=edge.MatchValue(value))


def of(organization_id: UUID, *, published: bool | None = None) -> edge.FieldCondition:
    return edge.FieldCondition(SHELF, match=edge.MatchAny(stored_chunk.shelves(organization_id, published)))


def seen(organization_id: UUID, document_id: UUID) -> edge.Filter:
    """The chunks of a document that searches see."""
    shelf = equals(SHELF, stored_chunk.published(organization_id))
    return all_of(shelf, equals(DOCUMENT_ID, str(document_id)))


def at(places: Places) -> edge.Filter:
    return all_of(
        equals(SHELF, stored_chunk.published(places.organization_id)),
        equals(DOCUMENT_ID, str(places.document_id)),
        equals(VERSION, places.version),
        edge.FieldCondition(INDEX, match=edge.MatchAny(places.indices)),
    )


def sparse(vector: SparseVector) -> edge.SparseVector:
    return edge.SparseVector(list(vector.indices), list(vector.values))
