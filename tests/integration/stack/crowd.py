"""Many WebSocket clients of the bridge at once. Needs `websockets` alone, so that a container can run it too."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

FULL = 1013
HELLO = {"t": "auth", "v": 1, "client": "crowd"}


async def refused(url: str, token: str, clients: int) -> int:
    """How many were sent away for want of a place, while each says that it passes on another person's words."""
    turned_away = 0
    connections = []
    try:
        for number in range(clients):
            said = {"X-Forwarded-For": f"198.18.{number // 250}.{number % 250}"}
            ws = await connect(
                url, subprotocols=[Subprotocol("twin.v1.json")], additional_headers=said, proxy=None, ping_interval=None
            )
            connections.append(ws)
            try:
                await ws.send(json.dumps({**HELLO, "token": token}))
                while json.loads(await ws.recv())["t"] != "welcome":
                    pass
            except ConnectionClosed as closed:
                if closed.rcvd is None or closed.rcvd.code != FULL:
                    raise
                turned_away += 1
    finally:
        await asyncio.gather(*(ws.close() for ws in connections))
    return turned_away


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(refused(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
