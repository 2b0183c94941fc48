"""What every answer cache promises (query_service/answer_cache/protocol.py), tried in process and on a real Redis."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from query_service.answer_cache.in_process import InProcessCache
from query_service.answer_cache.protocol import AnswerCache, KeptAnswer
from query_service.answer_cache.redis_cache import PREFIX, RedisCache
from query_service.answering.draft import Draft
from query_service.events import Reason, Sentence, Source, Sources, Usage
from shared.errors import Unavailable
from shared.redis_link import REST_S, RedisLink
from tests.integration.ingest.service import until
from tests.redis_server import RedisServer, redis_server

LONG_S = 600.0
SOON_S = 0.2

ANSWER = KeptAnswer(
    Sources(
        sources=(
            Source(
                n=1,
                document_id=uuid4(),
                title="Antenas",
                filename="antenas.pdf",
                page_start=3,
                page_end=None,
                heading_path=("Capítulo 1", "Ganho"),
                score=0.75,
                url="http://ingest/documents/1/content#page=3",
            ),
        )
    ),
    Draft(
        model="modelo",
        text="O ganho é de 3 dB [1]. 🙂",
        sentences=[Sentence(text="O ganho é de 3 dB [1].", start=0, end=22, citations=(1,), supported=True)],
        usage=Usage(prompt_tokens=10, completion_tokens=5, total_tokens=15),
        reason=Reason.LLM_UNAVAILABLE,
    ),
)


def kept(text: str) -> KeptAnswer:
    return KeptAnswer(Sources(sources=()), Draft(text=text))


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[RedisLink]:
    link = RedisLink(SecretStr(redis.url), part="test")
    yield link
    await link.close()


class Caches:
    """Makes caches of the kind that is tried."""

    def __init__(self, link: RedisLink | None) -> None:
        self._link = link

    def __call__(self, *, entries: int = 10, seconds: float = LONG_S) -> AnswerCache:
        if self._link is None:
            return InProcessCache(entries=entries, seconds=seconds)
        return RedisCache(self._link, entries=entries, seconds=seconds)


@pytest.fixture(params=["in_process", "redis"])
def caches(request: pytest.FixtureRequest) -> Caches:
    return Caches(request.getfixturevalue("link") if request.param == "redis" else None)


async def test_what_was_put_is_found_as_it_was(caches: Caches):
    cache = caches()
    await cache.put("a", ANSWER)
    assert await cache.get("a") == ANSWER
    assert await cache.get("b") is None


async def test_what_is_put_again_replaces(caches: Caches):
    cache = caches(entries=2)
    for text in ("A", "B", "C"):
        await cache.put("a", kept(text))
    await cache.put("b", kept("D"))
    assert (await cache.get("a"), await cache.get("b")) == (kept("C"), kept("D"))


async def test_the_least_recently_used_answer_makes_room(caches: Caches):
    cache = caches(entries=2)
    await cache.put("a", kept("A"))
    await cache.put("b", kept("B"))
    await cache.get("a")
    await cache.put("c", kept("C"))
    assert [key for key in "abc" if await cache.get(key)] == ["a", "c"]


async def test_an_answer_goes_in_its_time_however_often_it_is_read(caches: Caches):
    cache = caches(seconds=SOON_S)
    await cache.put("a", kept("A"))

    async def gone() -> bool:
        return await cache.get("a") is None

    await until(gone, "the answer to go")


async def test_replicas_find_each_others_answers_and_keep_one_bound(redis: RedisServer):
    links = [RedisLink(SecretStr(redis.url), part="test") for _ in range(2)]
    one, other = (RedisCache(link, entries=2, seconds=LONG_S) for link in links)
    await one.put("a", ANSWER)
    assert await other.get("a") == ANSWER
    for key in "bcd":
        await other.put(key, kept(key))
    with redis.client() as client:
        assert len(client.keys(f"{PREFIX}:?")) == 2
    for link in links:
        await link.close()


async def test_what_somebody_else_wrote_is_not_an_answer(redis: RedisServer, link: RedisLink):
    with redis.client() as client:
        client.set(f"{PREFIX}:a", b'{"sources": 7}')
        client.set(f"{PREFIX}:b", b"\x80\x04 a pickle, perhaps")
    cache = RedisCache(link, entries=10, seconds=LONG_S)
    assert [await cache.get(key) for key in "ab"] == [None, None]


async def test_a_redis_that_is_away_finds_nothing_and_is_left_alone_for_a_while(redis: RedisServer):
    now = time.monotonic()
    link = RedisLink(SecretStr(redis.url), part="test", clock=lambda: now)
    cache = RedisCache(link, entries=10, seconds=LONG_S)
    await cache.put("a", ANSWER)
    redis.stop()
    assert await cache.get("a") is None
    redis.start()
    await cache.put("a", ANSWER)
    with redis.client() as client:
        assert client.keys("*") == []
    now += REST_S
    await cache.put("a", ANSWER)
    assert await cache.get("a") == ANSWER
    await link.close()


def test_an_address_that_is_none_is_refused_by_the_settings_name():
    with pytest.raises(Unavailable, match="REDIS__URL"):
        RedisLink(SecretStr("localhost:6379"), part="test")
