"""Processes as /proc tells of them: who descends from whom, and how much memory each holds."""

import os
from collections.abc import Iterator
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> Iterator[int]:
    """All children, their children and so on, that live now. The helper of multiprocessing that keeps track of
    semaphores is not counted: it lives as long as Python."""
    try:
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children_of(task)]
    except FileNotFoundError:
        return
    for child in children:
        if b"resource_tracker" not in command(child):
            yield child
        yield from descendants(child)


def command(pid: int) -> bytes:
    """The command line, or nothing when the process is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def resident_mb(*pids: int) -> float:
    """Resident memory of these processes together; those that are gone hold none."""
    return sum(_resident_bytes(pid) for pid in pids) / (1 << 20)


def family_mb(pid: int) -> float:
    """Resident memory of a process and all that descend from it."""
    return resident_mb(pid, *descendants(pid))


def proportional_mb(*pids: int) -> float:
    """Memory of these processes together, pages that several of them share counted once."""
    return sum(_proportional_kb(pid) for pid in pids) / 1024


def _proportional_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _children_of(task: Path) -> list[str]:
    try:
        return (task / "children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def cpu_s(*pids: int) -> float:
    """Seconds of processor time that these processes used so far, with children that ended and were waited for."""
    return sum(_cpu_ticks(pid) for pid in pids) / os.sysconf("SC_CLK_TCK")


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15]))
