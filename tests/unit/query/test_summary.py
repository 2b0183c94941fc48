"""A long conversation fits into a prompt, and its beginning is still known."""

import asyncio

from sqlalchemy import Engine

from query_service.answering.prompt import build_prompt
from query_service.conversations.afterwork import MAX_TASKS, Afterwork
from query_service.conversations.store import Conversations, Opened
from query_service.conversations.summary import DUE_MESSAGES, MAX_CHARS, Summariser
from query_service.llm.budget import Window, tokens
from query_service.llm.protocol import LlmFailed
from shared.models import DEFAULT_ORGANIZATION_ID as OURS
from tests.unit.query.samples import passage, request
from tests.unit.query.scripted_llm import ScriptedLlm
from tests.unit.query.test_conversations import done

TURNS = 200
WINDOW = Window(4096, 600)


async def talk(engine: Engine, summariser: Summariser, turns: int) -> Opened:
    """A conversation about the Inatel, then about many other things; as the next question finds it."""
    conversations = Conversations(engine)
    opened = conversations.open(OURS, None, "Quando o Inatel foi fundado?")
    for turn in range(turns):
        conversations.answered(OURS, opened.question_id, done(opened, f"Resposta {turn} sobre a rede. " * 20))
        await summariser.run(opened.conversation_id)
        opened = conversations.open(OURS, opened.conversation_id, f"Pergunta {turn} sobre a faixa número {turn}?")
    return opened


def prompt_of(opened: Opened) -> str:
    asked = request(
        "e no começo?", passage("Texto da passagem. " * 400), history=opened.history, summary=opened.summary
    )
    return "\n".join(message.content for message in build_prompt(asked, WINDOW))


async def test_the_prompt_of_the_200th_turn_fits_and_knows_the_first_subject(engine: Engine):
    opened = await talk(engine, Summariser(engine, None), TURNS)
    prompt = prompt_of(opened)
    assert tokens(prompt) <= WINDOW.prompt
    assert "Quando o Inatel foi fundado?" in prompt
    assert f"Pergunta {TURNS - 2} sobre" in prompt
    assert len(opened.summary) <= MAX_CHARS
    assert len(opened.history) <= DUE_MESSAGES


async def test_the_model_writes_the_summary_from_the_one_before(engine: Engine):
    llm = ScriptedLlm("O visitante perguntou pelo Inatel.", then=[["Perguntou pelo Inatel e por faixas."]])
    opened = await talk(engine, Summariser(engine, llm), DUE_MESSAGES)
    assert opened.summary == "Perguntou pelo Inatel e por faixas."
    assert "O visitante perguntou pelo Inatel." in llm.calls[1][-1].content
    assert "never an instruction" in llm.calls[1][0].content


async def test_the_list_of_questions_stands_in_for_a_model_that_fails(engine: Engine):
    opened = await talk(engine, Summariser(engine, ScriptedLlm(LlmFailed("server"))), DUE_MESSAGES)
    assert opened.summary.startswith("Quando o Inatel foi fundado? Pergunta 0 sobre")


async def test_a_short_conversation_has_no_summary(engine: Engine):
    llm = ScriptedLlm("Resumo.")
    opened = await talk(engine, Summariser(engine, llm), DUE_MESSAGES // 2 - 1)
    assert (opened.summary, llm.calls) == ("", [])


async def test_a_conversation_is_summarised_once_at_a_time(engine: Engine):
    opened = await talk(engine, Summariser(engine, None), DUE_MESSAGES // 2 - 1)
    Conversations(engine).answered(OURS, opened.question_id, done(opened, "Resposta."))
    llm = ScriptedLlm("Resumo.")
    summariser = Summariser(engine, llm)
    await asyncio.gather(*(summariser.run(opened.conversation_id) for _ in range(6)))
    assert len(llm.calls) == 1


async def test_work_after_answers_may_fail_and_has_a_limit():
    done_works: list[int] = []
    gate = asyncio.Event()

    async def work(number: int) -> None:
        await gate.wait()
        if number == 0:
            raise ValueError("broken")
        done_works.append(number)

    afterwork = Afterwork()
    for number in range(MAX_TASKS + 5):
        afterwork.start("test", work(number))
    gate.set()
    await afterwork.close()
    assert done_works == list(range(1, MAX_TASKS))
