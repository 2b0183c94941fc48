import math

import pytest

from xgtwin.evaluation.ranking import area_under_curve, interval, quality
from xgtwin.evaluation.variants import with_typos, without_accents


def test_the_figures_of_five_ranks_are_those_worked_out_by_hand():
    one = quality([1, 2, 5, 10, None])
    assert one.questions == 5
    assert one.recall_1 == pytest.approx(1 / 5)
    assert one.recall_5 == pytest.approx(3 / 5)
    assert one.recall_10 == pytest.approx(4 / 5)
    assert one.mrr_10 == pytest.approx((1 + 1 / 2 + 1 / 5 + 1 / 10) / 5)
    assert one.ndcg_10 == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(6) + 1 / math.log2(11)) / 5)


def test_an_interval_holds_the_mean_and_narrows_with_more_questions():
    few, many = interval([0.0, 1.0] * 10), interval([0.0, 1.0] * 1000)
    assert few[0] < 0.5 < few[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert interval([1.0] * 20) == (1.0, 1.0)


def test_the_area_under_the_curve_counts_pairs_in_right_order_and_ties_half():
    # 0.9 is over all three, 0.4 over 0.1 and level with itself.
    assert area_under_curve([0.9, 0.4], [0.1, 0.4, 0.6]) == pytest.approx((3 + 1 + 0.5) / 6)
    assert area_under_curve([0.9], [0.1]) == 1
    assert area_under_curve([0.1], [0.9]) == 0


def test_each_long_word_gets_one_typo_and_short_words_none():
    question = "Quando a matrícula deve ser renovada pelo estudante?"
    typed = with_typos(question).split()
    pairs = list(zip(question.split(), typed, strict=True))
    assert [was for was, now in pairs if was != now] == ["matrícula", "renovada", "estudante?"]
    assert all(abs(len(was) - len(now)) <= 1 for was, now in pairs)


def test_the_same_question_always_gets_the_same_typos():
    assert with_typos("a infraestrutura do laboratório") == with_typos("a infraestrutura do laboratório")


def test_a_question_without_accents_keeps_its_words():
    assert without_accents("O que é a câmara anecoica?") == "o que e a camara anecoica?"
