"""The embedding model as a folder on this machine: looked for, loaded, tried."""

from collections.abc import Callable
from pathlib import Path

from shared.embeddings.late import NotYet, Say
from shared.embeddings.model import ModelState
from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable

SAMPLE = "Uma frase para experimentar o modelo."

Load = Callable[[Path], Embedder]
"""Raises `Unavailable` if the folder does not hold a whole model."""
Signature = tuple[tuple[str, int, int], ...]


def load(name: str, folder: Path) -> Embedder:
    """The model of this folder, which has embedded a sentence. Raises `Unavailable`."""
    from shared.embeddings.fastembed_embedder import FastembedEmbedder  # 0.7 s and 100 MB, only where it is used

    embedder = FastembedEmbedder(name, folder)
    embedder.embed_question(SAMPLE)
    return embedder


def has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


class LocalModel:
    """Attempts at the model of a folder. A folder that is not a whole model is loaded again only after it changed:
    somebody may be copying it. `fetch` brings the folder, or raises `NotYet`.
    """

    def __init__(self, name: str, folder: Path, fetch: Callable[[Say], None]) -> None:
        self.name = name
        self.folder = folder
        self._fetch = fetch
        self._refused: tuple[Signature, str] | None = None

    def __call__(self, say: Say) -> Embedder:
        if not has_files(self.folder):
            self._fetch(say)
        before = _signature(self.folder)
        if self._refused and self._refused[0] == before:
            raise NotYet(ModelState.UNUSABLE, self._refused[1])
        try:
            return load(self.name, self.folder)
        except Unavailable as error:
            self._refused = (before, error.detail)
            raise NotYet(ModelState.UNUSABLE, error.detail) from error


def _signature(folder: Path) -> Signature:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple((str(path), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files)
