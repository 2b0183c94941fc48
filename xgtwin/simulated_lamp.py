"""The lamp of the demo: one native lamp on a broker of this machine."""

from types import TracebackType

from xgtwin.simulated.native import NativeLamp


class SimulatedLamp:
    """Plays one lamp between `with` and its end. Raises `Unavailable` when the broker does not answer."""

    def __init__(self, device_id: str, *, port: int, host: str = "127.0.0.1", name: str = "Simulated lamp") -> None:
        self._lamp = NativeLamp(f"mqtt://{host}:{port}", device_id, name)

    def __enter__(self) -> "SimulatedLamp":
        self._lamp.wire.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lamp.wire.__exit__(kind, error, trace)
