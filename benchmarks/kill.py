"""SIGKILL at random moments of a 30-document ingestion: does each end with exactly the chunks of an undisturbed run?

    python -m benchmarks.kill [--runs 50] [--seed N] [--keep FOLDER]

Each run starts the real `xgtwin up` over an empty data folder, kills it at a moment spread evenly over the time that
the undisturbed ingestion took, starts it again, and compares what is there in the end: documents, chunks (text, pages,
places), the number in the vector store, jobs, original bytes, processes. Exits with 1 on any difference.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.kills.documents import thirty_documents
from tests.kills.run import Run, run
from tests.kills.traces import differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1965, help="the same seed kills at the same moments")
    parser.add_argument("--keep", type=Path, help="keep the folders of failed runs here")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    documents = thirty_documents()
    failed, stages = 0, Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        undisturbed = run(Path(temporary) / "undisturbed", documents)
        # The quicker of two: a moment after the end of the work would kill nobody.
        quickest_s = min(undisturbed.ingestion_s, run(Path(temporary) / "again", documents).ingestion_s)
        print(
            f"undisturbed: {len(undisturbed.traces.documents)} documents, {undisturbed.traces.chunks.total()} chunks, "
            f"{quickest_s:.1f} s; jobs {_statuses(undisturbed)}"
        )
        print(f"{'run':>4} {'killed at':>9}  {'while':34} {'then':>7}  result")
        for number in range(1, options.runs + 1):
            # One moment in each of as many equal slices of time, so that no stretch is left out.
            moment = (number - chance.random()) / options.runs * quickest_s
            folder = Path(temporary) / str(number)
            killed = run(folder, documents, kill_after_s=moment)
            wrong = differences(undisturbed.traces, killed.traces)
            wrong += [f"process {pid} outlived its service" for pid in killed.left_over]
            stages[killed.killed_in or "between jobs"] += 1
            failed += bool(wrong)
            print(
                f"{number:4} {moment:8.2f}s  {killed.killed_in or 'between jobs':34} {killed.ingestion_s:6.1f}s  "
                + ("; ".join(wrong) or "the same"),
                flush=True,
            )
            if wrong and options.keep:
                shutil.copytree(folder, options.keep / str(number))
            shutil.rmtree(folder)
    print("killed while: " + ", ".join(f"{stage} {count}" for stage, count in stages.most_common()))
    print(f"{options.runs - failed} of {options.runs} runs ended with exactly the undisturbed result.")
    return 1 if failed else 0


def _statuses(one: Run) -> str:
    counts = Counter(facts[0] for facts in one.traces.documents.values())
    return ", ".join(f"{count} {status}" for status, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
