"""`xgtwin lamp`: every command about lamps, one line each."""

from typing import Annotated, Literal

import typer

from shared.settings import Settings

lamp_app = typer.Typer(help="See and switch lamps through the twin bridge.", no_args_is_help=True)


@lamp_app.command("on")
def lamp_on(
    device: Annotated[str, typer.Argument(help="Device id; empty means the only lamp there is.")] = "",
    bri: Annotated[float | None, typer.Option(min=0, max=1, help="Brightness, 0 to 1.")] = None,
    rgb: Annotated[str, typer.Option(help="Colour as RRGGBB, such as ff8800.")] = "",
) -> None:
    """Switch a lamp on and wait until it reports so."""
    from xgtwin.lamp_command import switch

    switch(Settings(), device, on=True, bri=bri, rgb=rgb)


@lamp_app.command("off")
def lamp_off(
    device: Annotated[str, typer.Argument(help="Device id; empty means the only lamp there is.")] = "",
) -> None:
    """Switch a lamp off and wait until it reports so."""
    from xgtwin.lamp_command import switch

    switch(Settings(), device, on=False)


@lamp_app.command("watch")
def lamp_watch() -> None:
    """Print every change of every lamp until Ctrl+C."""
    from xgtwin.lamp_command import watch_lamps

    watch_lamps(Settings())


@lamp_app.command("simulate")
def lamp_simulate(
    kind: Annotated[
        Literal["native", "z2m", "ha", "esphome", "tasmota", "shelly", "plain"], typer.Option(help="Their make.")
    ] = "native",
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 1,
    mqtt_url: Annotated[str, typer.Option(help="Their broker; TWIN__MQTT_URL unless said otherwise.")] = "",
) -> None:
    """Play lamps of a make on a broker until Ctrl+C: they announce themselves, obey, report, and leave a last will."""
    from xgtwin.simulate_command import simulate

    simulate(Settings(), kind, count, mqtt_url)
