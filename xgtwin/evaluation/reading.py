"""Reading question sets: JSON lines, checked, with the file and the line named when one is wrong.

The two forms (a folder of passages and questions; questions over documents) are described in docs/evaluation.md.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, Field, ValidationError

from shared.embeddings.folding import fold
from shared.errors import BadRequest
from shared.models import Chunk
from xgtwin.evaluation.sets import Entry, Question, QuestionSet, Split

PASSAGES, QUESTIONS, UNANSWERABLE = "passages.jsonl", "questions.jsonl", "questions_unanswerable.jsonl"

Words = Annotated[str, Field(min_length=1)]


class PassageLine(BaseModel):
    id: Words
    title: str = ""
    text: Words


class AskedLine(BaseModel):
    """What every kind of question has; without `split` it belongs to every split."""

    id: Words
    question: Words
    split: Literal["dev", "test"] | None = None

    def within(self, split: Split) -> bool:
        return split == "all" or self.split in (None, split)


class PassageQuestionLine(AskedLine):
    gold: Annotated[list[str], Field(min_length=1)]
    answers: list[str] = []


class DocumentQuestionLine(AskedLine):
    document: Words
    page: int | None = Field(None, ge=1)
    answer: Words


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
    """Questions over documents that were cut into `entries`; every chunk of the right page is right.

    Raises `BadRequest` naming what is wrong and where.
    """
    questions = []
    for line, wrong in _lines(file, DocumentQuestionLine):
        of_document = [entry.chunk for entry in entries if entry.chunk.filename == line.document]
        gold = frozenset(chunk.id for chunk in of_document if line.page is None or _on(line.page, chunk))
        if not gold:
            place = line.document if line.page is None or not of_document else f"{line.document}, page {line.page}"
            raise wrong(f"there is no text of {place} among the documents")
        if line.within(split):
            questions.append(Question(line.id, line.question, gold, (line.answer,)))
    return _filled(QuestionSet(file.stem, tuple(entries), tuple(questions)), file, split)


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


def _on(page: int, chunk: Chunk) -> bool:
    return chunk.page_start is not None and chunk.page_start <= page <= (chunk.page_end or chunk.page_start)
