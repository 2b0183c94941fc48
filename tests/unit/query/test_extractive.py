from contextlib import aclosing

from query_service.answering.extractive import Extractive
from query_service.events import Delta
from shared.models import Citation
from tests.unit.query.samples import citer, passage, reader, request

INATEL = passage(
    "O Inatel fica em Santa Rita do Sapucaí, no sul de Minas Gerais. O Inatel foi fundado em 31 de março de 1965. "
    "O seu primeiro curso foi de Engenharia de Operação.",
    document="inatel.md",
    page_start=2,
    page_end=2,
    score=9,
)
MQTT = passage("O MQTT é um protocolo leve de mensagens. Foi criado em 1999.", document="mqtt.md", score=4)


async def answer(question, *passages) -> tuple[str, list[Citation]]:
    text, proofs = "", list[Citation]()
    async with aclosing(Extractive(reader, citer).answer(request(question, *passages))) as pieces:
        async for piece in pieces:
            if isinstance(piece, Delta):
                text += piece.text
            elif isinstance(piece, Citation):
                proofs.append(piece)
    return text, proofs


async def test_the_answering_sentence_comes_with_its_number_and_a_literal_quote():
    text, (proof,) = await answer("Quando o Inatel foi fundado?", MQTT, INATEL)
    assert "O Inatel foi fundado em 31 de março de 1965. [2]" in text
    assert "O Inatel foi fundado em 31 de março de 1965." in proof.quote
    assert proof.quote in INATEL.chunk.text
    assert (proof.n, proof.filename, proof.page_start) == (2, "inatel.md", 2)
    assert proof.url.endswith(f"/documents/{INATEL.chunk.document_id}/content#page=2")


async def test_at_most_three_sentences_are_given_and_each_has_its_number():
    text, _ = await answer("O que é o Inatel e o que é o protocolo MQTT?", INATEL, MQTT)
    assert 1 <= text.count("[") <= 3
    assert all(part.strip() == "" or part.strip()[-1] in ".!" for part in text.replace("[2]", "[1]").split("[1]"))


async def test_a_sentence_that_points_back_brings_the_one_before_it():
    text, (proof,) = await answer("Quando foi criado o MQTT?", MQTT)
    assert text == "O MQTT é um protocolo leve de mensagens. [1] Foi criado em 1999. [1]"
    assert proof.quote == MQTT.chunk.text


async def test_questions_headings_and_capitals_are_not_given_as_answers():
    faq = passage("QUEM COORDENA O LABORATÓRIO\n\nQuem coordena o laboratório?\n\nA coordenação é da professora Ana.")
    text, _ = await answer("Quem coordena o laboratório?", faq)
    assert text == "A coordenação é da professora Ana. [1]"


async def test_a_table_row_is_read_with_the_names_of_its_columns():
    table = passage("Serviço | Porta\n\nquery | 8000\n\ningest | 8001")
    text, (proof,) = await answer("Qual a porta do serviço query?", table)
    assert "Serviço: query; Porta: 8000. [1]" in text
    assert "|" not in text
    assert proof.quote in table.chunk.text


async def test_a_row_of_a_cut_table_is_not_read_with_another_row_as_its_names():
    """A chunk may begin in the middle of a table, and then its first row is no head."""
    cut = passage("E2 | Near-RT RIC e os nós | Leitura de métricas\n\nA1 | Non-RT RIC e Near-RT RIC | Políticas")
    text, _ = await answer("Que políticas leva a interface A1 do Non-RT RIC?", cut)
    assert "A1; Non-RT RIC e Near-RT RIC; Políticas. [1]" in text
    assert "E2: " not in text


async def test_a_row_of_a_cut_table_is_read_with_the_names_that_its_chunk_remembers():
    cut = passage(
        "| E2 | Near-RT RIC | Métricas |\n| A1 | Non-RT RIC | Políticas |", context="| Interface | Entre | Leva |"
    )
    text, _ = await answer("Que políticas leva a interface A1 do Non-RT RIC?", cut)
    assert "Interface: A1; Entre: Non-RT RIC; Leva: Políticas. [1]" in text


