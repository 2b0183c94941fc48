"""`xgtwin backup` and `xgtwin restore`: an installation in one file, and out of it again."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.errors import BadRequest, Unavailable
from shared.settings import Settings
from xgtwin.archive.backup import Made, back_up
from xgtwin.archive.manifest import Manifest
from xgtwin.archive.restore import restore as put_back
from xgtwin.archive.writing import drop_older, usual_name


def backup(settings: Settings, to: Path, keep: int | None) -> None:
    """Write a backup into the folder `to`, or to the file `to` if its name ends in .zip; print what is in it.

    `keep` afterwards deletes those in that folder of which so many newer ones hold as much. Raises `BadRequest` for
    `keep` with a file, and `Unavailable`, once the backup is there, if it lacks what a running installation must have.
    """
    to_file = to.suffix == ".zip"
    if to_file and keep is not None:
        raise BadRequest("--keep is for a folder of backups: name one with --to.")
    made = back_up(settings, to if to_file else to / usual_name())
    _show(made.manifest)
    print(f"{made.path}: {made.path.stat().st_size / (1 << 20):.1f} MiB. Keep it where only you can read it.")
    for path in drop_older(made.path, keep) if keep is not None else []:
        print(f"{path} is deleted (--keep {keep}).")
    if made.amiss:
        raise Unavailable(f"{made.path} is not whole. {_what_is_amiss(made)}")


def restore(settings: Settings, backup: Path) -> None:
    """Put a backup back and print what was in it."""
    manifest = put_back(settings, backup)
    _show(manifest)
    print(f"The installation of {manifest.made_at:%Y-%m-%d %H:%M} (UTC) is here again. Put the files of the watched")
    print("folder back before the start, or what came from there counts as deleted.")


def _what_is_amiss(made: Made) -> str:
    sentences = []
    if "vectors" in made.lacks:
        sentences.append(f"The vectors are not in it: {made.manifest.without_vectors}")
    if "some-vectors" in made.lacks:
        sentences.append(f"Not all vectors are in it: {made.manifest.without_vectors}.")
    if "some-originals" in made.lacks:
        sentences.append(
            f"The originals of {made.manifest.lost_originals} documents are not in the data folder. Is XGTWIN_DATA_DIR "
            "the right one, and mounted? If they are lost, send those documents again or delete them."
        )
    return " ".join(sentences)


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
        partly = f", not all: {manifest.without_vectors}" if manifest.without_vectors else ""
        table.add_row("vectors", f"{manifest.vectors.chunks} chunks ({made_with}){partly}")
    elif manifest.without_vectors:
        table.add_row("vectors", f"none, they are made anew after a restore: {manifest.without_vectors}")
    else:
        table.add_row("vectors", "none: no document is searchable")
    Console(highlight=False).print(table)
