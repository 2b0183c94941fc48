"""`xgtwin doctor`: what is in order, what is not, and what to do about it."""

import os
import shutil
from collections.abc import Iterator

import httpx
from rich.console import Console
from rich.markup import escape

from shared.embeddings.model import ModelState
from shared.errors import XgtwinError
from shared.sections import Service
from shared.settings import Settings
from xgtwin.finding import Finding, Verdict
from xgtwin.lamp_doctor import lamp_findings

TIMEOUT_SECONDS = 3.0
LOW_DISK_BYTES = 1 << 30


def examine(settings: Settings) -> bool:
    """Print every finding; True when nothing is wrong."""
    console = Console(highlight=False)
    colours = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.WRONG: "red"}
    findings = []
    for finding in _findings(settings):
        findings.append(finding)
        mark = f"[{colours[finding.verdict]}]{finding.verdict:>5}[/]"
        console.print(f"{mark}  {finding.subject}: {escape(finding.words)}", soft_wrap=True)
    return all(finding.verdict is not Verdict.WRONG for finding in findings)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield _data_folder(settings)
    yield _watched_folder(settings)
    services: tuple[tuple[str, Service], ...] = (
        ("query", settings.query),
        ("ingest", settings.ingest),
        ("twin", settings.twin),
    )
    for name, service in services:
        yield _service(name, service)
        if settings.auth == "off" and not service.loopback_only:
            yield Finding(Verdict.WRONG, name, f"listens on {service.host} and asks for no key (XGTWIN_AUTH=off)")
    yield _language_model(settings)
    yield _embedding_model(settings)
    yield from lamp_findings(settings)


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir.resolve()
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(nearest, os.W_OK):
        return Finding(Verdict.WRONG, "data folder", f"{folder} cannot be written; choose another with XGTWIN_DATA_DIR")
    free = shutil.disk_usage(nearest).free
    if free < LOW_DISK_BYTES:
        return Finding(Verdict.WRONG, "data folder", f"{folder} has {free >> 20} MiB left; make room")
    return Finding(Verdict.OK, "data folder", f"{folder}, {free >> 30} GiB free")


def _watched_folder(settings: Settings) -> Finding:
    folder = settings.ingest.watch_dir.resolve()
    if not folder.is_dir():
        return Finding(Verdict.WRONG, "watched folder", f"{folder} is missing; make it or set INGEST__WATCH_DIR")
    count = sum(1 for file in folder.rglob("*") if file.is_file())
    return Finding(Verdict.OK, "watched folder", f"{folder}, {count} files")


def _service(name: str, service: Service) -> Finding:
    try:
        response = httpx.get(f"{service.base_url}/readyz", timeout=TIMEOUT_SECONDS, trust_env=False)
        body = response.json()
    except httpx.ConnectError:
        return Finding(Verdict.NOTE, name, f"not running at {service.base_url}; start everything with: make up")
    except (httpx.HTTPError, ValueError):
        return Finding(
            Verdict.WRONG,
            name,
            f"{service.base_url} is answered by something that is not xgtwin; "
            f"stop it or choose another port with {name.upper()}__PORT",
        )
    if response.status_code == 200:
        return Finding(Verdict.OK, name, f"ready at {service.base_url}")
    failing = "; ".join(f"{part}: {words}" for part, words in body.get("checks", {}).items() if words != "ok")
    return Finding(Verdict.WRONG, name, f"running at {service.base_url}, not ready: {failing}")


def _language_model(settings: Settings) -> Finding:
    llm = settings.llm
    if not llm.base_url:
        return Finding(Verdict.NOTE, "language model", "none configured, answers are extractive (LLM__BASE_URL)")
    if not llm.model:
        return Finding(Verdict.WRONG, "language model", "LLM__BASE_URL is set, LLM__MODEL is not")
    key = llm.api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    url = f"{llm.base_url.rstrip('/')}/models"
    try:
        response = httpx.get(url, headers=headers, timeout=TIMEOUT_SECONDS)
        offered = [model["id"] for model in response.raise_for_status().json()["data"]]
    except httpx.HTTPStatusError as error:
        return Finding(
            Verdict.WRONG, "language model", f"{url} answered {error.response.status_code}; is the key right?"
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Finding(Verdict.WRONG, "language model", f"{url} gives no list of models ({type(error).__name__})")
    if llm.model not in offered:
        return Finding(
            Verdict.WRONG, "language model", f"{llm.model} is not offered; offered: {', '.join(offered[:8])}"
        )
    return Finding(Verdict.OK, "language model", f"{llm.model} at {llm.base_url}")


def _embedding_model(settings: Settings) -> Finding:
    from shared.embeddings.bootstrap import look

    try:
        found = look(settings)
    except XgtwinError as error:
        return Finding(Verdict.WRONG, "embedding model", error.detail)
    verdict = Verdict.OK if found.state is ModelState.READY else Verdict.NOTE
    return Finding(Verdict.WRONG if found.state is ModelState.UNUSABLE else verdict, "embedding model", found.words)
