"""Memory over thousands of documents: does what the product holds grow with what went through it?

    python -m benchmarks.ingest_many [--documents 4000]

Each document is a text of three passages, every tenth a PDF of two pages, so that reading processes work too. Shown is
the proportional memory (shared pages counted once) of the whole product after each quarter.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.acceptance.product import Product, running, wait_until
from tests.integration.ingest.documents import long_text, pdf
from tests.processes import descendants, proportional_mb

BATCH = 50


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--documents", type=int, default=4000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), INGEST__WATCH="off") as product:
        print(f"{'documents':>10}{'passages':>10}{'MiB':>8}{'of it service':>15}{'documents/s':>13}")
        show(product, 0, 0.0)
        quarter = max(BATCH, options.documents // 4)
        for first in range(0, options.documents, quarter):
            started = time.monotonic()
            for start in range(first, first + quarter, BATCH):
                send(product, start)
            wait_until(partial(enough, product, first + quarter), 1800, "all documents to be ready")
            show(product, first + quarter, quarter / (time.monotonic() - started))
    return 0


def send(product: Product, start: int) -> None:
    files = [("files", file_number(number)) for number in range(start, start + BATCH)]
    product.ingest.post("/documents", files=files, timeout=300).raise_for_status()


def file_number(number: int) -> tuple[str, bytes]:
    if number % 10:
        return f"{number}.txt", f"Documento {number}.\n\n{long_text(25)}".encode()
    return f"{number}.pdf", pdf([f"Documento {number}, página {page}. {long_text(8)}" for page in (1, 2)])


def enough(product: Product, documents: int) -> bool:
    return ready(product) >= documents


def ready(product: Product) -> int:
    facts = product.ingest.get("/readyz").json()
    return int(facts["documents"].get("ready", 0))


def show(product: Product, documents: int, rate: float) -> None:
    service, *children = (proportional_mb(pid) for pid in (product.process.pid, *descendants(product.process.pid)))
    passages = product.query.get("/readyz").json().get("chunks", 0)
    print(f"{documents:>10}{passages:>10}{service + sum(children):>8.0f}{service:>15.0f}{rate:>13.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
