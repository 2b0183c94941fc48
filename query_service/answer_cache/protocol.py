"""The `AnswerCache` port: where answers are kept for a while."""

from dataclasses import dataclass
from typing import Protocol

from query_service.answering.draft import Draft
from query_service.events import Sources


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer with the passages that it rests on, of no conversation in particular."""

    sources: Sources
    draft: Draft


class AnswerCache(Protocol):
    """Keeps answers by key, within bounds of its own. Used on the event loop.

    Losing an entry costs nothing but time, so a cache that cannot be reached finds nothing and says so in the log.
    """

    async def get(self, key: str) -> KeptAnswer | None:
        """What was put under this key not too long ago. It is shared: not to be changed."""
        ...

    async def put(self, key: str, answer: KeptAnswer) -> None: ...
