"""Headers and parts of e-mail messages, as mail programs show them rather than as they are encoded."""

from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime

from ingest_service.names import clean_name
from ingest_service.parsing import encodings
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.markup.html_page import parse_html, parse_markup
from ingest_service.parsing.text import parse_text

_SHOWN = {"from": "De", "to": "Para", "cc": "Cc"}
_LONGEST_HEADER = 2000


def subject_of(message: Message) -> str:
    return _header(message, "subject")


def header_lines(message: Message) -> list[str]:
    """Sender, receivers and date, as a Portuguese mail program prints them above a message."""
    lines = [f"{label}: {value}" for name, label in _SHOWN.items() if (value := _header(message, name))]
    if date := _header(message, "date"):
        lines.append(f"Data: {_date(date)}")
    return lines


def children_of(part: Message) -> list[Message]:
    """The parts inside an envelope or an attached message; none for a leaf."""
    inner = part.get_payload() if part.is_multipart() else ()
    return [child for child in inner if isinstance(child, Message)]


def is_attachment(part: Message) -> bool:
    """Whether a part is shown as a file. Pictures within the text are neither text nor attachment."""
    if part.get_content_disposition() == "attachment" or part.get_content_maintype() == "message":
        return True
    return part.get_content_maintype() != "text" and not part.get("content-id")


def attachment_name(part: Message) -> str:
    if part.get_content_maintype() == "message" and (inner := children_of(part)):
        return subject_of(inner[0]) or "mensagem"
    return clean_name(_decoded(part.get_filename() or ""), fallback="anexo")


def text_of(part: Message, limits: ParsingLimits) -> ParsedDocument:
    """The text of a part that is shown in the message itself; nothing for what is no text."""
    data = part.get_payload(decode=True)
    if part.get_content_maintype() != "text" or not isinstance(data, bytes):
        return ParsedDocument(blocks=())
    text = _text_in(data, part.get_content_charset())
    if part.get_content_subtype() == "html":
        return parse_html(data, limits) if text is None else parse_markup(text)
    return parse_text(data if text is None else text.encode(), limits)


def _text_in(data: bytes, charset: str | None) -> str | None:
    """Text in the declared encoding; None where that is unknown, or wrong."""
    known = encodings.charset(charset or "")
    if known is None:
        return None
    try:
        return data.decode(known)
    except UnicodeDecodeError:
        return None


def _header(message: Message, name: str) -> str:
    for key, value in message.raw_items():
        if key.lower() == name:
            return _decoded(str(value))
    return ""


def _decoded(raw: str) -> str:
    """A header in one line; bytes that no rule allows are read as text files are."""
    text = " ".join(encodings.decode(raw[:_LONGEST_HEADER].encode("utf-8", "surrogateescape")).split())
    try:
        return " ".join(str(make_header(decode_header(text))).split())
    except (HeaderParseError, MessageError, LookupError, ValueError):
        return text


def _date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).strftime("%d/%m/%Y %H:%M")
    except ValueError:
        return text
