"""How the folder is watched: by events, or by reading it again and again where the file system tells of no changes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Mode = Literal["inotify", "polling", "off"]

# What another machine (or the host of a container) writes there is told to nobody. All of FUSE but `fuseblk` (local
# disks) counts as such: whether one of its kinds is a share cannot be seen from here.
_SILENT = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "gfs2", "ocfs2", "9p", "fakeowner"}
    | {"virtiofs", "vboxsf", "prl_fs", "vmhgfs", "davfs", "osxfs", "grpcfuse"}
)
_MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True)
class WatchMode:
    """The mode, and in a sentence why it is this one."""

    name: Mode
    why: str


def chosen_mode(wanted: Literal["auto", "inotify", "polling", "off"], folder: Path) -> WatchMode:
    """As configured; for `auto` by events, unless the folder or something mounted in it lies where there are none."""
    if wanted != "auto":
        return WatchMode(wanted, f"INGEST__WATCH={wanted}")
    for point, kind in _mounts_of(folder.resolve()):
        if kind in _SILENT or kind.startswith("fuse."):
            return WatchMode("polling", f"{point} is {kind}, which tells of no changes made elsewhere")
    return WatchMode("inotify", "the file system tells of changes")


def _mounts_of(folder: Path) -> list[tuple[str, str]]:
    """Mount point and type of the file system that holds the folder, and of those mounted inside it."""
    try:
        lines = _MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:  # not Linux
        return []
    mounts = [(Path(point.replace("\\040", " ")), kind) for point, kind in (line.split()[1:3] for line in lines)]
    # Reversed: of two mounts on one point the later one is seen.
    holding = max((mount for mount in reversed(mounts) if folder.is_relative_to(mount[0])), key=_depth, default=None)
    inside = [mount for mount in mounts if mount[0] != folder and mount[0].is_relative_to(folder)]
    return [(str(point), kind) for point, kind in ([holding] if holding else []) + inside]


def _depth(mount: tuple[Path, str]) -> int:
    return len(mount[0].parts)
