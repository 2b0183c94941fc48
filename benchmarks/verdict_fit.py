"""Fits the weights of query_service/confidence.py on `dev` questions and says what they do on `dev` and `test`.

    python benchmarks/verdict_fit.py --data DIR

DIR holds one folder per set (docs/evaluation.md). Unanswerable questions are made by asking one half of a set over the
documents of the other half, questions of the sets over the sample documents, and over small libraries of 1 to 20
passages of other subjects. Groups count by GROUPS, answerable and unanswerable alike, however many questions they have.
"""

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from query_service.confidence import BIAS, WEIGHTS, Signals, signals
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.part_settings import RetrievalSettings
from shared.settings import QuerySettings, Settings
from xgtwin.evaluation.documents import read_documents
from xgtwin.evaluation.library import Library, opened
from xgtwin.evaluation.ranking import area_under_curve
from xgtwin.evaluation.reading import read_document_questions, read_folder, read_titles, read_unanswerable
from xgtwin.evaluation.refusals import in_turn
from xgtwin.evaluation.sets import Entry, Question, QuestionSet

ROOT = Path(__file__).parents[1]
ASKED = ROOT / "tests/data"
COMPUTING = read_titles(ASKED / "faquad_computing.txt")
GROUPS = {"subjects": 1.0, "titles": 1.0, "samples": 1.0, "foreign": 0.3, "one document": 0.4, "small": 0.5}
"""What a group counts for. FaQuAD by titles repeats its rules in both halves: only its figures are shown."""
PENALTY = 1.0
"""Of the squared weights, against a thousand questions of each kind in a group of weight 1."""
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
SMALL, REPEATS = (1, 3, 10, 20), 12
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A question put to a library; `seen` has a row for each judged passage."""

    group: str
    split: str
    answerable: bool
    seen: tuple[Signals, ...]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per question set")
    parser.add_argument("--limit", type=int, default=1500, help="questions of each set and split at most")
    options = parser.parse_args()
    folders = sorted(file.parent for file in options.data.glob("*/passages.jsonl"))
    cases = [case for split in ("dev", "test") for case in collected(folders, split, options.limit)]
    weights = fitted([case for case in cases if case.split == "dev"])
    print(f"{'BIAS':14} {weights[-1]:6.2f}   was {BIAS:6.2f}")
    for field, new, old in zip(fields(Signals), weights, astuple(WEIGHTS), strict=False):
        print(f"{field.name:14} {new:6.2f}   was {old:6.2f}")
    report(cases, weights)
    return 0


def collected(folders: Sequence[Path], split: str, limit: int) -> Iterator[Case]:
    documents = read_documents(ROOT / "watched_docs", Settings().ingest, None)
    sets = [read_folder(folder, split).sample(limit) for folder in folders]  # type: ignore[arg-type]
    for data in sets:
        titles = {entry.chunk.title for entry in data.entries}
        yield from halves(data, f"{data.name} titles", split, in_turn(data))
        if titles > COMPUTING:
            yield from halves(data, f"{data.name} subjects", split, COMPUTING)
        yield from small(data, split)
    known = read_document_questions(ASKED / "questions_watched_docs.jsonl", "all", documents)
    mine = [q for q in known.questions if (int(q.id[-3:]) % 2 == 1) is (split == "dev")]
    unanswerable = read_unanswerable(ASKED / "questions_unanswerable.jsonl", "all")
    nobodys = [q for q in unanswerable if (int(q.id[-3:]) % 2 == 1) is (split == "dev")]
    with opened(documents, None) as library:
        yield from asked("samples", split, library, mine, nobodys)
        yield from asked("foreign", split, library, [], [q for data in sets for q in data.sample(250).questions])
    for name in sorted({entry.chunk.filename for entry in documents}):
        alone = [entry for entry in documents if entry.chunk.filename == name]
        there = {entry.chunk.id for entry in alone}
        with opened(alone, None) as library:
            yield from asked("one document", split, library, [q for q in mine if q.gold & there], nobodys)


def halves(data: QuestionSet, group: str, split: str, first: frozenset[str]) -> Iterator[Case]:
    for side in (True, False):
        half = [entry for entry in data.entries if (entry.chunk.title in first) is side]
        inside = {entry.chunk.id for entry in half}
        with opened(half, None) as library:
            here = [q for q in data.questions if q.gold <= inside]
            yield from asked(group, split, library, here, [q for q in data.questions if not q.gold & inside])


def small(data: QuestionSet, split: str) -> Iterator[Case]:
    """Libraries of few passages: their questions, and those of other titles."""
    chance = random.Random(1)
    entries: dict[object, Entry] = {entry.chunk.id: entry for entry in data.entries}
    golden = sorted({gold for q in data.questions for gold in q.gold}, key=str)
    for size in SMALL:
        for _ in range(REPEATS):
            library = [entries[gold] for gold in chance.sample(golden, size)]
            inside, titles = {entry.chunk.id for entry in library}, {entry.chunk.title for entry in library}
            here = [q for q in data.questions if q.gold <= inside]
            away = [q for q in data.questions if all(entries[gold].chunk.title not in titles for gold in q.gold)]
            with opened(library, None) as filled:
                few = [chance.sample(questions, min(4, len(questions))) for questions in (here, away)]
                yield from asked("small", split, filled, *few)


def asked(
    group: str, split: str, library: Library, answerable: Sequence[Question], unanswerable: Sequence[Question]
) -> Iterator[Case]:
    retriever = library.retriever(RetrievalSettings(), None)
    for questions, has_answer in ((answerable, True), (unanswerable, False)):
        for question in questions:
            found = retriever.retrieve(DEFAULT_ORGANIZATION_ID, question.text, QuerySettings().top_k)
            yield Case(group, split, has_answer, tuple(signals(question.text, found, library.reader)))


def fitted(cases: Sequence[Case]) -> Floats:
    """The weights and the bias: logistic regression by Newton steps, each case by the passage that is its best."""
    counted = [case for case in cases if weight_of(case.group) and case.seen]
    sizes: dict[tuple[str, bool], int] = defaultdict(int)
    for case in counted:
        sizes[case.group, case.answerable] += 1
    importance = np.array([weight_of(case.group) * 1000 / sizes[case.group, case.answerable] for case in counted])
    answerable = np.array([float(case.answerable) for case in counted])
    weights = np.array([1.0] * 6 + [-1.0, 1.0, 1.0, -4.0])
    for _ in range(40):
        rows = np.array([best(case, weights) for case in counted])
        chance = 1 / (1 + np.exp(-rows @ weights))
        penalty = PENALTY * np.array([1.0] * (rows.shape[1] - 1) + [0.0])
        slope = rows.T @ (importance * (answerable - chance)) - penalty * weights
        curve = (rows * (importance * chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        weights = weights + np.linalg.solve(curve, slope)
    return weights


def weight_of(group: str) -> float:
    return 0.0 if group == "faquad titles" else next(w for name, w in GROUPS.items() if group.endswith(name))


def best(case: Case, weights: Floats) -> Floats:
    rows = np.array([(*astuple(seen), 1.0) for seen in case.seen])
    row: Floats = rows[np.argmax(rows @ weights)]
    return row


def report(cases: Sequence[Case], weights: Floats) -> None:
    """Answerable kept and unanswerable refused (%) by threshold, for each group and split."""
    print(f"{'kept / refused from':30}" + "".join(f"{threshold:14.2f}" for threshold in THRESHOLDS) + "     AUC")
    for group, split in sorted({(case.group, case.split) for case in cases}):
        chances: dict[bool, list[float]] = {True: [], False: []}
        for case in cases:
            if (case.group, case.split) == (group, split):
                score = float(best(case, weights) @ weights) if case.seen else -20.0
                chances[case.answerable].append(float(1 / (1 + np.exp(-score))))
        own, other = np.array(chances[True]), np.array(chances[False])
        kept = [f"{100 * np.mean(own >= t):5.1f}" if len(own) else "    -" for t in THRESHOLDS]
        figures = "".join(f"{k} / {100 * np.mean(other < t):5.1f} " for k, t in zip(kept, THRESHOLDS, strict=True))
        area = f"{area_under_curve(chances[True], chances[False]):.3f}" if len(own) else ""
        print(f"{group:24} {split:5} {figures}   {area}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
