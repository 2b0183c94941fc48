"""Searches have threads of their own; a store that is stuck stops them and nothing else."""

import asyncio
import time
from collections.abc import Iterator
from threading import Event

import pytest

from query_service.turns import AT_ONCE, Turns
from shared.errors import Unavailable

DEADLINE_S = 0.3


@pytest.fixture
def stuck() -> Iterator[Event]:
    """What searches of a stuck store wait for."""
    event = Event()
    yield event
    event.set()


async def fails(*searches) -> None:
    for result in await asyncio.gather(*searches, return_exceptions=True):
        assert isinstance(result, Unavailable)
        assert "did not answer" in result.detail


async def test_nobody_waits_for_ever_and_no_other_work_does_when_the_store_is_stuck(stuck):
    turns = Turns(deadline_s=DEADLINE_S)
    async with asyncio.timeout(5):
        await fails(*(turns.run(stuck.wait) for _ in range(100)))
        assert await asyncio.to_thread(lambda: "a key is checked") == "a key is checked"
        await fails(turns.run(lambda: "found"))


async def test_a_store_that_comes_back_is_searched_again(stuck):
    turns = Turns(deadline_s=DEADLINE_S)
    await fails(*(turns.run(stuck.wait) for _ in range(AT_ONCE)))
    stuck.set()
    assert await turns.run(lambda: "found") == "found"


async def test_a_turn_may_be_waited_for_longer_than_the_deadline_while_others_have_theirs():
    turns = Turns(deadline_s=DEADLINE_S)
    begun = time.monotonic()
    slow = DEADLINE_S / 5
    assert await asyncio.gather(*(turns.run(lambda: time.sleep(slow)) for _ in range(8 * AT_ONCE))) == [None] * 16
    assert time.monotonic() - begun > DEADLINE_S


async def test_a_search_whose_caller_left_is_not_begun(stuck):
    turns, searched = Turns(deadline_s=5), []
    holding = [asyncio.create_task(turns.run(stuck.wait)) for _ in range(AT_ONCE)]
    left = asyncio.create_task(turns.run(lambda: searched.append(1)))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    stuck.set()
    await asyncio.gather(*holding)
    await turns.run(lambda: None)
    assert searched == []
