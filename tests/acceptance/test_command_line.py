"""The command line against the running product, as an operator types it."""

import json
from pathlib import Path

import pytest

from tests.acceptance.product import Product, free_ports

pytestmark = pytest.mark.timeout(300)


def test_ask_prints_the_answer_and_its_proof(product: Product):
    done = product.command("ask", "Quando o Inatel foi fundado?")
    assert done.returncode == 0, done.stderr
    assert "1965" in done.stdout
    assert "inatel.md" in done.stdout
    assert "extractive" in done.stdout


def test_ask_prints_the_answer_object_for_programs(product: Product):
    done = product.command("ask", "--json", "Qual é a taxa de pico no enlace de descida do 5G?")
    answer = json.loads(done.stdout)
    assert answer["grounded"] is True
    assert answer["citations"][0]["filename"] == "guia-5g.pdf"


def test_ingest_reports_each_outcome_and_repeated_it_has_nothing_to_do(product: Product, tmp_path: Path):
    (tmp_path / "notas.txt").write_text("A bancada Araucária do laboratório tem seis lugares para visitantes.")
    (tmp_path / "programa.exe").write_bytes(b"MZ" + bytes(200))
    first = product.command("ingest", str(tmp_path))
    assert first.returncode == 1, first.stderr
    assert "1 ready" in first.stdout
    assert "1 refused" in first.stdout
    assert "programa.exe" in first.stdout
    again = product.command("ingest", str(tmp_path / "notas.txt"))
    assert "1 known already" in again.stdout
    assert "seis lugares" in product.ask("Quantos lugares tem a bancada Araucária?")["answer"]


def test_ingest_tells_files_of_the_same_name_apart_and_says_why_one_cannot_be_read(product: Product, tmp_path: Path):
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "leia.txt").write_text(f"A gaveta {place} guarda as chaves do armário Jequitibá.")
    (tmp_path / "[red].pdf").write_bytes(b"%PDF-1.4 nothing follows")
    first = product.command("ingest", str(tmp_path))
    assert first.returncode == 1, first.stderr
    assert "1 quarantined, 2 ready" in first.stdout
    assert "[red].pdf: The document is damaged" in first.stdout
    again = product.command("ingest", str(tmp_path))
    assert "2 known already, 1 quarantined" in again.stdout
    assert "[red].pdf: The document is damaged" in again.stdout


def test_scan_tells_what_would_happen_before_it_happens(product: Product):
    file = product.watched / "aviso.exe"
    file.write_bytes(b"MZ" + bytes(200))
    try:
        dry = product.command("scan", "--dry-run")
        assert dry.returncode == 0, dry.stderr
        assert "aviso.exe" in dry.stdout
        assert "is a program" in dry.stdout
        assert "0 deleted, 0 held back" in dry.stdout
        assert "Nothing was changed" in dry.stdout
        assert "Nothing was changed" not in product.command("scan").stdout
    finally:
        file.unlink()


def test_a_lamp_is_switched_and_says_so_itself(product: Product):
    assert "on, reported by the lamp" in product.command("lamp", "on", "lamp_001", "--bri", "0.4").stdout
    state = product.twin.get("/devices/lamp_001").json()["state"]
    assert state["on"] is True
    assert state["bri"] == pytest.approx(0.4, abs=0.02)
    assert "off, reported by the lamp" in product.command("lamp", "off").stdout
    assert product.twin.get("/devices/lamp_001").json()["state"]["on"] is False


def test_an_unknown_lamp_is_a_sentence_and_not_a_traceback(product: Product):
    done = product.command("lamp", "on", "nobody")
    assert done.returncode == 1
    assert "nobody" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_finds_a_running_product_in_order(product: Product):
    done = product.command("doctor")
    assert done.returncode == 0, done.stdout
    for subject in ("query", "ingest", "twin"):
        assert f"ok  {subject}: ready" in done.stdout


def test_commands_say_what_to_start_when_nothing_runs(product: Product):
    done = product.command("ask", "Quem?", QUERY__PORT="1")
    assert done.returncode == 1
    assert "make up" in done.stderr


def test_a_second_product_on_the_same_folder_says_that_one_is_running(product: Product):
    done = product.command("up")
    assert done.returncode == 1
    assert "another xgtwin process" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named(product: Product):
    done = product.command("doctor", INGEST__MAX_FILE_MB="many")
    assert done.returncode == 1
    assert "INGEST__MAX_FILE_MB" in done.stderr


def test_a_setting_of_an_earlier_release_is_told_its_new_name(product: Product):
    done = product.command("doctor", QUERY__MIN_COVERAGE="0.6", EMBEDDER__DENSE_WEIGHT="1")
    assert done.returncode == 1
    assert "QUERY__MIN_COVERAGE: renamed to QUERY__MIN_CONFIDENCE" in done.stderr
    assert "EMBEDDER__DENSE_WEIGHT: renamed to RETRIEVAL__DENSE_WEIGHT" in done.stderr


def test_reindex_makes_all_vectors_anew_while_questions_are_answered(product: Product):
    before = product.query.get("/readyz").json()
    done = product.command("reindex")
    assert done.returncode == 0, done.stderr
    after = product.query.get("/readyz").json()
    assert after["index"]["generation"] == before["index"]["generation"] + 1
    assert f"generation {after['index']['generation']}" in done.stdout
    assert after["chunks"] == before["chunks"]


def test_reindex_without_a_running_product_is_noted_for_the_next_start(tmp_path: Path, product: Product):
    elsewhere = {"INGEST__PORT": str(free_ports(1)[0]), "XGTWIN_DATA_DIR": str(tmp_path / "data")}
    done = product.command("reindex", **elsewhere)
    assert done.returncode == 0, done.stderr
    assert "next start" in done.stdout
    assert (tmp_path / "data" / "reindex-requested").exists()
