"""How well questions find their passage, as the product does it and with each of its knobs off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.embeddings.protocol import Embedder
from shared.models import DEFAULT_ORGANIZATION_ID, ScoredChunk
from shared.part_settings import RetrievalSettings
from xgtwin.evaluation.library import Library
from xgtwin.evaluation.ranking import DEPTH, Quality, quality
from xgtwin.evaluation.report import Failure, Table
from xgtwin.evaluation.sets import Question, QuestionSet, excerpt
from xgtwin.evaluation.variants import with_typos, without_accents

EVERY_PAGE = 100
"""Passages of one page at most, when the page shall not matter."""

KNOBS_OFF: dict[str, dict[str, float | int]] = {
    "no surface forms": {"surface_weight": 0},
    "no pairs of neighbours": {"pair_weight": 0},
    "no pieces of words": {"piece_weight": 0},
    "stems alone": {"surface_weight": 0, "pair_weight": 0, "piece_weight": 0},
    "no glossary": {"glossary_weight": 0, "glossary_unknown_weight": 0},
    "no repair of misspelt words": {"repair_typos": False},
    "not by the best sentence": {"sentence_weight": 0},
    "any number of passages of a page": {"per_page": EVERY_PAGE},
}
"""Each knob that the product has by default, as the setting that switches it off."""
MEANING_ALONE: dict[str, float] = {"stem_weight": 0, "surface_weight": 0, "pair_weight": 0, "piece_weight": 0}

SHOWN = 5
"""A right passage below this rank is not seen by default (QUERY__TOP_K)."""
COLUMNS = ("questions", "R@1", "R@5", "R@10", "MRR@10", "nDCG@10")
INTERVALS = ("R@5 from", "R@5 to", "nDCG@10 from", "nDCG@10 to")


@dataclass(frozen=True, slots=True)
class Row:
    """A way to retrieve: settings, an embedder or none, and how the question is typed. `main` ones get an interval."""

    name: str
    settings: RetrievalSettings
    embedder: Embedder | None
    typed: Callable[[str], str] = str
    main: bool = False


def rows(settings: RetrievalSettings, embedder: Embedder | None, *, knobs: bool) -> list[Row]:
    """The rows of the table; the first one is the product as configured."""
    found = [Row("hybrid" if embedder else "words", settings, embedder, main=True)]
    if embedder:
        found.append(Row("words", settings, None, main=True))
        found.append(Row("meaning", settings.model_copy(update=MEANING_ALONE), embedder, main=True))
    found += [
        Row("without accents", settings, embedder, without_accents),
        Row("a typo in each long word", settings, embedder, with_typos),
    ]
    if knobs:
        found += [Row(name, settings.model_copy(update=off), embedder) for name, off in KNOBS_OFF.items()]
        not_repaired = settings.model_copy(update={"repair_typos": False})
        found.append(Row("a typo in each long word, not repaired", not_repaired, embedder, with_typos))
    return found


def measure(data: QuestionSet, library: Library, wanted: Sequence[Row]) -> tuple[list[Table], list[Failure]]:
    """The table of all rows, and the questions for which the first row has no right passage among the first five."""
    measured: list[tuple[str, Quality]] = []
    failures: list[Failure] = []
    for row in wanted:
        retriever = library.retriever(row.settings, row.embedder)
        ranks = []
        for question in data.questions:
            found = retriever.retrieve(DEFAULT_ORGANIZATION_ID, row.typed(question.text), DEPTH).passages
            rank = first_right(found, question)
            ranks.append(rank)
            if row is wanted[0] and (rank is None or rank > SHOWN):
                failures.append(_failure(question, data, found, rank))
        measured.append((row.name, quality(ranks)))
    main = [(row.name, one) for row, (_, one) in zip(wanted, measured, strict=True) if row.main]
    return [
        Table(title="Retrieval", columns=COLUMNS, rows=tuple((name, figures(one)) for name, one in measured)),
        Table(
            title="Retrieval, 95 % intervals",
            columns=INTERVALS,
            rows=tuple((name, (*one.recall_5_interval, *one.ndcg_10_interval)) for name, one in main),
            note="Bootstrap over the questions.",
        ),
    ], failures


def first_right(found: Sequence[ScoredChunk], question: Question) -> int | None:
    """The rank of the first right passage, from 1."""
    return next((rank for rank, passage in enumerate(found, 1) if passage.chunk.id in question.gold), None)


def figures(one: Quality) -> tuple[float | int, ...]:
    return one.questions, one.recall_1, one.recall_5, one.recall_10, one.mrr_10, one.ndcg_10


def _failure(question: Question, data: QuestionSet, found: Sequence[ScoredChunk], rank: int | None) -> Failure:
    right = next(entry.chunk for entry in data.entries if entry.chunk.id in question.gold)
    return Failure(
        kind="no right passage among the first five",
        question_id=question.id,
        question=question.text,
        expected=f"{excerpt(right)} (rank {rank or 'over 10'})",
        got=excerpt(found[0].chunk) if found else "nothing",
    )
