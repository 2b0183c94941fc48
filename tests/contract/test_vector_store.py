"""What every vector store promises (shared/vector_store/protocol.py), tried on each."""

import math
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import chain
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.errors import Conflict, Unavailable
from shared.models import Chunk, Filters, Labels, comparable
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.protocol import EmbeddedChunk, VectorStore
from tests.contract.stores import (
    ENCODER,
    FINGERPRINT,
    INSTALLATIONS,
    ORGANIZATION,
    Installation,
    NewDatabase,
    ask,
    document,
    embedded,
    ingest,
    pgvector_installation,
    texts,
)

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

CORE = "O núcleo da rede 5G é baseado em serviços e separa controle de usuário."
LAMP = "A lâmpada do laboratório publica seu estado em um tópico MQTT retido."
RULES = "A carga horária mínima do estágio curricular é de 160 horas."
FOOD = "O restaurante universitário abre às onze horas."


@pytest.fixture(params=[*INSTALLATIONS, "pgvector"])
def installation(request: pytest.FixtureRequest, tmp_path: Path, new_database: NewDatabase) -> Iterator[Installation]:
    if request.param == "pgvector":
        made = pgvector_installation(new_database())
    else:
        made = INSTALLATIONS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def store(installation: Installation) -> VectorStore:
    return installation.open()


def test_chunks_are_hidden_until_their_version_is_published(store: VectorStore):
    chunks = document(CORE, LAMP)
    store.upsert(embedded(chunks))
    assert store.search(ask("lâmpada do laboratório")) == []
    assert store.chunks(ORGANIZATION, chunks[0].document_id) == []
    assert store.count(ORGANIZATION) == 0
    assert store.count(ORGANIZATION, published=None) == store.count(ORGANIZATION, published=False) == 2

    store.publish(ORGANIZATION, chunks[0].document_id, 1)
    assert texts(store, ask("lâmpada do laboratório")) == [LAMP]
    assert store.count(ORGANIZATION) == store.count(ORGANIZATION, published=None) == 2


def test_a_chunk_comes_back_exactly_as_it_was_stored(store: VectorStore):
    chunks = document(CORE, LAMP)
    ingest(store, chunks)
    (found,) = store.search(ask("lâmpada"))
    assert found.chunk == chunks[1]


def test_a_documents_chunks_come_in_document_order(store: VectorStore):
    chunks = document(*(f"Parágrafo número {i} do regulamento." for i in range(30)))
    ingest(store, list(reversed(chunks)))
    assert store.chunks(ORGANIZATION, chunks[0].document_id) == chunks


def test_the_neighbours_of_a_chunk_stand_right_beside_it_in_its_document(store: VectorStore):
    chunks = document(*(f"Parágrafo número {i} do regulamento." for i in range(30)))
    ingest(store, chunks)
    ingest(store, document(*(f"Linha {i}." for i in range(30)), name="other"))
    store.upsert(embedded(document(*(f"Artigo {i}." for i in range(30)), version=2)))
    assert store.neighbours([chunks[10]]) == [chunks[9], chunks[11]]
    assert store.neighbours([chunks[0]]) == [chunks[1]]
    assert store.neighbours([chunks[29]]) == [chunks[28]]


def test_neighbours_of_several_chunks_come_once_and_without_those_chunks(store: VectorStore):
    chunks = document(*(f"Parágrafo número {i} do regulamento." for i in range(9)))
    others = document(CORE, LAMP, RULES, name="other")
    ingest(store, chunks)
    ingest(store, others)
    assert store.neighbours([chunks[3], chunks[1], chunks[4]]) == [chunks[0], chunks[2], chunks[5]]
    assert store.neighbours([others[1], chunks[8]]) == [others[0], others[2], chunks[7]]
    assert store.neighbours([]) == []


