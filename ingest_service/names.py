"""Names that people and file systems give, made safe to store, show and send in a header."""

import unicodedata

MAX_BYTES = 255
MAX_DEPTH = 32


def clean_name(raw: str, *, fallback: str = "document") -> str:
    """The last part of a path as NFC without control characters, at most 255 bytes, its suffix kept.

    `../../etc/passwd` becomes `passwd`; a name of which nothing is left becomes `fallback`.
    """
    name = raw.replace("\\", "/").rsplit("/", 1)[-1]
    name = clean_line(name)
    if not name.strip(". "):
        return fallback
    stem, dot, suffix = name.rpartition(".")
    if dot and stem and len(suffix.encode()) <= 16:
        return _cut(stem, MAX_BYTES - len(suffix.encode()) - 1) + "." + suffix
    return _cut(name, MAX_BYTES)


def clean_path(raw: str) -> str:
    """All of a path that a sender gave, made harmless part by part: what tells apart files of the same name.

    Only a label, never opened; `../../etc/passwd` becomes `etc/passwd`.
    """
    parts = [part for part in raw.replace("\\", "/").split("/") if part.strip(". ")]
    return "/".join(clean_name(part) for part in parts[-MAX_DEPTH:]) or clean_name(raw)


def clean_line(raw: str) -> str:
    """One line of NFC text without control or formatting characters (which can reverse how a name is read)."""
    shown = "".join(
        " " if unicodedata.category(character) in {"Zl", "Zp"} or character in "\t\n\r" else character
        for character in unicodedata.normalize("NFC", raw)
        if unicodedata.category(character) not in {"Cc", "Cf", "Cs"} or character in "\t\n\r"
    )
    return " ".join(shown.split())


def title_of(name: str) -> str:
    """A readable title from a file name: `guia-5g.pdf` -> `guia 5g`."""
    stem = name.rpartition(".")[0] or name
    return " ".join(stem.replace("_", " ").replace("-", " ").split()) or name


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore").rstrip()
