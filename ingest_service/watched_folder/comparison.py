"""The watched folder beside what is remembered of it, and the report of what that means."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest_service.watched_folder.departures import Verdict
from ingest_service.watched_folder.remembered import KnownFile
from ingest_service.watched_folder.scan import Folder, FoundFile, folded
from ingest_service.watched_folder.scan_report import MAX_CHANGES, FileChange, ScanReport, What


@dataclass(frozen=True)
class Comparison:
    """What is remembered and what was found, both by key."""

    known: Mapping[str, KnownFile]
    folder: Folder

    def changed(self) -> dict[str, FoundFile]:
        """Files that are new or not as they were."""
        return {
            key: found
            for key, found in self.folder.files.items()
            if key not in self.known or not self.known[key].unchanged(found.state)
        }

    def missing(self) -> dict[str, KnownFile]:
        """Files that are remembered and not there."""
        return {key: file for key, file in self.known.items() if self.folder.misses(key)}

    def same_size(self, sizes: Collection[int]) -> set[str]:
        """Missing files that may be among files of these sizes, which are just coming in, under a new name."""
        return {key for key, file in self.missing().items() if file.document_id and file.state.size in sizes}

    def respelled(self) -> dict[str, str]:
        """New keys that are another spelling of a path that is remembered and not there any more."""
        new = {folded(key): key for key in self.folder.files if key not in self.known}
        if not new:
            return {}
        before = {folded(key): key for key in self.known if key not in self.folder.files}
        return {key: before[fold] for fold, key in new.items() if fold in before}


def arrivals(comparison: Comparison) -> list[FileChange]:
    """What is new or changed, as far as the folder tells without opening anything."""
    return [
        FileChange(path=key, what=What.CHANGED if key in comparison.known else What.NEW) for key in comparison.changed()
    ]


def report(
    comparison: Comparison,
    verdict: Verdict,
    coming: Sequence[FileChange],
    *,
    deleted: int,
    note: str,
    dry_run: bool = False,
) -> ScanReport:
    """Everything that a scan found, with `coming` for the files that are new, changed or under a new name."""
    changes = [*coming, *_others(comparison, verdict, {change.path for change in coming})]
    files = comparison.folder.files
    return ScanReport(
        files=len(files),
        unchanged=len(files) - len(coming) - sum(key in files for key in _refusals(comparison)),
        new_or_changed=sum(change.what in {What.NEW, What.CHANGED} for change in coming),
        deleted=deleted,
        held_back=verdict.documents(verdict.held),
        note=note,
        dry_run=dry_run,
        changes=changes[:MAX_CHANGES],
        not_listed=max(0, len(changes) - MAX_CHANGES),
    )


def _others(comparison: Comparison, verdict: Verdict, told: Collection[str]) -> Iterator[FileChange]:
    folder = comparison.folder
    for what, keys in ((What.DELETED, verdict.gone), (What.HELD_BACK, verdict.held), (What.WAITING, verdict.waiting)):
        yield from (FileChange(path=key, what=what) for key in keys)
    for key, reason in (folder.refused | folder.unreadable | _refusals(comparison)).items():
        if key not in told:
            yield FileChange(path=key, what=What.REFUSED, detail=reason)
    for key, twins in folder.twins.items():
        yield from (FileChange(path=twin, what=What.REFUSED, detail=f"the same name as {key}") for twin in twins)
    yield from (FileChange(path=key, what=What.IGNORED) for key in folder.ignored)


def _refusals(comparison: Comparison) -> dict[str, str]:
    """Files that are as they were when they were refused."""
    return {
        key: comparison.known[key].refusal or ""
        for key, found in comparison.folder.files.items()
        if key in comparison.known and comparison.known[key].refusal and comparison.known[key].unchanged(found.state)
    }
