"""What took too long, told on one line with where the time went; never with what was asked."""

from shared.observability.logs import get_logger
from shared.observability.metrics import SLOW

log = get_logger("slow")


def tell_if_slow(event: str, ms: float, limit_ms: float, **facts: object) -> None:
    """Count and log `event` (`slow_question` and the like) if `ms` is above the limit, QUERY__SLOW_MS."""
    if ms > limit_ms:
        SLOW.labels(event.removeprefix("slow_")).inc()
        log.warning(event, ms=round(ms, 1), **facts)
