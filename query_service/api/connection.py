"""Work for a client that may hang up before it is done."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

from fastapi import Request

from shared.errors import XgtwinError

T = TypeVar("T")


class ClientGone(XgtwinError):
    """Nobody reads this answer; the status is for the access log and the metrics, where nginx uses it too."""

    status: ClassVar[int] = 499
    title = "Client closed request"
    code = "client_gone"


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client hangs up; then raises `ClientGone`.

    A server that is only going to answer once never looks at its socket in between by itself. The body must have been
    read already.
    """
    working = asyncio.create_task(work)
    hung_up = asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait({working, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone("The client closed the connection before its answer was ready.")
        return working.result()
    finally:
        working.cancel()
        hung_up.cancel()
        await asyncio.gather(working, hung_up, return_exceptions=True)


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
