import asyncio
from contextlib import aclosing

import pytest

from query_service.events import Usage
from query_service.llm import guarded
from query_service.llm.breaker import FAILURES, REST_S, Breaker
from query_service.llm.complete import complete
from query_service.llm.guarded import ATTEMPTS, GuardedLlm
from query_service.llm.protocol import ChatMessage, Heard, LlmFailed
from tests.unit.query.scripted_llm import NEVER, ScriptedLlm

ASKED = [ChatMessage("user", "Oi?")]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(guarded, "BACKOFF_S", 0.001)


def guard(llm, *, first=5.0, whole=5.0, breaker=None) -> GuardedLlm:
    return GuardedLlm(llm, first_token_s=first, timeout_s=whole, breaker=breaker)


async def said(llm: GuardedLlm) -> list[Heard]:
    async with aclosing(llm.stream(ASKED)) as pieces:
        return [piece async for piece in pieces]


@pytest.mark.parametrize("kind", ["connection", "busy", "server", "broken", "empty"])
async def test_a_passing_failure_before_the_first_word_is_tried_again(kind):
    llm = ScriptedLlm(LlmFailed(kind), then=[["sim"]])
    assert await said(guard(llm)) == ["sim"]
    assert len(llm.calls) == 2


@pytest.mark.parametrize(("kind", "calls"), [("server", ATTEMPTS), ("refused", 1)])
async def test_attempts_are_bounded_and_a_refusal_is_final(kind, calls):
    llm = ScriptedLlm(LlmFailed(kind))
    with pytest.raises(LlmFailed, match=kind):
        await said(guard(llm))
    assert len(llm.calls) == calls


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        (("<think>Hum.</think>\n\nSim", " e não."), "Sim e não."),
        (("\n<", "thin", "king>Hum", " <think> </thin", "king> S", "im"), "Sim"),
        (("<think></think><reasoning>b</reasoning>Sim",), "Sim"),
        (("<thi",), "<thi"),
        (("<b>Sim", " <think>"), "<b>Sim <think>"),
    ],
)
async def test_what_a_model_thinks_aloud_before_its_answer_is_not_heard(script, heard):
    assert "".join(map(str, await said(guard(ScriptedLlm(*script))))) == heard
    assert await complete(guard(ScriptedLlm(*script)), ASKED, max_tokens=9, deadline_s=5) == heard


@pytest.mark.parametrize("script", [("<think>Hum.", " Hum"), ("<think>Hum.</think>", "\n")])
async def test_a_thought_alone_is_an_empty_answer(script):
    with pytest.raises(LlmFailed, match="empty"):
        await said(guard(ScriptedLlm(*script)))


async def test_thinking_is_no_first_word():
    with pytest.raises(LlmFailed, match="timeout"):
        await said(guard(ScriptedLlm("<think>Hum.", NEVER), first=0.05))


async def test_a_server_that_wants_to_be_left_alone_for_longer_than_there_is_time_is_not_asked_again():
    llm = ScriptedLlm(LlmFailed("busy", retry_after_s=60), then=[["sim"]])
    begun = asyncio.get_running_loop().time()
    with pytest.raises(LlmFailed, match="busy"):
        await said(guard(llm))
    assert len(llm.calls) == 1
    assert asyncio.get_running_loop().time() - begun < 2


async def test_the_wait_that_a_busy_server_asks_for_is_kept(monkeypatch):
    llm = ScriptedLlm(LlmFailed("busy", retry_after_s=0.2), then=[["sim"]])
    begun = asyncio.get_running_loop().time()
    assert await said(guard(llm)) == ["sim"]
    assert asyncio.get_running_loop().time() - begun >= 0.2


async def test_after_the_first_word_nothing_is_tried_again():
    llm = ScriptedLlm("O 5G", LlmFailed("connection"), then=[["sim"]])
    with pytest.raises(LlmFailed, match="connection"):
        await said(guard(llm))
    assert len(llm.calls) == 1


async def test_white_space_before_the_first_word_is_no_word():
    assert await said(guard(ScriptedLlm(" ", "\n", "\n sim", " e não "))) == ["sim", " e não "]


