"""Every Prometheus metric of the product on one page. Names and labels are a contract (docs/operations.md)."""

from prometheus_client import Counter, Gauge, Histogram

HTTP_SECONDS = Histogram(
    "xgtwin_http_request_seconds",
    "Time to answer an HTTP request.",
    ["service", "method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)

SLOW = Counter(
    "xgtwin_slow_total", "Questions, searches and SQL statements that took longer than QUERY__SLOW_MS.", ["what"]
)
RATE_LIMITED = Counter(
    "xgtwin_rate_limited_total", "Requests refused because their caller had sent too many.", ["service"]
)
REDIS_FAILURES = Counter(
    "xgtwin_redis_failures_total", "Calls of Redis that failed, by the part that went on without it.", ["part"]
)
SPANS_LOST = Counter("xgtwin_trace_spans_lost_total", "Spans of traces that did not reach their collector.")

DOCUMENTS_FINISHED = Counter(
    "xgtwin_documents_finished_total", "Ingestion jobs that ended, by the document's status.", ["status"]
)
for _status in ("ready", "no_text", "failed", "quarantined"):
    DOCUMENTS_FINISHED.labels(_status)  # Prometheus sees no increase in a series that begins above zero
CHUNKS_STORED = Counter("xgtwin_chunks_stored_total", "Chunks written to the vector store.")
EMBEDDINGS_MADE = Counter("xgtwin_embeddings_made_total", "Passages turned into dense vectors.")
STAGE_SECONDS = Histogram("xgtwin_ingest_stage_seconds", "Time of one ingestion stage of one document.", ["stage"])
INGEST_TROUBLE = Counter(
    "xgtwin_ingest_trouble_total", "Failures that ingestion noticed and survived, by where they happened.", ["where"]
)
MODEL_TROUBLE = Counter(
    "xgtwin_embedding_model_trouble_total", "Attempts at the embedding model that failed for an unforeseen reason."
)
FILL_DOCUMENTS = Gauge(
    "xgtwin_fill_documents", "Documents of the generation of vectors that is being filled: done, total.", ["what"]
)
FILL_TROUBLE = Counter(
    "xgtwin_fill_trouble_total", "Failures that the filling of a generation of vectors noticed and survived."
)
JOBS_WAITING = Gauge("xgtwin_jobs_waiting", "Ingestion jobs that wait for a worker.")

ANSWERS = Counter("xgtwin_answers_total", "Answers given, by answerer and verdict.", ["model", "grounded", "reason"])
ASK_STAGE_SECONDS = Histogram("xgtwin_ask_stage_seconds", "Time of one stage of answering.", ["stage"])
LLM_FAILURES = Counter("xgtwin_llm_failures_total", "Calls of the language model that failed.", ["kind"])
LLM_RETRIES = Counter("xgtwin_llm_retries_total", "Calls of the language model that were tried again.")
LLM_TOKENS = Counter("xgtwin_llm_tokens_total", "Tokens that the language model read and wrote.", ["tier", "what"])
LLM_COST_USD = Counter("xgtwin_llm_cost_usd_total", "What the proxy says that calls cost, in US dollars.", ["tier"])
LLM_FALLBACKS = Counter("xgtwin_llm_fallbacks_total", "Models that failed before the one that answered.", ["tier"])
LLM_RESTING = Gauge("xgtwin_llm_resting", "1 while the language model is left alone after failures in a row.")
REWRITES = Counter("xgtwin_rewrites_total", "Follow-up questions made to stand alone, by what did it.", ["by"])
ANSWER_CACHE = Counter("xgtwin_answer_cache_total", "First questions looked up among kept answers.", ["result"])
AFTERWORK = Counter("xgtwin_afterwork_total", "What was done after answers were given.", ["work", "result"])
MEMORY_FAILURES = Counter("xgtwin_memory_failures_total", "What earlier conversations hold was not reached.", ["work"])
FEEDBACK = Counter("xgtwin_feedback_total", "Opinions of visitors on answers.", ["rating"])
LLM_WRONG_LANGUAGE = Counter(
    "xgtwin_llm_wrong_language_total", "Answers of the language model in another language than the question's."
)
UNSUPPORTED_SENTENCES = Counter(
    "xgtwin_unsupported_sentences_total", "Sentences of the language model that the cited passages do not hold."
)
EMBEDDER_FAILURES = Counter("xgtwin_embedder_failures_total", "Questions searched by their words alone.")
RERANKER_FAILURES = Counter("xgtwin_reranker_failures_total", "Searches that the re-ranker did not put in order.")
PENDING_UNKNOWN = Counter("xgtwin_pending_unknown_total", "Times the ingest service did not say what is pending.")

TWIN_CLIENTS = Gauge("xgtwin_twin_clients", "WebSocket clients connected now.")
TWIN_BROKER_CONNECTIONS = Counter("xgtwin_twin_broker_connections_total", "Connections made to the MQTT broker.")
TWIN_WELCOMES = Counter("xgtwin_twin_welcomes_total", "WebSocket clients let in, by what they got first.", ["kind"])
TWIN_STAGE_SECONDS = Histogram(
    "xgtwin_twin_stage_seconds",
    "Time of one stage between a lamp and those who watch it.",
    ["stage"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
TWIN_STATES = Counter("xgtwin_twin_states_total", "Lamp states taken from MQTT.")
TWIN_BAD_PAYLOADS = Counter("xgtwin_twin_bad_payloads_total", "MQTT payloads that were refused.", ["reason"])
TWIN_COMMANDS = Counter("xgtwin_twin_commands_total", "Commands by the stage they ended in.", ["stage"])
TWIN_CONFLATED = Counter("xgtwin_twin_conflated_total", "Updates a slow client got only the newest of.")
TWIN_REFUSALS = Counter("xgtwin_twin_refusals_total", "Messages of clients that were refused.", ["code"])
TWIN_GOODBYES = Counter("xgtwin_twin_goodbyes_total", "WebSocket clients that the bridge sent away.", ["code"])
TWIN_HISTORY_DROPPED = Counter("xgtwin_twin_history_dropped_total", "Changes that the database was too slow for.")
TWIN_HISTORY_FAILURES = Counter(
    "xgtwin_twin_history_failures_total", "Work on the twin's tables that failed.", ["work"]
)
