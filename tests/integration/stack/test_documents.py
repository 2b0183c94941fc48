"""Documents in, answers with proof out, through the containers."""

import shutil

from tests.acceptance.product import wait_until
from tests.integration.stack.compose import PATIENCE_S, ROOT, Stack, read_json
from tests.integration.stack.visitor import Visitor


def test_a_document_in_the_watched_volume_is_answered_with_its_page_and_quote(stack: Stack, visitor: Visitor):
    copied = stack.watched / "guia-5g.pdf"
    shutil.copy(ROOT / "watched_docs/guia-5g.pdf", copied)
    copied.chmod(0o644)
    wait_until(lambda: visitor.documents().get("guia-5g.pdf") == "ready", PATIENCE_S, "the document ready")
    answer = visitor.ask("O que é o URLLC?")
    assert answer["grounded"] is True
    citation = answer["citations"][0]
    assert (citation["filename"], citation["page_start"]) == ("guia-5g.pdf", 3)
    assert "Ultra-Reliable" in citation["quote"]


def test_links_of_an_answer_lead_where_the_asker_can_reach_them(stack: Stack, visitor: Visitor, key: str):
    visitor.wait_until_ready(visitor.put(9000))
    url = visitor.ask_about(9000)["citations"][0]["url"]
    with stack.client("ingest_service", key) as ingest:
        assert str(ingest.base_url).rstrip("/") in url
        assert ingest.get(url).status_code == 200


def test_a_scanned_page_is_read_in_the_image(visitor: Visitor):
    from tests.integration.ingest.documents import pdf
    from tests.kills.documents import scan

    taken = visitor.upload("armario.pdf", scan(pdf(["A folha azul do armário Kurupira foi digitalizada ontem."])))
    visitor.wait_until_ready(taken["id"])
    assert "Kurupira" in visitor.ask("O que foi digitalizado do armário Kurupira?")["citations"][0]["quote"]


def test_an_old_office_document_is_read_in_the_image(visitor: Visitor):
    text = rb"{\rtf1\ansi O cofre Tamandu\'e1 abre \'e0s nove horas.}"
    taken = visitor.upload("cofre.rtf", text)
    visitor.wait_until_ready(taken["id"])
    assert "nove horas" in visitor.ask("Quando abre o cofre Tamanduá?")["citations"][0]["quote"]


def test_nobody_asks_or_adds_without_a_key(stack: Stack):
    with stack.client("query_service") as query, stack.client("ingest_service") as ingest:
        assert query.post("/ask", json={"question": "Quem?"}).status_code == 401
        assert ingest.get("/documents").status_code == 401


def test_a_key_made_by_the_operator_does_only_what_it_is_for(stack: Stack):
    asking = stack.make_key("unity-lab")
    with stack.client("ingest_service", asking) as ingest, stack.client("query_service", asking) as query:
        assert ingest.post("/documents", json={"title": "t", "text": "t"}).status_code == 403
        assert read_json(query.post("/ask", json={"question": "Qual é a capital da Mongólia?"}))["grounded"] is False


def test_a_backup_is_made_by_itself(stack: Stack):
    names = stack.compose("exec", "-T", "backup", "ls", "/backups").split()
    assert any(name.endswith(".zip") for name in names), names
