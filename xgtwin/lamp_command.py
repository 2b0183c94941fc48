"""`xgtwin lamp`: switch and watch lamps as any WebSocket client does."""

import asyncio
from datetime import datetime

from rich.console import Console

from shared.errors import BadRequest, XgtwinError
from shared.settings import Settings
from xgtwin.lamp_client import LampChange, command, watch

ANSWERED = frozenset({"applied"})


def switch(settings: Settings, device: str, *, on: bool, bri: float | None = None, rgb: str = "") -> None:
    """Command a lamp and print the acknowledgement; raises when the lamp did not report the new state in time."""
    colour = _colour(rgb) if rgb else None
    ack = asyncio.run(command(settings.twin, device, on=on, bri=bri, rgb=colour))
    if ack.stage not in ANSWERED:
        raise XgtwinError(f"{ack.id}: {ack.stage}. {ack.error}")
    print(f"{ack.id}: {'on' if on else 'off'}, reported by the lamp after {ack.ms} ms")


def watch_lamps(settings: Settings) -> None:
    """Print one line a change until Ctrl+C."""
    console = Console(highlight=False)

    async def follow() -> None:
        async for change in watch(settings.twin):
            console.print(_line(change))

    try:
        asyncio.run(follow())
    except KeyboardInterrupt:
        console.print()
