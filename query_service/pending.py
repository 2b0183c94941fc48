"""Asking the ingest service which documents are still being read."""

from collections.abc import Mapping

import httpx
from pydantic import BaseModel, ValidationError

from shared.models import PENDING_STATUSES
from shared.observability.logs import get_logger
from shared.observability.metrics import PENDING_UNKNOWN
from shared.observability.traces import call

log = get_logger(__name__)

TIMEOUT_S = 1.5
"""A refusal is not worth a longer wait."""
LIMIT = 5


class _Item(BaseModel):
    name: str


class _Listing(BaseModel):
    items: list[_Item]


class PendingDocuments:
    """The ingest service's list of documents, seen from here. `close` when done."""

    def __init__(self, ingest_url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=ingest_url, timeout=TIMEOUT_S, transport=transport, trust_env=False)

    async def names(self, credential: Mapping[str, str]) -> tuple[str, ...]:
        """Names of at most five documents on their way; none when the service does not say.

        `credential` is the caller's own key header, so that he sees what his organization has and nothing else.
        """
        statuses = ",".join(sorted(PENDING_STATUSES))
        try:
            with call("GET /documents") as asking:
                answer = await self._client.get(
                    "/documents",
                    params={"status": statuses, "limit": str(LIMIT)},
                    headers={**credential, **asking.headers},
                )
                answer.raise_for_status()
            listing = _Listing.model_validate_json(answer.content)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError) as error:
            PENDING_UNKNOWN.inc()
            log.warning("pending_documents_unknown", error=type(error).__name__)
            return ()
        return tuple(item.name for item in listing.items[:LIMIT])

    async def close(self) -> None:
        await self._client.aclose()
