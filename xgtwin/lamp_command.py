"""`xgtwin lamp`: switch and watch lamps as any WebSocket client does."""

import asyncio
import re

from rich.console import Console

from shared.errors import BadRequest, XgtwinError
from shared.settings import Settings
from twin_bridge.protocol import Stage
from xgtwin.lamp_client import LampChange, command, watch


def switch(settings: Settings, device: str, *, on: bool, bri: float | None = None, rgb: str = "") -> None:
    """Command a lamp and print the acknowledgement; raises when the lamp did not report the new state in time."""
    colour = _colour(rgb) if rgb else None
    ack = asyncio.run(command(settings.twin, device, on=on, bri=bri, rgb=colour))
    if ack.stage is not Stage.APPLIED:
        raise XgtwinError(f"{ack.id}: {ack.stage}. {ack.error}".strip())
    print(f"{ack.id}: {'on' if on else 'off'}, reported by the lamp after {ack.ms} ms")


def watch_lamps(settings: Settings) -> None:
    """Print one line a change until Ctrl+C."""
    console = Console(highlight=False, markup=False)  # lamps choose their own names

    async def follow() -> None:
        async for change in watch(settings.twin):
            console.print(_line(change), soft_wrap=True)

    try:
        asyncio.run(follow())
    except KeyboardInterrupt:
        console.print()


def _line(change: LampChange) -> str:
    device = change.device
    if device is None:
        return f"{change.id}: taken out"
    if not device.known:
        return f"{device.id}: not heard of yet"
    state = device.state
    words = ["on" if state.on else "off"]
    if "bri" in device.caps:
        words.append(f"brightness {state.bri:.0%}")
    if state.mode == "rgb":
        words.append(f"colour {state.r:02x}{state.g:02x}{state.b:02x}")
    elif state.mode == "ct":
        words.append(f"{state.ct} K")
    words += [word for word, holds in (("OFFLINE", not device.online), ("stale", device.stale)) if holds]
    return f"{device.id} ({device.name}): {', '.join(words)}"


def _colour(text: str) -> tuple[int, int, int]:
    if not re.fullmatch(r"[0-9a-fA-F]{6}", text):
        raise BadRequest(f"--rgb takes six hex digits such as ff8800, not {text!r}.")
    red, green, blue = bytes.fromhex(text)
    return red, green, blue