def test_organizations_do_not_see_each_others_neighbours(store: VectorStore):
    ingest(store, document(CORE, LAMP, RULES))
    foreign = document(CORE, LAMP, RULES, organization=uuid4())
    assert store.neighbours([foreign[1]]) == []


def test_a_new_version_replaces_the_old_one_only_when_it_is_published(store: VectorStore):
    old, new = document(RULES, FOOD), document("A carga horária mínima do estágio é de 200 horas.", version=2)
    ingest(store, old)
    store.upsert(embedded(new))
    assert RULES in texts(store, ask("carga horária do estágio"))
    assert new[0].text not in texts(store, ask("carga horária do estágio"))

    store.publish(ORGANIZATION, new[0].document_id, 2)
    assert texts(store, ask("carga horária do estágio")) == [new[0].text]
    assert store.count(ORGANIZATION, published=None) == 1


def test_publishing_and_storing_again_change_nothing(store: VectorStore):
    chunks = document(CORE, LAMP)
    for _ in range(2):
        ingest(store, chunks)
        store.publish(ORGANIZATION, chunks[0].document_id, 1)
    assert store.count(ORGANIZATION, published=None) == 2
    assert texts(store, ask("núcleo da rede")) == [CORE]


def test_a_document_larger_than_any_batch_is_published_replaced_and_deleted_whole(store: VectorStore):
    many = [f"Artigo {i} do regulamento geral." for i in range(600)]
    ingest(store, document(*many))
    assert store.count(ORGANIZATION) == len(store.chunks(ORGANIZATION, document(CORE)[0].document_id)) == 600
    document_id = ingest(store, document(CORE, version=2))
    assert store.count(ORGANIZATION, published=None) == 1
    store.delete(ORGANIZATION, document_id)
    assert store.count(ORGANIZATION, published=None) == 0


def test_deleting_drops_published_and_waiting_chunks_of_that_document_alone(store: VectorStore):
    kept = ingest(store, document(LAMP, name="kept"))
    gone = ingest(store, document(CORE, name="gone"))
    store.upsert(embedded(document(RULES, name="gone", version=2)))
    store.delete(ORGANIZATION, gone)
    store.delete(ORGANIZATION, gone)
    store.delete(ORGANIZATION, uuid4())
    assert store.count(ORGANIZATION, gone, published=None) == 0
    assert store.count(ORGANIZATION, kept) == 1
    assert texts(store, ask("núcleo da rede")) == []


def test_organizations_never_see_each_other(store: VectorStore):
    other = uuid4()
    ours, theirs = document(CORE), document(CORE, organization=other)
    ingest(store, ours)
    ingest(store, theirs)
    assert [found.chunk for found in store.search(ask("núcleo da rede"))] == ours
    assert [found.chunk for found in store.search(ask("núcleo da rede", organization=other))] == theirs
    assert store.chunks(other, ours[0].document_id) == []
    (stem,) = ENCODER.stems("núcleo")
    assert store.term_counts(other, [stem]) == {stem: 1}
    assert store.count(other) == 1

    store.publish(other, ours[0].document_id, 2)
    store.delete(other, ours[0].document_id)
    assert store.count(ORGANIZATION) == 1


def test_a_search_can_be_narrowed_to_some_documents(store: VectorStore):
    first, second, third = (ingest(store, document(CORE, name=name)) for name in ("a", "b", "c"))
    found = store.search(ask("núcleo da rede", filters=Filters(document_ids=(first, third))))
    assert {hit.chunk.document_id for hit in found} == {first, third}
    assert second not in {hit.chunk.document_id for hit in found}


SHELVED = {
    "norma": Labels(collection="normas", language="pt", day=date(2024, 5, 1), metadata={"curso": "TP555", "ano": 2024}),
    "artigo": Labels(collection="artigos", language="en", day=date(2025, 1, 9), metadata={"curso": ["TP555", "TP501"]}),
    "aviso": Labels(day=date(2025, 3, 2), metadata={"interno": True, "a": "b=c"}),
    "nota": Labels(),
}

