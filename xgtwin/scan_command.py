"""`xgtwin scan`: have the watched folder read now, or see what that would do."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.settings import Settings
from xgtwin.service_client import ServiceClient

TIMEOUT_S = 600.0
"""A dry run reads the files that are new."""
STYLES = {"deleted": "red", "held back": "yellow", "refused": "yellow", "ignored": "dim"}


def scan_folder(settings: Settings, *, dry_run: bool, confirm: bool, key: str = "") -> None:
    """Print what the scan found, file by file, then the counts and what an operator must know."""
    with ServiceClient("ingest", settings.ingest, key=key, timeout_s=TIMEOUT_S) as client:
        options = {"dry_run": dry_run, "confirm": confirm}
        report = client.request("POST", "/sources/watch/scan", params=options).json()
    console = Console(highlight=False)
    if report["changes"]:
        table = Table(box=None, padding=(0, 2), show_header=False)
        for change in report["changes"]:
            style = STYLES.get(change["what"], "")
            table.add_row(change["what"], escape(change["path"]), escape(change["detail"]), style=style)
        console.print(table)
    if report["not_listed"]:
        console.print(f"... and {report['not_listed']} more")
    console.print(
        f"{report['files']} files: {report['unchanged']} unchanged, {report['new_or_changed']} new or changed; "
        f"documents: {report['deleted']} deleted, {report['held_back']} held back"
    )
    if report["note"]:
        console.print(report["note"], style="yellow", markup=False, soft_wrap=True)
    if report["dry_run"]:
        console.print("Nothing was changed (--dry-run).")
