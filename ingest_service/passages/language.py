"""Which language a document is written in. The only importer of `langdetect`."""

import re
import threading

ENOUGH_WORDS = 12
"""Of fewer different words nothing can be told: a parts list is in no language, and a short one in
Portuguese is taken for Spanish."""
SAMPLE_CHARS = 1500
SAMPLES = 3
"""Beginning, middle and end: a Portuguese thesis opens with an English abstract."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_first_come = threading.Lock()  # its statistics are loaded by the first call, and no second may see half of them


def language_of(text: str) -> str | None:
    """Two letters (`pt`, `en`), or None for a text too short to tell."""
    # Imported here: its word statistics take a third of a second to load.
    from langdetect import DetectorFactory, LangDetectException, detect

    last = max(0, len(text) - SAMPLE_CHARS)
    starts = [last * part // (SAMPLES - 1) for part in range(SAMPLES)] if last else [0]
    sample = "\n".join(text[start : start + SAMPLE_CHARS] for start in starts)
    if len(set(_WORD.findall(sample.lower()))) < ENOUGH_WORDS:
        return None
    DetectorFactory.seed = 0  # it draws lots; the same text shall have the same language each time
    try:
        with _first_come:
            return str(detect(sample))[:2]
    except LangDetectException:  # letters, yet no word
        return None