NARROWED: dict[str, tuple[Filters, set[str]]] = {
    "nothing": (Filters(), {"norma", "artigo", "aviso", "nota"}),
    "a collection": (Filters(collections=("normas",)), {"norma"}),
    "either of two": (Filters(collections=("normas", "artigos")), {"norma", "artigo"}),
    "a language": (Filters(languages=("en",)), {"artigo"}),
    "a text, or a list that holds it": (Filters(metadata={"curso": ("TP555",)}), {"norma", "artigo"}),
    "a number": (Filters(metadata={"ano": (comparable(2024),)}), {"norma"}),
    "a truth": (Filters(metadata={"interno": (comparable(True),)}), {"aviso"}),
    "two keys that must both fit": (Filters(metadata={"curso": ("TP555",), "ano": ("2024",)}), {"norma"}),
    "a value that holds the sign between": (Filters(metadata={"a": ("b=c",)}), {"aviso"}),
    "a key that holds it": (Filters(metadata={"a=b": ("c",)}), set()),
    "a value nobody has": (Filters(metadata={"curso": ("tp555",)}), set()),
    "a value that looks like a key": (Filters(metadata={"curso=TP555": ("",)}), set()),
    "from a day": (Filters(date_from=date(2025, 1, 9)), {"artigo", "aviso"}),
    "to a day": (Filters(date_to=date(2024, 5, 1)), {"norma"}),
    "between days": (Filters(date_from=date(2024, 6, 1), date_to=date(2025, 2, 1)), {"artigo"}),
    "a day and a collection": (Filters(date_from=date(2024, 1, 1), collections=("artigos",)), {"artigo"}),
}


@pytest.mark.parametrize("dense", [None, (1.0, 0.0, 0.0, 0.0)], ids=["by words", "fused"])
@pytest.mark.parametrize(("filters", "expected"), NARROWED.values(), ids=NARROWED)
def test_a_search_can_be_narrowed_by_what_documents_are_labelled_with(
    store: VectorStore, filters: Filters, expected: set[str], dense: tuple[float, ...] | None
):
    for name, labels in SHELVED.items():
        chunks = document(CORE, name=name)
        store.upsert(embedded(chunks, [(1.0, 0.0, 0.0, 0.0)], labels))
        store.publish(ORGANIZATION, chunks[0].document_id, 1)
    found = store.search(ask("núcleo da rede", filters=filters, dense=dense))
    assert {hit.chunk.filename.removesuffix(".pdf") for hit in found} == expected


def test_relabelled_chunks_are_found_under_their_new_names_and_keep_text_and_meaning(store: VectorStore):
    chunks = document(*[f"{CORE} Parte {index}." for index in range(70)])
    ingest(store, chunks, [(0.0, 1.0, 0.0, 0.0)] * 70)
    other = ingest(store, document(LAMP, name="outro"), [(0.0, 0.0, 1.0, 0.0)])
    renamed = [chunk.model_copy(update={"filename": "jaqueira.pdf", "title": "Jaqueira"}) for chunk in chunks]
    labels = Labels(collection="árvores", metadata={"curso": "TP555"})
    store.relabel([EmbeddedChunk(chunk, ENCODER.passage(f"Jaqueira {chunk.text}"), None, labels) for chunk in renamed])
    assert store.chunks(ORGANIZATION, chunks[0].document_id) == renamed
    narrowed = Filters(collections=("árvores",), metadata={"curso": ("TP555",)})
    assert len(store.search(ask("jaqueira", filters=narrowed, limit=100))) == 70
    near = store.search(ask("", dense=(0.0, 1.0, 0.0, 0.0), limit=100))
    assert [hit.chunk.filename for hit in near[:70]] == ["jaqueira.pdf"] * 70
    assert near[0].score == pytest.approx(5.0, abs=1e-4)
    assert store.chunks(ORGANIZATION, other)[0].filename == "outro.pdf"


