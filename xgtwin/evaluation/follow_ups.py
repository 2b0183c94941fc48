"""Whether second questions ("e quem coordena?") find what their stand-alone forms find."""

from collections.abc import Sequence

from query_service.conversations.past import Past
from query_service.conversations.rewriting import Rewriter
from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.part_settings import RetrievalSettings
from xgtwin.evaluation.library import Library
from xgtwin.evaluation.ranking import DEPTH, quality
from xgtwin.evaluation.report import Failure, Table
from xgtwin.evaluation.retrieval import COLUMNS, SHOWN, figures, first_right
from xgtwin.evaluation.sets import FollowUp, Question


async def measure(
    follow_ups: Sequence[FollowUp], library: Library, settings: RetrievalSettings
) -> tuple[Table, list[Failure]]:
    """Made to stand alone by words, without a language model; new subjects, which need no help, are a row of their own.

    A failure is a second question that finds nothing right although its stand-alone form does.
    """
    rewriter = Rewriter(library.reader, None, deadline_s=0)
    retriever = library.retriever(settings, library.embedder)

    def rank(text: str, question: Question) -> int | None:
        found = retriever.retrieve(DEFAULT_ORGANIZATION_ID, text, DEPTH).passages
        return first_right(found, question)

    rows: dict[str, list[int | None]] = {"by hand": [], "as understood": [], "as asked": [], "new subjects": []}
    failures: list[Failure] = []
    for one in follow_ups:
        understood = await rewriter.rewrite(one.question.text, Past((Turn(role=Role.USER, content=one.first),)))
        came = rank(understood or one.question.text, one.question)
        if one.question.text == one.standalone:
            rows["new subjects"].append(came)
            continue
        wanted = rank(one.standalone, one.question)
        rows["by hand"].append(wanted)
        rows["as understood"].append(came)
        rows["as asked"].append(rank(one.question.text, one.question))
        if _seen(wanted) and not _seen(came):
            failures.append(
                Failure(
                    kind="second question that finds less than its stand-alone form",
                    question_id=one.question.id,
                    question=f"{one.first} {one.question.text}",
                    expected=one.standalone,
                    got=understood or one.question.text,
                )
            )
    measured = tuple((name, figures(quality(ranks))) for name, ranks in rows.items() if ranks)
    return Table(title="Second questions", columns=COLUMNS, rows=measured), failures


def _seen(rank: int | None) -> bool:
    return rank is not None and rank <= SHOWN
