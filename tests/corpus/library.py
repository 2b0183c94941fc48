"""The corpus: 200 files of all formats, and where each of their facts must be found.

python -m tests.corpus.library FOLDER      writes it, to look at or to try things on
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from tests.corpus import chromium, office, pdfs, plain, scans
from tests.corpus.manuscript import Expected, Manuscript, expected, write
from tests.corpus.sentences import Author

FILES = 200
SEED = 2026


def missing_programs() -> str:
    """The programs that the corpus cannot be made without, as a sentence; empty when all are there."""
    missing = [
        name
        for name, there in (
            (
                "LibreOffice (apt install libreoffice-writer libreoffice-calc libreoffice-impress)",
                shutil.which("soffice"),
            ),
            ("Chromium (apt install chromium)", chromium.program()),
        )
        if not there
    ]
    return f"the corpus needs {' and '.join(missing)}" if missing else ""


def build(folder: Path) -> list[Expected]:
    """Write all files of the corpus into `folder`; every fact with the file and page where it stands."""
    with tempfile.TemporaryDirectory() as workshop:
        return list(_Library(folder, Path(workshop)).shelves())


class _Library:
    """Makes the files, shelf by shelf. `folder` is for readers; sources of conversions stay in the workshop."""

    def __init__(self, folder: Path, workshop: Path) -> None:
        self.folder = folder
        self.workshop = workshop
        self.author = Author(SEED)

    def shelves(self) -> Iterator[Expected]:
        yield from self.digital_pdfs()
        yield from self.printed_pages()
        yield from self.paper()
        yield from self.office_documents()
        yield from self.conversions()
        yield from self.texts()
        yield from self.web_and_mail()

    def digital_pdfs(self) -> Iterator[Expected]:
        for file, text in self._manuscripts("artigo", 16, "pdf", pages=3):
            pdfs.one_column(file, text)
            yield from expected(file, text, paged=True)
        for file, text in self._manuscripts("revista", 10, "pdf", pages=2, facts=4):
            pdfs.two_columns(file, text)
            yield from expected(file, text, paged=True)
        for file, text in self._manuscripts("oficio", 8, "pdf", pages=4, facts=2):
            pdfs.running_headers(file, text)
            yield from expected(file, text, paged=True)
        for file, text in self._manuscripts("livro", 8, "pdf", pages=2):
            pdfs.hyphenated(file, text)
            yield from expected(file, text, paged=True)
        for number, (file, text) in enumerate(self._manuscripts("tabela", 8, "pdf", pages=2)):
            pdfs.tables(file, text, text_width=440 if number % 2 else 200)
            yield from expected(file, text, paged=True)

    def printed_pages(self) -> Iterator[Expected]:
        for file, text in self._manuscripts("impresso", 6, "pdf", pages=2):
            source = self.workshop / f"{file.stem}.html"
            source.write_text(plain.html(text), encoding="utf-8")
            chromium.print_to_pdf(source, file)
            yield from expected(file, text, paged=True)

    def paper(self) -> Iterator[Expected]:
        for number, (file, text) in enumerate(self._manuscripts("escaneado", 6, "pdf", pages=2)):
            scans.scanned_pdf(file, self._photographed(file, text, skew=(number % 3 - 1) * 0.7, grain=number * 8))
            yield from expected(file, text, paged=True, scanned=True)
        for file, text in self._manuscripts("misto", 4, "pdf", pages=3):
            digital, paper = self.workshop / f"digital-{file.name}", self.workshop / f"paper-{file.name}"
            scans.scanned_pdf(paper, self._photographed(file, text))
            pdfs.one_column(digital, text)
            scans.mixed_pdf(file, digital, paper, pages=[2])
            for item in expected(file, text, paged=True):
                yield Expected(item.file, item.page, item.fact, scanned=item.page == 2)
        for file, text in self._manuscripts("fax", 2, "tiff", pages=2):
            scans.frames(file, self._photographed(file, text))
            yield from expected(file, text, paged=True, scanned=True)
        for suffix in ("png", "jpg"):
            for file, text in self._manuscripts("foto", 3, suffix, pages=1):
                scans.picture(file, self._photographed(file, text, grain=10)[0])
                yield from expected(file, text, paged=True, scanned=True)

    def office_documents(self) -> Iterator[Expected]:
        for number, (file, text) in enumerate(self._manuscripts("ata", 12, "docx", pages=2)):
            office.word(file, text, last_as_table=number % 2 == 1)
            yield from expected(file, text, paged=True)
        for file, text in self._manuscripts("aula", 8, "pptx", pages=2):
            office.slides(file, text)
            yield from expected(file, text, paged=True)
        for file, text in self._manuscripts("planilha", 9, "xlsx", pages=2):
            office.workbook(file, text)
            yield from expected(file, text, paged=True)

    def conversions(self) -> Iterator[Expected]:
        """What LibreOffice writes."""
        for suffix, count in (("pdf", 10), ("odt", 8), ("rtf", 4), ("doc", 4)):
            yield from self._converted("memorando", suffix, count, "docx", office.word)
        yield from self._converted("palestra", "ppt", 2, "pptx", office.slides)
        for suffix in ("xls", "ods"):
            yield from self._converted("registro", suffix, 4, "xlsx", office.workbook)

    def texts(self) -> Iterator[Expected]:
        encodings = (("utf-8", "NFC"), ("utf-8-sig", "NFC"), ("cp1252", "NFC"), ("utf-16", "NFC"), ("utf-8", "NFD"))
        for number, (file, text) in enumerate(self._manuscripts("notas", 12, "txt", pages=2)):
            encoding, form = encodings[number % len(encodings)]
            plain.text(file, text, encoding=encoding, form=form)
            yield from expected(file, text, paged=False)
        for file, text in self._manuscripts("listagem", 4, "txt", pages=3, facts=2):
            plain.text(file, text, encoding="utf-8", pages=True)
            yield from expected(file, text, paged=True)
        for file, text in self._manuscripts("manual", 10, "md", pages=2):
            plain.markdown(file, text)
            yield from expected(file, text, paged=False)
        kinds = ((";", "utf-8"), (",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-8"))
        for number, (file, text) in enumerate(self._manuscripts("medidas", 8, "csv", pages=1, facts=5)):
            delimiter, encoding = kinds[number % len(kinds)]
            plain.comma_separated(file, text, delimiter=delimiter, encoding=encoding)
            yield from expected(file, text, paged=False)

    def web_and_mail(self) -> Iterator[Expected]:
        for number, (file, text) in enumerate(self._manuscripts("pagina", 10, "html", pages=2)):
            charset = ("utf-8", "windows-1252")[number % 2]
            file.write_bytes(plain.html(text, charset=charset).encode(charset))
            yield from expected(file, text, paged=False)
        for number, (file, text) in enumerate(self._manuscripts("mensagem", 10, "eml", pages=2)):
            plain.mail(file, text, charset=("utf-8", "iso-8859-1")[number % 2], rich=number % 3 == 0)
            yield from expected(file, text, paged=False)
        for file, text in self._manuscripts("apostila", 7, "epub", pages=3, facts=2):
            plain.book(file, text)
            yield from expected(file, text, paged=False)

    def _manuscripts(
        self, name: str, count: int, suffix: str, *, pages: int, facts: int = 3
    ) -> Iterator[tuple[Path, Manuscript]]:
        for number in range(1, count + 1):
            file = self.folder / f"{name}-{number:02}.{suffix}"
            yield file, write(self.author, f"{name.capitalize()} {number}", pages=pages, facts=facts)

    def _photographed(
        self, file: Path, text: Manuscript, *, skew: float = 0.0, grain: float = 0.0
    ) -> list[Image.Image]:
        source = self.workshop / f"print-of-{file.stem}.pdf"
        pdfs.one_column(source, text, size=12)
        return scans.photographed(source, skew=skew, grain=grain)

    def _converted(
        self,
        name: str,
        suffix: str,
        count: int,
        source_suffix: str,
        make: Callable[[Path, Manuscript], None],
    ) -> Iterator[Expected]:
        sources = []
        for file, text in self._manuscripts(f"{name}-{suffix}", count, suffix, pages=2):
            sources.append(self.workshop / f"{file.stem}.{source_suffix}")
            make(sources[-1], text)
            yield from expected(file, text, paged=True)
        office.convert(sources, suffix, self.folder)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    facts = build(target)
    sys.stdout.write(f"{len(list(target.iterdir()))} files with {len(facts)} facts in {target}\n")
