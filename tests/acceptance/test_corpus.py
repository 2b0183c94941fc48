"""200 files of all formats lie down in the watched folder, and every fact in them is found where it stands."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.product import Product, running, wait_until
from tests.corpus.library import FILES, build, missing_programs
from tests.corpus.manuscript import Expected

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(missing_programs()), reason=missing_programs()),
]

INGEST_SECONDS = 400
SCANNED_SHARE = 0.95
NEAR_TOP = 3
"""Where a question in a person's own words must find its passage; the sentence itself must find it first."""
SHOWN = 20


@dataclass(frozen=True)
class Corpus:
    """The running product with the corpus in its folder, and what is written where."""

    product: Product
    facts: list[Expected]

    def search(self, query: str) -> list[dict[str, Any]]:
        answer = self.product.query.post("/search", json={"query": query, "top_k": NEAR_TOP}).raise_for_status()
        results: list[dict[str, Any]] = answer.json()["results"]
        return results


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    made = tmp_path_factory.mktemp("corpus")
    facts = build(made)
    with running(tmp_path_factory.mktemp("product"), INGEST__WORKERS="2") as product:
        shutil.copytree(made, product.watched, dirs_exist_ok=True)
        wait_until(lambda: len(settled(product)) == FILES, INGEST_SECONDS, f"{FILES} documents to be settled")
        yield Corpus(product, facts)


def settled(product: Product) -> dict[str, str]:
    """Status by name of every document with which nothing happens any more."""
    under_way = {"queued", "parsing", "embedding"}
    return {name: status for name, status in product.documents().items() if status not in under_way}


def test_every_file_of_the_corpus_is_ready(corpus: Corpus):
    assert {name: status for name, status in settled(corpus.product).items() if status != "ready"} == {}


def test_a_fact_searched_by_its_sentence_is_the_first_result_with_its_document_and_page(corpus: Corpus):
    judge(corpus, lambda item: corpus.search(item.fact.text)[:1])


def test_a_fact_asked_for_in_other_words_is_among_the_first_results(corpus: Corpus):
    judge(corpus, lambda item: corpus.search(item.fact.question))


def judge(corpus: Corpus, search: Any) -> None:
    """Every digital fact and nearly all scanned ones are in the results, literally and on their page."""
    digital: list[str] = []
    scanned: list[str] = []
    for item in corpus.facts:
        results = search(item)
        if not any(is_it(item, result) for result in results):
            (scanned if item.scanned else digital).append(miss(item, results))
    on_paper = sum(item.scanned for item in corpus.facts)
    report = "\n".join([*digital, *scanned][:SHOWN])
    assert not digital, f"{len(digital)} of {len(corpus.facts) - on_paper} digital facts are not found:\n{report}"
    assert len(scanned) <= (1 - SCANNED_SHARE) * on_paper, f"{len(scanned)} of {on_paper} scanned facts:\n{report}"


def is_it(item: Expected, result: dict[str, Any]) -> bool:
    return (
        result["filename"] == item.file
        and result["page_start"] == result["page_end"] == item.page
        and words(item.fact.text) in words(result["text"])
    )


def miss(item: Expected, results: list[dict[str, Any]]) -> str:
    """What was wanted and what came, in two lines."""
    got = [f"{r['filename']} p. {r['page_start']}-{r['page_end']}: {words(r['text'])[:120]}" for r in results[:1]]
    return f"{item.file} p. {item.page}: {item.fact.text}\n    got {got[0] if got else 'nothing'}"


def words(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())