async def test_a_model_that_trickles_for_ever_is_cut_off_at_the_deadline():
    class Trickle(ScriptedLlm):
        async def stream(self, messages, *, max_tokens=None):
            while True:
                yield "a"
                await asyncio.sleep(0.001)

    with pytest.raises(LlmFailed, match="timeout"):
        await said(guard(Trickle(), whole=0.1))


async def test_a_model_that_floods_is_cut_off_at_the_deadline():
    class Flood(ScriptedLlm):
        async def stream(self, messages, *, max_tokens=None):
            while True:
                yield "a"

    with pytest.raises(LlmFailed, match="timeout"):
        await said(guard(Flood(), whole=0.05))


async def test_after_failures_in_a_row_visitors_do_not_wait_for_the_model():
    llm = ScriptedLlm(NEVER)
    guarded_llm = guard(llm, first=0.01)
    for _ in range(FAILURES):
        with pytest.raises(LlmFailed, match="timeout"):
            await said(guarded_llm)
    with pytest.raises(LlmFailed, match="resting"):
        await said(guarded_llm)
    assert len(llm.calls) == FAILURES
    assert 0 < guarded_llm.breaker.rest_s <= REST_S


async def test_a_model_that_answers_between_failures_is_not_left_alone():
    failed = [LlmFailed("refused")]
    llm = ScriptedLlm(*failed, then=[failed] * FAILURES + [["sim"]])
    guarded_llm = guard(llm)
    for _ in range(FAILURES + 1):
        with pytest.raises(LlmFailed, match="refused"):
            await said(guarded_llm)
    assert await said(guarded_llm) == ["sim"]


def test_one_question_tries_a_resting_model_and_its_success_brings_it_back():
    now = 100.0
    breaker = Breaker(clock=lambda: now)
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.failed()
    assert not breaker.admits()
    now += REST_S
    assert breaker.admits()
    assert not breaker.admits(), "the trial keeps the others out"
    breaker.failed()
    now += REST_S / 2
    assert not breaker.admits()
    now += REST_S / 2
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.admits()
    assert breaker.rest_s == 0


async def test_a_short_text_comes_all_at_once():
    llm = ScriptedLlm(" Quem coordena", " o xGMobile? ", Usage(prompt_tokens=1))
    assert await complete(guard(llm), ASKED, max_tokens=40, deadline_s=5) == "Quem coordena o xGMobile?"
    assert llm.max_tokens == 40


async def test_a_short_text_that_takes_too_long_is_given_up_and_the_call_ended():
    llm = ScriptedLlm("Quem", NEVER)
    with pytest.raises(LlmFailed, match="timeout"):
        await complete(guard(llm), ASKED, max_tokens=40, deadline_s=0.05)
    assert llm.closed


def resting_since(clock) -> Breaker:
    breaker = Breaker(clock=clock)
    for _ in range(FAILURES):
        breaker.failed()
    return breaker


async def test_a_trial_that_the_visitor_ends_is_given_to_the_next_question():
    now = 100.0
    breaker = resting_since(lambda: now)
    now += REST_S
    llm = guard(ScriptedLlm(NEVER, then=[["sim"]]), breaker=breaker)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await said(llm)
    assert await said(llm) == ["sim"]
    assert not breaker.resting


async def test_a_refused_trial_is_given_to_the_next_question_too():
    now = 100.0
    breaker = resting_since(lambda: now)
    now += REST_S
    llm = guard(ScriptedLlm(LlmFailed("refused"), then=[["sim"]]), breaker=breaker)
    with pytest.raises(LlmFailed, match="refused"):
        await said(llm)
    assert await said(llm) == ["sim"]


async def test_short_texts_leave_the_trial_of_a_resting_model_to_an_answer():
    now = 100.0
    breaker = resting_since(lambda: now)
    now += REST_S
    llm = guard(ScriptedLlm("sim"), breaker=breaker)
    with pytest.raises(LlmFailed, match="resting"):
        await complete(llm, ASKED, max_tokens=40, deadline_s=5)
    assert await said(llm) == ["sim"]
    assert await complete(llm, ASKED, max_tokens=40, deadline_s=5) == "sim"