def test_relabelling_brings_nothing_back_and_shows_nothing_early(store: VectorStore):
    gone, waiting = document(CORE, name="gone"), document(LAMP, name="waiting")
    ingest(store, gone)
    store.delete(ORGANIZATION, gone[0].document_id)
    store.upsert(embedded(waiting))
    store.relabel(embedded(gone))
    store.relabel(embedded(waiting))
    assert store.count(ORGANIZATION) == 0
    assert store.count(ORGANIZATION, published=None) == 1


@pytest.mark.parametrize("question", ["estágio curricular", "estagio curricular", "ESTÁGIO CURRICULAR", "estagios"])
def test_accents_capitals_and_endings_do_not_matter(store: VectorStore, question: str):
    ingest(store, document(RULES, CORE, LAMP))
    assert texts(store, ask(question))[0] == RULES


def test_results_come_best_first_and_no_more_than_asked(store: VectorStore):
    ingest(store, document("rede", "rede óptica", "rede óptica passiva", FOOD))
    found = store.search(ask("rede óptica passiva"))
    assert [hit.chunk.text for hit in found] == ["rede óptica passiva", "rede óptica", "rede"]
    assert found[0].score > found[1].score > found[2].score > 0
    assert len(store.search(ask("rede óptica passiva", limit=2))) == 2


def test_rare_words_weigh_more_than_common_ones(store: VectorStore):
    ingest(store, document(*(f"A antena {i} do campus." for i in range(20)), "O beamforming do campus."))
    assert texts(store, ask("antena com beamforming"))[0] == "O beamforming do campus."


@pytest.mark.parametrize("question", ["", "???", "o que é", "xilofone"])
def test_a_question_without_a_known_word_finds_nothing(store: VectorStore, question: str):
    ingest(store, document(CORE))
    assert store.search(ask(question)) == []


def test_an_empty_store_finds_nothing_and_counts_nothing(store: VectorStore):
    assert store.search(ask("rede", dense=(1, 0, 0, 0))) == []
    assert store.term_counts(ORGANIZATION, ["red"]) == {"red": 0}
    assert store.count(ORGANIZATION) == 0
    store.upsert([])


def test_words_and_meaning_add_up(store: VectorStore):
    ingest(
        store,
        document("rede óptica", "rede móvel", FOOD, LAMP),
        [(0, 1, 0, 0), (1, 0, 0, 0), (0.8, 0.6, 0, 0), (-1, 0, 0, 0)],
    )
    words = {hit.chunk.text: hit.score for hit in store.search(ask("rede óptica"))}
    fused = store.search(ask("rede óptica", dense=(1, 0, 0, 0), dense_weight=2))
    expected = {
        "rede óptica": words["rede óptica"] + 2 * 0.0,
        "rede móvel": words["rede móvel"] + 2 * 1.0,
        FOOD: 2 * 0.8,  # no word in common: found by meaning alone
        LAMP: 2 * -1.0,
    }
    assert {hit.chunk.text: hit.score for hit in fused} == pytest.approx(expected, abs=1e-4)
    assert [hit.chunk.text for hit in fused] == sorted(expected, key=lambda text: -expected[text])


def test_a_find_by_words_outside_the_nearest_vectors_still_gets_its_cosine(store: VectorStore):
    angle = math.pi / 3
    far = (math.cos(angle), math.sin(angle), 0.0, 0.0)
    decoys = document(*(f"Aviso {i} da secretaria." for i in range(250)), name="decoys")
    ingest(store, decoys, [(1, 0, 0, 0)] * 250)
    ingest(store, document(LAMP, name="lamp"), [far])
    (words,) = store.search(ask("lâmpada retida"))
    fused = store.search(ask("lâmpada retida", dense=(1, 0, 0, 0), dense_weight=1, limit=300))
    score = next(hit.score for hit in fused if hit.chunk.text == LAMP)
    assert score == pytest.approx(words.score + math.cos(angle), abs=1e-4)


