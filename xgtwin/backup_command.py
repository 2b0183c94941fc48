"""`xgtwin backup` and `xgtwin restore`: an installation in one file, and out of it again."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.errors import BadRequest
from shared.settings import Settings
from xgtwin.archive.backup import back_up
from xgtwin.archive.manifest import Manifest
from xgtwin.archive.restore import restore as put_back
from xgtwin.archive.writing import drop_older, usual_name


def backup(settings: Settings, to: Path, keep: int | None) -> None:
    """Write a backup into the folder `to`, or to the file `to` if its name ends in .zip; print what is in it.

    `keep` deletes all but so many of the newest in that folder afterwards. Raises `BadRequest` for `keep` with a file.
    """
    to_file = to.suffix == ".zip"
    if to_file and keep is not None:
        raise BadRequest("--keep is for a folder of backups: name one with --to.")
    target = to if to_file else to / usual_name()
    manifest = back_up(settings, target)
    _show(manifest)
    print(f"{target}: {target.stat().st_size / (1 << 20):.1f} MiB. Keep it where only you can read it.")
    for path in drop_older(to, keep) if keep is not None else []:
        print(f"{path} is deleted (--keep {keep}).")


def restore(settings: Settings, backup: Path) -> None:
    """Put a backup back and print what was in it."""
    manifest = put_back(settings, backup)
    _show(manifest)
    print(f"The installation of {manifest.made_at:%Y-%m-%d %H:%M} (UTC) is here again. Put the files of the watched")
    print("folder back before the start, or what came from there counts as deleted.")


def _show(manifest: Manifest) -> None:
    table = Table("", "", box=None, show_header=False)
    for name, rows in manifest.tables.items():
        table.add_row(name, str(rows.rows))
    originals = [member.size for name, member in manifest.members.items() if name.startswith("originals/")]
    table.add_row("originals", f"{len(originals)}, {sum(originals) / (1 << 20):.1f} MiB")
    if manifest.lost_originals:
        table.add_row("originals lost", f"{manifest.lost_originals}, whose documents are there without their bytes")
    if manifest.vectors is not None:
        made_with = manifest.vectors.made_with.model or "words alone"
        table.add_row("vectors", f"{manifest.vectors.chunks} chunks ({made_with})")
    else:
        table.add_row("vectors", f"none, they are made anew after a restore: {manifest.without_vectors}")
    Console(highlight=False).print(table)
