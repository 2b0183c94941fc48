"""Backups that were cut, changed or forged: each is refused with a reason, and nothing is written anywhere."""

import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.errors import NotFound, Unprocessable
from tests.integration.xgtwin.installation import fill, settings_of
from xgtwin.archive.backup import back_up
from xgtwin.archive.manifest import MANIFEST
from xgtwin.archive.restore import restore

Parts = dict[str, bytes]
Forge = Callable[[Parts], None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    fill(folder)
    back_up(settings_of(folder), folder / "whole.zip")
    return folder / "whole.zip"


def _refused(backup: Path, folder: Path, reason: str) -> None:
    with pytest.raises(Unprocessable, match=reason):
        restore(settings_of(folder / "new"), backup)
    left = [path for path in folder.rglob("*") if path.is_file() and path != backup]
    assert left == [], "something was written"


def _parts(made: Path) -> Parts:
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(parts: Parts, target: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return target


def _change(parts: Parts, name: str, data: bytes) -> None:
    """Another member, for which the manifest vouches."""
    parts[name] = data
    manifest = json.loads(parts[MANIFEST])
    manifest["members"][name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    parts[MANIFEST] = json.dumps(manifest).encode()


def _say(parts: Parts, **changes: Any) -> None:
    parts[MANIFEST] = json.dumps({**json.loads(parts[MANIFEST]), **changes}).encode()


def _an_original(parts: Parts) -> str:
    return next(name for name in parts if name.startswith("originals/"))


def _other_bytes(parts: Parts) -> None:
    parts[_an_original(parts)] = b"others"


def _other_bytes_vouched_for(parts: Parts) -> None:
    _change(parts, _an_original(parts), b"others")


def _less(parts: Parts) -> None:
    del parts[_an_original(parts)]


def _more(parts: Parts) -> None:
    parts["originals/" + 64 * "0"] = b"not told of"


def _one_row_less(parts: Parts) -> None:
    _change(parts, "sql/messages.jsonl", b"".join(parts["sql/messages.jsonl"].splitlines(keepends=True)[1:]))


def _another_row(parts: Parts) -> None:
    _change(parts, "sql/messages.jsonl", parts["sql/messages.jsonl"].replace(b"bancada", b"piscina"))


def _no_row(parts: Parts) -> None:
    _change(parts, "sql/messages.jsonl", b"[" * 100_000 + b"\n")


def _another_column(parts: Parts) -> None:
    _change(parts, "sql/feedback.jsonl", b'{"id": "1"}\n')


def _no_uuid(parts: Parts) -> None:
    line = json.loads(parts["sql/organizations.jsonl"])
    _change(parts, "sql/organizations.jsonl", json.dumps({**line, "id": "1; DROP TABLE"}).encode() + b"\n")


def _no_line_end(parts: Parts) -> None:
    _change(parts, "sql/messages.jsonl", parts["sql/messages.jsonl"].rstrip(b"\n"))


def _no_vector(parts: Parts) -> None:
    _change(parts, "vectors.jsonl", b'{"chunk": {}, "dense": "AAAA"}\n')


def _vectors_left_out(parts: Parts) -> None:
    _say(parts, vectors=None)


def _a_table_left_out(parts: Parts) -> None:
    tables = json.loads(parts[MANIFEST])["tables"]
    del tables["messages"]
    _say(parts, tables=tables)


def _newer_form(parts: Parts) -> None:
    _say(parts, format=2, something="new")


def _newer_schema(parts: Parts) -> None:
    _say(parts, revision="9999")


def _no_manifest(parts: Parts) -> None:
    del parts[MANIFEST]


def _broken_manifest(parts: Parts) -> None:
    parts[MANIFEST] = b"{"


def _deep_manifest(parts: Parts) -> None:
    parts[MANIFEST] = b"[" * 100_000


def _out_of_the_folder(parts: Parts) -> None:
    _change(parts, "../evil.txt", b"evil")


def _absolute(parts: Parts) -> None:
    _change(parts, "/tmp/evil.txt", b"evil")


def _dotted_original(parts: Parts) -> None:
    _change(parts, "originals/../../evil", b"evil")


def _hidden_recognised(parts: Parts) -> None:
    _change(parts, f"recognised/{64 * 'a'}/..", b"evil")


def _bomb(parts: Parts) -> None:
    _change(parts, "sql/messages.jsonl", bytes(64 << 20))


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (_other_bytes, "checksum differs"),
        (_other_bytes_vouched_for, "holds other bytes than its name says"),
        (_less, "does not hold what its manifest says"),
        (_more, "does not hold what its manifest says"),
        (_one_row_less, "rows of messages are not those"),
        (_another_row, "rows of messages are not those"),
        (_no_row, "messages has a line that is no row"),
        (_another_column, "feedback has a line that is no row"),
        (_no_uuid, "organizations has a line that is no row"),
        (_no_line_end, "cut off or longer"),
        (_no_vector, "no chunk"),
        (_vectors_left_out, "does not hold the vectors"),
        (_a_table_left_out, "does not hold the tables of its schema"),
        (_newer_form, "newer release of xgtwin made this backup"),
        (_newer_schema, "schema 9999, which this release does not know"),
        (_no_manifest, "has no manifest"),
        (_broken_manifest, "manifest of the backup cannot be read"),
        (_deep_manifest, "manifest of the backup cannot be read"),
        (_out_of_the_folder, "a name that none of ours has"),
        (_absolute, "a name that none of ours has"),
        (_dotted_original, "a name that none of ours has"),
        (_hidden_recognised, "a name that none of ours has"),
        (_bomb, "unpacks to more than 200 times"),
    ],
)
def test_a_forged_backup_is_refused(made: Path, forge: Forge, reason: str, tmp_path: Path):
    parts = _parts(made)
    forge(parts)
    _refused(_packed(parts, tmp_path / "forged.zip"), tmp_path, reason)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_backup_that_was_cut_is_refused(made: Path, share: float, tmp_path: Path):
    data = made.read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: int(len(data) * share)])
    _refused(tmp_path / "cut.zip", tmp_path, "cut off or damaged")


