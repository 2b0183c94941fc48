"""How far `xgtwin ingest` is, for a person at a terminal and for a log file."""

import time
from collections import Counter, deque
from collections.abc import Callable
from math import ceil
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

ENOUGH_FINISHED = 3
"""An estimate from fewer documents would be a guess."""
PACE_OVER = 30
"""Documents that the pace is taken from: a folder often has its scans side by side, and they take the longest."""
LONGEST_NAME = 40


class Display(Protocol):
    """Told what happens. A context manager: what it draws is complete when it is left."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def doing(self, words: str) -> None:
        """What is being done this moment."""
        ...

    def settled(self, name: str, outcome: str, reason: str, *, worked_on: bool) -> None:
        """One document has come to its end; `worked_on` unless it was known before it was sent."""
        ...

    def summary(self, outcomes: Counter[str], complaints: list[str]) -> None:
        """The end of it all: how many ended how, and why some are not searchable."""
        ...


def display(total: int) -> Display:
    """A bar where standard output is a terminal, else a line a document."""
    console = Console(highlight=False)
    return Bar(console, total) if console.is_terminal else Lines()


class Pace:
    """How fast documents are finished, measured over the last ones, and what that means for those that are left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = deque([clock()], maxlen=PACE_OVER + 1)

    def finished(self) -> None:
        self._ends.append(self._clock())

    def words(self, left: int) -> str:
        """Such as `34/min, about 2 min left`; empty while too little is known. Time spent on a long document counts
        before it is finished, so that the estimate grows instead of standing still."""
        count, spent = len(self._ends) - 1, self._clock() - self._ends[0]
        if count < ENOUGH_FINISHED or spent <= 0:
            return ""
        seconds = left * spent / count
        rate = f"{60 * count / spent:.0f}/min"
        return f"{rate}, about {_rounded(seconds)} left" if left else rate


class Bar:
    """A progress bar with the stage of the document in hand, and a table at the end."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._pace = Pace()
        self._progress = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}", markup=False),
            TextColumn("{task.description}", markup=False),
            console=console,
        )
        self._task = self._progress.add_task("", total=total, pace="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.doing("")
        self._progress.stop()

    def doing(self, words: str) -> None:
        pace = self._pace.words(self._total - self._done)
        self._progress.update(self._task, description=shown(words), pace=pace)

    def settled(self, name: str, outcome: str, reason: str, *, worked_on: bool) -> None:
        self._done += 1
        if worked_on:
            self._pace.finished()
        self._progress.advance(self._task)

    def summary(self, outcomes: Counter[str], complaints: list[str]) -> None:
        table = Table("outcome", "documents")
        for outcome, count in sorted(outcomes.items()):
            table.add_row(outcome, str(count))
        self._console.print(table)
        for complaint in complaints:
            self._console.print(shown(complaint), style="yellow", markup=False)


class Lines:
    """A line a document, without control characters: for pipes, files and schedulers."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def doing(self, words: str) -> None:
        """A log has no use for what passes."""

    def settled(self, name: str, outcome: str, reason: str, *, worked_on: bool) -> None:
        print(shown(f"{outcome:<13} {name}{': ' if reason else ''}{reason}"), flush=True)

    def summary(self, outcomes: Counter[str], complaints: list[str]) -> None:
        print(", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())), flush=True)


def shortened(name: str) -> str:
    """The end of a long name, which tells more than its folders."""
    return name if len(name) <= LONGEST_NAME else "..." + name[-LONGEST_NAME:]


def shown(words: str) -> str:
    """Words of others (names, reasons) without what would move the cursor or colour the terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in words)


def _rounded(seconds: float) -> str:
    """No more exact than it is known."""
    if seconds < 90:
        return f"{max(10, ceil(seconds / 10) * 10)} s"
    if seconds < 90 * 60:
        return f"{ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
