"""Nothing that reads documents reaches a network, whatever the document asks for."""

import io
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.parsing import media_types
from ingest_service.parsing.blocks import ParsingLimits
from ingest_service.parsing.sandbox import Sandbox
from tests.hostile.trap import trap
from tests.unit.ingest.formats.office_files import SENTENCE, rewritten, slides


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(ParsingLimits(max_pages=10, timeout_s=60, memory_mb=2048), readers=1)
    yield sandbox
    sandbox.close()


def _connected(address: tuple[str, int]) -> str:
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as error:
        return type(error).__name__
    return "connected"


def test_a_reading_process_opens_no_connection(sandbox: Sandbox):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        assert _connected(address) == "connected"
        assert sandbox.call(lambda: None, _connected, address) == "PermissionError"


def test_libreoffice_does_not_fetch_the_pictures_of_a_presentation(sandbox: Sandbox, tmp_path: Path):
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice (soffice) is not installed; it reads this file")
    (tmp_path / "a.pptx").write_bytes(slides())
    command = ["soffice", f"-env:UserInstallation={tmp_path.as_uri()}/profile", "--headless", "--convert-to", "odp"]
    subprocess.run([*command, "a.pptx"], cwd=tmp_path, check=True, capture_output=True)
    plain = (tmp_path / "a.odp").read_bytes()
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        start, mark, rest = archive.read("content.xml").decode().partition("<draw:page ")
    attributes, end, inside = rest.partition(">")
    with trap() as listening:
        image = f'<draw:image xlink:href="{listening.url}/x.png"/>'
        picture = f'<draw:frame svg:width="5cm" svg:height="5cm">{image}</draw:frame>'
        linked = rewritten(plain, {"content.xml": f"{start}{mark}{attributes}{end}{picture}{inside}".encode()})
        (tmp_path / "linked.odp").write_bytes(linked)
        document = sandbox.parse(tmp_path / "linked.odp", media_types.ODP, still_wanted=lambda: None)
        assert SENTENCE in [block.text for block in document.blocks]
        assert listening.calls == 0
