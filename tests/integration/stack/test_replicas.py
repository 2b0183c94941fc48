"""Two of each service behind the proxy of deploy/compose.scale.yml: it does not matter which one is reached, and one
that is killed is missed by nobody."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.acceptance.product import wait_until
from tests.integration.ingest.documents import pdf
from tests.integration.stack import crowd
from tests.integration.stack.compose import FILES, PATIENCE_S, SCALE, TAG, Stack, inspect, read_json, users_of
from tests.integration.stack.crowd import refused
from tests.integration.stack.follower import Follower
from tests.integration.stack.test_lamps import known
from tests.integration.stack.visitor import Visitor, bench
from tests.kills.documents import scan
from twin_bridge.hub import MAX_PER_ADDRESS
from xgtwin.simulated.native import NativeLamp

SERVICES = ("query_service", "ingest_service", "twin_bridge")
LAMP = "lamp_replicas"
KILLED_AFTER, ASKED = 5, 30
"""Requests."""


@pytest.fixture(scope="module", autouse=True)
def scaled(stack: Stack) -> Iterator[None]:
    """The running stack, turned into two of each; turned back afterwards."""
    stack.files = (*FILES, SCALE)
    with stack.stage("  proxy built, two of each"):
        stack.compose("build", "--quiet", "proxy", seconds=600)
        stack.compose("up", "--detach", "--no-build", "--wait")
    stack.notes.append(f"{stack.sizes()[f'xgtwin-proxy:{TAG}'] / 1e6:8.0f} MB  xgtwin-proxy:{TAG}")
    yield
    stack.files = FILES
    with stack.stage("  back to one of each"):
        stack.compose("up", "--detach", "--no-build", "--wait", "--remove-orphans")


def replica(response: httpx.Response) -> str:
    return response.headers["X-Replica"]


@contextmanager
def killed(stack: Stack, container: str) -> Iterator[None]:
    """Without warning, and back afterwards."""
    subprocess.run(["docker", "kill", container], capture_output=True, timeout=60, check=True)
    try:
        yield
    finally:
        subprocess.run(["docker", "start", container], capture_output=True, timeout=60, check=True)
        stack.wait_until_healthy()


def facts(stack: Stack, container: str, port: int) -> str:
    """What /readyz of this one container says."""
    asked = f"from urllib.request import urlopen; print(urlopen('http://127.0.0.1:{port}/readyz').read().decode())"
    words = ["docker", "exec", container, "python", "-c", asked]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


def test_there_are_two_of_each_and_the_proxy_alone_is_published(stack: Stack):
    for service in SERVICES:
        replicas = stack.replicas(service)
        assert len(replicas) == 2
        assert {inspect(each, "{{.HostConfig.PortBindings}}") for each in replicas} == {"map[]"}
    assert stack.compose("port", "proxy", "8000").startswith("127.0.0.1:")
    assert all(0 not in uids for proxy in stack.replicas("proxy") for uids in users_of(proxy).values())


def test_a_conversation_goes_on_at_whichever_replica_is_reached(stack: Stack, visitor: Visitor, key: str):
    visitor.wait_until_ready(visitor.put(9500))
    asked_at, conversation = set(), None
    with stack.client("query_service", key) as query:
        for turn in range(6):
            question = f"Em que sala fica a bancada {bench(9500)}?" if turn == 0 else "E em que sala ela fica?"
            response = query.post("/ask", json={"question": question, "conversation_id": conversation})
            answer = read_json(response)
            assert answer["grounded"], answer
            assert "9600" in answer["citations"][0]["quote"]
            assert conversation in {None, answer["conversation_id"]}
            conversation = answer["conversation_id"]
            asked_at.add(replica(response))
        told = read_json(query.get(f"/conversations/{conversation}/messages"))
    assert len(asked_at) == 2
    assert len(told["items"]) == 12


def test_a_document_that_one_replica_took_is_told_of_by_the_other(stack: Stack, key: str):
    with stack.client("ingest_service", key) as ingest:
        taken = ingest.post("/documents", json={"title": "Gaveta", "text": "A gaveta Tatu fica no corredor."})
        document = read_json(taken)["documents"][0]["id"]
        shown_by = set()
        for _ in range(6):
            response = ingest.get(f"/documents/{document}")
            assert read_json(response)["name"] == "Gaveta"
            shown_by.add(replica(response))
    assert len(shown_by) == 2


def test_the_progress_of_a_job_arrives_while_it_is_worked_on(stack: Stack, visitor: Visitor, key: str):
    pages = [f"A página {n} do caderno Jacu guarda o número {n * 3}." for n in range(1, 5)]
    job = visitor.upload("jacu.pdf", scan(pdf(pages)))["job_id"]
    states = []
    with (
        stack.client("ingest_service", key, timeout=PATIENCE_S) as ingest,
        ingest.stream("GET", f"/jobs/{job}/events") as events,
    ):
        for line in events.iter_lines():
            if line.startswith("data:"):
                states.append(visitor.job(job)["state"])
    assert states[0] in {"queued", "running"}  # at the first event, which a proxy that buffers gives away at the end
    assert states[-1] == "done"


def test_an_answer_is_streamed_to_its_end(stack: Stack, key: str):
    asked = {"question": f"Em que sala fica a bancada {bench(9500)}?", "stream": True}
    with stack.client("query_service", key) as query, query.stream("POST", "/ask", json=asked) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert "Content-Length" not in answer.headers  # nobody waited for the end to measure it
        events = [line.removeprefix("event: ") for line in answer.iter_lines() if line.startswith("event: ")]
    assert "sources" in events
    assert events[-1] == "done"


def test_one_budget_counts_requests_at_both_replicas(stack: Stack):
    left, counted_by = [], set()
    with stack.client("query_service", stack.make_key("counted")) as query:
        for _ in range(8):
            response = query.post("/search", json={"query": "bancada"})
            left.append(int(response.raise_for_status().headers["RateLimit"].split("r=")[1].split(";")[0]))
            counted_by.add(replica(response))
    assert len(counted_by) == 2
    assert left == list(range(left[0], left[0] - 8, -1))


def test_a_killed_query_replica_costs_no_search_and_names_what_it_costs_a_question(stack: Stack, key: str):
    searched: list[int] = []
    asked: list[httpx.Response] = []
    ended = threading.Event()

    def ask() -> None:
        with stack.client("query_service", key) as query:
            while not ended.wait(0.1):
                asked.append(query.post("/ask", json={"question": f"Em que sala fica a bancada {bench(9500)}?"}))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        with stack.client("query_service", key) as query:
            wait_until(lambda: len(asked) > KILLED_AFTER, PATIENCE_S, "questions to be answered")
            with killed(stack, stack.replicas("query_service")[0]):
                searched += [query.post("/search", json={"query": "bancada"}).status_code for _ in range(ASKED)]
    finally:
        ended.set()
        asking.join(PATIENCE_S)
    assert searched == [200] * ASKED
    lost = [each for each in asked if each.status_code != 200]
    assert all(each.status_code == 502 and each.json()["code"] == "replica_lost" for each in lost), lost
    assert len(lost) <= 1  # the one that was being worked on
    stack.notes.append(f"killed query replica: {len(searched)} searches and {len(asked)} questions, {len(lost)} lost")


def test_the_folder_is_watched_by_the_other_replica_when_the_first_is_killed(stack: Stack, visitor: Visitor):
    leading = [name for name in stack.replicas("ingest_service") if json.loads(facts(stack, name, 8001))["leads"]]
    assert len(leading) == 1
    with killed(stack, leading[0]):
        name = visitor.drop(9600)
        wait_until(lambda: visitor.documents().get(name) == "ready", PATIENCE_S, "the file taken in by the other")
        assert visitor.finds(9600)


def test_a_client_of_a_killed_bridge_sees_the_right_state_at_the_other(stack: Stack):
    lamp, follower = NativeLamp(stack.lamps_url, LAMP), Follower(stack, LAMP)
    with lamp.wire:
        wait_until(lambda: known(stack, LAMP), PATIENCE_S, "the lamp at a bridge")
        follower.start()
        on = False
        try:
            for bridge in stack.replicas("twin_bridge"):  # whichever the client is at, one of them is its own
                wait_until(lambda: follower.state.get("state"), PATIENCE_S, "the client to know the lamp")
                with killed(stack, bridge):
                    on = not on
                    lamp.press(on=on)
                    wait_until(lambda: follower.state["state"]["on"] is on, PATIENCE_S, f"{on} at the client")  # noqa: B023
        finally:
            follower.stop()
    assert follower.connections > 1
    assert follower.faults == []


def test_who_calls_is_what_a_proxy_of_this_machine_says_and_nobody_else(stack: Stack):
    clients = 2 * MAX_PER_ADDRESS + 10  # more than two bridges take of one address
    token = stack.settings["TWIN__TOKEN"]
    assert asyncio.run(refused(stack.twin_url.replace("http", "ws", 1) + "/ws/v1", token, clients)) == 0
    with Path(crowd.__file__).open("rb") as script:
        words = ("python", "-", "ws://proxy:8002/ws/v1", token, str(clients))
        elsewhere = stack.compose("exec", "-T", "--index", "1", "twin_bridge", *words, stdin=script)
    assert int(elsewhere) > 0


def test_without_any_replica_openai_clients_are_told_so_as_they_read_it(stack: Stack, key: str):
    stack.compose("kill", "query_service")
    try:
        with stack.client("query_service", key) as query:
            wait_until(lambda: query.get("/livez").status_code == 503, PATIENCE_S, "the proxy to know")
            assert query.get("/livez").json()["code"] == "no_replica"
            told = query.get("/v1/models")
    finally:
        stack.compose("start", "query_service")
        stack.wait_until_healthy()
    assert (told.status_code, told.headers["Content-Type"]) == (503, "application/json")
    assert told.json()["error"]["code"] == "no_replica"


def test_the_proxy_starts_as_many_threads_on_any_machine(stack: Stack):
    said = stack.compose("exec", "-T", "proxy", "sh", "-c", "grep Threads /proc/1/status")
    assert said.split() == ["Threads:", "4"]


def test_bridges_have_a_status_of_their_own(stack: Stack):
    said = stack.compose(
        "exec", "-T", "mosquitto", "sh", "-c",
        "mosquitto_sub -u bridge -P \"$MQTT_PASSWORD\" -t 'twin/v1/bridge/+/status' -F '%t %p' -W 3 || true",
    )  # fmt: skip
    topics = {line.split()[0] for line in said.splitlines() if "online" in line}
    assert len(topics) == 2, said
