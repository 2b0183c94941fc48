"""The structure that the documents promise, read from the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("ingest_service", "query_service", "twin_bridge")
PACKAGES = (*SERVICES, "shared", "xgtwin")
MAX_LINES = 250

ONE_IMPORTER = {
    "qdrant_edge": "shared/vector_store/edge.py",
    "qdrant_client": "shared/vector_store/qdrant.py",
    "pgvector": "shared/vector_store/pgvector_tables.py",
    "fastembed": "shared/embeddings/fastembed_embedder.py",
    "httpx2": "query_service/llm/openai_compatible.py",
    "huggingface_hub": "shared/embeddings/hub.py",
    "paho": "twin_bridge/broker_connection.py",
    "yaml": "twin_bridge/lamps/lamps_file.py",
    "liteparse": "ingest_service/parsing/pdf/layout.py",
    "pypdfium2": "ingest_service/parsing/pdf/pdfium.py",
    "tesserocr": "ingest_service/parsing/ocr/tesseract.py",
    "PIL": "ingest_service/parsing/images/pictures.py",
    "pikepdf": "ingest_service/parsing/pdf/door.py",
    "unstructured": "ingest_service/parsing/partitioners.py",
    "python_calamine": "ingest_service/parsing/office/sheets.py",
    "pypandoc": "ingest_service/parsing/markup/pandoc.py",
    "pptx": "ingest_service/parsing/office/slide_extras.py",
    "markdown_it": "ingest_service/parsing/markup/markdown.py",
    "watchdog": "ingest_service/watched_folder/watcher.py",
    "amqtt": "xgtwin/demo_broker.py",
    "celery": "ingest_service/jobs/celery_queue.py",
    "kombu": "ingest_service/jobs/celery_queue.py",
    "psycopg": "shared/db/patient_connection.py",
    "redis": "shared/redis_link.py",
    "limits": "shared/web/rate_limit.py",
    "opentelemetry": "shared/observability/otlp.py",
    "trafilatura": "ingest_service/parsing/markup/main_content.py",
}
"""One library, one file: replacing one of these is a change in one place."""

SECOND_IMPORTERS = {
    ("qdrant_edge", "shared/vector_store/edge_requests.py"): "the same adapter's requests, beside it",
    ("qdrant_edge", "shared/vector_store/edge_shard.py"): "the same adapter's files, beside it",
    ("qdrant_client", "shared/vector_store/qdrant_generations.py"): "its collections, beside the adapter of one",
    ("qdrant_client", "shared/vector_store/qdrant_connection.py"): "the same adapter's client, beside it",
    ("qdrant_client", "shared/vector_store/qdrant_requests.py"): "the same adapter's requests, beside it",
    ("fastembed", "query_service/retrieval/fastembed_reranker.py"): "its cross-encoders, which only questions need",
    ("redis", "query_service/answer_cache/redis_cache.py"): "its commands; the way to the server is the link's",
    ("paho", "xgtwin/broker_probe.py"): "listens for xgtwin doctor, which must not announce itself as a bridge",
    ("paho", "xgtwin/simulated/wire.py"): "the other end of the wire, which the bridge must not share code with",
}


def modules(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def imports(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_there_is_something_to_check():
    assert all(len(list(modules(package))) > 3 for package in PACKAGES)


def test_shared_imports_no_service():
    for module in modules("shared"):
        assert not imports(module) & {*SERVICES, "xgtwin"}, module


@pytest.mark.parametrize("service", SERVICES)
def test_services_never_import_each_other(service: str):
    for module in modules(service):
        assert not imports(module) & ({*SERVICES, "xgtwin"} - {service}), module


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_too_long_to_read_in_one_sitting(package: str):
    for module in modules(package):
        assert len(module.read_text().splitlines()) <= MAX_LINES, module


@pytest.mark.parametrize(("library", "importer"), ONE_IMPORTER.items())
def test_one_library_has_one_importer(library: str, importer: str):
    found = {
        str(module.relative_to(ROOT))
        for package in PACKAGES
        for module in modules(package)
        if library in imports(module)
    }
    assert found - {file for (name, file) in SECOND_IMPORTERS if name == library} == {importer}


def test_the_twin_needs_neither_models_nor_a_vector_store():
    heavy = {"fastembed", "onnxruntime", "numpy", "qdrant_edge", "qdrant_edge_py", "qdrant_client", "openai"}
    locked = {line.split("==")[0] for line in (ROOT / "requirements/twin.txt").read_text().splitlines() if "==" in line}
    assert not locked & {name.replace("_", "-") for name in heavy}
    for module in modules("twin_bridge"):
        assert not imports(module) & heavy, module


def test_locked_requirements_have_hashes_and_no_addresses():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "--hash=sha256:" in text, lock
        assert "http://" not in text, lock
        assert "https://" not in text, lock
