"""`xgtwin models`: embedding models on this machine, and fetching one by hand."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from query_service.retrieval.reranking import MODEL as RERANKER
from query_service.retrieval.reranking import build_reranker
from shared.embeddings.bootstrap import model_folder
from shared.embeddings.fetching import pull as fetch
from shared.embeddings.local import has_files, load
from shared.errors import Conflict, Unavailable
from shared.settings import Settings


def pull(settings: Settings, model: str) -> None:
    """Fetch a model into the data folder, going on where an earlier fetch was interrupted. A running xgtwin takes it
    up by itself. Raises `Unavailable`, and `Conflict` if something is there that is no whole model."""
    chosen = _chosen(settings, model)
    name, folder = chosen.embedder.model, model_folder(chosen)
    if has_files(folder):
        try:
            load(name, folder)
        except Unavailable as error:
            raise Conflict(f"{folder} is there and not a whole model: move it away, then pull again.") from error
        print(f"{name} is here already: {folder}")
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(name, total=None)
        fetch(name, folder, lambda present, total: progress.update(task, completed=present, total=total))
    print(f"{name} is whole and works: {folder}")


def show(settings: Settings) -> None:
    """Print the models of the data folder: whether they are whole, how large, and which one the settings ask for."""
    table = Table("model", "state", "MiB", "", box=None)
    asked = settings.embedder.model if settings.embedder.kind in {"auto", "fastembed"} else ""
    folders = {f"{path.parent.name}/{path.name}": path for path in (settings.data_dir / "models").glob("*/*")}
    if asked:
        folders.setdefault(asked, model_folder(settings))
    for name, folder in sorted(folders.items()):
        if folder.is_dir() or name == asked:
            wanted = "EMBEDDER__MODEL" if name == asked else ""
            state = _reranker_state(settings) if name == RERANKER else _state(name, folder)
            table.add_row(name, state, str(_bytes(folder) >> 20), wanted)
    Console().print(table)


def _chosen(settings: Settings, model: str) -> Settings:
    if not model:
        return settings
    embedder = settings.embedder.model_copy(update={"model": model, "model_dir": None})
    return settings.model_copy(update={"embedder": embedder})


def _state(name: str, folder: Path) -> str:
    if name.rpartition("/")[2].startswith("."):
        return "fetched in part: pull goes on with it"
    if not has_files(folder):
        return "not here"
    try:
        return f"whole, {load(name, folder).dimension} dimensions"
    except Unavailable:
        return "not a whole embedding model"


def _reranker_state(settings: Settings) -> str:
    retrieval = settings.retrieval.model_copy(update={"reranker_dir": None})
    try:
        present = build_reranker(settings.model_copy(update={"retrieval": retrieval}))
    except Unavailable:
        return "not a whole re-ranker"
    return "whole, re-ranks" if present else "not here"


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
