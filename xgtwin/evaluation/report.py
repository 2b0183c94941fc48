"""What an evaluation brings: tables of figures and the questions that went wrong, for a terminal, Markdown or JSON."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

from shared.errors import BadRequest
from shared.models import Frozen

FORMATS = (".md", ".json")
SHOWN_FAILURES = 200
"""Of each kind in Markdown, which people read; JSON has all."""


class Table(Frozen):
    """A row is its name and one value a column: shares from 0 to 1, counts as whole numbers, None for not measured."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | int | None, ...]], ...]
    note: str = ""


class Failure(Frozen):
    """A question that went wrong: what was expected of it, and what came."""

    kind: str
    question_id: str
    question: str
    expected: str
    got: str


class Report(Frozen):
    """`made_with` says what the figures depend on: split, encoder, model, answerer."""

    set_name: str
    made_with: dict[str, str]
    tables: tuple[Table, ...]
    failures: tuple[Failure, ...]


def require_format(file: Path) -> None:
    """Raise `BadRequest` when a report cannot be written under this name: better before the work than after."""
    if file.suffix not in FORMATS:
        raise BadRequest(f"A report is Markdown or JSON: name it {file.stem}.md or {file.stem}.json.")
    if not file.parent.is_dir():
        raise BadRequest(f"There is no folder {file.parent} for the report.")


def write(report: Report, file: Path) -> None:
    text = report.model_dump_json(indent=1) if file.suffix == ".json" else markdown(report)
    file.write_text(text + "\n", encoding="utf-8")


def show(report: Report, console: Console) -> None:
    """The tables; of the failures only how many."""
    console.print(f"[bold]{report.set_name}[/bold]: " + _made_with(report))
    for table in report.tables:
        drawn = RichTable("", *table.columns, title=table.title, title_justify="left", caption=table.note or None)
        for column in drawn.columns[1:]:
            column.justify = "right"
        for name, values in table.rows:
            drawn.add_row(name, *map(cell, values))
        console.print(drawn)
    for kind, failures in _by_kind(report).items():
        console.print(f"{kind}: {len(failures)}")


def markdown(report: Report) -> str:
    return "\n".join(_markdown_lines(report))


def cell(value: float | None) -> str:
    """A share in per cent, a count as it is."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{100 * value:.1f}"


def _markdown_lines(report: Report) -> Iterator[str]:
    yield f"# {report.set_name}\n"
    yield _made_with(report) + "\n"
    for table in report.tables:
        yield f"## {table.title}\n"
        yield f"| | {' | '.join(table.columns)} |"
        yield "|---" + "|---:" * len(table.columns) + "|"
        for name, values in table.rows:
            yield f"| {_one_cell(name)} | {' | '.join(map(cell, values))} |"
        yield f"\n{table.note}\n" if table.note else ""
    for kind, failures in _by_kind(report).items():
        yield f"## {kind}: {len(failures)}\n"
        yield "| id | question | expected | got |\n|---|---|---|---|"
        for one in failures[:SHOWN_FAILURES]:
            yield f"| {' | '.join(map(_one_cell, (one.question_id, one.question, one.expected, one.got)))} |"
        more = len(failures) - SHOWN_FAILURES
        yield f"\nAnd {more} more, which a report in JSON has.\n" if more > 0 else ""


def _made_with(report: Report) -> str:
    return ", ".join(f"{name} {value}" for name, value in report.made_with.items())


def _by_kind(report: Report) -> dict[str, list[Failure]]:
    kinds: dict[str, list[Failure]] = defaultdict(list)
    for failure in report.failures:
        kinds[failure.kind].append(failure)
    return kinds


def _one_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
