"""Prove that each test question has its literal answer in the named document, on the named page.

    python docs/samples/verify.py

Reads what the product reads: the text layer of the PDFs (pypdfium2) and the UTF-8 of the other files.
Needs `pypdfium2`. Line breaks inside an answer do not count, because where a line ends is up to the layout.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypedDict

from pypdfium2 import PdfDocument

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "watched_docs"
ANSWERABLE = ROOT / "tests" / "data" / "questions_watched_docs.jsonl"
UNANSWERABLE = ROOT / "tests" / "data" / "questions_unanswerable.jsonl"


class Question(TypedDict):
    """One line of the answerable questions; `page` counts from 1 and is null where a file has no pages."""

    id: str
    question: str
    document: str
    page: int | None
    answer: str


def main() -> int:
    """Print the problems and a count per document; exit code 1 if there is any problem."""
    questions: list[Question] = _lines(ANSWERABLE)
    problems = [problem for question in questions for problem in _problems(question)]
    problems += _repeated([*questions, *_lines(UNANSWERABLE)])
    for problem in problems:
        print(problem, file=sys.stderr)
    for document, count in sorted(Counter(question["document"] for question in questions).items()):
        print(f"{count:4} {document}")
    print(f"{len(questions)} questions, {len(problems)} problems")
    return int(bool(problems))


def _lines(path: Path) -> list[Question]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _problems(question: Question) -> Iterator[str]:
    name, document = question["id"], question["document"]
    if not (DOCUMENTS / document).is_file():
        yield f"{name}: watched_docs/ has no {document}."
        return
    is_pdf = document.endswith(".pdf")
    if is_pdf != (question["page"] is not None):
        yield f"{name}: a page is given for PDFs and for nothing else."
        return
    pages = _pages(document)
    number = question["page"] or 1
    if number > len(pages):
        yield f"{name}: {document} has {len(pages)} pages, not {number}."
    elif _one_line(question["answer"]) not in pages[number - 1]:
        yield f"{name}: {question['answer']!r} does not stand in {document}, page {question['page']}."


def _repeated(questions: list[Question]) -> list[str]:
    counts = Counter(question[key] for question in questions for key in ("id", "question"))
    return [f"{value!r} is used {count} times." for value, count in counts.items() if count > 1]


@cache
def _pages(document: str) -> tuple[str, ...]:
    path = DOCUMENTS / document
    if not document.endswith(".pdf"):
        return (_one_line(path.read_text(encoding="utf-8")),)
    with PdfDocument(path) as pdf:
        return tuple(_one_line(page.get_textpage().get_text_range()) for page in pdf)


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
