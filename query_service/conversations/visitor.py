"""Who asks, where a client tells: an opaque name, kept only as its hash."""

import hashlib
from uuid import UUID

NOBODY = ""
"""The visitor of requests that name no `user`."""


def visitor_of(organization_id: UUID, user: str | None) -> str:
    """What is stored for a client's `user`; `NOBODY` for none.

    A name is never needed again, only recognised, so a copy of the database tells no names. It is no secret either:
    who knows a name can find its conversations, which is what deleting them on request takes.
    """
    return hashlib.sha256(f"{organization_id}:{user}".encode()).hexdigest() if user else NOBODY
