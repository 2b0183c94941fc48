"""Traces of documents: from whoever brings one to the worker that is done with it, in whichever process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.observability.traces import tracing
from shared.part_settings import TraceSettings
from tests.collector import Collector, collecting
from tests.integration.ingest.service import running

TEXT = "A bancada Jatobá é reservada na coordenação, com dois dias de antecedência. ".encode() * 3
STAGES = ("parsing", "embedding", "publishing")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def to(collector: Collector, service: str = "ingest_service"):
    return tracing(TraceSettings(endpoint=collector.url), service)


async def test_an_upload_is_one_trace_from_the_request_to_the_last_stage(tmp_path: Path, collector: Collector):
    with to(collector):
        async with running(tmp_path) as service:
            document = await service.add("bancada.txt", TEXT)
    for stage in STAGES:
        assert collector.path(stage) == ["POST /documents", "admit", "job ingest", stage]
    assert collector.named("job ingest").facts["xgtwin.document_id"] == document["id"]
    assert b"Jatob" not in collector.raw


async def test_a_job_that_another_process_runs_stays_in_the_trace_of_the_upload(tmp_path: Path, collector: Collector):
    with to(collector, "api"):
        async with running(tmp_path, workers=0) as service:
            await service.upload("bancada.txt", TEXT)
    with to(collector, "worker"):
        async with running(tmp_path) as service:
            await service.named("bancada.txt")
    assert collector.path("publishing") == ["POST /documents", "admit", "job ingest", "publishing"]
    assert (collector.named("admit").service, collector.named("job ingest").service) == ("api", "worker")


async def test_a_file_of_the_folder_begins_a_trace_of_its_own(tmp_path: Path, collector: Collector):
    with to(collector):
        async with running(tmp_path, watch="auto") as service:
            (service.watched / "um.txt").write_bytes(TEXT)
            (service.watched / "dois.txt").write_bytes(TEXT * 2)
            await service.named("um.txt")
            await service.named("dois.txt")
    jobs = [each for each in collector.spans if each.name == "job ingest"]
    assert {each.trace for each in jobs} == {each.trace for each in collector.spans if each.name == "admit"}
    assert len({each.trace for each in jobs}) == 2


async def test_a_stage_that_fails_says_so_without_the_words_of_the_error(tmp_path: Path, collector: Collector):
    with to(collector):
        async with running(tmp_path, watch="auto") as service:
            (service.watched / "segredo.pdf").write_bytes(b"%PDF-1.7 no pages at all")
            await service.named("segredo.pdf", status="quarantined")
    assert collector.named("parsing").failed
    assert collector.named("parsing").facts["error.type"] == "BrokenDocument"
    assert b"segredo" not in collector.raw
