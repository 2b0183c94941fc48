from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest

from shared.errors import BadRequest
from shared.models import Chunk
from tests.unit.xgtwin.evaluation import toy
from xgtwin.evaluation.reading import holds_two_turns, read_document_questions, read_folder, read_titles, read_two_turns
from xgtwin.evaluation.sets import Entry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return toy.write(tmp_path / "toy")


def page(number: int | None, text: str = "Texto.") -> Entry:
    one = uuid5(NAMESPACE_URL, f"{number} {text}")
    chunk = Chunk(
        id=one,
        document_id=one,
        filename="guia.pdf" if number else "nota.md",
        title="",
        index=0,
        text=text,
        start=0,
        end=len(text),
        page_start=number,
    )
    return Entry(chunk, chunk.text)


def test_a_split_holds_its_own_questions_and_all_passages(folder: Path):
    dev, everything = read_folder(folder, "dev"), read_folder(folder, "all")
    assert [question.id for question in dev.questions] == ["q0", "q1"]
    assert len(everything.questions) == len(toy.QUESTIONS)
    assert len(dev.entries) == len(everything.entries) == len(toy.PASSAGES)
    assert [question.id for question in everything.unanswerable] == ["u0"]


def test_a_passage_that_is_there_twice_in_other_capitals_counts_once(folder: Path):
    with (folder / "passages.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "copy", "title": "X", "text": "A MONITORIA DURA DEZ MESES."}\n')
    assert len(read_folder(folder, "all").entries) == len(toy.PASSAGES)


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [
        ("questions.jsonl", '{"id": "q9", "question": "Onde?", "gold": ["p77"]}', "there is no passage 'p77'"),
        ("questions.jsonl", '{"id": "q9", "gold": ["p1"]}', "question: Field required"),
        ("questions.jsonl", '{"id": "q9", "split": "train", "question": "Onde?", "gold": ["p1"]}', "split: "),
        ("questions.jsonl", "not JSON", "Invalid JSON"),
        ("passages.jsonl", '{"id": "p10", "title": "Sem texto"}', "text: Field required"),
        ("passages.jsonl", '{"id": "p1", "text": "Outro texto."}', "there is a passage 'p1' above already"),
        ("questions_unanswerable.jsonl", '{"id": "u9"}', "question: Field required"),
    ],
)
def test_a_wrong_line_is_named_with_its_file_and_number(folder: Path, file: str, line: str, complaint: str):
    path = folder / file
    number = len(path.read_text(encoding="utf-8").splitlines()) + 1
    with path.open("a", encoding="utf-8") as out:
        out.write(line + "\n")
    with pytest.raises(BadRequest) as error:
        read_folder(folder, "all")
    assert f"{file}, line {number}: " in error.value.detail
    assert complaint in error.value.detail


def test_a_line_in_another_encoding_is_named(folder: Path):
    path = folder / "questions.jsonl"
    path.write_bytes(path.read_bytes() + "matrícula\n".encode("latin-1"))
    with pytest.raises(BadRequest, match=rf"line {len(toy.QUESTIONS) + 1}: it is not UTF-8"):
        read_folder(folder, "all")


def test_a_folder_without_passages_says_which_file_is_missing(tmp_path: Path):
    with pytest.raises(BadRequest, match=r"passages\.jsonl cannot be read"):
        read_folder(tmp_path, "all")


def test_every_chunk_of_the_named_page_answers(tmp_path: Path):
    file = tmp_path / "asked.jsonl"
    file.write_text('{"id": "a", "question": "Onde?", "document": "guia.pdf", "page": 2, "answer": "aqui"}\n')
    entries = [page(1), page(2)]
    question = read_document_questions(file, "dev", entries).questions[0]
    assert question.gold == {entries[1].chunk.id}
    assert question.answers == ("aqui",)


def test_a_question_about_a_page_that_is_not_there_is_named(tmp_path: Path):
    file = tmp_path / "asked.jsonl"
    file.write_text('{"id": "a", "question": "Onde?", "document": "guia.pdf", "page": 9, "answer": "aqui"}\n')
    with pytest.raises(BadRequest, match=r"line 1: there is no text of guia\.pdf, page 9"):
        read_document_questions(file, "all", [page(1)])


@pytest.mark.parametrize(("answer", "right"), [("na gaveta azul", [1]), ("aqui. A chave", [0, 1])])
def test_in_a_document_without_pages_the_chunks_with_the_answer_are_right_or_all_if_it_is_cut(
    tmp_path: Path, answer: str, right: list[int]
):
    file = tmp_path / "asked.jsonl"
    file.write_text(f'{{"id": "a", "question": "Onde?", "document": "nota.md", "page": null, "answer": "{answer}"}}\n')
    entries = [page(None, "Nada está aqui."), page(None, "A chave está na gaveta azul.")]
    question = read_document_questions(file, "dev", entries).questions[0]
    assert question.gold == {entries[number].chunk.id for number in right}


def test_second_questions_come_with_their_stand_alone_form(tmp_path: Path):
    file = tmp_path / "turns.jsonl"
    file.write_text(
        '{"id": "t", "split": "dev", "first": "O que é o 5G?", "second": "e o 6G?", "standalone": "O que é o 6G?", '
        '"document": "guia.pdf", "page": 1, "answer": "Texto"}\n'
    )
    assert holds_two_turns(file)
    data = read_two_turns(file, "all", [page(1)])
    assert [question.text for question in data.questions] == ["O que é o 6G?"]
    assert [(one.first, one.question.text) for one in data.follow_ups] == [("O que é o 5G?", "e o 6G?")]


def test_titles_are_read_one_a_line(tmp_path: Path):
    (tmp_path / "titles.txt").write_text("Regulamento\n\n Biblioteca \n", encoding="utf-8")
    assert read_titles(tmp_path / "titles.txt") == {"Regulamento", "Biblioteca"}
    with pytest.raises(BadRequest, match=r"absent\.txt cannot be read"):
        read_titles(tmp_path / "absent.txt")
