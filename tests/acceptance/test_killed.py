"""`kill -9` in the middle of an ingestion: after the restart everything is as if it had not happened."""

from pathlib import Path

import pytest

from tests.kills.documents import thirty_documents
from tests.kills.run import run
from tests.kills.traces import differences

pytestmark = pytest.mark.timeout(300)


def test_a_killed_ingestion_leaves_nothing_lost_nothing_doubled_and_nothing_behind(tmp_path: Path):
    documents = thirty_documents()
    undisturbed = run(tmp_path / "undisturbed", documents)
    assert differences(undisturbed.traces, undisturbed.traces) == []
    assert len(undisturbed.traces.documents) == len(documents)
    assert undisturbed.traces.chunks.total() > 100
    for share in (0.15, 0.55):
        killed = run(tmp_path / str(share), documents, kill_after_s=share * undisturbed.ingestion_s)
        assert differences(undisturbed.traces, killed.traces) == []
        assert killed.left_over == ()