def test_a_bit_that_turned_is_found_in_every_member(made: Path, tmp_path: Path):
    data = made.read_bytes()
    with zipfile.ZipFile(made) as archive:
        members = [info for info in archive.infolist() if info.file_size]
    for info in members:
        extra = int.from_bytes(data[info.header_offset + 28 : info.header_offset + 30], "little")
        middle = info.header_offset + 30 + len(info.filename) + extra + info.compress_size // 2
        turned = bytearray(data)
        turned[middle] ^= 1
        (tmp_path / "turned.zip").write_bytes(turned)
        _refused(tmp_path / "turned.zip", tmp_path, "cut off or damaged|checksum differs|cannot be read")


def test_members_that_share_their_bytes_are_refused(made: Path, tmp_path: Path):
    """The way to make gigabytes of a few kilobytes without a ratio that tells."""
    name = "sql/messages.jsonl"
    target = tmp_path / "overlapping.zip"
    parts = _parts(made)
    _change(parts, "sql/refusals.jsonl", parts[name])
    _packed(parts, target)
    data = bytearray(target.read_bytes())
    with zipfile.ZipFile(target) as archive:
        offsets = {info.filename: info.header_offset for info in archive.infolist()}
    entry = data.index(b"sql/refusals.jsonl", archive.start_dir) - 46
    data[entry + 42 : entry + 46] = struct.pack("<I", offsets[name])
    target.write_bytes(data)
    _refused(target, tmp_path, "lies upon another part")


def test_a_name_that_comes_twice_is_refused(made: Path, tmp_path: Path):
    target = _packed(_parts(made), tmp_path / "twice.zip")
    with zipfile.ZipFile(target, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(MANIFEST, b"{}")
    _refused(target, tmp_path, "a name twice")


def test_a_packing_of_others_is_refused(made: Path, tmp_path: Path):
    _refused(_packed(_parts(made), tmp_path / "other.zip", zipfile.ZIP_LZMA), tmp_path, "packed in a way")


def test_what_is_no_archive_is_refused(tmp_path: Path):
    (tmp_path / "notes.zip").write_text("not an archive")
    _refused(tmp_path / "notes.zip", tmp_path, "cut off or damaged")
    with pytest.raises(NotFound, match="cannot be read: No such file"):
        restore(settings_of(tmp_path / "new"), tmp_path / "absent.zip")
