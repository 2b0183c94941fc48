"""What a ranking is worth: recall, MRR and nDCG by the rank of the first right passage, with confidence intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xgtwin.evaluation.sets import SEED

DEPTH = 10
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over the questions, 0 to 1. `recall_5` and `ndcg_10` come with their 95 % bootstrap interval."""

    questions: int
    recall_1: float
    recall_5: float
    recall_10: float
    mrr_10: float
    ndcg_10: float
    recall_5_interval: tuple[float, float]
    ndcg_10_interval: tuple[float, float]


def quality(ranks: Sequence[int | None]) -> Quality:
    """`ranks`: of each question's first right passage among the first ten, from 1; None when it is not there.

    One passage is enough to answer from, so nDCG is the discount of the first right one, and ideal is rank 1.
    """
    gains = [0.0 if rank is None else 1 / math.log2(rank + 1) for rank in ranks]
    fifth = [_within(rank, 5) for rank in ranks]
    return Quality(
        questions=len(ranks),
        recall_1=mean([_within(rank, 1) for rank in ranks]),
        recall_5=mean(fifth),
        recall_10=mean([_within(rank, DEPTH) for rank in ranks]),
        mrr_10=mean([0.0 if rank is None else 1 / rank for rank in ranks]),
        ndcg_10=mean(gains),
        recall_5_interval=interval(fifth),
        ndcg_10_interval=interval(gains),
    )


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean: percentiles of the means of resampled questions."""
    if not values:
        return 0.0, 0.0
    chance, known = np.random.default_rng(SEED), np.asarray(values)
    means = [known[chance.integers(0, len(known), len(known))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def area_under_curve(answerable: Sequence[float], unanswerable: Sequence[float]) -> float:
    """The chance that an answerable question is trusted more than an unanswerable one; ties count half."""
    if not answerable or not unanswerable:
        return 0.0
    ordered = np.sort(np.asarray(unanswerable))
    below = np.searchsorted(ordered, answerable, side="left")
    not_above = np.searchsorted(ordered, answerable, side="right")
    return float((below + not_above).mean() / 2 / len(ordered))


def _within(rank: int | None, depth: int) -> float:
    return float(rank is not None and rank <= depth)
