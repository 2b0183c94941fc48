"""`xgtwin ingest` of a folder: at a terminal, in a pipe, interrupted, repeated, and against a full queue."""

import os
import pty
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.acceptance.product import Product, running, wait_until
from tests.integration.ingest.documents import pdf

pytestmark = pytest.mark.timeout(300)


def _heed_ctrl_c() -> None:
    """What a shell does for the command at its terminal; whoever runs these tests in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """An `xgtwin` command at a terminal of its own, and all that it has shown so far."""

    def __init__(self, product: Product, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self._seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "xgtwin", *words],
            cwd=product.folder,
            env={**product.environment, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - it takes no lock
        )
        os.close(theirs)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def shown(self) -> str:
        return self._seen.decode(errors="replace")

    def end(self, seconds: float = 60) -> int:
        """The exit status, once the command has ended and all its output is there."""
        status = self.process.wait(seconds)
        self._reader.join(5)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(5)
        os.close(self._ours)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._ours, 65536)
            except OSError:  # how Linux says that the other end of a terminal is closed
                return
            if not piece:
                return
            self._seen += piece


@contextmanager
def at_a_terminal(product: Product, *words: str) -> Iterator[Terminal]:
    terminal = Terminal(product, *words)
    try:
        yield terminal
    finally:
        terminal.close()


def folder_of_notes(folder: Path, count: int, about: str) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"nota-{number:02}.txt").write_text(f"A nota {number} fala da antena {about} na sala {number * 7}.")
    return folder


def documents_sent(product: Product) -> int:
    """How often POST /documents was called since the product started."""
    lines = product.ingest.get("/metrics").text.splitlines()
    counts = [line for line in lines if line.startswith("xgtwin_http_request_seconds_count")]
    return sum(
        int(float(line.split()[-1])) for line in counts if 'method="POST"' in line and 'route="/documents"' in line
    )


def test_a_terminal_shows_a_bar_with_stages_pace_and_estimate_and_a_table_at_the_end(product: Product, tmp_path: Path):
    folder = folder_of_notes(tmp_path / "notas", 12, "Aroeira")
    (folder / "anuário.pdf").write_bytes(pdf([f"A ficha {page} é da turma Aroeira." for page in range(400)]))
    (folder / "outra-vez.txt").write_text((folder / "nota-03.txt").read_text())
    (folder / "programa.exe").write_bytes(b"MZ" + bytes(200))
    with at_a_terminal(product, "ingest", str(folder)) as terminal:
        assert terminal.end() == 1
        shown = terminal.shown
    assert "sending" in shown
    assert "anuário.pdf" in shown
    assert any(stage in shown for stage in ("parsing", "embedding")), shown
    assert "/min, about" in shown
    assert "15/15" in shown
    table = shown[shown.rindex("outcome") :]
    rows = [line.split("│")[1:3] for line in table.splitlines() if line.startswith("│")]
    counts = {outcome.strip(): int(count) for outcome, count in rows}
    assert counts == {"duplicate": 1, "ready": 13, "refused": 1}
    assert "programa.exe" in table


def test_a_pipe_gets_a_line_a_document_without_control_characters(product: Product, tmp_path: Path):
    folder = folder_of_notes(tmp_path / "notas", 3, "Figueira")
    (folder / "com\x1b[31mcor.txt").write_text("A caixa vermelha guarda os conectores da turma Figueira.")
    done = product.command("ingest", str(folder))
    assert done.returncode == 0, done.stderr
    assert sorted(line.split()[1] for line in done.stdout.splitlines() if line.startswith("ready")) == [
        "com[31mcor.txt",
        "nota-00.txt",
        "nota-01.txt",
        "nota-02.txt",
    ]
    assert all(character.isprintable() or character == "\n" for character in done.stdout)


def test_interrupted_and_repeated_it_goes_on_and_sends_nothing_twice(tmp_path: Path):
    folder = folder_of_notes(tmp_path / "notas", 20, "Jatobá")
    (tmp_path / "product").mkdir()
    with running(tmp_path / "product", INGEST__WORKERS="0") as product:  # accepts, and works on nothing
        with at_a_terminal(product, "ingest", str(folder)) as terminal:
            wait_until(lambda: len(product.documents()) == 8, 30, "documents sent ahead")
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.end() == 130
            assert "Stopped: 0 of 20 settled; the service goes on with 8 more." in terminal.shown
            assert "Traceback" not in terminal.shown
        assert product.stop() == 0
    with running(tmp_path / "product") as product:
        again = product.command("ingest", str(folder))
        assert again.returncode == 0, again.stderr
        assert set(product.documents().values()) == {"ready"}
        assert documents_sent(product) == 12
        assert "20 known already" in product.command("ingest", str(folder)).stdout
        assert documents_sent(product) == 12


def test_a_full_queue_is_waited_for(tmp_path: Path):
    folder = folder_of_notes(tmp_path / "notas", 6, "Ipê")
    (tmp_path / "product").mkdir()
    with running(tmp_path / "product", INGEST__MAX_QUEUED="1", INGEST__WORKERS="0") as product:
        with at_a_terminal(product, "ingest", str(folder)) as terminal:
            wait_until(lambda: "full queue" in terminal.shown, 30, "the command to meet a full queue")
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.end() == 130
        assert len(product.documents()) == 1
        assert product.stop() == 0


def test_what_is_not_there_is_a_sentence(product: Product, tmp_path: Path):
    done = product.command("ingest", str(tmp_path / "nada"))
    assert done.returncode == 1
    assert "There is no file or folder" in done.stderr


def test_two_spellings_of_one_name_do_not_hold_up_the_other_files(product: Product, tmp_path: Path):
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "Relatório do Cedro.txt")
        (tmp_path / name).write_text(f"O relatório em {form} fala da antena Cedro.")
    (tmp_path / "ata.txt").write_text("A ata registra a compra da antena Cedro.")
    done = product.command("ingest", str(tmp_path))
    assert done.returncode == 1
    assert "2 ready, 1 refused" in done.stdout
    assert "rename one" in done.stdout
