"""Documents from addresses on their way in: fetched, rid of what surrounds them, and through the door as all others."""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Engine
from sqlmodel import Session

from ingest_service.documents.arrivals import Admission, Arrival
from ingest_service.documents.intake import Intake
from ingest_service.documents.lifecycle import live_document, source_at
from ingest_service.names import clean_line, clean_name
from ingest_service.parsing.errors import ParserDied
from ingest_service.parsing.markup.main_content import WebPage, read_page
from ingest_service.parsing.media_types import HTML, PLAIN, XML
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.parsing.sniff import HEAD_BYTES, sniff
from ingest_service.tables import SourceKind
from ingest_service.web.address import canonical_address, name_of, parse_address
from ingest_service.web.errors import FetchFailed
from ingest_service.web.fetch import Fetched, Fetcher, NotModified, Validators
from shared.errors import NotFound, UnsupportedMedia

PAGE_SECONDS = 20.0
_PAGE_TYPES = ("text/html", "application/xhtml")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that is asked for by its address. `key` is the source's name, if it has one already; `document_id`
    what it holds, if nothing else may come of it (`Arrival.document_id`)."""

    organization_id: UUID
    url: str
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    collection: str = ""
    key: str = ""
    document_id: UUID | None = None


class WebPages:
    """Takes in documents by their addresses."""

    def __init__(self, engine: Engine, intake: Intake, fetcher: Fetcher, sandbox: Sandbox) -> None:
        self.engine = engine
        self.intake = intake
        self.fetcher = fetcher
        self.sandbox = sandbox
        # The reading processes keep one place for what somebody waits for.
        self._one_page = threading.Lock()

    async def take_in(self, wanted: Wanted) -> Admission:
        """Fetch a document and admit it; the same again is a duplicate, a changed one the next version.

        Raises what `Fetcher.fetch` and `Intake.admit` raise.
        """
        url = parse_address(wanted.url)

        async def known(hop: httpx.URL) -> Validators | None:
            return await asyncio.to_thread(self._validators, wanted.organization_id, str(hop))

        async with self.fetcher.fetch(url, known) as found:
            if isinstance(found, Fetched):
                return await asyncio.to_thread(self._admit, wanted, found)
        same = await asyncio.to_thread(self._admit_kept, wanted, found)
        if same is not None:
            return same
        # It was deleted while its server was asked, or its bytes are lost.
        await asyncio.to_thread(self._refuse_if_gone, wanted)
        async with self.fetcher.fetch(url, _nothing_known) as found:
            if isinstance(found, NotModified):
                raise FetchFailed(f"The server of {url} says that nothing changed, although it was not asked that.")
            return await asyncio.to_thread(self._admit, wanted, found)

    def _validators(self, organization_id: UUID, key: str) -> Validators | None:
        with Session(self.engine) as session:
            source = source_at(session, organization_id, SourceKind.WEB, key)
            if source is None or source.document_id is None or not (source.etag or source.last_modified):
                return None
            return Validators(source.etag, source.last_modified)

    def _admit_kept(self, wanted: Wanted, found: NotModified) -> Admission | None:
        """Nothing changed: the bytes that are kept are the ones that would have come."""
        with Session(self.engine) as session:
            source = source_at(session, wanted.organization_id, SourceKind.WEB, str(found.url))
            known = source.document_id if source else None
            document = live_document(session, wanted.organization_id, known) if known else None
            if source is None or document is None or not self.intake.blobs.path(document.content_hash).is_file():
                return None
            key = wanted.key or source.key
            validators = Validators(source.etag, source.last_modified) if key == source.key else Validators()
            arrival = _arrival(wanted, key, document.name, validators)
            kept = self.intake.blobs.existing(document.content_hash)
        with kept.open("rb") as stream:
            return self.intake.admit(arrival, stream)

    def _refuse_if_gone(self, wanted: Wanted) -> None:
        if wanted.document_id is None:
            return
        with Session(self.engine) as session:
            if live_document(session, wanted.organization_id, wanted.document_id) is None:
                raise NotFound("The document was deleted while its server was asked.")

    def _admit(self, wanted: Wanted, found: Fetched) -> Admission:
        page = self._page(found) if _is_page(found) else None
        canonical = canonical_address(found.url, page.canonical) if page else found.url
        key = wanted.key or str(canonical)
        # What a server calls its version is only good for the address that it was asked at.
        validators = found.validators if key == str(found.url) else Validators()
        arrival = _arrival(wanted, key, _name(key, page), validators)
        return self.intake.admit(arrival, BytesIO(page.document) if page else found.body)

    def _page(self, found: Fetched) -> WebPage:
        try:
            with self._one_page:
                return self.sandbox.call_now(PAGE_SECONDS, read_page, found.body.read(), found.content_type)
        except ParserDied as error:
            raise FetchFailed(
                f"The content of {found.url} could not be told apart within {PAGE_SECONDS:g} s and the memory allowed. "
                "Save the page as PDF and send that instead."
            ) from error


def _arrival(wanted: Wanted, key: str, name: str, validators: Validators) -> Arrival:
    return Arrival(
        wanted.organization_id,
        SourceKind.WEB,
        key,
        name,
        title=clean_line(wanted.title),
        metadata=dict(wanted.metadata),
        collection=clean_line(wanted.collection),
        etag=validators.etag,
        last_modified=validators.last_modified,
        document_id=wanted.document_id,
    )


async def _nothing_known(_: httpx.URL) -> Validators | None:
    return None


def _is_page(found: Fetched) -> bool:
    """By the bytes; where they could be any text, by what the server says."""
    head = found.body.read(HEAD_BYTES)
    found.body.seek(0)
    try:
        kind = sniff(head, name_of(str(found.url)))
    except UnsupportedMedia:  # or too little of it: the door looks at the whole
        return False
    return kind == HTML or (kind in {PLAIN, XML} and found.content_type.lower().startswith(_PAGE_TYPES))


def _name(key: str, page: WebPage | None) -> str:
    name = name_of(key)
    if page is None or name.lower().endswith((".html", ".htm")):
        return name
    if httpx.URL(key).path in {"", "/"} and page.title:
        name = page.title
    return clean_name(name.replace("/", " ") + ".html")
