"""Re-ranking by a real cross-encoder, which tests/models/cross_encoder.py builds."""

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from query_service.retrieval.reranking import MODEL, build_reranker, reranked
from shared.errors import Unavailable
from shared.settings import Settings
from tests.integration.query.conftest import Build
from tests.models import cross_encoder, minilm
from tests.unit.query.samples import passage
from tests.unit.xgtwin.evaluation import toy
from xgtwin.evaluation.reading import read_folder
from xgtwin.evaluation.run import Scope, evaluate

_REASON = minilm.available()
pytestmark = pytest.mark.skipif(_REASON is not None, reason=_REASON or "")

LAMP = passage("The lamp of the laboratory is switched on by MQTT.", score=1)
FOOD = passage("The restaurant opens at eleven.", document="b", score=3)
RULES = passage("Students must attend classes.", document="c", score=2)
QUESTION = "How is the lamp of the laboratory switched on?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross_encoder.build(tmp_path_factory.mktemp("reranker") / "mean-words")


def settings(data_dir: Path, **retrieval: object) -> Settings:
    return Settings(data_dir=data_dir, _env_file=None, retrieval=retrieval)


def failures() -> float:
    return REGISTRY.get_sample_value("xgtwin_reranker_failures_total") or 0.0


def test_the_first_hits_come_in_the_models_order_and_the_rest_stays(folder: Path, tmp_path: Path):
    reranker = build_reranker(settings(tmp_path, reranker_dir=folder))
    assert reranker is not None
    assert reranked(QUESTION, [FOOD, RULES, LAMP], reranker, first=10, deadline_s=60)[0].chunk == LAMP.chunk
    assert reranked(QUESTION, [FOOD, RULES, LAMP], reranker, first=2, deadline_s=60)[2] == LAMP


def test_each_place_keeps_its_score_so_that_scores_still_fall(folder: Path, tmp_path: Path):
    reranker = build_reranker(settings(tmp_path, reranker_dir=folder))
    assert reranker is not None
    assert [hit.score for hit in reranked(QUESTION, [FOOD, RULES, LAMP], reranker, first=10, deadline_s=60)] == [
        3,
        2,
        1,
    ]


def test_a_reranker_that_takes_too_long_leaves_the_order_and_is_counted(folder: Path, tmp_path: Path):
    reranker = build_reranker(settings(tmp_path, reranker_dir=folder))
    assert reranker is not None
    before = failures()
    assert reranked(QUESTION, [FOOD, RULES, LAMP], reranker, first=10, deadline_s=0) == [FOOD, RULES, LAMP]
    assert failures() == before + 1


def test_a_model_in_the_data_folder_is_used_and_readyz_says_so(build: Build, folder: Path, tmp_path: Path):
    shutil.copytree(folder, tmp_path / "models" / MODEL)
    with TestClient(build()) as client:
        ready = client.get("/readyz").json()
        found = client.post("/search", json={"query": "Onde fica o Inatel?"}).json()["results"]
    assert ready["retrieval"] == "lexical, re-ranked by bge-reranker-v2-m3"
    assert found


def test_without_a_model_nothing_is_reranked(tmp_path: Path):
    (tmp_path / "models" / MODEL).mkdir(parents=True)
    assert build_reranker(settings(tmp_path)) is None


def test_a_folder_without_a_whole_model_stops_the_start(folder: Path, tmp_path: Path):
    with pytest.raises(Unavailable, match="RETRIEVAL__RERANKER_DIR"):
        build_reranker(settings(tmp_path, reranker_dir=tmp_path / "absent"))
    half = tmp_path / "half"
    shutil.copytree(folder, half)
    (half / "tokenizer.json").unlink()
    with pytest.raises(Unavailable, match="whole model"):
        build_reranker(settings(tmp_path, reranker_dir=half))


async def test_the_evaluation_measures_the_reranker_that_is_configured(folder: Path, tmp_path: Path):
    data = read_folder(toy.write(tmp_path / "toy"), "all")
    scope = Scope("all", knobs=False, whole=False)
    too_slow = settings(tmp_path, reranker_dir=folder, rerank_s=1e-9)
    before = failures()
    assert (await evaluate(data, scope, settings(tmp_path), None)).made_with["re-ranker"] == "none"
    assert failures() == before
    assert (await evaluate(data, scope, too_slow, None)).made_with["re-ranker"] == folder.name
    assert failures() > before
