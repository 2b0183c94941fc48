"""`xgtwin ask`: one question on the terminal, the answer with its proof."""

import json
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from shared.settings import Settings
from xgtwin.service_client import ServiceClient


def ask_and_print(
    settings: Settings, question: str, *, conversation_id: str = "", as_json: bool = False, key: str = ""
) -> None:
    """Ask, and print the answer for people or, with `as_json`, for programs."""
    body: dict[str, Any] = {"question": question}
    if conversation_id:
        body["conversation_id"] = conversation_id
    with ServiceClient("query", settings.query, key=key, timeout_s=settings.llm.timeout_s + 30) as client:
        answer = client.request("POST", "/ask", json=body).json()
    if as_json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False)
    console.print(Panel(Text(answer["answer"]), title=f"xgtwin ({answer['model']})", title_align="left"))
    for citation in answer["citations"]:
        console.print(Text(f"[{citation['n']}] {citation['filename']}{_page(citation)}", style="bold"))
        console.print(Text(f"    “{' '.join(citation['quote'].split())}”", style="dim"))
    if not answer["grounded"]:
        console.print(Text(f"not grounded: {answer['reason']}", style="yellow"))
    console.print(Text(f"conversation {answer['conversation_id']}", style="dim"))


def _page(citation: dict[str, Any]) -> str:
    first, last = citation["page_start"], citation["page_end"]
    if first is None:
        return ""
    return f", página {first}" if first == last else f", páginas {first}-{last}"
