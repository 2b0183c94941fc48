"""What is asked of a Qdrant server, in its client's words. Compare edge_requests.py: they are the same requests."""

from typing import Any
from uuid import UUID

from qdrant_client import models

from shared.vector_store import stored_chunk
from shared.vector_store.protocol import SearchRequest, SparseVector
from shared.vector_store.stored_chunk import DAY, DENSE, DOCUMENT_ID, INDEX, LEX, SHELF, VERSION, Places


def query(request: SearchRequest) -> dict[str, Any] | None:
    """What to ask `query_points`; None when there is nothing to search with. The reasons are in edge_requests.py."""
    wanted = stored_chunk.conditions(request.filters)
    narrowed = [models.FieldCondition(key=name, match=models.MatchAny(any=values)) for name, values in wanted.any_of]
    if wanted.days:
        narrowed.append(models.FieldCondition(key=DAY, range=models.Range(gte=wanted.days[0], lte=wanted.days[1])))
    visible = all_of(equals(SHELF, stored_chunk.published(request.organization_id)), *narrowed)
    lex = sparse(request.lex)
    if request.dense is None or not request.dense_weight:
        return {"query": lex, "using": LEX, "query_filter": visible} if request.lex.indices else None
    dense = list(request.dense)
    depth = stored_chunk.candidates(request.limit)
    by_words = models.Prefetch(query=lex, using=LEX, filter=visible, limit=depth)
    by_meaning = models.Prefetch(query=dense, using=DENSE, filter=visible, limit=depth)
    cosine = models.Prefetch(query=dense, using=DENSE, prefetch=[by_words, by_meaning], limit=2 * depth)
    weighted = models.MultExpression(mult=[request.dense_weight, "$score[1]"])
    formula = models.FormulaQuery(
        formula=models.SumExpression(sum=["$score[0]", weighted]), defaults={"$score[0]": 0.0, "$score[1]": 0.0}
    )
    return {"query": formula, "prefetch": [by_words, cosine]}


def all_of(*conditions: models.FieldCondition, but_not: models.FieldCondition | None = None) -> models.Filter:
    return models.Filter(must=list(conditions), must_not=None if but_not is None else [but_not])


def equals(key: str, value: str | int) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def of(organization_id: UUID, *, published: bool | None = None) -> models.FieldCondition:
    shelves = stored_chunk.shelves(organization_id, published)
    return models.FieldCondition(key=SHELF, match=models.MatchAny(any=shelves))


def seen(organization_id: UUID, document_id: UUID) -> models.Filter:
    """The chunks of a document that searches see."""
    shelf = equals(SHELF, stored_chunk.published(organization_id))
    return all_of(shelf, equals(DOCUMENT_ID, str(document_id)))


def at(places: Places) -> models.Filter:
    return all_of(
        equals(SHELF, stored_chunk.published(places.organization_id)),
        equals(DOCUMENT_ID, str(places.document_id)),
        equals(VERSION, places.version),
        models.FieldCondition(key=INDEX, match=models.MatchAny(any=places.indices)),
    )


def sparse(vector: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=list(vector.indices), values=list(vector.values))
