"""E-mail messages (EML, MHT): who wrote what to whom and when, the text, and the attachments that can be read."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import Message

from ingest_service.parsing import errors, media_types, registry
from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.mail.mail_parts import (
    attachment_name,
    children_of,
    header_lines,
    is_attachment,
    subject_of,
    text_of,
)
from ingest_service.parsing.sniff import sniff
from shared.errors import UnsupportedMedia

MAX_ATTACHMENTS = 50
MAX_DEPTH = 3
"""Messages within messages: a forwarded forward is common, more is not."""
MAX_PARTS = 1000


@dataclass
class _Reading:
    """What the attachments of one message, and of those within it, have cost so far."""

    limits: ParsingLimits
    attachments_left: int = MAX_ATTACHMENTS
    unread: list[str] = field(default_factory=list)


def parse_mail(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """The subject is the title, sender and date the first paragraph. Each attachment is a section under its name;
    what of them could not be read is in the note. Raises `BrokenDocument` for parts nested beyond measure."""
    reading = _Reading(limits)
    try:
        message = message_from_bytes(data)
        blocks = tuple(_message(message, reading, depth=0))
    except RecursionError as error:
        raise errors.broken() from error
    note = f"Attachments that could not be read, or not wholly: {', '.join(reading.unread)}." if reading.unread else ""
    return ParsedDocument(blocks=blocks, title=subject_of(message), note=note)


def _message(message: Message, reading: _Reading, depth: int) -> Iterator[Block]:
    subject = subject_of(message)
    if subject:
        yield Block(kind=BlockKind.HEADING, text=subject, level=1)
    if lines := header_lines(message):
        yield Block(kind=BlockKind.PARAGRAPH, text="\n".join(lines))
    attachments: list[Message] = []
    for part in _leaves(message):
        if is_attachment(part):
            attachments.append(part)
        else:
            yield from _below(text_of(part, reading.limits).blocks, 1)
    for part in attachments:
        yield from _attachment(part, reading, depth)


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that are no envelopes, in order; of alternatives the last that is text, which is the richest."""
    waiting = [message]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        children = children_of(part)
        if not children or part.get_content_maintype() == "message":
            yield part
        elif part.get_content_subtype() == "alternative":
            waiting += _richest(children)
        else:
            waiting += reversed(children)


def _richest(alternatives: list[Message]) -> list[Message]:
    """Plain text only where there is no page: pages keep tables and lists."""
    plain = [part for part in alternatives if part.get_content_type() == "text/plain"]
    rich = [part for part in alternatives if part.get_content_type() == "text/html" or part.is_multipart()]
    return (rich or plain or alternatives)[-1:]


def _attachment(part: Message, reading: _Reading, depth: int) -> Iterator[Block]:
    name = attachment_name(part)
    if not reading.attachments_left or depth >= MAX_DEPTH:
        reading.unread.append(f"{name} (too many, or too deep)")
        return
    reading.attachments_left -= 1
    try:
        inner = _attached(part, name, reading, depth)
    except (errors.UnreadableDocument, errors.ParserDied, UnsupportedMedia) as error:
        reading.unread.append(f"{name} ({error.detail.split('. ')[0].split(': ')[0]})")
        return
    if inner.note or not inner.blocks:
        reading.unread.append(f"{name} ({inner.note.rstrip('.') or 'no text'})")
    if inner.blocks:
        yield Block(kind=BlockKind.HEADING, text=name, level=2)
        yield from _below(inner.blocks, 2)


def _attached(part: Message, name: str, reading: _Reading, depth: int) -> ParsedDocument:
    children = part.get_payload()
    if part.get_content_maintype() == "message" and isinstance(children, list):
        messages = [child for child in children if isinstance(child, Message)]
        return ParsedDocument(tuple(block for child in messages for block in _message(child, reading, depth + 1)))
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes) or not data:
        raise errors.without_bytes()
    kind = sniff(data, name)
    if kind == media_types.EML:
        return ParsedDocument(tuple(_message(message_from_bytes(data), reading, depth + 1)))
    return registry.parse(data, kind, reading.limits)


def _below(blocks: tuple[Block, ...], level: int) -> Iterator[Block]:
    """Headings so much deeper. A page of an attachment is none of the message."""
    for block in blocks:
        deeper = block.level + level if block.level else 0
        yield replace(block, level=deeper, page=None, page_label=None)
