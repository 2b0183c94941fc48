"""Kept answers stay within their bounds."""

from query_service.answer_cache.in_process import InProcessCache
from query_service.answer_cache.protocol import KeptAnswer
from query_service.answering.draft import Draft
from query_service.events import Sources


def kept(text: str) -> KeptAnswer:
    return KeptAnswer(Sources(sources=()), Draft(text=text))


async def test_the_least_recently_used_answer_makes_room():
    cache = InProcessCache(entries=2, seconds=60)
    await cache.put("a", kept("A"))
    await cache.put("b", kept("B"))
    await cache.get("a")
    await cache.put("c", kept("C"))
    assert [key for key in "abc" if await cache.get(key)] == ["a", "c"]


async def test_an_answer_is_not_given_again_after_its_time():
    now = 0.0
    cache = InProcessCache(entries=2, seconds=60, clock=lambda: now)
    await cache.put("a", kept("A"))
    now = 60.0
    assert await cache.get("a") == kept("A")
    now = 60.1
    assert await cache.get("a") is None
    now = 0.0
    assert await cache.get("a") is None
