"""What a document's metadata may be: they stand in every stored passage of the document, and filters ask for them."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

MAX_KEYS = 50
MAX_BYTES = 16 * 1024
MAX_DEPTH = 8
"""Lists and objects within each other."""


def usable_metadata(value: dict[str, Any]) -> dict[str, Any]:
    """The value itself. Raises `ValueError` with what is wrong with it."""
    if len(value) > MAX_KEYS:
        raise ValueError(f"there are {len(value)} keys; the limit is {MAX_KEYS}")
    if _is_deeper(value, MAX_DEPTH):
        raise ValueError(f"its lists and objects are nested more than {MAX_DEPTH} deep")
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except UnicodeEncodeError as error:  # JSON can name half a character, databases cannot keep it
        raise ValueError("it holds half a character (a lone surrogate)") from error
    except ValueError as error:
        raise ValueError("NaN and Infinity are no numbers of JSON") from error
    for text in _texts(value):
        without_nul(text)
    if size > MAX_BYTES:
        raise ValueError(f"it has {size} bytes; the limit is {MAX_BYTES}")
    day_of(value)
    return value


def without_nul(text: str) -> str:
    """The text itself. Raises `ValueError` if it holds NUL, which PostgreSQL can neither keep nor look for."""
    if "\0" in text:
        raise ValueError("it holds a NUL character (\\u0000), which cannot be kept")
    return text


def day_of(metadata: Mapping[str, Any]) -> date | None:
    """The document's day: `date` as 2026-05-01 or as a time that begins so. Raises `ValueError` for anything else."""
    given = metadata.get("date")
    if given is None or given == "":
        return None
    try:
        if str(given)[10:11] in {"", "T", " "}:
            return date.fromisoformat(str(given)[:10])
    except ValueError:
        pass  # said below
    raise ValueError("its date is no day: write it as 2026-05-01, or name the key otherwise")


def _texts(value: Any) -> Iterator[str]:
    """All texts and keys within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(one)


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)
