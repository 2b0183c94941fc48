"""Make the PDFs of `watched_docs/` from the Markdown sources beside this file.

    python docs/samples/build.py            write every PDF
    python docs/samples/build.py --check    write nothing; fail if a PDF is not what its source gives

Needs `reportlab`, which the product itself does not: the PDFs are committed, so running it never builds them.
"""

import argparse
import sys
from pathlib import Path

from sample_markdown import SampleSourceError, parse
from sample_pdf import render

SOURCES = Path(__file__).resolve().parent
TARGET = SOURCES.parents[1] / "watched_docs"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 when a source is wrong or, with `--check`, when a PDF is stale; otherwise 0."""
    parser = argparse.ArgumentParser(description="Make the sample PDFs of watched_docs/.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args(arguments).check

    failed = False
    for source in sorted(SOURCES.glob("*.md")):
        target = TARGET / f"{source.stem}.pdf"
        try:
            pdf = render(parse(source.read_text(encoding="utf-8"), source.name))
        except SampleSourceError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        current = target.exists() and target.read_bytes() == pdf
        if check and not current:
            print(f"{target.name} is stale: run docs/samples/build.py.", file=sys.stderr)
            failed = True
        elif not current:
            target.write_bytes(pdf)
            print(f"{target.name}: {len(pdf)} bytes")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
