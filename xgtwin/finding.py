"""What `xgtwin doctor` says about one thing."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Works, but differs from what one may expect."""
    WRONG = "wrong"
    """Something will not work until a person does what the finding says."""


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    subject: str
    words: str
