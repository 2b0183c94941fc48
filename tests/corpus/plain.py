"""Formats that the standard library writes: text in several encodings, Markdown, CSV, web pages, mail and e-books."""

import csv
import io
import unicodedata
import zipfile
from email.message import EmailMessage
from html import escape
from pathlib import Path
from string import Template

from tests.corpus.manuscript import Manuscript

_PAGE = Template("""<!DOCTYPE html>
<html lang="pt-BR"><head><meta charset="$charset"><title>$title</title>
<style>body { font-family: sans-serif } section { break-after: page }</style>
<script>var aviso = "este texto nunca aparece na página";</script></head>
<body><nav><a href="#inicio">Início</a> <a href="#contato">Contato</a></nav>
<main><h1>$title</h1>
$sections
</main></body></html>
""")

_CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""
_OPF = Template("""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">$title</dc:identifier>
<dc:title>$title</dc:title><dc:language>pt-BR</dc:language></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>$items</manifest>
<spine>$spine</spine></package>""")
_CHAPTER = Template("""<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>$heading</title></head><body>$body</body></html>""")


def text(path: Path, manuscript: Manuscript, *, encoding: str, form: str = "NFC", pages: bool = False) -> None:
    """Plain text in lines of a fixed width; `pages` separates the pages by form feeds, as printer files do."""
    parts = [
        "\n\n".join([page.heading, *(_folded(paragraph.text) for paragraph in page.paragraphs)])
        for page in manuscript.pages
    ]
    whole = ("\f" if pages else "\n\n").join(parts) + "\n"
    path.write_bytes(unicodedata.normalize(form, whole).encode(encoding))  # type: ignore[arg-type]


def markdown(path: Path, manuscript: Manuscript) -> None:
    """Headings, prose, a list and a table."""
    lines = [f"# {manuscript.title}", ""]
    for page in manuscript.pages:
        first, *others = page.paragraphs
        lines += [f"## {page.heading}", "", first.text, ""]
        lines += [f"- {paragraph.text}" for paragraph in others[:1]]
        lines += ["", "| Item | Registro |", "|---|---|"]
        lines += [f"| {number} | {paragraph.fact.text} |" for number, paragraph in enumerate(others[1:], 1)]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def comma_separated(path: Path, manuscript: Manuscript, *, delimiter: str, encoding: str) -> None:
    """A table of records with a header line."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow(["Item", "Registro", "Situação"])
    facts = [paragraph.fact for page in manuscript.pages for paragraph in page.paragraphs]
    writer.writerows([number, fact.text, "conferido"] for number, fact in enumerate(facts, 1))
    path.write_bytes(buffer.getvalue().encode(encoding))


def html(manuscript: Manuscript, *, charset: str = "utf-8") -> str:
    """A web page with navigation and a script around its text; printed, each section begins a page."""
    sections = []
    for page in manuscript.pages:
        first, *others = page.paragraphs
        items = "".join(f"<li>{escape(paragraph.text)}</li>" for paragraph in others[:1])
        rows = "".join(f"<tr><td>{n}</td><td>{escape(p.fact.text)}</td></tr>" for n, p in enumerate(others[1:], 1))
        table = f"<table border='1'><tr><th>Item</th><th>Registro</th></tr>{rows}</table>"
        sections.append(
            f"<section><h2>{escape(page.heading)}</h2><p>{escape(first.text)}</p><ul>{items}</ul>{table}</section>"
        )
    return _PAGE.substitute(charset=charset, title=escape(manuscript.title), sections="\n".join(sections))


def mail(path: Path, manuscript: Manuscript, *, charset: str, rich: bool) -> None:
    """A message whose pages are: its body, then one attached text each; a rich one has an HTML alternative."""
    message = EmailMessage()
    message["Subject"] = manuscript.title
    message["From"] = "Laboratório de Redes <laboratorio@example.org>"
    message["To"] = "Secretaria Acadêmica <secretaria@example.org>"
    message["Date"] = "Thu, 05 Mar 2026 09:30:00 -0300"
    body, *attached = manuscript.pages
    message.set_content("\n\n".join(paragraph.text for paragraph in body.paragraphs), charset=charset)
    if rich:
        paragraphs = "".join(f"<p>{escape(paragraph.text)}</p>" for paragraph in body.paragraphs)
        message.add_alternative(f"<html><body>{paragraphs}</body></html>", subtype="html", charset=charset)
    for number, page in enumerate(attached, 1):
        lines = "\n\n".join(paragraph.text for paragraph in page.paragraphs)
        message.add_attachment(lines, filename=f"anexo-{number}.txt")
    path.write_bytes(message.as_bytes())


def book(path: Path, manuscript: Manuscript) -> None:
    """An EPUB with one chapter to a page."""
    numbers = range(1, len(manuscript.pages) + 1)
    items = "".join(f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in numbers)
    spine = "".join(f'<itemref idref="c{n}"/>' for n in numbers)
    contents = "".join(
        f'<li><a href="c{n}.xhtml">{escape(page.heading)}</a></li>' for n, page in enumerate(manuscript.pages, 1)
    )
    navigation = f'<nav xmlns:epub="http://www.idpf.org/2007/ops" epub:type="toc"><ol>{contents}</ol></nav>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("OEBPS/content.opf", _OPF.substitute(title=manuscript.title, items=items, spine=spine))
        archive.writestr("OEBPS/nav.xhtml", _CHAPTER.substitute(heading="Sumário", body=navigation))
        for number, page in enumerate(manuscript.pages, 1):
            paragraphs = "".join(f"<p>{escape(paragraph.text)}</p>" for paragraph in page.paragraphs)
            chapter = _CHAPTER.substitute(
                heading=escape(page.heading), body=f"<h1>{escape(page.heading)}</h1>{paragraphs}"
            )
            archive.writestr(f"OEBPS/c{number}.xhtml", chapter)


def _folded(paragraph: str, width: int = 88) -> str:
    """The paragraph in lines, as editors save it."""
    lines = [""]
    for word in paragraph.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
