"""One part fails while the others go on: nothing that was accepted is lost, and whoever asks is told."""

import asyncio
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.acceptance.product import wait_until
from tests.integration.ingest.documents import pdf
from tests.integration.stack.compose import PATIENCE_S, Stack, inspect
from tests.integration.stack.test_lamps import known, twin_of
from tests.integration.stack.visitor import Visitor
from tests.kills.documents import scan
from xgtwin.lamp_client import command
from xgtwin.simulated.native import NativeLamp

PAUSE_S = 10
WORKER = "ingest_worker"


def worker_of(stack: Stack, job: str) -> str:
    """The container whose worker has the job."""
    asked = f"select lease_owner from jobs where id = '{job}'"
    return stack.compose("exec", "-T", "postgres", "psql", "-U", "xgtwin", "-tAc", asked).split(":")[0]


def test_a_worker_killed_in_the_middle_of_a_document_loses_nothing(stack: Stack, visitor: Visitor):
    pages = [f"A página {n} do livro Muriqui guarda o número {n * 7}." for n in range(1, 5)]
    taken = visitor.upload("muriqui.pdf", scan(pdf(pages)))
    wait_until(lambda: visitor.job(taken["job_id"])["state"] == "running", PATIENCE_S, "the job running")
    container = worker_of(stack, taken["job_id"])
    subprocess.run(["docker", "kill", container], capture_output=True, timeout=60, check=True)
    try:
        others = visitor.put(9100)
        assert visitor.status(taken["id"]) != "ready"
        # By the other worker. Recognising a page takes seconds, on a busy machine many.
        visitor.wait_until_ready(taken["id"], 3 * PATIENCE_S)
        visitor.wait_until_ready(others)
    finally:
        stack.compose("start", WORKER)
        stack.wait_until_healthy()
    assert "21" in visitor.ask("Que número guarda a página 3 do livro Muriqui?")["citations"][0]["quote"]
    assert visitor.copies("muriqui.pdf") == 1


def test_a_database_that_does_not_answer_for_ten_seconds_costs_time_alone(stack: Stack, visitor: Visitor):
    visitor.wait_until_ready(visitor.put(9200))
    lamp = NativeLamp(stack.lamps_url, "lamp_paused")
    with lamp.wire, ThreadPoolExecutor() as others:
        wait_until(lambda: known(stack, "lamp_paused"), PATIENCE_S, "the lamp at the bridge")
        reading = visitor.upload("sagui.pdf", scan(pdf([f"O livro Sagui tem a página {n}." for n in range(1, 4)])))
        wait_until(lambda: visitor.job(reading["job_id"])["state"] == "running", PATIENCE_S, "the job running")
        stack.compose("pause", "postgres")
        paused = time.monotonic()
        try:
            asked, taken = others.submit(visitor.ask_about, 9200), others.submit(visitor.put, 9201)
            with stack.client("query_service") as query, stack.client("ingest_service") as ingest:
                assert query.get("/livez").status_code == ingest.get("/livez").status_code == 200
                assert query.get("/readyz").status_code == 503
            ack = asyncio.run(command(twin_of(stack), "lamp_paused", on=True, ttl_ms=20_000))
            assert ack.stage == "applied"  # lamps do not wait for the database
            time.sleep(max(0.0, PAUSE_S - (time.monotonic() - paused)))
        finally:
            stack.compose("unpause", "postgres")
    stack.wait_until_healthy()
    assert asked.result()["grounded"]
    visitor.wait_until_ready(taken.result())
    assert visitor.finds(9201)
    visitor.wait_until_ready(reading["id"], 3 * PATIENCE_S)


def test_without_the_broker_questions_are_answered_and_lamps_come_back_by_themselves(stack: Stack, visitor: Visitor):
    lamp = NativeLamp(stack.lamps_url, "lamp_cut")
    with lamp.wire, stack.client("twin_bridge", stack.settings["TWIN__TOKEN"]) as bridge:
        wait_until(lambda: known(stack, "lamp_cut"), PATIENCE_S, "the lamp at the bridge")
        stack.compose("kill", "mosquitto")
        try:
            wait_until(lambda: bridge.get("/readyz").status_code == 503, PATIENCE_S, "the bridge to notice")
            refused = bridge.post("/devices/lamp_cut/set", json={"state": {"on": True}})
            assert refused.json()["code"] == "offline"
            visitor.wait_until_ready(visitor.put(9300))
            assert visitor.finds(9300)
        finally:
            stack.compose("start", "mosquitto")
        stack.wait_until_healthy()

        def applied() -> bool:
            return bridge.post("/devices/lamp_cut/set", json={"state": {"on": True}}).status_code == 200

        wait_until(applied, PATIENCE_S, "the lamp to obey again")


def test_without_redis_documents_are_accepted_and_worked_on_when_it_is_back(stack: Stack, visitor: Visitor):
    stack.compose("kill", "redis")
    try:
        taken = visitor.put(9400)
        visitor.ask("Em que sala fica a bancada?")
    finally:
        stack.compose("start", "redis")
    stack.wait_until_healthy()
    visitor.wait_until_ready(taken)
    assert visitor.finds(9400)


def started_at(stack: Stack, service: str) -> str:
    return inspect(next(each.name for each in stack.containers() if each.service == service), "{{.State.StartedAt}}")


@pytest.mark.parametrize("service", ["query_service", "ingest_service", "twin_bridge"])
def test_a_killed_service_is_back_by_itself(stack: Stack, service: str):
    """By its restart policy: the process ends, and nobody gives a command."""
    with stack.client(service) as http:
        before = started_at(stack, service)
        stack.compose("exec", "--detach", service, "sh", "-c", "kill -9 -1 || kill -TERM 1")
        wait_until(lambda: started_at(stack, service) != before, PATIENCE_S, f"{service} to be started anew")

        def answers() -> bool:
            try:
                return http.get("/readyz").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, PATIENCE_S, f"{service} back")
