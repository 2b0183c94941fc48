"""Reading as the service does it: through real reading processes, which all tests here share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.media_types import PDF
from ingest_service.parsing.ocr.tessdata import find_language_data
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.reading.reader import Reader

LIMITS = ParsingLimits(max_pages=120, timeout_s=20, memory_mb=1536)


def no_report(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(LIMITS, readers=1)
    yield sandbox
    sandbox.close()


@pytest.fixture
def read(sandbox: Sandbox, tmp_path: Path) -> Callable[..., ParsedDocument]:
    """Bytes to document."""

    def reading(data: bytes, media_type: str = PDF) -> ParsedDocument:
        path = tmp_path / "document"
        path.write_bytes(data)
        return Reader(sandbox, tmp_path / "kept", find_language_data(None)).read(path, "0" * 64, media_type, no_report)

    return reading
