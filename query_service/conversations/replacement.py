"""The same question about something else: "Quanto a Claro pagou no leilão?", then "e a TIM?".

What is named after "e" takes the place of the part of the earlier question that looks most like it: a number that of a
number, an acronym that of an acronym. Words without such a look ("e o endereço?") are left to followup.py.
"""

import re

_FAMILIES = {
    **dict.fromkeys(["de", "do", "da", "dos", "das", "of"], "of"),
    **dict.fromkeys(["com", "sem", "with", "without"], "with"),
    **dict.fromkeys(["por", "pelo", "pela", "by"], "by"),
    **dict.fromkeys(["em", "no", "na", "nos", "nas", "a", "ao", "à", "aos", "às", "o", "os", "as"], ""),
    **dict.fromkeys(["para", "pro", "pra", "in", "at", "the", "to", "for", "on"], ""),
}
"""Words that may stand before the object. Those of a named family must stand before the replaced part too: "e com TLS?"
asks for another way, not for another thing."""

_NUMBER = r"\d[\d.,]*"
_CAPITALISED = r"[A-ZÀ-Þ][\w-]*"
_THING = re.compile(
    rf"(?:{_CAPITALISED}|\w*[a-z][A-Z]\w*)(?:\s(?:{_CAPITALISED}|{_NUMBER}\w*))*"  # Belo Horizonte, QoS 1, eMBB
    rf"|{_NUMBER}(?:\s(?:[GMk]?Hz|mil|milhões|ms|km))?(?!\w)"  # 3,5 GHz; 4401
    r"|\w*\d\w*"  # 4G
)
_ELLIPSIS = re.compile(r"(?P<before>(?:[a-zà-ú]{1,4}\s+)*)(?P<thing>.*\w)\W*", re.DOTALL)
_FIRST_WORD = re.compile(r"\W*\w+")
_WORD_BEFORE = re.compile(r"(\w+)\s+$")
_SAME, _PART, _ALIKE, _BOTH_NUMBERS = 4, 3, 2, 1


def with_other_object(earlier: str, question: str) -> str | None:
    """`earlier` about what `question` names; None when `question` is no bare object or nothing in `earlier` is like it.

    `question` comes without its "e".
    """
    asked = _ELLIPSIS.fullmatch(question)
    if asked is None or not _THING.fullmatch(asked["thing"]):
        return None
    before = asked["before"].split()
    if not _FAMILIES.keys() >= set(before):
        return None
    families = {_FAMILIES[word] for word in before} - {""}
    first = _FIRST_WORD.match(earlier)
    best, place = 0, (0, 0)
    for found in _THING.finditer(earlier, first.end() if first else 0):
        preposition = _WORD_BEFORE.search(earlier[: found.start()])
        if families and (preposition is None or _FAMILIES.get(preposition[1].lower()) not in families):
            continue
        likeness = _likeness(asked["thing"], found[0])
        if likeness > best:
            number = re.search(_NUMBER, found[0]) if likeness == _PART else None
            start, end = number.span() if number else (0, len(found[0]))
            best, place = likeness, (found.start() + start, found.start() + end)
    return f"{earlier[: place[0]]}{asked['thing']}{earlier[place[1] :]}" if best else None


def _likeness(thing: str, other: str) -> int:
    kind, others = _kind(thing), _kind(other)
    if kind == others:
        return _SAME
    if kind == "number" and others.startswith("named "):
        return _PART  # "e a 21?" after "Release 20": the number alone is replaced
    if {kind, others} == {"acronym", "name"}:
        return _ALIKE
    return _BOTH_NUMBERS if kind.startswith("number") and others.startswith("number") else 0


def _kind(thing: str) -> str:
    """`number GHz`, `named QoS`, `code G`, `acronym` or `name`: things of one kind may take each other's place."""
    words = thing.split()
    if re.fullmatch(_NUMBER, words[0]):
        return " ".join(["number", *words[1:]])
    if any(letter.isdigit() for letter in thing):
        return f"named {words[0]}" if len(words) > 1 else f"code {''.join(filter(str.isalpha, thing))[:1]}"
    return "acronym" if sum(letter.isupper() for letter in thing) > 1 and len(words) == 1 else "name"
