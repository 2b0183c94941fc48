"""Re-ranking by an ONNX cross-encoder on this machine's CPU. The only importer of `fastembed.rerank`."""

import time
from collections.abc import Sequence
from pathlib import Path

from fastembed.common.model_description import ModelSource
from fastembed.rerank.cross_encoder import TextCrossEncoder

from shared.errors import Unavailable
from shared.observability.logs import get_logger

log = get_logger(__name__)

MODEL_FILES = ("model.onnx", "onnx/model.onnx")
"""Where a model folder may hold its graph; the first that is there is taken."""
THREADS = 1
"""As for embeddings: the other cores answer other questions."""


class FastembedReranker:
    """The `Reranker` port over a model folder. Raises `Unavailable` when the folder does not hold a whole model."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        try:
            self._model = TextCrossEncoder(
                _register(folder.absolute()),
                specific_model_path=str(folder),
                cache_dir=str(folder),  # fastembed makes this folder even when it has nothing to put there
                local_files_only=True,
                threads=THREADS,
                providers=["CPUExecutionProvider"],
                enable_cpu_mem_arena=False,
            )
        except Exception as error:  # onnxruntime, tokenizers and fastembed share no error class
            log.error("reranker_not_loaded", error=str(error))
            raise Unavailable(
                f"The folder of the re-ranker, {folder}, does not hold a whole model; the log "
                "says what is missing. Set RETRIEVAL__RERANKER_DIR to the right folder, or remove it."
            ) from error

    def scores(self, question: str, texts: Sequence[str], deadline_s: float) -> list[float]:
        ends = time.monotonic() + deadline_s
        found: list[float] = []
        for text in texts:  # one by one: no padding, and the clock is looked at in between
            if time.monotonic() > ends:
                raise Unavailable(
                    f"Re-ranking was not done after {deadline_s:g} s. Allow more with RETRIEVAL__RERANK_S, or re-rank "
                    "fewer hits with RETRIEVAL__RERANK_FIRST."
                )
            try:
                (score,) = self._model.rerank(question, [text])
            except Exception as error:
                log.error("reranker_failed", error=str(error))
                raise Unavailable("The re-ranker failed; the log says why.") from error
            found.append(score)
        return found


def _register(folder: Path) -> str:
    """Make the folder known to fastembed, under its own path; that name."""
    name = str(folder)
    if not any(model["model"] == name for model in TextCrossEncoder.list_supported_models()):
        TextCrossEncoder.add_custom_model(
            name,
            sources=ModelSource(url="file:///nowhere"),  # must name one; with a folder it is not asked
            model_file=next(file for file in MODEL_FILES if (folder / file).is_file()),
        )
    return name
