"""Device ids from the names that lamps have elsewhere: stable, and safe as one level of a topic."""

import hashlib
import re
import unicodedata

from twin_bridge.protocol import DEVICE_ID

_ID = re.compile(DEVICE_ID)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST = 64
_DIGEST = 6


def is_device_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def device_id(name: str) -> str:
    """`name` itself if it is an id, else what is left of it with a digest of the whole.

    So `Sala/Teto` and `Sala-Teto` differ. The same name gives the same id for ever.
    """
    if is_device_id(name):
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = _UNSAFE.sub("-", plain).strip("-._") or "lamp"
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{slug[: _LONGEST - _DIGEST - 1]}-{digest}"
