"""No network for a process and all it starts, by a seccomp filter of the kernel.

Documents name addresses (linked pictures, templates, external entities), and LibreOffice fetched those of an ODP
whatever its settings said. Reading needs no network, so reading processes have none.
"""

import ctypes
import errno
import os
import platform
import socket
import struct

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_DENY = 0x00050000 | errno.EACCES
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
# Where the kernel puts what the filter looks at: number of the call, processor, low half of the first argument.
_CALL, _PROCESSOR, _FIRST_ARGUMENT = 0, 4, 16
_SOCKET_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine: its name for the kernel, and the number of `socket`."""
_IO_URING_SETUP = 425
"""Would open sockets past the filter."""


def forbid_network() -> None:
    """From now on this process, and every program it starts, can open no internet socket (`EACCES`); pipes and sockets
    of this machine work on. Does nothing where there is no such filter (other systems than Linux).

    Raises `OSError` when the kernel refuses.
    """
    if platform.system() != "Linux" or platform.machine() not in _SOCKET_CALLS:
        return
    processor, socket_call = _SOCKET_CALLS[platform.machine()]
    program = [
        _step(_LOAD, _PROCESSOR),
        _step(_JUMP_IF_EQUAL, processor, otherwise=7),
        _step(_LOAD, _CALL),
        _step(_JUMP_IF_EQUAL, _IO_URING_SETUP, then=5),
        _step(_JUMP_IF_EQUAL, socket_call, otherwise=3),
        _step(_LOAD, _FIRST_ARGUMENT),
        _step(_JUMP_IF_EQUAL, socket.AF_INET, then=2),
        _step(_JUMP_IF_EQUAL, socket.AF_INET6, then=1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _DENY),
    ]
    steps = ctypes.create_string_buffer(b"".join(program))
    described = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(steps)))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described, 0, 0)):
        if libc.prctl(*call):
            number = ctypes.get_errno()
            raise OSError(number, f"the kernel refuses the filter: {os.strerror(number)}")


def _step(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)
