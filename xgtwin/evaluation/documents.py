"""Documents of a folder as the chunks that the product makes of them, without a service or a database."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, uuid5

from ingest_service.documents.versions import Work
from ingest_service.parsing.blocks import ParsingLimits
from ingest_service.parsing.ocr.tessdata import find_language_data
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.parsing.sniff import sniff_file
from ingest_service.passages.canonical import canonical_text
from ingest_service.passages.chunking import passages
from ingest_service.passages.chunks import chunks_of, searchable, title
from ingest_service.reading.reader import Reader
from shared.embeddings.protocol import Embedder
from shared.errors import BadRequest
from shared.models import DEFAULT_ORGANIZATION_ID, Labels
from shared.settings import IngestSettings
from xgtwin.evaluation.sets import Entry
from xgtwin.ingest_files import LocalFile, local_files


def read_documents(folder: Path, settings: IngestSettings, embedder: Embedder | None) -> list[Entry]:
    """The chunks of every document below `folder`, in the order of the names.

    Raises `BadRequest` when there is none, `UnsupportedMedia` or `UnreadableDocument` when one cannot be read.
    """
    files = local_files(folder, settings.ignore) if folder.is_dir() else []
    if not files:
        raise BadRequest(f"There is no document in {folder}; name the folder that the questions are about.")
    limits = ParsingLimits(
        max_pages=settings.max_pages, timeout_s=settings.parse_timeout_s, memory_mb=settings.parse_memory_mb
    )
    with TemporaryDirectory() as kept:
        sandbox = Sandbox(limits, readers=1)
        try:
            reader = Reader(sandbox, Path(kept), find_language_data(settings.tessdata_dir))
            return [entry for file in files for entry in _entries(file, reader, embedder)]
        finally:
            sandbox.close()


def _entries(file: LocalFile, reader: Reader, embedder: Embedder | None) -> Iterator[Entry]:
    media_type = sniff_file(file.path, file.name)
    content_hash = hashlib.sha256(file.path.read_bytes()).hexdigest()
    parsed = reader.read(file.path, content_hash, media_type, lambda *_: None)
    work = Work(
        organization_id=DEFAULT_ORGANIZATION_ID,
        document_id=uuid5(NAMESPACE_URL, file.name),
        version=1,
        name=file.name,
        title="",
        own_title=parsed.title,
        labels=Labels(),
        content_hash=content_hash,
        media_type=media_type,
    )
    cut = passages(canonical_text(parsed.blocks), window=embedder)
    for chunk in chunks_of(work, title(work, parsed.title), cut):
        yield Entry(chunk, searchable(chunk))
