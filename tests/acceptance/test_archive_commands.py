"""An installation that was lost is there again: `xgtwin backup` while it runs, `xgtwin restore`, `xgtwin up`."""

import shutil
from pathlib import Path

from tests.acceptance.product import ROOT, running, wait_until

QUESTION = "Quando o Inatel foi fundado?"


def test_a_restored_folder_answers_as_the_one_that_was_lost(tmp_path: Path):
    lost, found = tmp_path / "lost", tmp_path / "found"
    for folder in (lost, found):
        (folder / "watched_docs").mkdir(parents=True)
        shutil.copy(ROOT / "watched_docs" / "inatel.md", folder / "watched_docs")
    with running(lost) as product:
        product.wait_until_all_ready()
        before = product.ask(QUESTION)
        made = product.command("backup", "--keep", "1")
        assert made.returncode == 0, made.stderr
        assert "originals" in made.stdout
        product.kill()
        standing = product.command("backup", "--keep", "1")
        assert "is deleted (--keep 1)" in standing.stdout, standing.stderr
        (backup,) = (lost / "backups").iterdir()
        restored = product.command("restore", str(backup), XGTWIN_DATA_DIR=str(found / "data"))
        assert restored.returncode == 0, restored.stderr
        again = product.command("restore", str(backup), XGTWIN_DATA_DIR=str(found / "data"))
        assert again.returncode == 1
        assert "is not empty" in again.stderr
    with running(found) as product:
        product.wait_until_all_ready()
        after = product.ask(QUESTION)
        conversation = f"/conversations/{before['conversation_id']}/messages"
        told = wait_until(lambda: product.query.get(conversation).raise_for_status().json()["items"], 10, "messages")
    assert after["answer"] == before["answer"]
    assert after["citations"][0]["document_id"] == before["citations"][0]["document_id"]
    assert [message["content"] for message in told] == [QUESTION, before["answer"]]
