"""Reading question sets. The forms (a folder of passages and questions, questions over documents, second questions) are
in docs/evaluation.md; every error names the file, and the line where there is one.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.embeddings.folding import fold
from shared.errors import BadRequest
from shared.models import Chunk
from xgtwin.evaluation.lines import (
    AskedLine,
    DocumentQuestionLine,
    PassageLine,
    PassageQuestionLine,
    PlaceLine,
    TwoTurnLine,
    Wrong,
    read_lines,
)
from xgtwin.evaluation.sets import Entry, FollowUp, Question, QuestionSet, Split

PASSAGES, QUESTIONS, UNANSWERABLE = "passages.jsonl", "questions.jsonl", "questions_unanswerable.jsonl"


def read_folder(folder: Path, split: Split) -> QuestionSet:
    """A set that brings its passages. A passage is known by its words: copies in other capitals count as one.

    Raises `BadRequest` naming what is missing or wrong and where.
    """
    passages: dict[str, Entry] = {}
    for passage, wrong in read_lines(folder / PASSAGES, PassageLine):
        if passage.id in passages:
            raise wrong(f"there is a passage {passage.id!r} above already")
        passages[passage.id] = _entry(passage)
    questions = []
    for line, wrong in read_lines(folder / QUESTIONS, PassageQuestionLine):
        if missing := [name for name in line.gold if name not in passages]:
            raise wrong(f"there is no passage {missing[0]!r} in {PASSAGES}")
        if line.within(split):
            gold = frozenset(passages[name].chunk.id for name in line.gold)
            questions.append(Question(line.id, line.question, gold, tuple(filter(None, line.answers))))
    file = folder / UNANSWERABLE
    unanswerable = read_unanswerable(file, split) if file.is_file() else ()
    entries = {entry.chunk.id: entry for entry in passages.values()}
    return _filled(QuestionSet(folder.name, tuple(entries.values()), tuple(questions), unanswerable), folder, split)


def read_document_questions(file: Path, split: Split, entries: Sequence[Entry]) -> QuestionSet:
    """Questions over documents that were cut into `entries`.

    Raises `BadRequest` naming what is wrong and where.
    """
    questions = []
    for line, wrong in read_lines(file, DocumentQuestionLine):
        gold = _gold(line, entries, wrong)
        if line.within(split):
            questions.append(Question(line.id, line.question, gold, (line.answer,)))
    return _filled(QuestionSet(file.stem, tuple(entries), tuple(questions)), file, split)


def holds_two_turns(file: Path) -> bool:
    """Whether the first line of a file of questions has the fields of a second question."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        return '"second"' in next(lines, "")


def read_two_turns(file: Path, split: Split, entries: Sequence[Entry]) -> QuestionSet:
    """Second questions over documents; what is measured beside them is their stand-alone forms.

    Raises `BadRequest` naming what is wrong and where.
    """
    questions, follow_ups = [], []
    for line, wrong in read_lines(file, TwoTurnLine):
        gold = _gold(line, entries, wrong)
        if line.within(split):
            questions.append(Question(line.id, line.standalone, gold, (line.answer,)))
            second = Question(line.id, line.second, gold, (line.answer,))
            follow_ups.append(FollowUp(second, line.first, line.standalone))
    data = QuestionSet(file.stem, tuple(entries), tuple(questions), follow_ups=tuple(follow_ups))
    return _filled(data, file, split)


def read_unanswerable(file: Path, split: Split) -> tuple[Question, ...]:
    """Questions that nothing answers. Raises `BadRequest` naming what is wrong and where."""
    return tuple(
        Question(line.id, line.question, frozenset()) for line, _ in read_lines(file, AskedLine) if line.within(split)
    )


def read_titles(file: Path) -> frozenset[str]:
    """One title a line. Raises `BadRequest` when the file cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadRequest(f"{file} cannot be read ({error.strerror}); it holds one title a line.") from None
    return frozenset(filter(None, map(str.strip, lines)))


def _filled(data: QuestionSet, source: Path, split: Split) -> QuestionSet:
    if not data.questions:
        raise BadRequest(f"{source} holds no question of the split {split!r}.")
    return data


def _entry(line: PassageLine) -> Entry:
    one: UUID = uuid5(NAMESPACE_URL, fold(line.text))
    chunk = Chunk(
        id=one,
        document_id=one,
        filename=line.id,
        title=line.title,
        index=0,
        text=line.text,
        start=0,
        end=len(line.text),
    )
    return Entry(chunk, line.text)


def _gold(line: PlaceLine, entries: Sequence[Entry], wrong: Wrong) -> frozenset[UUID]:
    """Every chunk of the page; without pages, those with the answer, or all if a cut goes through it."""
    of_document = [entry.chunk for entry in entries if entry.chunk.filename == line.document]
    if line.page is None:
        right = [chunk for chunk in of_document if _flat(line.answer) in _flat(_read(chunk))] or of_document
    else:
        right = [chunk for chunk in of_document if _on(line.page, chunk)]
    if not right:
        place = line.document if line.page is None or not of_document else f"{line.document}, page {line.page}"
        raise wrong(f"there is no text of {place} among the documents")
    return frozenset(chunk.id for chunk in right)


def _on(page: int, chunk: Chunk) -> bool:
    return chunk.page_start is not None and chunk.page_start <= page <= (chunk.page_end or chunk.page_start)


def _read(chunk: Chunk) -> str:
    return " ".join([*chunk.heading_path, chunk.context, chunk.text])


def _flat(text: str) -> str:
    return " ".join(fold(text).split())
