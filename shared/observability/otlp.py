"""The one place that speaks OpenTelemetry: spans, and their way to a collector by OTLP over HTTP.

A collector that is away costs nothing but its spans: they wait in a queue of fixed length, a thread of its own sends
them, and one line says that they do not arrive.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.observability.logs import get_logger
from shared.observability.metrics import SPANS_LOST
from shared.observability.traces import Facts, Span
from shared.version import VERSION

log = get_logger(__name__)

EXPORT_S = 3.0
"""For one batch, its retries included."""
FAREWELL_S = 1.5
"""At the end, for what is left: Ctrl+C is to end the process in a second or two."""
EVERY_MS = 1000
QUEUE_SPANS, BATCH_SPANS = 4096, 512
"""A question makes about eight spans; when the queue is full, the oldest go."""

_W3C = TraceContextTextMapPropagator()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.headers: Mapping[str, str] = _headers(trace.set_span_in_context(span))

    def note(self, facts: Facts) -> None:
        self._span.set_attributes(facts)

    def event(self, name: str) -> None:
        self._span.add_event(name)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def failed(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))


class OtlpTracer:
    """`Tracer` of a collector. Opens nothing before the first spans are sent."""

    def __init__(self, endpoint: str, service: str) -> None:
        # The library tells of each failed attempt; our exporter says it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        url = endpoint.rstrip("/").removesuffix("/v1/traces") + "/v1/traces"
        exporter = _Exporter(OTLPSpanExporter(url, timeout=EXPORT_S, compression=Compression.Gzip))
        resource = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: VERSION})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=QUEUE_SPANS,
                schedule_delay_millis=EVERY_MS,
                max_export_batch_size=BATCH_SPANS,
            )
        )
        self._tracer = self._provider.get_tracer("xgtwin", VERSION)

    @contextmanager
    def span(self, name: str, facts: Facts) -> Iterator[Span]:
        with self._begun(name, SpanKind.INTERNAL, facts) as (span, inner), trace.use_span(inner, **_SILENT):
            yield span

    @contextmanager
    def call(self, name: str, facts: Facts) -> Iterator[Span]:
        with self._begun(name, SpanKind.CLIENT, facts) as (span, _):
            yield span

    @contextmanager
    def serving(self, name: str, traceparent: str, facts: Facts) -> Iterator[Span]:
        with (
            self.continued(traceparent),
            self._begun(name, SpanKind.SERVER, facts) as (span, inner),
            trace.use_span(inner, **_SILENT),
        ):
            yield span

    @contextmanager
    def continued(self, traceparent: str) -> Iterator[None]:
        token = context.attach(_W3C.extract({"traceparent": traceparent}))
        try:
            yield
        finally:
            context.detach(token)

    def traceparent(self) -> str:
        return _headers(context.get_current()).get("traceparent", "")

    def close(self) -> None:
        """Send what is left, and give up on it soon."""
        # In a thread that nobody joins at exit: the library may wait for half a minute.
        farewell = Thread(target=self._provider.shutdown, name="traces-farewell", daemon=True)
        farewell.start()
        farewell.join(FAREWELL_S)

    @contextmanager
    def _begun(self, name: str, kind: SpanKind, facts: Facts) -> Iterator[tuple[_Span, trace.Span]]:
        inner = self._tracer.start_span(name, kind=kind, attributes=facts)
        span = _Span(inner)
        try:
            yield span, inner
        except Exception as error:
            span.failed(type(error).__name__)  # its words may be those of a document
            raise
        finally:
            inner.end()


_SILENT = {"record_exception": False, "set_status_on_exception": False, "end_on_exit": False}
"""The library would write the words of an exception into the span."""


class _Exporter(SpanExporter):
    """Counts what does not arrive, and says so once until something arrives again."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        arrived = result is SpanExportResult.SUCCESS
        if not arrived:
            SPANS_LOST.inc(len(spans))
        if arrived and self._away:
            log.info("traces_arrive_again")
        if not arrived and not self._away:
            log.warning("traces_not_sent", advice="Is a collector for OTLP over HTTP running at TRACES__ENDPOINT?")
        self._away = not arrived
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


def _headers(where: Context) -> Mapping[str, str]:
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, where)
    return carrier
