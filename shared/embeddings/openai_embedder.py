"""Dense vectors from any server that speaks OpenAI's `/embeddings`."""

import math
from collections.abc import Iterator, Sequence
from math import ceil

import openai
from pydantic import SecretStr

from shared.embeddings.prefixes import prefixes_of
from shared.embeddings.protocol import Vector
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.traces import call

log = get_logger(__name__)

BATCH = 32
BYTES_A_TOKEN = 2
"""The server does not say how it reads: 2.9 in Portuguese by an English vocabulary, more by any other."""
PASSAGES_S, QUESTION_S = 60.0, 10.0
"""Seconds one request may take; somebody waits for a question."""
RETRIES = 2
"""After a broken connection, 408, 409, 429 or 5xx, with the client's exponential backoff (0.5 to 8 s)."""


class OpenAIEmbedder:
    """The `Embedder` port over an OpenAI-compatible server. Vectors are normalised here, whatever the server does."""

    def __init__(self, client: openai.OpenAI, name: str, dimension: int, window: int) -> None:
        self.name = name
        self.dimension = dimension
        self.window = window
        self._client = client
        self._prefixes = prefixes_of(name)

    def count_tokens(self, text: str) -> int:
        return ceil(len((self._prefixes.passage + text).encode()) / BYTES_A_TOKEN)

    def embed_passages(self, texts: Sequence[str]) -> Iterator[Vector]:
        client = self._client.with_options(timeout=PASSAGES_S)
        for start in range(0, len(texts), BATCH):
            yield from self._embed(client, [self._prefixes.passage + text for text in texts[start : start + BATCH]])

    def embed_question(self, text: str) -> Vector:
        client = self._client.with_options(timeout=QUESTION_S, max_retries=1)
        return self._embed(client, [self._prefixes.question + text])[0]

    def ping(self) -> None:
        """Asks for the list of models: it costs nothing, and a server that has none answers 404, which will do."""
        try:
            self._client.with_options(timeout=QUESTION_S, max_retries=0).models.list()
        except openai.NotFoundError:
            return
        except openai.OpenAIError as error:
            raise _unavailable(error) from error

    def _embed(self, client: openai.OpenAI, texts: list[str]) -> list[Vector]:
        try:
            with call("embeddings", {"gen_ai.request.model": self.name, "xgtwin.texts": len(texts)}) as asking:
                # float: the client's default, base64, is not understood by all servers.
                response = client.embeddings.create(
                    model=self.name, input=texts, encoding_format="float", extra_headers=asking.headers
                )
        except openai.OpenAIError as error:
            raise _unavailable(error) from error
        vectors = [item.embedding for item in sorted(response.data, key=lambda item: item.index)]
        wrong = next((len(vector) for vector in vectors if len(vector) != self.dimension), None)
        if wrong is not None:
            raise Unavailable(
                f"The embedding server gives vectors of {wrong} numbers, EMBEDDER__DIMENSION says {self.dimension}."
            )
        if len(vectors) != len(texts):
            raise Unavailable(f"The embedding server gave {len(vectors)} vectors for {len(texts)} texts.")
        return [_unit(vector) for vector in vectors]


def connect(base_url: str, api_key: SecretStr) -> openai.OpenAI:
    """A client; nothing is sent yet. A server without keys gets a word in place of one, which the client insists on."""
    key = api_key.get_secret_value() or "none"
    return openai.OpenAI(base_url=base_url, api_key=key, timeout=PASSAGES_S, max_retries=RETRIES)


def _unit(vector: Sequence[float]) -> Vector:
    length = math.sqrt(math.fsum(value * value for value in vector))
    return tuple(value / length for value in vector) if length else tuple(vector)


def _unavailable(error: openai.OpenAIError) -> Unavailable:
    # Not its words: servers repeat there what they were sent.
    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    log.warning("embedding_server_failed", error=type(error).__name__, status=status)
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return Unavailable("The embedding server refuses the key. Check EMBEDDER__API_KEY.")
    if isinstance(error, openai.BadRequestError | openai.NotFoundError):
        return Unavailable("The embedding server does not take the request. Check EMBEDDER__MODEL; the log has more.")
    return Unavailable(
        "The embedding server does not answer. Check EMBEDDER__BASE_URL and that it runs.", retry_after=5
    )
