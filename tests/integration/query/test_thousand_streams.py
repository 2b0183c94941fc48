"""A thousand visitors at the same moment, each with an open stream."""

import pytest

from benchmarks.streams import measure

STREAMS = 1000
ANSWERS = 20
"""Of /livez, called one after the other: a blocked loop would give two or three."""


@pytest.mark.timeout(300)
async def test_a_thousand_open_streams_leave_the_service_alive_and_their_model_calls_end_with_them(tmp_path):
    result = await measure(STREAMS, tmp_path)
    assert len(result.first_words) == STREAMS
    assert result.cancelled == STREAMS
    assert len(result.livez) >= ANSWERS
