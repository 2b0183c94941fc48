"""The console page: served by the service itself, with nothing from outside."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from query_service.console import FOLDER, console_routes


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.include_router(console_routes())
    return app


async def test_the_page_and_everything_it_names_come_from_the_service_itself(app: FastAPI):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as http:
        page = await http.get("/")
        assert page.is_success
        assert 'lang="pt-BR"' in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        named = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        assert len(named) == 2
        for address in named:
            assert (await http.get(address)).is_success, address


@pytest.mark.parametrize("file", sorted(FOLDER.glob("page.*")), ids=lambda file: file.name)
def test_no_file_of_the_page_names_another_host_or_sets_markup(file: Path):
    text = file.read_text()
    assert not re.findall(r"https?://", text)
    assert "innerHTML" not in text


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 503])
def test_each_refusal_that_a_visitor_can_meet_has_words_of_its_own_on_the_page(status: int):
    assert re.search(rf'^  {status}: "[^"]+\."', (FOLDER / "page.js").read_text(), re.M)
