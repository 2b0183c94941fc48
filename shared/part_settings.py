"""Settings of the parts that services are built over: language model, vector store, embedder, retrieval, logs and
traces."""

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, SecretStr

from shared.embeddings.readings import FITTED, ReadingWeights
from shared.sections import Section


class LlmSettings(Section):
    base_url: str = Field(
        "", description="An OpenAI-compatible server, such as http://127.0.0.1:4000/v1; empty answers extractively."
    )
    api_key: SecretStr = Field(SecretStr(""), description="Its key, if it wants one.")
    model: str = Field("", description="Model name to ask for; required with a base URL.")
    timeout_s: float = Field(60, gt=0, description="Seconds a whole answer may take.")
    first_token_s: float = Field(
        20, gt=0, description="Seconds to the first token before the extractive answerer takes over."
    )
    rewrite_s: float = Field(
        4, ge=0, description="Seconds to make a follow-up stand alone before rules do it instead; 0: rules only."
    )
    context_tokens: int = Field(
        4096,
        ge=2048,
        description="The model's window: prompt and answer together, in tokens. Ollama's default is 4096.",
    )
    max_tokens: int = Field(600, ge=16, description="Longest answer, in tokens; at most half of the window.")
    temperature: float = Field(0.1, ge=0, le=2, description="Sampling temperature.")


class StoreSettings(Section):
    kind: Literal["auto", "edge", "qdrant", "pgvector"] = Field(
        "auto",
        description="auto: a Qdrant server if its URL is set, else Qdrant Edge in process; pgvector: PostgreSQL.",
    )
    qdrant_url: str = Field("", description="Qdrant server, such as http://qdrant:6333.")
    qdrant_api_key: SecretStr = Field(SecretStr(""), description="Its key, if it wants one.")
    pgvector_url: str = Field(
        "", description="For kind=pgvector: the database that holds the vectors; empty means DATABASE_URL."
    )
    collection: str = Field("xgtwin", pattern=r"^[a-z0-9_-]{1,40}$", description="Name of the collection.")


class RedisSettings(Section):
    url: SecretStr = Field(
        SecretStr(""),
        description="Redis server, such as redis://:password@redis:6379/0, with a database of its own for each "
        "installation; rediss:// for TLS.",
    )


class JobsSettings(Section):
    kind: Literal["in_process", "celery"] = Field(
        "in_process",
        description="Who works on documents: threads of the ingest service, or processes of their own "
        "(python -m ingest_service.worker) that Redis tells of work; those need vectors on a server.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address of the metrics page of a worker process.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of the metrics page of a worker process; 0: none.")
    beat_file: Path | None = Field(
        None,
        description="A file that the beat touches whenever it reached Redis, every 5 s: for a health check.",
    )


class EmbedderSettings(Section):
    kind: Literal["auto", "none", "fastembed", "openai"] = Field(
        "auto",
        description="auto: a local model as soon as its folder is there, words alone until then; fastembed: the same, "
        "and no start without it.",
    )
    model: str = Field("intfloat/multilingual-e5-small", description="Embedding model.")
    fetch: bool = Field(
        True, description="For kind=auto: fetch a missing model from the hub (HF_ENDPOINT), in the background."
    )
    model_dir: Path | None = Field(None, description="Folder of the ONNX model; empty means <data>/models/<model>.")
    base_url: str = Field("", description="For kind=openai: an OpenAI-compatible server with /embeddings.")
    api_key: SecretStr = Field(SecretStr(""), description="Its key, if it wants one.")
    dimension: int = Field(384, ge=8, description="For kind=openai: length of the vectors.")
    window: int = Field(512, ge=128, description="For kind=openai: tokens that the model reads of one text.")


class RetrievalSettings(Section):
    """How passages are found. Frozen: a retriever keeps the one it was made with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stem_weight: float = Field(FITTED.stem, ge=0, description="Weight of a word of the question by its stem.")
    surface_weight: float = Field(FITTED.surface, ge=0, description="Weight of a word as it is spelt, without accents.")
    pair_weight: float = Field(FITTED.pair, ge=0, description="Weight of two words that stand side by side.")
    piece_weight: float = Field(FITTED.piece, ge=0, description="Weight of each four letters of a word.")
    dense_weight: float = Field(5.0, ge=0, description="Weight of the cosine beside the lexical score in the fusion.")
    glossary: Path | None = Field(
        None, description="File of words that mean the same; empty means the one that comes with the product."
    )
    glossary_weight: float = Field(
        0.1, ge=0, description="Weight of other words for those that documents use too; 0 leaves the glossary out."
    )
    glossary_unknown_weight: float = Field(
        0.7, ge=0, description="Weight of other words for those that no document uses."
    )
    repair_typos: bool = Field(True, description="Read a word no document has as the similar one of what was found.")
    neighbours: bool = Field(
        True, description="Show a language model what stands beside a passage, as far as its window allows."
    )
    sentence_weight: float = Field(
        1.3, ge=0, description="Weight of a passage's best sentence in the order of the first ten; 0 leaves it out."
    )
    reranker_dir: Path | None = Field(
        None, description="Folder of an ONNX cross-encoder; empty means the one of the data folder, if it is there."
    )
    rerank_first: int = Field(10, ge=2, le=50, description="Hits that the cross-encoder reads with the question.")
    rerank_s: float = Field(1.5, gt=0, description="Seconds it may take; after them the order stays as it was.")
    per_page: int = Field(2, ge=1, description="Passages of one page at most.")
    oversampling: int = Field(4, ge=1, le=20, description="Hits fetched for each passage wanted, to choose from.")

    @property
    def reading(self) -> ReadingWeights:
        return ReadingWeights(self.stem_weight, self.surface_weight, self.pair_weight, self.piece_weight)


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, JSON elsewhere."
    )


class TraceSettings(Section):
    endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Collector of traces (OTLP over HTTP), such as http://otel-collector:4318; empty makes none.",
    )
