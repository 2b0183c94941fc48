import httpx
import pytest

from query_service.pending import PendingDocuments


async def names(handler, credential=None) -> tuple[str, ...]:
    pending = PendingDocuments("http://ingest.test", transport=httpx.MockTransport(handler))
    try:
        return await pending.names(credential or {})
    finally:
        await pending.close()


async def test_the_ingest_service_is_asked_for_documents_on_their_way_with_the_callers_key():
    seen = []

    def handler(request):
        seen.append(request)
        return httpx.Response(200, json={"items": [{"id": "1", "name": "a.pdf"}], "next_cursor": None})

    assert await names(handler, {"x-api-key": "k"}) == ("a.pdf",)
    assert seen[0].url.path == "/documents"
    assert set(seen[0].url.params["status"].split(",")) == {"queued", "parsing", "embedding"}
    assert seen[0].url.params["limit"] == "5"
    assert seen[0].headers["x-api-key"] == "k"


def unreachable(request):
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    "handler",
    [
        unreachable,
        lambda _: httpx.Response(403, json={}),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json={"items": [{"id": 1}]}),
    ],
)
async def test_a_service_that_does_not_say_counts_as_none_pending(handler):
    assert await names(handler) == ()
