import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared.errors import BadRequest
from shared.settings import Settings
from tests.unit.xgtwin.evaluation import toy
from xgtwin.eval_command import Files, run_evaluation
from xgtwin.evaluation import report
from xgtwin.evaluation.reading import read_folder
from xgtwin.evaluation.report import Report
from xgtwin.evaluation.run import Scope, evaluate
from xgtwin.evaluation.sets import FollowUp

SETTINGS = Settings(_env_file=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.write(tmp_path_factory.mktemp("sets") / "toy")


async def made(folder: Path, scope: Scope) -> Report:
    return await evaluate(read_folder(folder, scope.split), scope, SETTINGS, None)


def figures(made: Report, title: str) -> dict[str, dict[str, float | int | None]]:
    table = next(table for table in made.tables if table.title == title)
    return {name: dict(zip(table.columns, values, strict=True)) for name, values in table.rows}


async def test_figures_are_those_worked_out_by_hand(folder: Path):
    """Three of the four test questions find their passage first, the fourth does not find it at all."""
    whole = await made(folder, Scope("test", knobs=False))
    words = figures(whole, "Retrieval")["words"]
    assert words == {"questions": 4, "R@1": 0.75, "R@5": 0.75, "R@10": 0.75, "MRR@10": 0.75, "nDCG@10": 0.75}
    answers = figures(whole, "Answers without a language model")["all"]
    assert answers["shown"] == answers["best sentence"] == 0.75
    assert answers["quotes literal"] == 1
    refusals = figures(whole, "Refusals, the set's own unanswerable questions")["questions"]
    assert refusals == {"answerable kept": 4, "unanswerable refused": 1}


async def test_failures_name_the_question_what_was_expected_and_what_came(folder: Path):
    failures = (await made(folder, Scope("test", knobs=False))).failures
    missed = [failure for failure in failures if failure.kind == "no right passage among the first five"]
    assert [failure.question_id for failure in missed] == ["q5"]
    assert "O jantar termina" in missed[0].expected
    assert "bicicleta" in missed[0].got


async def test_a_question_is_unanswerable_for_the_half_of_the_documents_without_its_passage(folder: Path):
    halves = figures(
        await made(folder, Scope("all", knobs=False)), "Refusals over halves of the documents, titles in turn"
    )
    assert halves["questions"] == {"answerable kept": 6, "unanswerable refused": 6}
    # The words of the questions stand in their own half and not in the other one.
    assert halves["as configured"]["answerable kept"] == 1


async def test_a_question_that_the_other_half_answers_in_nearly_the_same_words_is_not_unanswerable(tmp_path: Path):
    folder = toy.write(tmp_path / "twice")
    with (folder / "passages.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "again", "title": "Norma", "text": "Também aqui a monitoria dura dez meses."}\n')
    halves = figures(
        await made(folder, Scope("all", knobs=False, first_half=frozenset({"Norma"}))),
        "Refusals over halves of the documents, as given",
    )
    assert halves["questions"] == {"answerable kept": 6, "unanswerable refused": 5}


async def test_two_runs_bring_the_same_report(folder: Path):
    scope = Scope("all", limit=3)
    assert await made(folder, scope) == await made(folder, scope)


async def test_each_knob_has_its_row(folder: Path):
    rows = figures(await made(folder, Scope("dev")), "Retrieval")
    assert {"words", "without accents", "a typo in each long word", "stems alone"} <= set(rows)


async def test_a_report_is_written_as_markdown_and_as_json(folder: Path, tmp_path: Path):
    whole = await made(folder, Scope("test", knobs=False))
    report.write(whole, tmp_path / "r.md")
    report.write(whole, tmp_path / "r.json")
    assert "| words | 4 | 75.0 | 75.0 | 75.0 | 75.0 | 75.0 |" in (tmp_path / "r.md").read_text(encoding="utf-8")
    assert Report.model_validate(json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))) == whole


def test_a_report_that_could_not_be_written_is_refused_before_the_work(tmp_path: Path):
    with pytest.raises(BadRequest, match=r"r\.md or r\.json"):
        report.require_format(tmp_path / "r.txt")
    with pytest.raises(BadRequest, match="no folder"):
        report.require_format(tmp_path / "absent" / "r.md")


def test_a_sample_is_always_the_same(folder: Path):
    data = read_folder(folder, "all")
    assert data.sample(3) == data.sample(3)
    assert len(data.sample(3).questions) == 3
    assert data.sample(100) == data


async def test_a_second_question_is_measured_beside_its_stand_alone_form(folder: Path):
    data = read_folder(folder, "all")
    scholar, library = data.questions[1], data.questions[2]
    asked = replace(
        data,
        questions=(scholar, library),
        follow_ups=(
            # Only what was asked before says what lasts.
            FollowUp(replace(scholar, text="e quanto tempo ela dura?"), "O que é a monitoria?", scholar.text),
            FollowUp(library, "O que é a monitoria?", library.text),
        ),
    )
    rows = figures(await evaluate(asked, Scope("all", knobs=False), SETTINGS, None), "Second questions")
    assert rows["by hand"]["R@1"] == rows["as understood"]["R@1"] == 1
    assert rows["new subjects"] == {"questions": 1, "R@1": 1, "R@5": 1, "R@10": 1, "MRR@10": 1, "nDCG@10": 1}


async def test_retrieval_alone_is_measured_without_the_rest(folder: Path):
    titles = [table.title for table in (await made(folder, Scope("test", whole=False))).tables]
    assert titles == ["Retrieval", "Retrieval, 95 % intervals"]


def test_a_set_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(BadRequest, match="absent is not there"):
        run_evaluation(SETTINGS, Files(tmp_path / "absent"), Scope("all"))