def test_hidden_chunks_and_other_organizations_stay_out_of_fused_results_too(store: VectorStore):
    ingest(store, document(CORE, name="seen"), [(0, 1, 0, 0)])
    store.upsert(embedded(document(LAMP, name="waiting"), [(1, 0, 0, 0)]))
    ingest(store, document(RULES, organization=uuid4()), [(1, 0, 0, 0)])
    assert texts(store, ask("lâmpada estágio", dense=(1, 0, 0, 0))) == [CORE]


def test_without_words_a_question_is_searched_by_meaning_alone(store: VectorStore):
    ingest(store, document(CORE, LAMP), [(1, 0, 0, 0), (0, 1, 0, 0)])
    assert texts(store, ask("o que é isso", dense=(0, 1, 0, 0), limit=1)) == [LAMP]


def test_term_counts_are_of_published_chunks(store: VectorStore):
    ingest(store, document("Redes ópticas e redes móveis.", "A rede do campus.", FOOD))
    store.upsert(embedded(document("Rede em obras.", "Outra rede.", name="waiting")))
    red, campus, restaurant, unknown = ENCODER.stems("redes campus restaurante xilofone")
    counts = store.term_counts(ORGANIZATION, [red, campus, restaurant, unknown])
    assert counts == {red: 2, campus: 1, restaurant: 1, unknown: 0}


def test_counts_are_right_after_many_versions_and_deletions(store: VectorStore):
    chance = random.Random(0)
    published: dict[UUID, list[Chunk]] = {}
    waiting: dict[UUID, list[Chunk]] = {}
    for version in range(1, 40):
        name = f"document {chance.randrange(5)}"
        passages = [f"Rede {'óptica' if n % 2 else 'móvel'} {n}." for n in range(1 + version % 6)]
        chunks = document(*passages, name=name, version=version)
        store.upsert(embedded(chunks))
        waiting[chunks[0].document_id] = [*waiting.get(chunks[0].document_id, []), *chunks]
        if chance.random() < 0.7:
            store.publish(ORGANIZATION, chunks[0].document_id, version)
            published[chunks[0].document_id] = chunks
            del waiting[chunks[0].document_id]
        if chance.random() < 0.2:
            store.delete(ORGANIZATION, chunks[0].document_id)
            published.pop(chunks[0].document_id, None)
            waiting.pop(chunks[0].document_id, None)
        seen, unseen = list(chain(*published.values())), list(chain(*waiting.values()))
        assert store.count(ORGANIZATION) == len(seen)
        assert store.count(ORGANIZATION, published=False) == len(unseen)
        assert store.count(ORGANIZATION, published=None) == len(seen) + len(unseen)
        (optical,) = ENCODER.stems("óptica")
        assert store.term_counts(ORGANIZATION, [optical])[optical] == sum("óptica" in chunk.text for chunk in seen)


def test_everything_is_found_again_after_closing_and_opening(installation: Installation):
    store = installation.open()
    chunks = document(CORE, LAMP)
    ingest(store, chunks, [(1, 0, 0, 0), (0, 1, 0, 0)])
    store.upsert(embedded(document(RULES, version=2), [(0, 0, 1, 0)]))
    before = store.search(ask("lâmpada", dense=(1, 0, 0, 0)))
    assert before

    store = installation.reopen()
    assert store.search(ask("lâmpada", dense=(1, 0, 0, 0))) == before
    assert store.chunks(ORGANIZATION, chunks[0].document_id) == chunks
    assert store.count(ORGANIZATION, published=False) == 1


