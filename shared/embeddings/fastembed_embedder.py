"""Dense vectors by an ONNX model on this machine's CPU. The only importer of `fastembed`."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType
from tokenizers import Tokenizer

from shared.embeddings.hub import Source
from shared.embeddings.prefixes import prefixes_of
from shared.embeddings.protocol import Vector
from shared.errors import Unavailable
from shared.observability.logs import get_logger

log = get_logger(__name__)

MODEL_FILES = ("model.onnx", "onnx/model.onnx")
"""Where a model folder may hold its graph; the first that is there is taken."""

TRAINED_ON = {
    "sentence-transformers/all-minilm-l6-v2": 256,
    "sentence-transformers/paraphrase-multilingual-minilm-l12-v2": 128,
}
"""`max_seq_length` of models whose ONNX folders on the hub do not carry it."""

BATCH = 1
"""Chunks of mixed length: 22 a CPU-second one by one, 13 by eight, 11 by fastembed's 256, which takes 1.3 GB. And the
vectors of a quantized model depend on their batch mates, so with one the same text always has the same vector."""

THREADS = 1
"""Two are slower for one question and take the core that answers while documents are embedded."""


class FastembedEmbedder:
    """The `Embedder` port over a model folder. Nothing is ever fetched.

    Raises `Unavailable` when the folder does not hold a whole model.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._prefixes = prefixes_of(name)
        try:
            known, self.dimension = _registered(name, folder)
            self._model = TextEmbedding(
                known,
                specific_model_path=str(folder),
                cache_dir=str(folder),  # fastembed makes this folder even when it has nothing to put there
                local_files_only=True,
                threads=THREADS,
                providers=["CPUExecutionProvider"],
                enable_cpu_mem_arena=False,  # the arena grows to the longest batch and is never given back
            )
            self._tokenizer, self.window = _whole(self._model, name, folder)
        except Exception as error:  # onnxruntime, tokenizers and fastembed share no error class
            log.error("embedding_model_not_loaded", model=name, error=str(error))
            raise Unavailable(
                f"The folder of the embedding model {name} does not hold a whole model; the log says what is missing. "
                "Set EMBEDDER__MODEL_DIR to the right folder, "
                "or EMBEDDER__KIND=none for lexical retrieval alone."
            ) from error

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(self._prefixes.passage + text).ids)

    def embed_passages(self, texts: Sequence[str]) -> Iterator[Vector]:
        for vector in self._model.embed([self._prefixes.passage + text for text in texts], batch_size=BATCH):
            yield tuple(vector.tolist())

    def embed_question(self, text: str) -> Vector:
        (vector,) = self._model.embed([self._prefixes.question + text], batch_size=BATCH)
        return tuple(vector.tolist())

    def ping(self) -> None:
        """The model is in memory since this object was made: there is nothing that could stop answering."""


def source_of(name: str) -> Source:
    """Where the hub has the model in the form that is loaded here."""
    for model in TextEmbedding.list_supported_models():
        if model["model"].lower() == name.lower() and model["sources"].get("hf"):
            return Source(model["sources"]["hf"], (model["model_file"], *model["additional_files"]))
    return Source(name)


def _whole(model: TextEmbedding, name: str, folder: Path) -> tuple[Tokenizer, int]:
    """The model's tokenizer without the cut at its window, and that window in tokens."""
    reading = model.model.tokenizer  # type: ignore[attr-defined]
    tokenizer = Tokenizer.from_str(reading.to_str())
    if tokenizer.truncation is None:
        raise ValueError("the tokenizer does not say how many tokens the model reads")
    window = min(int(tokenizer.truncation["max_length"]), _trained_on(name, folder))
    reading.enable_truncation(window)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, window


def _trained_on(name: str, folder: Path) -> int:
    """Tokens of the longest text that the model was trained on. Tokenizers of sentence-transformers models tell the
    size of the position table in its place, and fastembed believes them."""
    try:
        return int(json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))["max_seq_length"])
    except (FileNotFoundError, KeyError, TypeError):
        return TRAINED_ON.get(name.lower(), sys.maxsize)


def _registered(name: str, folder: Path) -> tuple[str, int]:
    """The name by which fastembed knows this folder's model, and its dimension. One that it does not know is made known
    as a mean-pooled and normalised model, under a name of its own for each place of the graph."""
    supported = {model["model"].lower(): int(model["dim"]) for model in TextEmbedding.list_supported_models()}
    if name.lower() in supported:
        return name, supported[name.lower()]
    dimension = int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["hidden_size"])
    graph = next((file for file in MODEL_FILES if (folder / file).is_file()), None)
    if graph is None:
        raise FileNotFoundError(f"none of {', '.join(MODEL_FILES)}")
    known = f"{name}/{graph}/{dimension}"
    if known.lower() not in supported:
        TextEmbedding.add_custom_model(
            known,
            pooling=PoolingType.MEAN,
            normalization=True,
            sources=ModelSource(url="file:///nowhere"),  # must name one; with a folder it is not asked
            dim=dimension,
            model_file=graph,
        )
    return known, dimension
