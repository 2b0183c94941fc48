"""The main job end to end, on the real product with the sample documents: what the README promises."""

import asyncio
import json
import shutil
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import websockets
from paho.mqtt.enums import CallbackAPIVersion
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from tests.acceptance.product import ROOT, Product, running, wait_until

pytestmark = pytest.mark.timeout(300)


def ten_page_pdf(path: Path, sentence: str, page: int) -> None:
    """A PDF of ten pages of filler with one telling sentence on one of them."""
    canvas = Canvas(str(path), pagesize=A4)
    for number in range(1, 11):
        canvas.drawString(72, 780, f"Capítulo {number} do relatório de ensaios")
        for line in range(30):
            canvas.drawString(72, 740 - 20 * line, f"Linha {line} da página {number}: medidas de rotina sem surpresa.")
        if number == page:
            canvas.drawString(72, 100, sentence)
        canvas.showPage()
    canvas.save()


def test_startup_says_what_runs_where_and_in_which_mode(product: Product):
    for words in ("questions", "documents", "lamps", "DEMO broker", "extractive", "lexical", "SQLite", "Qdrant Edge"):
        assert words in product.output, words


def test_a_question_is_answered_with_the_right_document_and_page(product: Product):
    answer = product.ask("Qual é a taxa de pico no enlace de descida exigida do 5G?")
    assert answer["grounded"] is True
    assert answer["model"] == "extractive"
    assert "20 Gbit/s" in answer["answer"]
    assert ("guia-5g.pdf", 3) in {(c["filename"], c["page_start"]) for c in answer["citations"]}


def test_the_scenes_own_route_answers_in_its_own_shape(product: Product):
    body = {"pergunta": "Quando o Inatel foi fundado?"}
    answer = product.query.post("/api/llm/perguntar", json=body).raise_for_status().json()
    assert set(answer) == {"resposta", "fontes", "conversa_id", "fundamentada"}
    assert answer["fundamentada"] is True
    assert "1965" in answer["resposta"]
    assert answer["fontes"][0]["documento"] == "inatel.md"


def test_the_sample_questions_find_their_document(product: Product):
    lines = (ROOT / "tests/data/questions_watched_docs.jsonl").read_text().splitlines()
    questions = [json.loads(line) for line in lines]
    found = 0
    for item in questions:
        results = product.query.post("/search", json={"query": item["question"], "top_k": 5}).json()["results"]
        found += any(
            result["filename"] == item["document"]
            and (item["page"] is None or result["page_start"] <= item["page"] <= result["page_end"])
            for result in results
        )
    assert len(questions) > 60
    assert found / len(questions) >= 0.9, f"{found} of {len(questions)}"


def test_what_no_document_answers_is_refused_in_portuguese(product: Product):
    answer = product.ask("Como faço um bolo de cenoura com cobertura de chocolate?")
    assert answer["grounded"] is False
    assert answer["reason"] in {"no_evidence", "low_score"}
    assert answer["citations"] == []
    assert "documentos" in answer["answer"]


def test_a_dropped_pdf_is_cited_within_ten_seconds_and_gone_after_its_removal(product: Product, tmp_path: Path):
    ten_page_pdf(tmp_path / "ensaio.pdf", "A antena Jacarandá atingiu 37 decibéis no ensaio de agosto.", page=7)
    question = "Quantos decibéis a antena Jacarandá atingiu?"

    def cited() -> bool:
        citations = product.ask(question)["citations"]
        return any(c["filename"] == "ensaio.pdf" and c["page_start"] == 7 for c in citations)

    shutil.copy(tmp_path / "ensaio.pdf", product.watched / "ensaio.pdf")
    wait_until(cited, 10, "the dropped PDF to be cited")
    (product.watched / "ensaio.pdf").unlink()
    wait_until(lambda: not cited(), 10, "the removed PDF to be forgotten")
    assert "ensaio.pdf" not in product.documents()


