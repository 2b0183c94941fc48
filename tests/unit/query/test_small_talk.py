import pytest

from query_service.words.small_talk import SmallTalk, small_talk


@pytest.mark.parametrize(
    ("question", "kind", "language"),
    [
        ("oi", SmallTalk.GREETING, "pt"),
        ("Olá, bom dia!", SmallTalk.GREETING, "pt"),
        ("e aí, qual é a boa?", SmallTalk.GREETING, "pt"),
        ("Hello!", SmallTalk.GREETING, "en"),
        ("obrigado!", SmallTalk.THANKS, "pt"),
        ("ok, muito obrigada, tchau", SmallTalk.THANKS, "pt"),
        ("Boa noite, valeu!", SmallTalk.THANKS, "pt"),
        ("thank you very much", SmallTalk.THANKS, "en"),
        ("Quem é você?", SmallTalk.ABOUT_YOU, "pt"),
        ("oi, o que você sabe fazer?", SmallTalk.ABOUT_YOU, "pt"),
        ("Hi, who are you?", SmallTalk.ABOUT_YOU, "en"),
    ],
)
def test_greetings_thanks_and_questions_about_who_answers_are_known_in_both_languages(question, kind, language):
    assert small_talk(question) == (kind, language)


@pytest.mark.parametrize(
    "question",
    [
        "oi, o que é 5G?",
        "obrigado, e quem coordena?",
        "O que é o HackTown?",
        "Quem é você na fila do laboratório?",
        "help desk",
        "como você funciona?",
        "5G",
        "?",
    ],
)
def test_a_question_with_any_other_word_is_asked_of_the_documents(question):
    assert small_talk(question) is None
