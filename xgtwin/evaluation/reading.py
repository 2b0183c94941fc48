"""Reading question sets: JSON lines, checked, with the file and the line named when one is wrong.

The forms (a folder of passages and questions, questions over documents, second questions) are in docs/evaluation.md.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, Field, ValidationError

from shared.embeddings.folding import fold
from shared.errors import BadRequest
from shared.models import Chunk
from xgtwin.evaluation.sets import Entry, FollowUp, Question, QuestionSet, Split

PASSAGES, QUESTIONS, UNANSWERABLE = "passages.jsonl", "questions.jsonl", "questions_unanswerable.jsonl"

Words = Annotated[str, Field(min_length=1)]


class PassageLine(BaseModel):
    id: Words
    title: str = ""
    text: Words


class SplitLine(BaseModel):
    """Without `split` a question belongs to every split."""

    id: Words
    split: Literal["dev", "test"] | None = None

    def within(self, split: Split) -> bool:
        return split == "all" or self.split in (None, split)


class AskedLine(SplitLine):
    question: Words


class PassageQuestionLine(AskedLine):
    gold: Annotated[list[str], Field(min_length=1)]
    answers: list[str] = []


class PlaceLine(BaseModel):
    """Where in the documents a question is answered."""

    document: Words
    page: int | None = Field(None, ge=1)
    answer: Words


class DocumentQuestionLine(AskedLine, PlaceLine):
    pass


class TwoTurnLine(PlaceLine, SplitLine):
    first: Words
    second: Words
    standalone: Words


Line = TypeVar("Line", bound=BaseModel)
Wrong = Callable[[str], BadRequest]
"""Makes the error that names the file and the line."""


def read_folder(folder: Path, split: Split) -> QuestionSet:
    """A set that brings its passages. A passage is known by its words: copies in other capitals count as one.

    Raises `BadRequest` naming what is missing or wrong and where.
    """
    passages = {line.id: _entry(line) for line, _ in _lines(folder / PASSAGES, PassageLine)}
    questions = []
    for line, wrong in _lines(folder / QUESTIONS, PassageQuestionLine):
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
    for line, wrong in _lines(file, DocumentQuestionLine):
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
    for line, wrong in _lines(file, TwoTurnLine):
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
        Question(line.id, line.question, frozenset()) for line, _ in _lines(file, AskedLine) if line.within(split)
    )


def _filled(data: QuestionSet, source: Path, split: Split) -> QuestionSet:
    if not data.questions:
        raise BadRequest(f"{source} holds no question of the split {split!r}.")
    return data


def _lines(file: Path, form: type[Line]) -> Iterator[tuple[Line, Wrong]]:
    """The lines that are not blank, each with the way to complain about it."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{file} cannot be read ({error.strerror}); docs/evaluation.md describes the files.") from None
    except UnicodeDecodeError as error:
        broken = error.object.count(b"\n", 0, error.start) + 1
        raise BadRequest(f"{file}, line {broken}: it is not UTF-8.") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue

        def wrong(what: str, number: int = number) -> BadRequest:
            return BadRequest(f"{file}, line {number}: {what}.")

        try:
            yield form.model_validate_json(line), wrong
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise wrong(f"{place}: {first['msg']}" if place else first["msg"]) from None


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