@pytest.mark.parametrize("installation", ["edge", "qdrant-local", "qdrant-server", "pgvector"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [{"model": "test/other"}, {"dimension": 8}, {"model": None, "dimension": None}, {"lexical": "lex"}, {"layout": 9}],
)
def test_an_adapter_never_opens_vectors_as_what_they_are_not(installation: Installation, change: dict[str, object]):
    ingest(installation.open(), document(CORE))
    with pytest.raises(Conflict, match=r"with test/four \(4 dimensions\)"):
        installation.reopen(FINGERPRINT.model_copy(update=change))
    assert texts(installation.reopen(), ask("núcleo")) == [CORE]


def test_chunks_that_came_without_a_dense_vector_can_be_given_one_while_they_are_found(store: VectorStore):
    with_vector, without = document(CORE), document(LAMP, name="lamp")
    ingest(store, with_vector, [(1, 0, 0, 0)])
    ingest(store, without)
    assert store.unembedded(10) == without
    assert texts(store, ask("tópico da lâmpada", dense=(0, 1, 0, 0)))[0] == LAMP
    store.add_dense({without[0].id: (0, 1, 0, 0), UUID(int=7): (1, 0, 0, 0)})
    assert store.unembedded(10) == []
    assert texts(store, ask("zzz", dense=(0, 1, 0, 0)))[0] == LAMP
    assert store.count(ORGANIZATION) == 2


def test_dense_vectors_are_given_back_to_those_who_take_a_document_elsewhere(store: VectorStore):
    chunks = document(*(f"Parágrafo número {i} do regulamento." for i in range(600)))
    vectors: list[tuple[float, ...]] = [(1.0, float(i), 0.0, 0.5) for i in range(len(chunks))]
    ingest(store, chunks, vectors)
    ingest(store, document(LAMP, name="other"), [(0.0, 0.0, 0.0, 1.0)])
    found = store.dense_vectors(ORGANIZATION, chunks[0].document_id)
    assert found.keys() == {chunk.id for chunk in chunks}
    for chunk, vector in zip(chunks, vectors, strict=True):
        assert found[chunk.id] == pytest.approx([part / math.hypot(*vector) for part in vector], abs=1e-6)


def test_only_published_chunks_with_a_dense_vector_give_one(installation: Installation):
    store = installation.open()
    chunks = document(CORE, LAMP)
    half = [*embedded(chunks[:1], [(1.0, 0.0, 0.0, 0.0)]), *embedded(chunks[1:])]
    store.upsert(half)
    assert store.dense_vectors(ORGANIZATION, chunks[0].document_id) == {}
    store.publish(ORGANIZATION, chunks[0].document_id, 1)
    assert dict(store.dense_vectors(ORGANIZATION, chunks[0].document_id)) == {chunks[0].id: (1.0, 0.0, 0.0, 0.0)}


def test_a_store_without_an_embedding_model_works_by_words(installation: Installation):
    store = installation.open(Fingerprint(lexical=FINGERPRINT.lexical))
    ingest(store, document(CORE, LAMP))
    assert texts(store, ask("tópico da lâmpada")) == [LAMP]


def test_a_closed_store_says_that_it_is_unavailable(installation: Installation):
    store = installation.open()
    store.ping()
    installation.close()
    for call in (store.ping, lambda: store.search(ask("rede")), lambda: store.count(ORGANIZATION)):
        with pytest.raises(Unavailable):
            call()


# qdrant-client's own engine serves one thread; the product never uses it.
@pytest.mark.parametrize("installation", ["edge", "qdrant-server", "pgvector"], indirect=True)
def test_threads_may_write_and_search_at_the_same_time(store: VectorStore):

    def work(number: int) -> list[str]:
        ingest(store, document(*(f"Sensor {number} leitura {i}." for i in range(70)), name=f"sensor{number}"))
        return texts(store, ask(f"sensor {number}", limit=70))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert all(f"Sensor {number} leitura 0." in found for number, found in enumerate(results))
    assert store.count(ORGANIZATION) == store.count(ORGANIZATION, published=None) == 8 * 70
