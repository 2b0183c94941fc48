"""Errors that mean something to a person.

    XgtwinError (500)
    ├── BadRequest 400        the request is understood and wrong
    ├── Unauthorized 401      no key, or not one of ours
    ├── Forbidden 403         the key is ours and may not do this
    ├── NotFound 404          no such document, job, conversation, device
    ├── Conflict 409          true in general, impossible in the present state
    ├── TooLarge 413          over a limit of size
    ├── UnsupportedMedia 415  a kind of file that nobody here can read
    ├── Unprocessable 422     well formed, but its content cannot be used
    ├── TooManyRequests 429   come back after `retry_after` seconds
    └── Unavailable 503       something we need does not answer; `retry_after` says when to try again

Inner code raises the meaning; only shared/web/problems.py turns it into HTTP (RFC 9457). `detail` is shown to the
caller as it stands: it says what is wrong and what to do, and never holds a secret, a stack or a path of ours.
"""

from collections.abc import Mapping
from typing import ClassVar


class XgtwinError(Exception):
    """Root of all errors that we raise on purpose."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    code: str = "internal_error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        retry_after: int | None = None,
        extensions: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.extensions = extensions or {}
        """Further members of the problem document."""
        if code is not None:
            self.code = code


class BadRequest(XgtwinError):
    status, title, code = 400, "Bad request", "bad_request"


class Unauthorized(XgtwinError):
    status, title, code = 401, "Authentication required", "unauthorized"


class Forbidden(XgtwinError):
    status, title, code = 403, "Not allowed", "forbidden"


class NotFound(XgtwinError):
    status, title, code = 404, "Not found", "not_found"


class Conflict(XgtwinError):
    status, title, code = 409, "Conflict", "conflict"


class TooLarge(XgtwinError):
    status, title, code = 413, "Too large", "too_large"


class UnsupportedMedia(XgtwinError):
    status, title, code = 415, "Unsupported kind of file", "unsupported_media"


class Unprocessable(XgtwinError):
    status, title, code = 422, "Content cannot be used", "unprocessable"


class TooManyRequests(XgtwinError):
    status, title, code = 429, "Too many requests", "too_many_requests"


class Unavailable(XgtwinError):
    status, title, code = 503, "Temporarily unavailable", "unavailable"
