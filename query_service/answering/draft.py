"""An answer in the making."""

from dataclasses import dataclass, field

from query_service.events import Reason, Sentence, Usage
from query_service.llm.route import Route
from shared.models import Citation


@dataclass(slots=True)
class Draft:
    """Filled by the writer while its text streams out; complete when the writer ends."""

    model: str = ""
    text: str = ""
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    route: Route | None = None
    """What became of it at the language model, if one was asked."""
    reason: Reason | None = None
    refused: bool = False
    """The documents were found not to answer; citations then only show what comes nearest."""

    @property
    def grounded(self) -> bool:
        """At least one statement that the passages it cites hold, whoever wrote it."""
        return not self.refused and any(one.citations and one.supported for one in self.sentences)

    @property
    def wholly_supported(self) -> bool:
        return all(one.supported for one in self.sentences)
