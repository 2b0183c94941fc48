"""Bodies unpacked in pieces of a bounded size, so that a bomb is noticed and not swallowed.

httpx would unpack any chain of encodings, each piece at once: 64 KiB of gzip in gzip are 64 GiB.
"""

import zlib
from collections.abc import AsyncIterator

from ingest_service.web.errors import FetchFailed

ACCEPTED = "gzip"
PIECE_BYTES = 1 << 18
_GZIP = 31
"""zlib's number for: a gzip header, the largest window."""


async def inflated(pieces: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """The body's own bytes, at most `PIECE_BYTES` at a time. Raises `FetchFailed` for an encoding that was not asked
    for, and for one that is broken or cut off."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        async for piece in pieces:
            yield piece
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise FetchFailed(f"The server sent the page as '{encoding[:40]}', which was not asked for.")
    unpacking, begun = zlib.decompressobj(_GZIP), False
    async for piece in pieces:
        data = piece
        while data:
            begun = True
            try:
                unpacked = unpacking.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise FetchFailed("The server sent the page in a broken gzip encoding.") from error
            yield unpacked
            data = unpacking.unconsumed_tail
            if unpacking.eof:  # several members may follow one another
                data, unpacking, begun = unpacking.unused_data, zlib.decompressobj(_GZIP), False
    if begun:
        raise FetchFailed("The server broke off in the middle of the page.")
