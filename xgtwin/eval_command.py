"""`xgtwin eval`: which set is read, what is measured, and where the report goes."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from shared.embeddings.bootstrap import embedder_at_hand
from shared.embeddings.protocol import Embedder
from shared.errors import BadRequest
from shared.settings import Settings
from xgtwin.evaluation import report
from xgtwin.evaluation.documents import read_documents
from xgtwin.evaluation.reading import (
    holds_two_turns,
    read_document_questions,
    read_folder,
    read_titles,
    read_two_turns,
    read_unanswerable,
)
from xgtwin.evaluation.run import Scope, evaluate
from xgtwin.evaluation.sets import QuestionSet, Split


@dataclass(frozen=True, slots=True)
class Files:
    """What the command line names; only `source` is needed."""

    source: Path
    documents: Path | None = None
    unanswerable: Path | None = None
    first_half: Path | None = None
    report: Path | None = None


def run_evaluation(settings: Settings, files: Files, scope: Scope) -> None:
    """Measure a set, show the tables and write the report. Raises `BadRequest` for a set that is not in order."""
    if files.report:
        report.require_format(files.report)
    embedder = embedder_at_hand(settings)
    data = _read(settings, files, scope.split, embedder)
    if files.first_half:
        scope = replace(scope, first_half=_first_half(files.first_half, data))
    made = asyncio.run(evaluate(data, scope, settings, embedder))
    report.show(made, Console(highlight=False))
    if files.report:
        report.write(made, files.report)
        print(f"The report with all failures is in {files.report}.")


def _read(settings: Settings, files: Files, split: Split, embedder: Embedder | None) -> QuestionSet:
    if not files.source.exists():
        raise BadRequest(f"{files.source} is not there; name a folder or a file as docs/evaluation.md describes them.")
    if files.source.is_dir():
        data = read_folder(files.source, split)
    else:
        entries = read_documents(files.documents or settings.ingest.watch_dir, settings.ingest, embedder)
        read = read_two_turns if holds_two_turns(files.source) else read_document_questions
        data = read(files.source, split, entries)
    if files.unanswerable:
        data = replace(data, unanswerable=read_unanswerable(files.unanswerable, split))
    return data


def _first_half(file: Path, data: QuestionSet) -> frozenset[str]:
    titles = read_titles(file)
    if unknown := sorted(titles - {entry.chunk.title for entry in data.entries}):
        raise BadRequest(f"{file} names {unknown[0]!r}, which is no title of {data.name}.")
    return titles