async def test_a_row_that_ends_in_a_question_mark_gets_no_full_stop():
    table = passage("Fase | Pergunta principal\n\nPrimeira | Que demandas o 5G não atende?")
    text, _ = await answer("Qual a pergunta principal da primeira fase?", table)
    assert "atende? [1]" in text


async def test_a_list_is_given_with_the_sentence_that_announces_it():
    plan = passage("O plano tem três linhas:\n\npesquisar soluções;\n\nformar pessoas;\n\natrair empresas.")
    text, (proof,) = await answer("Quais são as linhas do plano?", plan)
    assert text == "O plano tem três linhas: pesquisar soluções; formar pessoas; atrair empresas. [1]"
    assert proof.quote == plan.chunk.text


async def test_a_half_sentence_at_the_border_of_a_chunk_loses_to_a_whole_one():
    cut = passage("que fica a cobertura da antena. A cobertura da antena alcança dois quilômetros. A cobertura da an")
    text, _ = await answer("Qual a cobertura da antena?", cut)
    assert text.startswith("A cobertura da antena alcança dois quilômetros. [1]")


async def test_a_passage_of_mere_fragments_still_answers():
    slide = passage("Antena setorial\n\nCobertura da antena: 2 km")
    text, _ = await answer("Qual a cobertura da antena?", slide)
    assert "Cobertura da antena: 2 km. [1]" in text


async def test_markdown_marks_do_not_reach_the_reader_but_the_quote_is_literal():
    marked = passage("O **eMBB**, de *enhanced Mobile Broadband*, é a banda larga móvel do `5G`.")
    text, (proof,) = await answer("O que é o eMBB?", marked)
    assert text == "O eMBB, de enhanced Mobile Broadband, é a banda larga móvel do 5G. [1]"
    assert proof.quote == marked.chunk.text


async def test_the_same_sentence_in_two_documents_is_given_once():
    other = passage(MQTT.chunk.text, document="copia.md", score=4)
    text, _ = await answer("O que é o MQTT?", MQTT, other)
    assert text.count("protocolo leve") == 1


async def test_what_something_is_for_is_said_by_a_sentence_and_not_by_a_row_that_names_it():
    functions = passage("Função | Papel\n\nNSSF | Escolhe a fatia de rede", document="a.pdf", score=5)
    guide = passage("A fatia de rede serve para isolar um cliente dos outros.", document="b.pdf", score=4)
    text, _ = await answer("Para que serve a fatia de rede?", functions, guide)
    assert text.startswith("A fatia de rede serve para isolar")


async def test_the_best_sentence_leads_although_others_stand_before_it():
    guide = passage(
        "A rede 6G tem metas de cobertura.\n\nOutro assunto vem aqui no meio.\n\n"
        "A meta de latência da rede 6G é de 0,1 ms, dez vezes menos."
    )
    text, (proof,) = await answer("Qual a meta de latência da rede 6G?", guide)
    assert text.startswith("A meta de latência")
    assert "metas de cobertura" in text
    assert proof.quote in guide.chunk.text


async def test_a_sentence_that_names_what_is_asked_about_beats_one_that_only_shares_other_words():
    text, _ = await answer(
        "Quantos bits tem o IMEI?",
        passage("O campo SD tem 24 bits. O campo SST tem 8 bits.", score=5),
        passage("O IMEI é um número de 15 dígitos, cerca de 50 bits.", document="b.pdf", score=5),
    )
    assert text.startswith("O IMEI é um número")


async def test_a_quote_holds_nothing_that_the_answer_left_out():
    between = "A cantina abre cedo. O telhado é azul. Os corredores são largos."
    text, (proof,) = await answer(
        "Onde fica a antena do laboratório?",
        passage(f"A antena do laboratório fica no telhado. {between} A antena do laboratório fica perto do mastro."),
    )
    assert "telhado. [1]" in text
    assert "mastro. [1]" in text
    assert "cantina" not in text
    assert proof.quote == "A antena do laboratório fica no telhado."
