"""`xgtwin keys`: made and revoked directly in the database, by whoever runs the machine."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from shared.auth.keys import Scope, create_key, list_keys, revoke_key
from shared.db.engine import migrate, open_engine
from shared.errors import BadRequest
from shared.settings import Settings


def create(settings: Settings, name: str, scopes: Sequence[Scope]) -> None:
    """Print a new key. It is stored as a hash only. Raises `BadRequest` without a name."""
    if not name.strip():
        raise BadRequest("Say whose key it is, such as: xgtwin keys create unity-lab")
    key = create_key(_engine(settings), name, scopes)
    print(key)
    Console(stderr=True).print(
        f"Keep it: it cannot be shown again. It may: {', '.join(scopes)}. "
        "Send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.",
        soft_wrap=True,
    )


def show(settings: Settings) -> None:
    """Print id, name, scopes and age of every live key."""
    table = Table("id", "name", "scopes", "created (UTC)")
    for key in list_keys(_engine(settings)):
        table.add_row(key.key_id, escape(key.name), key.scopes, f"{key.created_at:%Y-%m-%d %H:%M}")
    Console().print(table)


def revoke(settings: Settings, key_id: str) -> None:
    """Revoke by id; raises `NotFound` for an unknown one."""
    revoke_key(_engine(settings), key_id)
    print(f"The key {key_id} is revoked.")


def _engine(settings: Settings) -> Engine:
    engine = open_engine(settings)
    migrate(engine)
    return engine
