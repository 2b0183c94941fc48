"""A collector of traces: OTLP over HTTP, decoded as the protocol has it."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Received:
    """One span as it arrived; ids in hexadecimal, an empty `parent` for the first of its trace in this process."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    failed: bool
    events: tuple[str, ...]
    facts: dict[str, object] = field(hash=False)


class Collector:
    """`url` is what TRACES__ENDPOINT takes; `raw` is every byte that arrived."""

    def __init__(self) -> None:
        self.spans: list[Received] = []
        self.raw = b""
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if collector.status == 200 and self.path == "/v1/traces":
                    collector.raw += body
                    collector.spans.extend(_spans(body))
                self.send_response(collector.status)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def named(self, name: str) -> Received:
        """The one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def path(self, name: str) -> list[str]:
        """The names from the first span of its trace down to this one."""
        by_id = {span.id: span for span in self.spans}
        span = self.named(name)
        names = [name]
        while span.parent in by_id:
            span = by_id[span.parent]
            names.insert(0, span.name)
        return names


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        collector.server.server_close()
        thread.join()


def _spans(body: bytes) -> Iterator[Received]:
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = next(each.value.string_value for each in group.resource.attributes if each.key == "service.name")
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Received(
                    service,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.status.code == 2,
                    tuple(event.name for event in span.events),
                    {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes},
                )
