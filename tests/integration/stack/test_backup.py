"""An operator moves into an empty stack what another one holds, or `xgtwin up`, as docs/operations.md tells it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.db.engine import open_engine
from shared.db.revisions import known_revisions
from shared.settings import Settings
from tests.acceptance.product import running, wait_until
from tests.integration.stack.compose import PATIENCE_S, ROOT, Stack, read_json
from tests.integration.stack.test_lamps import known
from tests.integration.stack.visitor import Visitor
from xgtwin.archive.rows import digest_of
from xgtwin.archive.schema import tables_at
from xgtwin.migrate_command import SHOWN_HASH
from xgtwin.simulated.native import NativeLamp

NUMBER = 77
LAMP = "lamp_backup"
SERVICES = ("ingest_service", "query_service", "twin_bridge")


@pytest.fixture
def empty(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """Another stack of the same images: its own volumes, ports and secrets, and only what keeps state is started."""
    other = Stack(tmp_path, "another")
    try:
        with stack.stage("  another stack's state up"):
            _up(other, "postgres")
        yield other
    finally:
        with stack.stage("  another stack removed"):
            other.compose("--profile", "*", "down", "--volumes", "--timeout", "10")


def _up(stack: Stack, *services: str) -> None:
    stack.compose("up", "--detach", "--no-build", "--wait", *services)


def _put_into_volume(stack: Stack, file: Path) -> None:
    """Written by the user of the container, whoever owns the file here."""
    with file.open("rb") as stream:
        copy = f"umask 077; cat > /backups/{file.name}"
        stack.compose("run", "--rm", "-T", "--entrypoint", "sh", "tools", "-c", copy, stdin=stream)


def _messages(stack: Stack, key: str, conversation: str) -> list[dict[str, Any]]:
    with stack.client("query_service", key) as query:
        return list(read_json(query.get(f"/conversations/{conversation}/messages"))["items"])


def _lamp_history(stack: Stack) -> list[dict[str, Any]]:
    with stack.client("twin_bridge", stack.settings["TWIN__TOKEN"]) as bridge:
        return list(read_json(bridge.get(f"/devices/{LAMP}/history"))["items"])


def _proof(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Its citations without their addresses, which are another stack's."""
    return [{name: value for name, value in one.items() if "url" not in name} for one in answer["citations"]]


def test_a_backup_of_a_running_stack_is_restored_into_an_empty_one(
    stack: Stack, empty: Stack, visitor: Visitor, key: str, tmp_path: Path
):
    visitor.wait_until_ready(visitor.put(NUMBER))
    dropped = visitor.drop(NUMBER + 1)
    wait_until(lambda: visitor.documents().get(dropped) == "ready", PATIENCE_S, "the document of the watched folder")
    before = visitor.ask_about(NUMBER)
    lamp = NativeLamp(stack.lamps_url, LAMP)
    with lamp.wire:
        wait_until(lambda: known(stack, LAMP), PATIENCE_S, "the lamp at the bridge")
        lamp.press(on=True)
        wait_until(lambda: any(state["state"]["on"] for state in _lamp_history(stack)), PATIENCE_S, "its history")
    wait_until(lambda: not _lamp_history(stack)[-1]["online"], PATIENCE_S, "the lamp to be gone")

    with stack.stage("  backup made and taken out"):
        stack.compose("run", "--rm", "tools", "backup", "--to", "/backups/moved.zip")
        stack.compose("cp", "backup:/backups/moved.zip", str(tmp_path))
    for file in stack.watched.iterdir():
        shutil.copy2(file, empty.watched)
    with stack.stage("  backup taken in and restored"):
        _put_into_volume(empty, tmp_path / "moved.zip")
        told = empty.compose("run", "--rm", "tools", "restore", "/backups/moved.zip")
    assert re.search(r"vectors +\d+ chunks", told), told
    with stack.stage("  another stack's services up"):
        _up(empty, *SERVICES)  # no worker: what is found was in the backup

    there = Visitor(empty, key)
    assert there.documents() == visitor.documents()
    after = there.ask_about(NUMBER)
    assert (after["answer"], _proof(after)) == (before["answer"], _proof(before))
    assert _messages(empty, key, before["conversation_id"]) == _messages(stack, key, before["conversation_id"])
    with empty.client("ingest_service", key) as ingest:
        assert ingest.get(after["citations"][0]["url"]).status_code == 200
    assert _lamp_history(empty)[: len(_lamp_history(stack))] == _lamp_history(stack)
    there.close()


def test_an_embedded_installation_is_moved_into_the_database_of_a_stack(stack: Stack, empty: Stack, tmp_path: Path):
    folder = tmp_path / "embedded"
    (folder / "watched_docs").mkdir(parents=True)
    shutil.copy(ROOT / "watched_docs/inatel.md", folder / "watched_docs")
    with running(folder) as product:
        product.wait_until_all_ready()
        before = product.ask("Quando o Inatel foi fundado?")
        messages = f"/conversations/{before['conversation_id']}/messages"
        said = wait_until(lambda: read_json(product.query.get(messages))["items"], PATIENCE_S, "the messages")
        documents = product.documents()
        assert product.stop() == 0

    rows = _rows(folder / "data/xgtwin.db")
    me = f"{os.getuid()}:{os.getgid()}"
    as_owner = ("run", "--rm", "--user", me, "--volume", f"{folder}/data:/old")
    told = empty.compose(*as_owner, "tools", "migrate", "--from", "sqlite:////old/xgtwin.db")
    copied = {name: (int(count), content) for name, count, content in re.findall(r"(\w+) +(\d+) +([0-9a-f]{16})", told)}
    assert copied == rows
    assert rows["documents"][0] == 1
    _copy_originals(empty, folder / "data")
    shutil.copy(ROOT / "watched_docs/inatel.md", empty.watched)
    with stack.stage("  another stack's services up"):
        _up(empty, *SERVICES, "ingest_worker", "backup")

    key = empty.make_key("operator", "ask", "ingest")
    visitor = Visitor(empty, key)
    assert _messages(empty, key, before["conversation_id"]) == said
    wait_until(lambda: visitor.documents() == documents, PATIENCE_S, "the vectors to be made anew")
    after = visitor.ask("Quando o Inatel foi fundado?")
    assert (after["answer"], _proof(after)) == (before["answer"], _proof(before))
    with empty.client("ingest_service", key) as ingest:
        original = ingest.get(f"/documents/{after['citations'][0]['document_id']}/content")
    assert original.content == (ROOT / "watched_docs/inatel.md").read_bytes()
    visitor.close()


def _rows(database: Path) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and the beginning of the hash of them all."""
    engine = open_engine(Settings(_env_file=None, database_url=f"sqlite:///{database}"))
    with engine.connect() as connection:
        found = {table.name: digest_of(connection, table) for table in tables_at(known_revisions()[-1])}
    engine.dispose()
    return {name: (digest.rows, digest.hash[:SHOWN_HASH]) for name, digest in found.items()}


def _copy_originals(stack: Stack, data: Path) -> None:
    packing = ["tar", "--create", "--directory", str(data), "originals"]
    with subprocess.Popen(packing, stdout=subprocess.PIPE) as packer:
        unpacking = ("--entrypoint", "tar", "tools", "--extract", "--directory", "/data")
        stack.compose("run", "--rm", "-T", *unpacking, stdin=packer.stdout)
    assert packer.returncode == 0
