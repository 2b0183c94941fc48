"""`xgtwin migrate`, `xgtwin backup`, `xgtwin restore`: one line each."""

from pathlib import Path
from typing import Annotated

import typer

from shared.settings import Settings

archive_app = typer.Typer()


@archive_app.command()
def migrate(
    source: Annotated[
        str, typer.Option("--from", help="Copy from this database, such as sqlite:///data/xgtwin.db.")
    ] = "",
    target: Annotated[
        str, typer.Option("--to", help="Copy to this empty one, such as postgresql://...; else to the configured one.")
    ] = "",
) -> None:
    """Bring the configured database to the newest schema; with --from, copy another database into an empty one."""
    from xgtwin.migrate_command import migrate as run

    run(Settings(), source, target)


@archive_app.command()
def backup(
    to: Annotated[Path, typer.Option(help="A folder for it, or a file of its own: name.zip.")] = Path("backups"),
    keep: Annotated[
        int | None, typer.Option(min=1, help="Then delete each one there of which so many newer ones hold as much.")
    ] = None,
) -> None:
    """Put everything into one file: database, originals, vectors. The services may run meanwhile."""
    from xgtwin.backup_command import backup as run

    run(Settings(), to, keep)


@archive_app.command()
def restore(file: Annotated[Path, typer.Argument(help="What `xgtwin backup` wrote.")]) -> None:
    """Put a backup back into an empty installation that is not running; it is checked to the last byte before."""
    from xgtwin.backup_command import restore as run

    run(Settings(), file)
