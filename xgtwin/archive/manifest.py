"""What a backup says of itself, and how what is in it is called. `manifest.json` is written last."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from pydantic import ConfigDict, Field

from shared.models import Frozen
from shared.vector_store.fingerprint import Fingerprint

FORMAT: Final = 1
MANIFEST = "manifest.json"
VECTORS = "vectors.jsonl"
MEMBER = re.compile(
    r"manifest\.json|vectors\.jsonl|sql/[a-z_]{1,60}\.jsonl|originals/[0-9a-f]{64}|"
    r"recognised/[0-9a-f]{64}/[a-z0-9]{1,40}\.(json|pdf)"
)
"""Every name there may be: none leads out of a folder, and none is taken as a path before it matched."""


def rows_of(table: str) -> str:
    """A table's member: a row a line, as JSON."""
    return f"sql/{table}.jsonl"


def original(content_hash: str) -> str:
    """The member of a document's bytes, which are not compressed: most documents are already."""
    return f"originals/{content_hash}"


class _Part(Frozen):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Member(_Part):
    size: int = Field(ge=0, description="Bytes, unpacked.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Rows(_Part):
    """Of one table; `hash` is that of `xgtwin.archive.rows.Digest`."""

    rows: int = Field(ge=0)
    hash: str


class Vectors(_Part):
    """Chunks with their dense vectors; `made_with` is the fingerprint of the collection that they were in."""

    made_with: Fingerprint
    documents: int
    chunks: int


class Manifest(_Part):
    format: Literal[1] = FORMAT
    product: str = Field(description="The release that made it.")
    revision: str = Field(description="Of the database's schema.")
    made_at: datetime
    tables: Mapping[str, Rows]
    vectors: Vectors | None = None
    without_vectors: str = Field("", description="Why there are none, or not all, of what is searchable.")
    lost_originals: int = Field(0, ge=0, description="Documents whose bytes were not in the data folder any more.")
    members: Mapping[str, Member] = Field(description="Everything in the archive beside the manifest.")
