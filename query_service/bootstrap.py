"""Putting the query service together; the only place that chooses adapters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from sqlalchemy import Engine

from query_service.answer_cache.in_process import InProcessCache
from query_service.answer_cache.protocol import AnswerCache
from query_service.answer_cache.recall import Recall
from query_service.answering.citations import Citer
from query_service.answering.extractive import Extractive
from query_service.answering.llm import LlmAnswerer
from query_service.answering.support import SupportChecker
from query_service.answering.writer import Writer
from query_service.api.conversations import conversation_routes, feedback_routes
from query_service.api.openai import openai_routes
from query_service.api.openai_errors import OpenAIErrors
from query_service.api.perguntar import perguntar_routes
from query_service.api.questions import ask_routes, search_routes
from query_service.ask import Asker
from query_service.console import console_routes
from query_service.conversations.afterwork import Afterwork
from query_service.conversations.feedback import FeedbackBook
from query_service.conversations.memory import COLLECTION, Memory
from query_service.conversations.records import ConversationRecords
from query_service.conversations.rewriting import Rewriter
from query_service.conversations.routing import RoutingBook
from query_service.conversations.store import Conversations
from query_service.conversations.summary import Summariser
from query_service.evidence import EvidenceFinder
from query_service.llm.budget import Window
from query_service.llm.guarded import GuardedLlm
from query_service.llm.openai_compatible import OpenAICompatible
from query_service.llm.prompts import PROMPT_VERSION
from query_service.pending import PendingDocuments
from query_service.retrieval.glossary import SHIPPED, read_glossary
from query_service.retrieval.reranking import build_reranker
from query_service.retrieval.retriever import Retriever
from query_service.status import Status
from query_service.turns import Turns
from query_service.words.terms import WordReader
from shared.auth.guard import Guard
from shared.auth.keys import Scope
from shared.db.engine import ping as ping_database
from shared.dense import Dense
from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.model import NO_MODEL, EmbeddingModel
from shared.observability.logs import get_logger
from shared.redis_choice import redis_link
from shared.settings import QuerySettings, Settings
from shared.vector_store.bootstrap import open_words
from shared.vector_store.generational_store import GenerationalStore
from shared.version import VERSION
from shared.web.app import create_service_app
from shared.web.origins import Origins
from shared.web.rate_limit import RateLimit, RateLimitHeaders

if TYPE_CHECKING:
    from shared.redis_link import RedisLink

log = get_logger(__name__)

SMALL_BODY_BYTES = 4 * 1024 * 1024
"""Room for a long chat, which clients of the OpenAI route send whole each time."""


def build_app(
    settings: Settings, *, engine: Engine, store: GenerationalStore, model: EmbeddingModel = NO_MODEL
) -> FastAPI:
    """The service over parts that the caller opened and will close. Nothing is contacted before it starts.

    Raises `Unavailable` when a setting of the language model is missing or contradicts another.
    """
    encoder, dense = LexicalEncoder(), Dense(model, store)
    reader = WordReader(encoder.stems)
    citer = Citer(settings.ingest.base_url, reader)
    llm = _llm(settings)
    window = Window(settings.llm.context_tokens, settings.llm.max_tokens)
    answerer = LlmAnswerer(llm, citer, SupportChecker(reader), window) if llm else None
    glossary = read_glossary(settings.retrieval.glossary or SHIPPED, reader.words)
    reranker = build_reranker(settings)
    retriever = Retriever(
        store, dense.embedder, encoder, reader, settings.retrieval, glossary=glossary, reranker=reranker
    )
    turns = Turns()
    pending = PendingDocuments(settings.query.ingest_url or settings.ingest.base_url)
    conversations = Conversations(engine)
    book = FeedbackBook(engine)
    afterwork = Afterwork()
    routes = RoutingBook(engine, keep_days=settings.query.keep_routes_days)
    memory = _memory(settings, engine, encoder)
    redis = redis_link(settings, part="query")
    asker = Asker(
        conversations,
        Rewriter(reader, llm, deadline_s=settings.llm.rewrite_s),
        Recall(engine, _answer_cache(settings.query, redis), book, made_by=lambda: _made_by(settings, dense)),
        EvidenceFinder(retriever, reader, turns, min_confidence=settings.query.min_confidence, wide=llm is not None),
        Writer(Extractive(reader, citer), answerer, pending),
        summariser=Summariser(engine, llm),
        memory=memory,
        routes=routes,
        afterwork=afterwork,
        ingest_url=settings.ingest.base_url,
        slow_ms=settings.query.slow_ms,
    )
    status = Status(dense, llm, reranker)
    required = settings.auth_required(settings.query)
    allowed = Guard(engine, required=required).require(Scope.ASK)
    limit = RateLimit(settings.query.rate_limit, service="query", keys_required=required, link=redis)
    admit = limit.admit

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log.info("query_service_started", mode=status.mode, authentication="on" if required else "off")
        yield
        await afterwork.close()
        await routes.close()
        if memory is not None:
            memory.close()
        await pending.close()
        if llm is not None:
            await llm.close()
        if redis is not None:
            await redis.close()

    pings = {"database": lambda: ping_database(engine), "vector_store": status.ping_store}
    # A question of the longest kind, each character escaped as JSON may, and the fields around it.
    max_body = SMALL_BODY_BYTES + 12 * settings.query.max_question_chars
    app = create_service_app(
        "query",
        description="Answers with proof from your documents.",
        pings=pings,
        facts=status.facts,
        lifespan=lifespan,
        origins=Origins(
            settings.query.allowed_origins, keys_required=required, own=(settings.query.url, settings.query.host)
        ),
        max_body_bytes=max_body,
        body_advice=f"A question is sent as JSON of at most {max_body} bytes; ask more briefly "
        "(the limit follows QUERY__MAX_QUESTION_CHARS).",
    )
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(OpenAIErrors)
    app.include_router(console_routes())
    app.include_router(ask_routes(asker, allowed, admit, settings.query))
    app.include_router(perguntar_routes(asker, allowed, admit, settings.query))
    app.include_router(openai_routes(asker, allowed, admit, settings.query))
    app.include_router(search_routes(retriever, turns, allowed, admit, settings.query))
    app.include_router(conversation_routes(ConversationRecords(engine), memory, allowed))
    app.include_router(feedback_routes(book, allowed))
    return app


def _memory(settings: Settings, engine: Engine, encoder: LexicalEncoder) -> Memory | None:
    if settings.query.memory == "off":
        return None
    return Memory(
        engine,
        lambda: open_words(settings, COLLECTION),
        encoder,
        days=settings.query.memory_days,
    )


def _answer_cache(query: QuerySettings, redis: "RedisLink | None") -> AnswerCache | None:
    if not query.cache_entries:
        return None
    if redis is None:
        return InProcessCache(entries=query.cache_entries, seconds=query.cache_s)
    from query_service.answer_cache.redis_cache import RedisCache

    return RedisCache(redis, entries=query.cache_entries, seconds=query.cache_s)


def _made_by(settings: Settings, dense: Dense) -> str:
    """What answers depend on beside question and documents: the vectors are made anew while the service runs.

    The same for all replicas, wherever they listen.
    """
    parts = (settings.retrieval, settings.embedder, settings.llm)
    own = f"{settings.query.min_confidence} {settings.ingest.base_url}"
    vectors = f"{dense.store.number} {dense.embedder() is not None}"
    return " ".join([VERSION, PROMPT_VERSION, own, vectors, *(part.model_dump_json() for part in parts)])


def _llm(settings: Settings) -> GuardedLlm | None:
    chosen = settings.llm
    if not chosen.base_url:
        return None
    return GuardedLlm(OpenAICompatible(chosen), first_token_s=chosen.first_token_s, timeout_s=chosen.timeout_s)
