"""Other programs that read a format for us: run in a folder of their own, for a bounded time, never longer than the
reading process that asked for them."""

import ctypes
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import ParsingLimits

_PR_SET_PDEATHSIG = 1
_SHARE_OF_TIME = 0.8
"""Of the time that reading may take: who is stopped here leaves no temporary files behind."""


def run(
    command: Sequence[str], *, folder: Path, stdin: bytes, limits: ParsingLimits
) -> subprocess.CompletedProcess[bytes]:
    """The finished program, whatever its exit code. Memory is limited as in the reading process, whose child it is.

    Raises `ParserDied` when it takes too long.
    """
    seconds = limits.timeout_s * _SHARE_OF_TIME
    try:
        return subprocess.run(  # noqa: S603 - fixed programs and options; the document comes by stdin or a fixed name
            command,
            input=stdin,
            capture_output=True,
            cwd=folder,
            # No proxy, no home folder, no language of this machine: the same result everywhere.
            env={"HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            timeout=seconds,
            check=False,
            preexec_fn=_die_with_parent,
        )
    except subprocess.TimeoutExpired as error:
        raise errors.converter_too_slow(seconds) from error


_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    # A reading process that runs out of time is killed; without this its helper would go on for nobody.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
