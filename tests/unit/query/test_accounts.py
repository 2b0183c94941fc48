"""What a server tells of its answers, however it writes it."""

import pytest

from query_service.events import Usage
from query_service.llm.accounts import MOST, account, served_by


@pytest.mark.parametrize(
    ("told", "kept"),
    [(7, 7), ("7", 7), (7.0, 7), (None, 0), (-7, 0), ("many", 0), (10**30, MOST), ("1e400", 0), ([7], 0)],
)
def test_tokens_are_what_the_database_can_hold(told, kept):
    assert list(account({"usage": {"prompt_tokens": told}}, {})) == [Usage(prompt_tokens=kept)]


@pytest.mark.parametrize(("told", "kept"), [("2", 2), ("\u00b2", 0), ("9" * 30, MOST), ("", 0), ("None", 0)])
def test_fallbacks_are_what_the_database_can_hold(told, kept):
    served = served_by({"x-litellm-model-group": "small", "x-litellm-attempted-fallbacks": told})
    assert served is not None
    assert served.fallbacks == kept
