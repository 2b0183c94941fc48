"""What ingestion costs: reading PDFs against other readers, embedding against raw onnxruntime, memory against pages.

    python -m benchmarks.ingest [--rounds 5] [--only reading,embedding,memory]

All contenders take turns in each round on the same generated Portuguese files; figures are medians over the rounds,
ratios are taken within a round. Time is CPU time of this process and its children, so that a busy machine does not
decide. Two contenders are no part of the product and have a row only where they can be imported: pypdf
(`pip install --target DIR pypdf`, DIR in PYTHONPATH) and the PDF extra of unstructured, which brings torch.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks import ingest_contenders as contenders
from tests.acceptance.product import Product, running, wait_until
from tests.corpus import chromium, office, pdfs, plain
from tests.corpus.manuscript import Manuscript, write
from tests.corpus.sentences import Author
from tests.models import minilm
from tests.processes import descendants, proportional_mb

PAGES_PER_FILE = 40
PARAGRAPHS_PER_PAGE = 8
MEMORY_PAGES = (100, 500, 2000)
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Contender:
    """One row of a table: `work` does all of it once. The first row is what the others are compared with."""

    name: str
    work: Callable[[], object]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="reading,embedding,memory")
    options = parser.parse_args()
    parts = {"reading": reading, "embedding": embedding, "memory": memory}
    for name in options.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            parts[name](Path(folder), options.rounds)
    return 0


def reading(folder: Path, rounds: int) -> None:
    """Pages to passages, on digital PDFs of six producers and layouts."""
    files, documents = digital_files(folder)
    pages = sum(map(contenders.pages_of, files))
    with contenders.sandboxed_reader(folder) as reader:
        rows = [
            Contender("ours: parse + clean + chunk", lambda: contenders.read_here(files)),
            Contender("ours, in the sandbox", lambda: contenders.read_sandboxed(reader, files)),
            Contender("pypdfium2, raw text alone", lambda: contenders.raw_text(files)),
        ]
        if find_spec("pypdf"):
            rows.append(Contender("pypdf + LangChain splitter", lambda: contenders.langchain(files)))
        else:
            print("pypdf is not installed: no row for the LangChain loader, which reads by it.", file=sys.stderr)
        try:
            partition = contenders.unstructured_pdf()
            rows.append(Contender("unstructured alone, fast", lambda: partition(files)))
        except ImportError as error:
            print(f"unstructured cannot read PDFs here ({error}): the same texts as DOCX instead.", file=sys.stderr)
            rows.append(Contender("unstructured alone, DOCX", lambda: contenders.unstructured_docx(documents)))
        compare(f"{pages} digital pages", "pages", pages, rows, rounds)


def embedding(folder: Path, rounds: int) -> None:
    """Passages to vectors by all-MiniLM-L6-v2 in ONNX, one thread each."""
    if reason := minilm.available():
        print(f"No embedding figures: {reason}.", file=sys.stderr)
        return
    texts = contenders.searchable_texts(digital_files(folder)[0])
    texts = texts[:: max(1, len(texts) // 100)]
    with contenders.embedding_rig(folder, texts) as rig:
        rows = [
            Contender("ours: embedder", rig.embedder),
            Contender("ours: embedder + words + store", rig.pipeline),
            Contender("onnxruntime, one by one", lambda: rig.raw(1)),
            Contender("onnxruntime, 8 of like length", lambda: rig.raw(8)),
        ]
        compare(f"{len(texts)} passages, {rig.mean_tokens:.0f} tokens each", "passages", len(texts), rows, rounds)


def memory(folder: Path, rounds: int) -> None:
    """The most that the whole product holds (three services, reading processes) while it ingests one PDF."""
    print(f"\n{'PDF of':>12}{'most held':>16}{'before it':>12}{'seconds':>10}")
    for pages in MEMORY_PAGES:
        home = folder / str(pages)
        home.mkdir()
        pdfs.one_column(home / "longo.pdf", manuscript(seed=pages, pages=pages, facts=4))
        with running(home, INGEST__WATCH="off") as product:
            before = most = held(product)
            started = time.monotonic()
            with (home / "longo.pdf").open("rb") as stream:
                product.ingest.post("/documents", files={"files": ("longo.pdf", stream)}).raise_for_status()

            def ready() -> bool:
                nonlocal most
                most = max(most, held(product))
                return product.documents() == {"longo.pdf": "ready"}

            wait_until(ready, 600, "the PDF to be ready")
            seconds = time.monotonic() - started
        print(f"{pages:>6} pages{most:>12.0f} MiB{before:>8.0f} MiB{seconds:>10.1f}", flush=True)


def held(product: Product) -> float:
    """MiB of the product and its reading processes, shared pages counted once."""
    return proportional_mb(product.process.pid, *descendants(product.process.pid))


def compare(title: str, unit: str, amount: int, rows: Sequence[Contender], rounds: int) -> None:
    """A table: how much each does in a CPU second, and how many times as much the first row does."""
    spent: dict[str, list[float]] = {row.name: [] for row in rows}
    for row in rows:
        row.work()  # libraries and files are warm for everybody
    for _ in range(rounds):
        for row in rows:
            before = cpu_seconds()
            row.work()
            spent[row.name].append(cpu_seconds() - before)
    ours = spent[rows[0].name]
    print(f"\n{title}\n{'':<40}{unit + '/CPU-s':>18}{'ours / this':>14}{'spread':>16}")
    for row in rows:
        ratios = sorted(theirs / mine for theirs, mine in zip(spent[row.name], ours, strict=True))
        rate = amount / statistics.median(spent[row.name])
        spread = f"{ratios[0]:.2f}-{ratios[-1]:.2f}"
        print(f"{row.name:<40}{rate:>18.1f}{statistics.median(ratios):>14.2f}{spread:>16}", flush=True)


def digital_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """PDFs by reportlab in four layouts, by Chromium and by LibreOffice, and the same texts as DOCX."""
    layouts: dict[str, Callable[[Path, Manuscript], None]] = {
        "one-column": pdfs.one_column,
        "two-columns": pdfs.two_columns,
        "running-headers": pdfs.running_headers,
        "hyphenated": pdfs.hyphenated,
        "printed": _printed,
        "exported": _exported,
    }
    files, documents = [], []
    for seed, (name, draw) in enumerate(layouts.items(), 1):
        text = manuscript(seed=seed, pages=PAGES_PER_FILE, facts=PARAGRAPHS_PER_PAGE)
        documents.append(folder / f"{name}.docx")
        office.word(documents[-1], text)
        files.append(folder / f"{name}.pdf")
        draw(files[-1], text)
    return files, documents


def _printed(path: Path, text: Manuscript) -> None:
    source = path.with_suffix(".html")
    source.write_text(plain.html(text), encoding="utf-8")
    chromium.print_to_pdf(source, path)


def _exported(path: Path, text: Manuscript) -> None:
    office.convert([path.with_suffix(".docx")], "pdf", path.parent)


def manuscript(*, seed: int, pages: int, facts: int) -> Manuscript:
    """Long ones are written by several authors, since each knows a limited number of names."""
    parts = [
        write(Author(seed * 100 + start), "Anuário", pages=min(PAGES_PER_FILE, pages - start), facts=facts)
        for start in range(0, pages, PAGES_PER_FILE)
    ]
    return Manuscript("Anuário", tuple(page for part in parts for page in part.pages))


def cpu_seconds() -> float:
    """What this process and its children, living or ended, have used so far."""
    spent = os.times()
    living = sum(_ticks(child) for child in descendants(os.getpid())) / CLOCK_TICKS
    return time.process_time() + spent.children_user + spent.children_system + living


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    sys.exit(main())
