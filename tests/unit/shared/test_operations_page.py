"""docs/operations.md speaks of what there is."""

import re
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase

from shared.models import DocumentStatus
from shared.observability import metrics

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def _names() -> dict[str, tuple[str, ...]]:
    found = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    return {next(iter(metric.describe())).name + ("_total" if metric._type == "counter" else ""): metric._labelnames
            for metric in found}  # fmt: skip


def test_every_metric_stands_in_the_operations_page_with_its_labels():
    rows = dict(re.findall(r"^\| `(xgtwin_\w+)` \| ([^|]*)\|", PAGE, re.M))
    assert {name: tuple(filter(None, labels.strip().split(", "))) for name, labels in rows.items()} == _names()


def test_ways_that_documents_end_are_counted_from_zero():
    ends = {status.value for status in DocumentStatus} - {"queued", "parsing", "embedding", "deleting"}
    told = re.findall(r'xgtwin_documents_finished_total\{status="(\w+)"\}', generate_latest().decode())
    assert ends <= set(told)


def test_every_event_that_the_operations_page_names_is_logged_somewhere():
    table = PAGE[PAGE.index("| event |") : PAGE.index("## Seeing what happens")]
    named = {
        event
        for row in table.splitlines()[2:]
        for event in re.findall(r"`([a-z_]+)`", row.split("|")[1] if row else "")
    }
    source = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("shared", "ingest_service", "query_service", "twin_bridge", "xgtwin")
        for path in (ROOT / folder).rglob("*.py")
    )
    assert named
    assert {event for event in named if f'"{event}"' not in source} == set()
