"""Errors on the wire: RFC 9457 problem documents, for every error and on every route."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.errors import XgtwinError
from shared.observability.logs import get_logger, log_ids

log = get_logger(__name__)

PROBLEM_JSON = "application/problem+json"
NOT_JSON = "The body is not JSON in UTF-8"
MAX_ERRORS = 20
"""Of one request; the answer must not be larger than what was sent wrong."""
_TITLES = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 422: "Request not understood"}
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 422: "invalid_request"}


def problem(
    status: int,
    *,
    title: str,
    detail: str,
    code: str,
    instance: str,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    extensions: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem document: `{type,title,status,detail,instance,code,request_id,errors}` and its extensions."""
    body: dict[str, Any] = {
        **(extensions or {}),
        "type": f"urn:xgtwin:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": log_ids().get("request_id", ""),
        "errors": errors or [],
    }
    return JSONResponse(body, status_code=status, media_type=PROBLEM_JSON, headers=headers)


def add_problem_handlers(app: FastAPI) -> None:
    """Render our errors, FastAPI's validation errors and HTTP errors of the framework.

    What nobody foresaw is rendered by `request_context.py`, the only place that still knows the request id then.
    """

    async def ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, XgtwinError)
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if error.status >= 500:
            log.warning("request_failed", code=error.code, detail=error.detail)
        return problem(
            error.status,
            title=error.title,
            detail=error.detail,
            code=error.code,
            instance=request.url.path,
            headers=headers,
            extensions=error.extensions,
        )

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        found = error.errors()
        errors = [
            {"field": ".".join(_shown(part) for part in e["loc"]), "message": _shown(e["msg"]), "type": e["type"]}
            for e in found[:MAX_ERRORS]
        ]
        detail = _what_is_wrong(errors[0], request.headers.get("content-type", ""))
        if len(found) > MAX_ERRORS:
            detail += f" {len(found)} fields are wrong; errors names the first {MAX_ERRORS}."
        return problem(
            422,
            title=_TITLES[422],
            detail=detail,
            code=_CODES[422],
            instance=request.url.path,
            errors=errors,
        )

    async def framework(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        detail = str(error.detail)
        if error.status_code == 400 and error.__cause__ is not None:  # FastAPI could not parse the body
            detail = f"{NOT_JSON}, or it is nested too deeply. The shapes this service takes are shown at /docs."
        elif error.status_code == 404:
            detail = f"Nothing is served at {request.url.path}. The routes of this service are listed at /docs."
        elif error.status_code == 405:
            detail = f"{request.method} is not a method of {request.url.path}. Its methods are listed at /docs."
        return problem(
            error.status_code,
            title=_TITLES.get(error.status_code, detail),
            detail=detail,
            code=_CODES.get(error.status_code, "http_error"),
            instance=request.url.path,
            headers=dict(error.headers or {}),
        )

    app.add_exception_handler(XgtwinError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, framework)


def _shown(part: object) -> str:
    """JSON can name half a character, and an answer cannot hold one."""
    return str(part).encode("utf-8", "replace").decode()


def _what_is_wrong(first: dict[str, str], content_type: str) -> str:
    shapes = "The shapes this service takes are shown at /docs."
    if first["type"] == "json_invalid":
        return f"{NOT_JSON} (see character {first['field'].removeprefix('body.')}). {shapes}"
    if first["field"] == "body" and first["type"] != "missing" and "json" not in content_type:
        # FastAPI took the body for a text then, and its own message speaks of dictionaries.
        return f"The body is read as JSON only with the header 'Content-Type: application/json'. {shapes}"
    return f"{first['field']}: {first['message']}. {shapes}"


def unexpected_problem(path: str) -> JSONResponse:
    """The answer to an error that nobody foresaw: says where to look, and nothing of the inside."""
    return problem(
        500,
        title=XgtwinError.title,
        detail="Something failed here that we did not foresee. The log has it under this request_id.",
        code=XgtwinError.code,
        instance=path,
    )
