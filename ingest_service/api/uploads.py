"""Reading the body of POST /documents and PUT /documents/{id}: files of a form, or a text or an address as JSON."""

import json
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from ingest_service.api.schemas import MAX_COLLECTION_CHARS, NewText, NewUrl
from ingest_service.documents.metadata import usable_metadata
from ingest_service.names import clean_line, clean_name, clean_path
from ingest_service.tables import SourceKind
from shared.errors import Unprocessable, UnsupportedMedia

MAX_FILES = 1000
HOW = (
    'Send files as multipart/form-data in the field \'files\', or JSON {"title": ..., "text": ...} or {"url": ...}: '
    "curl -F files=@guia.pdf http://HOST/documents"
)

REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "collection": {"type": "string", "description": "A group to narrow searches to."},
                        "metadata": {"type": "string", "description": "A JSON object, kept with each document."},
                    },
                }
            },
            "application/json": {"schema": {"anyOf": [NewText.model_json_schema(), NewUrl.model_json_schema()]}},
        },
    }
}
"""For /docs: the body is read by hand, since one route takes both kinds."""


@dataclass(frozen=True)
class Upload:
    """One document of a request. `key` names its source."""

    kind: SourceKind
    key: str
    name: str
    stream: BinaryIO
    title: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    collection: str = ""


async def read_uploads(request: Request) -> list[Upload] | NewUrl:
    """The documents of a request, at least one, or the address of one.

    Raises `Unprocessable` or `UnsupportedMedia` saying how to send one.

    The bytes lie in temporary files by then; the caller closes the form with the request.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "multipart/form-data":
        return await _from_form(request)
    if content_type == "application/json":
        return _from_json(await request.body())
    if not content_type:
        raise Unprocessable(f"The request has no body. {HOW}", code="no_body")
    raise UnsupportedMedia(f"A request of type {content_type} is not understood here. {HOW}")


async def _from_form(request: Request) -> list[Upload]:
    form = await request.form(max_files=MAX_FILES)
    files = [item for name in ("files", "file") for item in form.getlist(name) if isinstance(item, UploadFile)]
    if not files:
        raise Unprocessable(f"There is no file in the field 'files'. {HOW}", code="no_files")
    given = _text_field(form, "metadata")
    metadata = _metadata(given) if given else {}
    collection = clean_line(_text_field(form, "collection"))[:MAX_COLLECTION_CHARS]
    uploads = []
    for item in files:
        given_name = item.filename or ""
        uploads.append(
            Upload(
                SourceKind.UPLOAD,
                clean_path(given_name),
                clean_name(given_name),
                item.file,
                metadata=metadata,
                collection=collection,
            )
        )
    return uploads


def _text_field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    if isinstance(value, UploadFile):
        raise Unprocessable(f"The field '{name}' is a text and not a file: curl -F '{name}=...' without @.")
    return value


def _metadata(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unprocessable('metadata is not JSON. Give an object such as {"course": "TP555"}.') from error
    if not isinstance(value, dict):
        raise Unprocessable('metadata must be a JSON object such as {"course": "TP555"}.')
    try:
        return usable_metadata(value)
    except ValueError as error:
        raise Unprocessable(f"metadata cannot be taken: {error}.") from error


def _from_json(body: bytes) -> list[Upload] | NewUrl:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unprocessable(f"The body is not JSON, or it is nested too deeply. {HOW}", code="invalid_json") from error
    try:
        if isinstance(value, dict) and "url" in value:
            return NewUrl.model_validate(value)
        text = NewText.model_validate(value)
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]) from error
    if not text.text.strip():
        raise Unprocessable("The text is empty: there is nothing to find in it.", code="empty_document")
    title = clean_line(text.title)
    # Lone surrogates are legal in JSON and cannot be encoded.
    stream = BytesIO(text.text.encode("utf-8", errors="replace"))
    return [
        Upload(
            SourceKind.TEXT,
            title,
            clean_name(title),
            stream,
            title=title,
            metadata=text.metadata,
            collection=clean_line(text.collection),
        )
    ]
