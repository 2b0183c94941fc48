"""Talking to the running services over HTTP, with their problem documents turned back into errors."""

from typing import Any

import httpx

from shared.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unprocessable,
    UnsupportedMedia,
    XgtwinError,
)
from shared.sections import Service

_KINDS: dict[int, type[XgtwinError]] = {
    kind.status: kind
    for kind in (
        *(BadRequest, Unauthorized, Forbidden, NotFound, Conflict, TooLarge, UnsupportedMedia, Unprocessable),
        *(TooManyRequests, Unavailable),
    )
}


class NotRunning(Unavailable):
    """Nobody listens where the service should."""


class ServiceClient:
    """A small HTTP client of one of our services. Use as a context manager."""

    def __init__(self, name: str, service: Service, *, key: str = "", timeout_s: float = 120) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # trust_env off: a proxy meant for the internet must not stand between us and this machine.
        self._http = httpx.Client(base_url=service.base_url, headers=headers, timeout=timeout_s, trust_env=False)
        self._name = name

    def __enter__(self) -> "ServiceClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """The response of a request that succeeded.

        Raises `NotRunning` when nobody listens, `Unavailable` when the connection breaks, and the error of the status
        (`NotFound` for 404) with the service's own words, code and `retry_after` otherwise.
        """
        try:
            response = self._http.request(method, path, **arguments)
        except httpx.ConnectError as error:
            raise NotRunning(
                f"The {self._name} service is not running at {self._http.base_url}. Start everything with: make up"
            ) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"The {self._name} service at {self._http.base_url} broke off: {error}") from error
        if response.is_error:
            raise _error(response)
        return response


def _error(response: httpx.Response) -> XgtwinError:
    kind = _KINDS.get(response.status_code, XgtwinError)
    pause = response.headers.get("Retry-After", "")
    retry_after = int(pause) if pause.isdigit() else None
    try:
        problem = response.json()
        return kind(str(problem["detail"]), code=str(problem["code"]), retry_after=retry_after)
    except (ValueError, KeyError, TypeError):
        words = f"{response.request.url} answered {response.status_code} {response.reason_phrase}"
        return kind(words, retry_after=retry_after)
