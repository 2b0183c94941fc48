"""What a scan would do, found out without doing it: new and changed files are read as far as that needs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from ingest_service.documents.blobs import PIECE_BYTES, Blobs
from ingest_service.names import clean_name
from ingest_service.parsing.errors import without_bytes
from ingest_service.parsing.sniff import sniff_stream
from ingest_service.watched_folder.comparison import Comparison
from ingest_service.watched_folder.departures import Verdict
from ingest_service.watched_folder.opening import SteadyFile, StillChanging, open_steady
from ingest_service.watched_folder.remembered import KnownFile
from ingest_service.watched_folder.scan import FoundFile
from ingest_service.watched_folder.scan_report import FileChange, What
from shared.errors import XgtwinError


@dataclass
class Preview:
    """What becomes of the files that look new or changed. `moved` has the old keys of those that are only renamed."""

    coming: list[FileChange] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)

    def settle(self, verdict: Verdict) -> Verdict:
        """The verdict as it will be when there is nothing left to wait for."""
        return replace(verdict, gone=sorted({*verdict.gone, *verdict.waiting}.difference(self.moved)), waiting=[])


def foresee(root: Path, comparison: Comparison, hashes: Mapping[UUID, str], blobs: Blobs) -> Preview:
    """Look into the files that are new or changed. `hashes` are those of the documents that are known: only a file of
    the size of one that it may be is read to its end."""
    preview = Preview()
    missing = {key: file for key, file in comparison.missing().items() if file.document_id}
    for key, found in comparison.changed().items():
        known = comparison.known.get(key)
        rivals = {key: known} if known else missing
        wanted = {
            hashes.get(file.document_id): old
            for old, file in rivals.items()
            if file.document_id and file.state.size == found.state.size and old not in preview.moved
        }
        try:
            with open_steady(root, found.path, found.state) as stream:
                _judge(stream, clean_name(key), found, blobs)
                same = wanted.get(_hash_of(stream)) if wanted else None
        except StillChanging:
            preview.coming.append(FileChange(path=key, what=_what(known), detail="still being written"))
        except XgtwinError as refusal:
            preview.coming.append(FileChange(path=key, what=What.REFUSED, detail=refusal.detail))
        except OSError as problem:
            preview.coming.append(FileChange(path=key, what=What.REFUSED, detail=problem.strerror or "not readable"))
        else:
            if same is None:
                preview.coming.append(FileChange(path=key, what=_what(known)))
            elif same != key:
                preview.moved.add(same)
                preview.coming.append(FileChange(path=key, what=What.RENAMED, detail=f"was {same}"))
    return preview


def _what(known: KnownFile | None) -> What:
    return What.CHANGED if known else What.NEW


def _judge(stream: SteadyFile, name: str, found: FoundFile, blobs: Blobs) -> None:
    """Raises what taking the file in would raise."""
    if not found.state.size:
        raise without_bytes()
    if found.state.size > blobs.max_bytes:
        raise blobs.too_large(name)
    sniff_stream(stream, name)


def _hash_of(stream: SteadyFile) -> str:
    stream.seek(0)
    digest = hashlib.sha256()
    while piece := stream.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()
