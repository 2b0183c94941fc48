"""How often a sentence that a passage holds counts as supported, and one that it does not.

    python benchmarks/support.py --folder FAQUAD [--split dev]

The folder has passages.jsonl and questions.jsonl (docs/evaluation.md). Each question gives the sentence of its passage
that holds the answer, forms of it that are still true (words dropped; question and answer put together), and forms that
are false: on another passage, with the answer of another question, with "não" before its verb.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from query_service.answering.protocol import AnswerRequest
from query_service.answering.support import SupportChecker
from query_service.words.sentences import sentences
from query_service.words.terms import Rarity, WordReader, weigh
from shared.embeddings.lexical import LexicalEncoder
from shared.models import Chunk, ScoredChunk

SEED = 7
_VERB = re.compile(r" (é|foi|são|foram|tem|era|está|pode|possui) ")
_ASKS = re.compile(
    r"^\W*(?:(?:em|de|a|para|por|com|no|na|o|os|as)\s+)?(?:qual|quais|quem|quando|onde|como|quant[oa]s?|que|o que)\b\s*"
    r"(?:é|são|foi|foram)?\s*(?:o|a|os|as)?",
    re.IGNORECASE,
)
Case = tuple[str, str, str, str]
"""Group ("+" should be supported, "-" should not), claim, question, passage."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    options = parser.parse_args()
    passages = {row["id"]: row["text"] for row in _rows(options.folder / "passages.jsonl")}
    asked = [row for row in _rows(options.folder / "questions.jsonl") if row["split"] == options.split]
    asked = [row for row in asked if row["answers"] and row["gold"]]
    reader = WordReader(LexicalEncoder().stems)
    checker = SupportChecker(reader)
    counted: dict[str, list[bool]] = {}
    for group, claim, question, text in cases(asked, passages):
        chunk = Chunk(
            id=uuid4(), document_id=uuid4(), filename="a", title="", index=0, text=text, start=0, end=len(text)
        )
        weights = weigh(reader.asked(question), Rarity({}, 0))
        request = AnswerRequest(question, "pt", (ScoredChunk(chunk=chunk, score=1.0),), weights)
        found = checker.check(claim, request)
        counted.setdefault(group, []).append(all(one.supported for one in found))
    for group, supported in sorted(counted.items()):
        print(f"{group:45} {len(supported):5} sentences, {sum(supported) / len(supported):6.1%} supported")
    return 0


def cases(asked: list[dict[str, Any]], passages: dict[str, str]) -> Iterator[Case]:
    """The same ones each time."""
    chance = random.Random(SEED)
    for row in asked:
        question, gold, answer = row["question"], passages[row["gold"][0]], row["answers"][0]
        at = gold.find(answer)
        held = [gold[span.start : span.end] for span in sentences(gold) if span.start <= at < span.end]
        if not held:
            continue
        claim = held[0]
        yield "+ the sentence", claim, question, gold
        yield "+ a quarter of its words dropped", _dropped(claim, chance), question, gold
        subject = _ASKS.sub("", question).strip(" ?.")
        yield "+ question and answer as one sentence", f"{subject[:1].upper()}{subject[1:]} é {answer}.", question, gold
        elsewhere = passages[chance.choice([i for i in passages if i != row["gold"][0]])]
        yield "- on another passage", claim, question, elsewhere
        others = [one["answers"][0] for one in asked if _kind(one["answers"][0]) == _kind(answer)]
        others = [other for other in others if other not in gold]
        if others and answer in claim:
            wrong = claim.replace(answer, chance.choice(others))
            yield f"- with another question's {_kind(answer)}", wrong, question, gold
        if _VERB.search(claim) and "não" not in claim.lower():
            yield "- denied", _VERB.sub(r" não \1 ", claim, count=1), question, gold


def _dropped(claim: str, chance: random.Random) -> str:
    return " ".join(word for word in claim.split() if chance.random() > 0.25)


def _kind(answer: str) -> str:
    return "number" if re.search(r"\d", answer) else "name" if re.search(r"[A-ZÀ-Þ]", answer) else "word"


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main())
