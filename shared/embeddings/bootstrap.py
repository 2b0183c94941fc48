"""Chooses the embedder that the settings ask for and this machine can serve. Never fetches a model."""

from pathlib import Path

from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable
from shared.settings import Settings


def model_folder(settings: Settings) -> Path:
    """Where the ONNX model is expected: EMBEDDER__MODEL_DIR, or `models/<model>` in the data folder."""
    return settings.embedder.model_dir or settings.data_dir / "models" / settings.embedder.model


def build_embedder(settings: Settings) -> Embedder | None:
    """The embedder, or None for lexical retrieval alone.

    `auto` takes the local model if its folder is there. A kind asked for by name that cannot be served raises
    `Unavailable` saying what to do; so does a folder that is there and not whole, under `auto` too.
    """
    kind = settings.embedder.kind
    if kind == "openai":
        return _openai(settings)
    folder = model_folder(settings)
    there = folder.is_dir() and any(folder.iterdir())
    if kind == "none" or (kind == "auto" and not there):
        return None
    if not there:
        raise Unavailable(
            f"EMBEDDER__KIND is fastembed, but the model {settings.embedder.model} is not on this machine. "
            "Set EMBEDDER__MODEL_DIR to its folder (ONNX model and tokenizer), "
            "or EMBEDDER__KIND=none for lexical retrieval alone."
        )
    from shared.embeddings.fastembed_embedder import FastembedEmbedder  # 0.7 s and 100 MB, only where it is used

    return FastembedEmbedder(settings.embedder.model, folder)


def describe(embedder: Embedder | None) -> str:
    """The retrieval mode in a line for whoever starts the product."""
    if embedder is None:
        return "none, retrieval is lexical (a model in EMBEDDER__MODEL_DIR would join)"
    return f"{embedder.name}, {embedder.dimension} dimensions, beside the lexical vectors"


def _openai(settings: Settings) -> Embedder:
    from shared.embeddings.openai_embedder import OpenAIEmbedder, connect

    embedder = settings.embedder
    if not embedder.base_url:
        raise Unavailable("EMBEDDER__KIND is openai, but EMBEDDER__BASE_URL does not name a server.")
    client = connect(embedder.base_url, embedder.api_key)
    return OpenAIEmbedder(client, embedder.model, embedder.dimension, embedder.window)
