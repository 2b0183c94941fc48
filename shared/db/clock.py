"""What time it is by the one clock that all processes over a database share."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, DateTime, Engine, Interval, func, literal

from shared.db.rows import UtcDateTime, utc_now


def moment(bind: Engine | Connection, after: timedelta = timedelta()) -> ColumnElement[datetime]:
    """Now, or so long after it, for use inside a statement.

    PostgreSQL's clock, whose clients are on hosts that may disagree by more than a lease. SQLite's are on one machine,
    whose clock it is.
    """
    if bind.dialect.name == "postgresql":
        return func.clock_timestamp(type_=DateTime(timezone=True)) + literal(after, Interval())
    return literal(utc_now() + after, UtcDateTime())
