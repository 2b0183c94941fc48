"""Whether there is a Redis: only then is its library loaded."""

from typing import TYPE_CHECKING

from shared.settings import Settings

if TYPE_CHECKING:
    from shared.redis_link import RedisLink


def redis_link(settings: Settings, *, part: str) -> "RedisLink | None":
    """The way to REDIS__URL for a part of the product, to be closed by the caller; None where none is set.

    Raises `Unavailable` if that is no address.
    """
    if not settings.redis.url.get_secret_value():
        return None
    from shared.redis_link import RedisLink

    return RedisLink(settings.redis.url, part=part)
