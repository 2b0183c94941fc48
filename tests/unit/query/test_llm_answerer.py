from contextlib import aclosing
from typing import Any

import pytest

from query_service.answering.llm import LlmAnswerer
from query_service.answering.protocol import Silent
from query_service.answering.support import SupportChecker
from query_service.events import Delta, Sentence, Usage
from query_service.llm.budget import Window
from query_service.llm.guarded import GuardedLlm
from query_service.llm.protocol import CutShort, LlmFailed
from query_service.llm.route import Route
from shared.errors import Unavailable
from shared.models import Citation
from tests.unit.query.samples import citer, passage, reader, request
from tests.unit.query.scripted_llm import NEVER, ScriptedLlm

WINDOW = Window(context=4096, answer=600)
PASSAGE = passage("O 5G nasceu em 2018. A latência é baixa.")


async def run(llm, *, first=5.0, whole=5.0) -> list[Any]:
    pieces: list[Any] = []
    answerer = LlmAnswerer(GuardedLlm(llm, first_token_s=first, timeout_s=whole), citer, SupportChecker(reader), WINDOW)
    async with aclosing(answerer.answer(request("Quando nasceu o 5G?", PASSAGE))) as answer:
        async for piece in answer:
            pieces.append(piece)
    return pieces


def text_of(pieces) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Delta))


async def test_text_streams_and_citations_and_usage_follow():
    pieces = await run(ScriptedLlm("O 5G nasceu", " em 2018 [", "1].", Usage(prompt_tokens=7)))
    assert text_of(pieces) == "O 5G nasceu em 2018 [1]."
    assert [type(piece) for piece in pieces[-2:]] == [Citation, Usage]
    assert pieces[-2].quote == "O 5G nasceu em 2018."
    assert pieces[-1].prompt_tokens == 7


async def test_a_marker_that_points_nowhere_is_dropped_and_proves_nothing():
    pieces = await run(ScriptedLlm("O 5G nasceu em 2018 [4]."))
    assert text_of(pieces) == "O 5G nasceu em 2018."
    assert not [piece for piece in pieces if isinstance(piece, Citation)]


@pytest.mark.parametrize("script", [(LlmFailed("refused"),), (), ("  ", "\n"), (Usage(),), ("[9] ", "[1]", ".\n")])
async def test_a_model_that_gives_no_word_is_silent(script):
    llm = ScriptedLlm(*script)
    with pytest.raises(Silent):
        await run(llm)
    assert llm.closed


async def test_a_first_token_that_does_not_come_in_time_is_silence():
    llm = ScriptedLlm(NEVER)
    with pytest.raises(Silent) as caught:
        await run(llm, first=0.05)
    assert caught.value.kind == "timeout"
    assert llm.closed


async def test_the_deadline_of_the_whole_answer_is_an_error_with_what_to_do():
    llm = ScriptedLlm("O 5G ", NEVER)
    with pytest.raises(Unavailable, match="LLM__TIMEOUT_S") as caught:
        await run(llm, whole=0.05)
    assert caught.value.code == "llm_interrupted"
    assert llm.closed


async def test_a_failure_after_the_first_token_is_no_silence():
    with pytest.raises(Unavailable):
        await run(ScriptedLlm("O 5G ", LlmFailed("broken")))


async def test_a_sentence_that_was_cut_short_is_seen_to_be_and_is_doubtful():
    pieces = await run(ScriptedLlm("O 5G nasceu em 2018 [1]. A latência ", "é baixa [", CutShort(), Usage()))
    assert text_of(pieces) == "O 5G nasceu em 2018 [1]. A latência é baixa…"
    assert [piece.supported for piece in pieces if isinstance(piece, Sentence)] == [True, False]


async def test_an_answer_that_was_cut_short_behind_a_sentence_is_whole():
    pieces = await run(ScriptedLlm("O 5G nasceu em 2018. [1]", CutShort()))
    assert text_of(pieces) == "O 5G nasceu em 2018. [1]"
    assert [piece.supported for piece in pieces if isinstance(piece, Sentence)] == [True]


async def test_closing_the_answer_closes_the_model_call():
    llm = ScriptedLlm("O 5G nasceu ", "em 2018", NEVER)
    guarded = GuardedLlm(llm, first_token_s=5, timeout_s=5)
    answer = LlmAnswerer(guarded, citer, SupportChecker(reader), WINDOW).answer(request("Quando?", PASSAGE))
    route = await anext(answer)
    assert isinstance(route, Route)
    assert await anext(answer) == Delta(text="O 5G ")
    await answer.aclose()
    assert llm.closed
    assert route.outcome == "client_gone"
