"""Several files in one request: each is judged by itself, and one bad file does not lose the good ones."""

from collections.abc import Sequence
from uuid import UUID

from ingest_service.intake import Arrival, Intake
from ingest_service.schemas import Admitted, AdmittedItem
from ingest_service.uploads import Upload
from shared.errors import XgtwinError

REFUSED = "refused"


def admit_all(intake: Intake, organization_id: UUID, uploads: Sequence[Upload]) -> Admitted:
    """Take in each upload. If none can be taken, raises the first reason, with the others in its text."""
    items: list[AdmittedItem] = []
    refusals: list[XgtwinError] = []
    for upload in uploads:
        arrival = Arrival(
            organization_id, upload.kind, upload.key, upload.name, title=upload.title, metadata=upload.metadata
        )
        try:
            items.append(AdmittedItem.of(intake.admit(arrival, upload.stream)))
        except XgtwinError as refusal:
            refusals.append(refusal)
            items.append(
                AdmittedItem(
                    id=None, name=upload.name, status=REFUSED, job_id=None, duplicate=False, error=refusal.detail
                )
            )
    if len(refusals) == len(uploads):
        first = refusals[0]
        if len(uploads) > 1:
            first.detail = " ".join(f"[{item.name}] {item.error}" for item in items)
        raise first
    return Admitted(documents=items)
