"""Somebody who puts documents in and asks about them, over HTTP and with a key, as a patient client does: a service
that restarts or has no time is asked again."""

import re
import time
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.product import wait_until
from tests.integration.stack.compose import PATIENCE_S, Stack, read_json

AWAY = frozenset({502, 503, 504})
"""What a part that is away may cost a request; everything else is a fault."""
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo")


def bench(number: int) -> str:
    """A name that no other number has and no dictionary."""
    digits = [(number // 14**place) % 14 for place in range(4)]
    return "".join(SYLLABLES[digit] for digit in digits).capitalize()


def fact(number: int) -> str:
    return f"A bancada {bench(number)} fica na sala {number + 100}."


class Visitor:
    """`refused` counts requests that had to be sent again, by what came instead of an answer."""

    def __init__(self, stack: Stack, key: str) -> None:
        self._stack = stack
        self._query = stack.client("query_service", key)
        self._ingest = stack.client("ingest_service", key)
        self.refused: dict[str, int] = {}

    def close(self) -> None:
        self._query.close()
        self._ingest.close()

    def put(self, number: int) -> str:
        """A document's id, once the service took it."""
        body = {"title": f"Bancada {bench(number)}", "text": fact(number)}
        taken = self._insist(self._ingest, "POST", "/documents", json=body)
        return str(taken["documents"][0]["id"])

    def upload(self, name: str, data: bytes) -> dict[str, Any]:
        taken = self._insist(self._ingest, "POST", "/documents", files={"files": (name, data)})
        return dict(taken["documents"][0])

    def drop(self, number: int) -> str:
        """A document's name, lying in the watched folder."""
        name = f"bancada-{number}.txt"
        path = self._stack.watched / name
        path.write_text(fact(number) + "\n")
        path.chmod(0o644)
        return name

    def ask(self, question: str) -> dict[str, Any]:
        return dict(self._insist(self._query, "POST", "/ask", json={"question": question}))

    def ask_about(self, number: int) -> dict[str, Any]:
        return self.ask(f"Em que sala fica a bancada {bench(number)}?")

    def finds(self, number: int) -> bool:
        """Whether the room is told, with its proof."""
        answer = self.ask_about(number)
        return bool(answer["grounded"]) and str(number + 100) in answer["citations"][0]["quote"]

    def documents(self) -> dict[str, str]:
        """Status of every document by its name."""
        found: dict[str, str] = {}
        cursor = ""
        while True:
            page = self._insist(self._ingest, "GET", "/documents", params={"limit": 200, "cursor": cursor})
            found |= {item["name"]: item["status"] for item in page["items"]}
            if not (cursor := page["next_cursor"] or ""):
                return found

    def copies(self, name: str) -> int:
        """How many documents bear this name."""
        return len(self._insist(self._ingest, "GET", "/documents", params={"name": name})["items"])

    def status(self, document: str) -> str:
        return str(self._insist(self._ingest, "GET", f"/documents/{document}")["status"])

    def job(self, job: str) -> dict[str, Any]:
        return dict(self._insist(self._ingest, "GET", f"/jobs/{job}"))

    def wait_until_ready(self, document: str, seconds: float = PATIENCE_S) -> None:
        wait_until(lambda: self.status(document) == "ready", seconds, f"document {document} ready")

    def _insist(self, client: httpx.Client, method: str, path: str, **arguments: Any) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                response = client.request(method, path, **arguments)
                if response.status_code not in AWAY:
                    return read_json(response)
                reason = str(response.status_code)
                assert response.json()["detail"], response.text  # it says why, for a person
            except httpx.TransportError as error:
                reason = re.sub(r"\W.*", "", repr(error))
            assert time.monotonic() < deadline, f"{method} {path}: {reason} for {PATIENCE_S} s"
            self.refused[reason] = self.refused.get(reason, 0) + 1
            time.sleep(0.2)


def sample(name: str) -> bytes:
    return (Path(__file__).parents[3] / "watched_docs" / name).read_bytes()
