"""The lines of question sets: JSON, checked, with the file and the line named when one is wrong."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from shared.errors import BadRequest
from xgtwin.evaluation.sets import Split

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


def read_lines(file: Path, form: type[Line]) -> Iterator[tuple[Line, Wrong]]:
    """The lines that are not blank, each with the way to complain about it.

    Raises `BadRequest` when the file cannot be read or a line has another form.
    """
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
