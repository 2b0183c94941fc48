"""Office documents whose XML reaches outside, laughs, or has no bottom and no edge."""

from itertools import pairwise

from tests.hostile.archives import (
    cell,
    docx_parts,
    epub_parts,
    external_image,
    external_template,
    odt_parts,
    paragraph,
    xlsx_parts,
    zipped,
)
from tests.hostile.case import ANYTHING, DAMAGED, ENTITIES, NESTED, READY, TOO_MUCH, Cases

case = Cases()

UNPACKED = ("INGEST__MAX_UNPACKED_MB",)
SHEET = ("cells", "rows", "columns")


def reaching(url: str) -> str:
    """A document type whose entities lie in a file of this machine and behind an address."""
    return (
        f'<!DOCTYPE x [<!ENTITY arquivo SYSTEM "file:///etc/passwd"><!ENTITY rede SYSTEM "{url}/entidade">'
        f'<!ENTITY % fora SYSTEM "{url}/fora.dtd">%fora;]>'
    )


def laughing(root: str = "x") -> str:
    """A document type whose entity &z; is a billion of the first."""
    names = "abcdefghiz"
    entities = "".join(f'<!ENTITY {here} "{f"&{before};" * 10}">' for before, here in pairwise(names))
    return f'<!DOCTYPE {root} [<!ENTITY a "haha">{entities}]>'


@case("xxe.docx", ANYTHING, says=ENTITIES)
def entities_from_outside_in_a_docx(url: str) -> bytes:
    return zipped(docx_parts(paragraph("Aqui: &arquivo; &rede;"), doctype=reaching(url)))


@case("xxe.xlsx", ANYTHING, says=ENTITIES)
def entities_from_outside_in_a_workbook(url: str) -> bytes:
    rows = f'<row r="1">{cell("A1", "Aqui: &arquivo; &rede;")}<c r="B1" t="s"><v>0</v></c></row>'
    return zipped(xlsx_parts(rows, shared="<si><t>&arquivo;</t></si>", doctype=reaching(url)))


@case("xxe.odt", ANYTHING, says=ENTITIES)
def entities_from_outside_in_an_odt(url: str) -> bytes:
    return zipped(odt_parts("<t:p>Aqui: &arquivo; &rede;</t:p>", doctype=reaching(url)))


@case("xxe.epub", ANYTHING, says=ENTITIES)
def entities_from_outside_in_a_book(url: str) -> bytes:
    chapter = f'<p>Aqui: &arquivo; &rede;</p><img src="{url}/capa.png"/><img src="/etc/passwd"/>'
    return zipped(epub_parts(chapter, doctype=reaching(url)))


@case("risada.docx", ANYTHING, says=(*ENTITIES, *TOO_MUCH))
def a_billion_laughs_in_a_docx() -> bytes:
    return zipped(docx_parts(paragraph("&z;"), doctype=laughing()))


@case("risada.xlsx", ANYTHING, says=(*ENTITIES, *TOO_MUCH))
def a_billion_laughs_in_a_workbook() -> bytes:
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    return zipped(xlsx_parts(rows, shared="<si><t>&z;</t></si>", doctype=laughing()))


@case("risada.odt", ANYTHING, says=(*ENTITIES, *TOO_MUCH))
def a_billion_laughs_in_an_odt() -> bytes:
    return zipped(odt_parts("<t:p>&z;</t:p>", doctype=laughing()))


@case("externo.docx", READY, finds="pequi")
def pictures_and_templates_from_elsewhere(url: str) -> bytes:
    picture = (
        '<w:p><w:r><w:drawing><a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" r:link="r9"/>'
        '</w:drawing></w:r></w:p><w:p><w:r><w:instrText>INCLUDETEXT "/etc/passwd"</w:instrText></w:r></w:p>'
        f'<w:p><w:r><w:instrText>DDEAUTO cmd "/c calc" INCLUDEPICTURE "{url}/x.png"</w:instrText></w:r></w:p>'
    )
    links = external_image(url) + external_template(url)
    return zipped(docx_parts(paragraph("O pequi fica aqui.") + picture, links=links))


@case("externo.odt", READY, finds="pequi")
def an_odt_whose_picture_lies_elsewhere(url: str) -> bytes:
    picture = (
        '<t:p><d:frame xmlns:d="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"><d:image '
        f'xmlns:l="http://www.w3.org/1999/xlink" l:href="{url}/x.png"/></d:frame></t:p>'
    )
    return zipped(odt_parts("<t:p>O pequi fica aqui.</t:p>" + picture))


@case("fundo.docx", ANYTHING, says=(*NESTED, *TOO_MUCH))
def fifty_thousand_nested_elements() -> bytes:
    depth = 50_000
    return zipped(docx_parts("<w:sdt><w:sdtContent>" * depth + paragraph("fundo") + "</w:sdtContent></w:sdt>" * depth))


@case("tabelas.docx", ANYTHING, says=(*DAMAGED, *TOO_MUCH))
def three_hundred_tables_in_each_other() -> bytes:
    depth = 300
    inside = paragraph("no fundo")
    return zipped(
        docx_parts("<w:tbl><w:tr><w:tc>" * depth + inside + (paragraph("") + "</w:tc></w:tr></w:tbl>") * depth)
    )


@case("paragrafos.docx", ANYTHING, says=(*UNPACKED, *DAMAGED, *TOO_MUCH))
def half_a_million_empty_paragraphs() -> bytes:
    return zipped(docx_parts("<w:p/>" * 500_000 + paragraph("fim")))


@case("vasta.xlsx", ANYTHING, says=(*SHEET, *TOO_MUCH, *DAMAGED), finds="umbu")
def a_sheet_that_claims_seventeen_billion_cells() -> bytes:
    rows = f'<row r="1">{cell("A1", "O umbu solitario.")}</row>'
    return zipped(xlsx_parts(rows, dimension="A1:XFD1048576"))


@case("canto.xlsx", ANYTHING, says=(*SHEET, *TOO_MUCH, *DAMAGED), finds="umbu")
def two_cells_in_opposite_corners() -> bytes:
    near = f'<row r="1">{cell("A1", "O umbu solitario.")}</row>'
    far = f'<row r="1048576">{cell("XFD1048576", "O umbu distante.")}</row>'
    return zipped(xlsx_parts(near + far, dimension="A1:XFD1048576"))


@case("colunas.xlsx", ANYTHING, says=(*SHEET, *TOO_MUCH, *DAMAGED), finds="umbu")
def cells_that_lie_beyond_every_sheet() -> bytes:
    near = f'<row r="1">{cell("A1", "O umbu.")}{cell("ZZZZZZZ1", "longe")}</row>'
    far = f'<row r="99999999999">{cell("A-1", "x")}</row>'
    return zipped(xlsx_parts(near + far, dimension="ZZZZZZZ99999999999:A1"))


@case("indice.xlsx", ANYTHING, says=DAMAGED)
def a_string_that_is_not_there() -> bytes:
    return zipped(xlsx_parts('<row r="1"><c r="A1" t="s"><v>4000000000</v></c><c r="B1" t="s"><v>-1</v></c></row>'))