def test_the_same_bytes_are_a_duplicate_and_add_no_chunk(product: Product):
    chunks = product.query.get("/readyz").json()["chunks"]
    with (ROOT / "watched_docs/guia-5g.pdf").open("rb") as stream:
        response = product.ingest.post("/documents", files={"files": ("copia.pdf", stream)})
    assert response.status_code == 200
    assert response.json()["documents"][0]["duplicate"] is True
    assert product.query.get("/readyz").json()["chunks"] == chunks


def test_an_uploaded_document_is_answered_and_forgotten_after_delete(product: Product):
    text = {
        "title": "Aviso do rack",
        "text": "O rack Ipê do laboratório tem 42 unidades de altura e fica na sala azul.",
    }
    document = product.ingest.post("/documents", json=text).raise_for_status().json()["documents"][0]

    def cited() -> bool:
        answer = product.ask("Quantas unidades de altura tem o rack Ipê?")
        return any(c["document_id"] == document["id"] for c in answer["citations"])

    wait_until(cited, 10, "the uploaded text to be cited")
    assert product.ingest.delete(f"/documents/{document['id']}").is_success
    assert not cited()


async def test_a_lamp_is_seen_and_switched_over_websocket(product: Product):
    seen: asyncio.Queue[tuple[str, dict[str, object]]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    lamp = mqtt.Client(CallbackAPIVersion.VERSION2)

    def on_message(client: mqtt.Client, userdata: object, command: mqtt.MQTTMessage) -> None:
        loop.call_soon_threadsafe(seen.put_nowait, (command.topic, json.loads(command.payload)))

    lamp.on_message = on_message
    lamp.connect("127.0.0.1", product.broker_port)
    lamp.subscribe("twin/v1/lamp_teste/set", qos=1)
    lamp.loop_start()
    try:
        async with asyncio.timeout(20), websockets.connect(f"ws://127.0.0.1:{product.twin_port}/ws/v1") as ws:
            await ws.send(json.dumps({"t": "auth", "v": 1, "token": "", "client": "test"}))

            async def message(kind: str, **wanted: object) -> dict[str, object]:
                async for text in ws:
                    data: dict[str, object] = json.loads(text)
                    if data["t"] == kind and wanted.items() <= data.items():
                        return data
                raise AssertionError("the bridge closed")

            async def reported(on: bool) -> None:
                while True:
                    devices = (await message("state"))["devices"]
                    assert isinstance(devices, list)
                    if any(d["id"] == "lamp_teste" and d["state"]["on"] is on for d in devices):
                        return

            await message("snapshot")
            lamp.publish("twin/v1/lamp_teste/state", json.dumps({"on": False, "bri": 0.5}), qos=1)
            await reported(on=False)
            command = {"t": "cmd", "v": 1, "cid": "c-1", "id": "lamp_teste", "set": ["on"], "state": {"on": True}}
            await ws.send(json.dumps(command))
            await message("ack", cid="c-1", stage="published")
            topic, command_seen = await seen.get()
            assert topic == "twin/v1/lamp_teste/set"
            assert command_seen["on"] is True
            lamp.publish("twin/v1/lamp_teste/state", json.dumps({"on": True, "bri": 0.5}), qos=1)
            await message("ack", cid="c-1", stage="applied")
    finally:
        lamp.loop_stop()
        lamp.disconnect()


def test_restarting_finds_everything_again_and_embeds_nothing(tmp_path: Path):
    shutil.copytree(ROOT / "watched_docs", tmp_path / "watched_docs")
    question = "Quando o Inatel foi fundado?"
    with running(tmp_path) as product:
        product.wait_until_all_ready()
        before = product.ask(question)
        documents = product.documents()
        assert product.stop() == 0
    with running(tmp_path) as product:
        product.wait_until_all_ready()
        after = product.ask(question)
        assert after["citations"] == [
            {**c, "url": a["url"]} for c, a in zip(before["citations"], after["citations"], strict=True)
        ]
        assert product.documents() == documents
        metrics = product.ingest.get("/metrics").text
        assert "xgtwin_chunks_stored_total 0.0" in metrics
        assert "xgtwin_embeddings_made_total 0.0" in metrics
        history = product.query.get(f"/conversations/{before['conversation_id']}/messages").json()
        assert [message["role"] for message in history["items"]] == ["user", "assistant"]
