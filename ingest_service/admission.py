"""Several files in one request: each is judged by itself, and one bad file does not lose the good ones."""

from collections.abc import Sequence
from uuid import UUID

from ingest_service.arrivals import Arrival
from ingest_service.intake import Intake
from ingest_service.parsing.errors import UnreadableDocument
from ingest_service.refusals import Refusals
from ingest_service.schemas import Admitted, AdmittedItem
from ingest_service.uploads import Upload
from shared.errors import UnsupportedMedia, XgtwinError

REFUSED = "refused"


def admit_all(intake: Intake, refusals: Refusals, organization_id: UUID, uploads: Sequence[Upload]) -> Admitted:
    """Take in each upload. If none can be taken, raises the first reason, with the others in its text. Bytes that
    nobody can read are remembered for sync clients."""
    items: list[AdmittedItem] = []
    refused: list[XgtwinError] = []
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
            items.append(AdmittedItem.of(intake.admit(arrival, upload.stream)))
        except XgtwinError as refusal:
            refused.append(refusal)
            if isinstance(refusal, UnreadableDocument | UnsupportedMedia):
                refusals.remember(organization_id, upload.stream, refusal.detail)
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
