"""Few bytes that unpack to many."""

import zlib

SEGMENT = 1 << 20


def deflate_bomb(unpacked: int, unit: bytes = b" ") -> bytes:
    """A zlib stream of about `unpacked` bytes of repeated `unit`, made without packing them all: one segment that
    refers to nothing before it is repeated."""
    packer = zlib.compressobj(9)
    plain = unit * (SEGMENT // len(unit))
    start = packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH)
    segment = packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH)
    rest = packer.flush(zlib.Z_FINISH)[:-4]
    times = max(0, unpacked // SEGMENT - 1)
    checksum = zlib.adler32(plain)
    for _ in range(times):
        checksum = zlib.adler32(plain, checksum)
    return start + segment * times + rest + checksum.to_bytes(4, "big")
