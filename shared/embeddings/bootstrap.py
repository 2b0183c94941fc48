"""Chooses the embedding model that the settings ask for."""

from collections.abc import Callable
from pathlib import Path

from shared.embeddings.fetching import Fetch
from shared.embeddings.late import LateModel, NotYet, Say
from shared.embeddings.local import SAMPLE, LocalModel, has_files, load
from shared.embeddings.model import NO_MODEL, EmbeddingModel, ModelState, ModelStatus, Present
from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable
from shared.settings import Settings


def model_folder(settings: Settings) -> Path:
    """Where the ONNX model is expected: EMBEDDER__MODEL_DIR, or `models/<model>` in the data folder."""
    return settings.embedder.model_dir or settings.data_dir / "models" / settings.embedder.model


def build_model(settings: Settings) -> EmbeddingModel:
    """The embedding model, on its way. Only a folder that is there is waited for (1-2 s).

    Raises `Unavailable`, saying what to do, for a kind asked for by name that these settings cannot serve.
    """
    kind, name, folder = settings.embedder.kind, settings.embedder.model, model_folder(settings)
    if kind == "none":
        return NO_MODEL
    if kind == "openai":
        late = LateModel(name, _server(settings))
        late.start(at_once=False)
        return late
    if kind == "fastembed":
        if not has_files(folder):
            raise Unavailable(
                f"EMBEDDER__KIND is fastembed, but the model {name} is not on this machine. Fetch it with "
                "`xgtwin models pull`, set EMBEDDER__MODEL_DIR to its folder (ONNX model and tokenizer), "
                "or set EMBEDDER__KIND=auto, which starts without it."
            )
        return Present(load(name, folder))
    late = LateModel(name, LocalModel(name, folder, _fetch(settings, name, folder)))
    late.start(at_once=has_files(folder))
    return late


def embedder_at_hand(settings: Settings) -> Embedder | None:
    """The embedder for one run of a tool: what these settings can serve now, None for words alone. Nothing is fetched.

    Raises `Unavailable`, saying what to do, if it is there and does not embed.
    """
    name, folder = settings.embedder.model, model_folder(settings)
    if settings.embedder.kind == "openai":
        try:
            return _server(settings)(lambda *_: None)
        except NotYet as reason:
            raise Unavailable(reason.words) from reason
    return load(name, folder) if settings.embedder.kind != "none" and has_files(folder) else None


def look(settings: Settings) -> ModelStatus:
    """The state of the model as a start would find it now. Nothing is fetched. Raises `Unavailable` as `build_model`
    does for settings that lack something."""
    name = settings.embedder.model
    if settings.embedder.kind == "none":
        return NO_MODEL.status()
    try:
        embedder = embedder_at_hand(settings)
    except Unavailable as error:
        return ModelStatus(name, ModelState.UNUSABLE, error.detail)
    if embedder is not None:
        words = f"{name}, {embedder.dimension} dimensions, beside the lexical vectors"
        return ModelStatus(name, ModelState.READY, words)
    fetched = settings.embedder.fetch and settings.embedder.model_dir is None
    later = "it is fetched while xgtwin runs" if fetched else "`xgtwin models pull` fetches it"
    return ModelStatus(name, ModelState.ABSENT, f"{name} is not on this machine, retrieval is lexical; {later}")


def _fetch(settings: Settings, name: str, folder: Path) -> Callable[[Say], None]:
    """What is done about a folder that is not there. One that was named by hand is never filled by us."""
    if settings.embedder.fetch and settings.embedder.model_dir is None:
        return Fetch(name, folder)
    place = "EMBEDDER__MODEL_DIR" if settings.embedder.model_dir else "EMBEDDER__FETCH=false; `xgtwin models pull`"

    def wait(_: Say) -> None:
        raise NotYet(ModelState.ABSENT, f"{name} is not on this machine ({place}); its folder is taken up when it is")

    return wait


def _server(settings: Settings) -> Callable[[Say], Embedder]:
    from shared.embeddings.openai_embedder import OpenAIEmbedder, connect

    asked = settings.embedder
    if not asked.base_url:
        raise Unavailable("EMBEDDER__KIND is openai, but EMBEDDER__BASE_URL does not name a server.")
    embedder = OpenAIEmbedder(connect(asked.base_url, asked.api_key), asked.model, asked.dimension, asked.window)

    def attempt(_: Say) -> Embedder:
        try:
            embedder.embed_question(SAMPLE)
        except Unavailable as error:
            raise NotYet(ModelState.WAITING, error.detail) from error
        return embedder

    return attempt
