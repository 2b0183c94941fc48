from query_service.retrieval.choice import choose
from tests.unit.query.samples import passage

TEXT = "Uma frase que ocupa bastante espaço no documento do laboratório. "


def test_at_most_two_passages_come_from_one_page():
    hits = [passage(f"{TEXT}{n}", start=n * 1000, page_start=3, score=9 - n) for n in range(4)]
    elsewhere = passage(TEXT, start=9000, page_start=4, score=1)
    assert choose([*hits, elsewhere], 5, per_page=2) == [*hits[:2], elsewhere]


def test_formats_without_pages_have_no_limit_per_page():
    hits = [passage(f"{TEXT}{n}", start=n * 1000, score=9 - n) for n in range(4)]
    assert choose(hits, 5, per_page=2) == hits


def test_an_overlap_is_trimmed_to_a_literal_rest():
    whole = TEXT * 4
    cut = len(TEXT) * 2
    first = passage(whole[:cut], start=0, score=9)
    second = passage(whole[len(TEXT) :], start=len(TEXT), score=8)
    kept = choose([first, second], 5, per_page=2)
    assert kept[0] == first
    assert kept[1].chunk.text == whole[cut:]
    assert kept[1].chunk.text in second.chunk.text
    assert (kept[1].chunk.start, kept[1].chunk.end) == (cut, len(whole))


def test_a_chunk_that_a_better_one_holds_is_dropped():
    outer = passage(TEXT * 3, start=0, score=9)
    inner = passage(TEXT, start=len(TEXT), score=8)
    assert choose([outer, inner], 5, per_page=2) == [outer]


def test_no_more_than_asked_for():
    hits = [passage(f"{TEXT}{n}", document=f"{n}.md") for n in range(9)]
    assert len(choose(hits, 3, per_page=2)) == 3
