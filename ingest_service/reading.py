"""From the bytes of a document to its blocks: all that happens in reading processes, seen from here."""

from collections.abc import Callable
from pathlib import Path

from ingest_service.parsing.blocks import ParsedDocument
from ingest_service.parsing.sandbox import Sandbox

Report = Callable[[str, int, int], None]
"""Told (stage, done, total) between two steps; what it raises ends the reading."""


class Reader:
    """Reads documents of every kind. Thread-safe."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def read(self, path: Path, content_hash: str, media_type: str, report: Report) -> ParsedDocument:
        """The document's blocks. Raises `UnreadableDocument`, `ParserDied`, and what `report` raises."""
        return self.sandbox.parse(path, media_type, still_wanted=lambda: report("parsing", 0, 0))

    def forget(self, content_hash: str) -> None:
        """Drop whatever was kept for reading these bytes again."""
