"""The newest schema, before any service starts: `python -m shared.db`. Exit status 1 says why not on stderr."""

import sys

from shared.db.engine import migrate, open_engine, ping
from shared.settings import Settings
from shared.standalone import run_alone


def main(settings: Settings) -> None:
    """Bring the database of DATABASE_URL to the newest schema; safe to repeat. Raises `Unavailable` without it."""
    engine = open_engine(settings)
    try:
        ping(engine)
        migrate(engine)
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(run_alone("migrations", main))
