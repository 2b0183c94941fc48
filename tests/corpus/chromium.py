"""Web pages printed to PDF by Chromium, as people save articles."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PRINT_SECONDS = 60


def program() -> str | None:
    """Where Chromium is; None without it."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def print_to_pdf(source: Path, target: Path) -> None:
    """Print an HTML file; nothing is asked of any network."""
    chromium = program()
    assert chromium, "Chromium is not installed"
    # Chromium's sandbox does not run as root, and the page is our own.
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                chromium,
                *("--headless", *as_root, f"--user-data-dir={profile}", "--disable-gpu", "--disable-dev-shm-usage"),
                *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
                *("--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer", f"--print-to-pdf={target}"),
                source.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=PRINT_SECONDS,
        )
    assert target.is_file(), f"Chromium printed nothing for {source.name}"
