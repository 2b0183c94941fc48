"""Opaque cursors: where a page of a list ended, as `(created, id)`, so that pages neither repeat nor skip rows."""

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from shared.errors import BadRequest


def encode(moment: datetime, row_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {row_id}".encode()).decode()


def decode(cursor: str) -> tuple[datetime, UUID]:
    """Raises `BadRequest` for anything that `encode` did not make."""
    try:
        moment_text, _, id_text = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        moment = datetime.fromisoformat(moment_text)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC), UUID(id_text)  # the first and last days of the calendar overflow elsewhere
    except (ValueError, OverflowError, binascii.Error) as error:
        raise BadRequest(
            "This cursor is not one of ours. Send the `next_cursor` of the page before, or none."
        ) from error
