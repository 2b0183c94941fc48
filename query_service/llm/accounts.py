"""What a server tells of itself beside its words: OpenAI's usage, and what LiteLLM's proxy adds to it."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from query_service.events import Usage
from query_service.llm.protocol import Cost, Served

MOST = 2**31 - 1
"""The largest whole number of the database's columns."""


def served_by(headers: Mapping[str, str]) -> Served | None:
    """Of LiteLLM's headers; a server that is no proxy sends none of them."""
    model, tier = headers.get("x-litellm-model-name", ""), headers.get("x-litellm-model-group", "")
    if not model and not tier:
        return None
    return Served(model, tier, _count(headers.get("x-litellm-attempted-fallbacks")))


def account(chunk: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[Usage | Cost]:
    """Usage and cost of a chunk or of a whole answer. A stream's cost stands in its last chunk, since headers go first
    (`include_cost_in_streaming_usage` in the proxy's settings)."""
    counted = chunk.get("usage")
    if not counted:
        return
    yield Usage(**{name: _count(counted.get(name)) for name in Usage.model_fields})
    usd = _number(counted.get("cost") or headers.get("x-litellm-response-cost"))
    if usd > 0:
        yield Cost(usd)


def _count(value: object) -> int:
    """What the server says, as far as a column of the database can hold it."""
    return max(0, min(int(_number(value)), MOST))


def _number(value: object) -> float:
    """0 for what is none: LiteLLM writes `None` where it knows no price."""
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0
