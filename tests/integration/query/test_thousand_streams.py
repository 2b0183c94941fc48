"""A thousand visitors at the same moment, each with an open stream."""

import pytest

from benchmarks.streams import measure

STREAMS = 1000
HALF_WITHIN_MS = 1000
"""Of /livez, called one after the other: more than a busy machine takes, less than a blocked loop does."""


@pytest.mark.timeout(300)
async def test_a_thousand_open_streams_leave_the_service_alive_and_their_model_calls_end_with_them(tmp_path):
    result = await measure(STREAMS, tmp_path)
    assert len(result.first_words) == STREAMS
    assert result.cancelled == STREAMS
    assert result.livez_ms(0.5) < HALF_WITHIN_MS
