"""What a request brings, through the door: each file is judged by itself, and a bad one does not lose the good ones."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from ingest_service.api.schemas import Admitted, AdmittedItem, NewUrl
from ingest_service.api.uploads import Upload
from ingest_service.documents.arrivals import Arrival
from ingest_service.documents.idempotency import Answer, IdempotencyKeys, fingerprint_of
from ingest_service.documents.intake import Intake
from ingest_service.documents.refusals import Refusals
from ingest_service.parsing.errors import UnreadableDocument
from ingest_service.tables import place_of
from ingest_service.web.pages import Wanted, WebPages
from shared.errors import Unprocessable, UnsupportedMedia, XgtwinError

REFUSED = "refused"


class Admissions:
    """Takes in what `read_uploads` gives."""

    def __init__(self, intake: Intake, refusals: Refusals, pages: WebPages, keys: IdempotencyKeys) -> None:
        self.intake = intake
        self.refusals = refusals
        self.pages = pages
        self.keys = keys

    async def answer(self, organization_id: UUID, sent: Sequence[Upload] | NewUrl, key: str | None) -> Answer:
        """The answer to POST /documents; with an `Idempotency-Key` the one that it got before, if it did. Raises as
        `take_in` and `IdempotencyKeys.once`."""

        async def act() -> Answer:
            return answer_of(await self.take_in(organization_id, sent))

        if key is None:
            return await act()
        fingerprint = await asyncio.to_thread(fingerprint_of, sent)
        return await self.keys.once(organization_id, "POST /documents", key, fingerprint, act)

    async def take_in(self, organization_id: UUID, sent: Sequence[Upload] | NewUrl) -> Admitted:
        """Admit the documents of a request. If none can be taken, raises the first reason, with the others in its
        text."""
        if isinstance(sent, NewUrl):
            wanted = Wanted(
                organization_id, sent.url, title=sent.title, metadata=sent.metadata, collection=sent.collection
            )
            return Admitted(documents=[AdmittedItem.of(await self.pages.take_in(wanted))])
        return await asyncio.to_thread(self._admit_all, organization_id, sent)

    def _admit_all(self, organization_id: UUID, uploads: Sequence[Upload]) -> Admitted:
        items: list[AdmittedItem] = []
        refused: list[XgtwinError] = []
        places: dict[str, str] = {}
        for upload in uploads:
            arrival = Arrival(
                organization_id,
                upload.kind,
                upload.key,
                upload.name,
                title=upload.title,
                metadata=upload.metadata,
                collection=upload.collection,
            )
            try:
                place = place_of(upload.kind, upload.key)
                if (other := places.get(place)) is not None:
                    raise Unprocessable(
                        f"{upload.key} is the same name here as {other} in this request: rename one of the two.",
                        code="duplicate_path",
                    )
                places[place] = upload.key
                items.append(AdmittedItem.of(self.intake.admit(arrival, upload.stream)))
            except XgtwinError as refusal:
                refused.append(refusal)
                if isinstance(refusal, UnreadableDocument | UnsupportedMedia):
                    self.refusals.remember(organization_id, upload.stream, refusal.detail)
                items.append(
                    AdmittedItem(
                        id=None, name=upload.name, status=REFUSED, job_id=None, duplicate=False, error=refusal.detail
                    )
                )
        if len(refused) == len(uploads):
            first = refused[0]
            if len(uploads) > 1:
                first.detail = " ".join(f"[{item.name}] {item.error}" for item in items)
            raise first
        return Admitted(documents=items)


def answer_of(admitted: Admitted) -> Answer:
    """202 with the job of the first new document, or 200 when there is nothing to wait for."""
    jobs = [item.job_id for item in admitted.documents if not item.duplicate and item.job_id]
    location = f"/jobs/{jobs[0]}" if jobs else None
    return Answer(202 if jobs else 200, admitted.model_dump(mode="json"), location)
