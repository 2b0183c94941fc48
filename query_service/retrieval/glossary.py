"""Other words for what a question asks, in Portuguese and English, from a file that people edit.

A line is a group of forms that mean the same, divided by `=`; `#` begins a comment. The groups under `[terms]` serve
every question, those under `[english]` only questions in English: `data` is a date in Portuguese.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from query_service.words.language import Language
from query_service.words.terms import Word
from shared.errors import Unavailable

SHIPPED = Path(__file__).with_name("glossary.txt")

ReadWords = Callable[[str], Sequence[Word]]
"""`WordReader.words`."""
_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One way to say something: its text, and the stems of its content words."""

    text: str
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherForm:
    """What else to search for, and the stems of the question's words that it stands for."""

    text: str
    instead_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expansion:
    """A question's words with their alternatives, and the alternatives as text."""

    words: tuple[Word, ...]
    others: tuple[OtherForm, ...] = ()


class Glossary:
    """Looks up words and phrases; an empty one changes nothing."""

    def __init__(self, terms: Sequence[Sequence[Form]] = (), english: Sequence[Sequence[Form]] = ()) -> None:
        self._forms: dict[Language, dict[_Key, list[Form]]] = {"pt": _index(terms), "en": _index([*terms, *english])}
        self._longest = max((len(key) for key in self._forms["en"]), default=1)

    def expand(self, words: Sequence[Word], language: Language) -> Expansion:
        """Longest phrases first; a word belongs to one phrase only."""
        known = self._forms[language]
        stems = tuple(word.stem for word in words)
        keys = _key(stems)
        expanded: list[Word] = []
        others: list[OtherForm] = []
        while (at := len(expanded)) < len(words):
            longest = min(self._longest, len(words) - at)
            length = next((n for n in range(longest, 0, -1) if keys[at : at + n] in known), 0)
            said = stems[at : at + length]
            forms = [form for form in known.get(keys[at : at + length], ()) if not set(form.stems) <= set(said)]
            others += [OtherForm(form.text, said) for form in forms]
            alternatives = tuple(frozenset(form.stems) for form in forms)
            expanded += [replace(word, alternatives=alternatives) for word in words[at : at + max(1, length)]]
        return Expansion(tuple(expanded), tuple(others))


def read_glossary(file: Path, words: ReadWords) -> Glossary:
    """The glossary of a file. Raises `Unavailable`, naming file and line, when it cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(
            f"The glossary {file} (RETRIEVAL__GLOSSARY) cannot be read as UTF-8 text: {error}."
        ) from error
    sections: dict[str, list[list[Form]]] = {"[terms]": [], "[english]": []}
    section: list[list[Form]] | None = None
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text in sections:
            section = sections[text]
        elif text:
            forms = [_form(form.strip(), words) for form in text.split("=")]
            if section is None or len(forms) < 2 or not all(form.stems for form in forms):
                raise Unavailable(
                    f"Line {number} of the glossary {file} (RETRIEVAL__GLOSSARY) is not understood: {text!r}. "
                    "Under [terms] or [english], a line is two or more forms divided by '=', none of them empty "
                    "or made of function words alone."
                )
            section.append(forms)
    return Glossary(sections["[terms]"], sections["[english]"])


def _form(text: str, words: ReadWords) -> Form:
    # Alone, AI would be read as somebody's shouted "aí"; after a small word capitals are an acronym.
    placed = f"a {text}"
    return Form(placed, tuple(word.stem for word in words(placed)))


def _index(groups: Sequence[Sequence[Form]]) -> dict[_Key, list[Form]]:
    forms: dict[_Key, list[Form]] = {}
    for group in groups:
        for form in group:
            others = forms.setdefault(_key(form.stems), [])
            others += [other for other in group if other is not form and other not in others]
    return forms


def _key(stems: Sequence[str]) -> _Key:
    """The Portuguese stemmer leaves English plurals alone: `network` and `networks`, `city` and `cities` are one."""
    return tuple(f"{stem[:-1]}i" if stem.endswith("y") else stem.removesuffix("s") or stem for stem in stems)
