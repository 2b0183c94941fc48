"""Making, checking and revoking API keys.

A key reads `xgt_<key id>_<secret>`. The secret has 256 random bits, so one SHA-256 is a sufficient hash: there is
nothing to guess, and checking stays cheap on every request.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from shared.auth.tables import ApiKey
from shared.db.rows import utc_now
from shared.errors import NotFound, Unauthorized
from shared.models import DEFAULT_ORGANIZATION_ID


class Scope(StrEnum):
    INGEST = "ingest"
    """Add, change and delete documents."""
    ASK = "ask"
    """Ask, search, and keep conversations."""
    ADMIN = "admin"
    """Everything, keys included."""


@dataclass(frozen=True)
class Principal:
    """Who a request speaks for."""

    organization_id: UUID
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes


ANYBODY = Principal(DEFAULT_ORGANIZATION_ID, frozenset(Scope))
"""Who asks while authentication is off."""


def create_key(engine: Engine, name: str, scopes: Iterable[Scope]) -> str:
    """Store a new key of the default organization and return its text, the only time it can be seen."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with Session(engine) as session:
        row = ApiKey(name=name, key_id=key_id, secret_hash=_hash(secret), scopes=" ".join(sorted(set(scopes))))
        session.add(row)
        session.commit()
    return f"xgt_{key_id}_{secret}"


def check_key(engine: Engine, text: str) -> Principal:
    """The principal of a key; raises `Unauthorized` for anything that is not a live key of ours."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    with Session(engine) as session:
        found = session.exec(
            select(ApiKey).where(ApiKey.key_id == key_id, col(ApiKey.deleted_at).is_(None))
        ).one_or_none()
    # A missing row is compared too, so that the time taken does not tell which ids exist.
    expected = found.secret_hash if found else _hash("")
    if not hmac.compare_digest(expected, _hash(secret)) or found is None or prefix != "xgt":
        raise Unauthorized("This key is not known here. Ask the operator for one: xgtwin keys create NAME.")
    return Principal(found.organization_id, frozenset(Scope(scope) for scope in found.scopes.split()))


def list_keys(engine: Engine) -> list[ApiKey]:
    """All live keys, oldest first; hashes only."""
    with Session(engine) as session:
        return list(
            session.exec(select(ApiKey).where(col(ApiKey.deleted_at).is_(None)).order_by(col(ApiKey.created_at)))
        )


def revoke_key(engine: Engine, key_id: str) -> None:
    """Make a key useless from the next request on; raises `NotFound` for an unknown id."""
    with Session(engine) as session:
        row = session.exec(
            select(ApiKey).where(ApiKey.key_id == key_id, col(ApiKey.deleted_at).is_(None))
        ).one_or_none()
        if row is None:
            raise NotFound(f"There is no live key with the id {key_id}. List them with: xgtwin keys list.")
        row.deleted_at = utc_now()
        session.add(row)
        session.commit()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
