"""A lamp that says one word, and announces itself to nobody: the lamps file has to name it."""

from xgtwin.simulated.wire import Wire

ANSWER_SECONDS = 0.02


class PlainLamp:
    def __init__(self, url: str, number: int = 1) -> None:
        self.base = f"plain/lamp{number}"
        self._number = number
        self._on = False
        self.wire = Wire(url, f"plain{number}", (f"{self.base}/alive", "offline"))
        self.wire.hear(f"{self.base}/set", self._on_command)
        self.wire.greet(self._greet)

    @property
    def entry(self) -> str:
        """What the lamps file has to say of it."""
        return (
            f"  - family: plain\n    id: plain_{self._number}\n    name: Lâmpada {self._number}\n"
            f"    state_topic: {self.base}/state\n    command_topic: {self.base}/set\n"
            f"    availability_topic: {self.base}/alive\n"
        )

    def press(self, *, on: bool) -> None:
        """Somebody uses the lamp itself."""
        self._on = on
        self._report()

    def _greet(self) -> None:
        self.wire.say(f"{self.base}/alive", "online", retain=True)
        self._report()

    def _on_command(self, _topic: str, payload: bytes) -> None:
        word = payload.decode()
        self._on = not self._on if word == "TOGGLE" else word == "ON"
        self.wire.later(ANSWER_SECONDS, self._report)

    def _report(self) -> None:
        self.wire.say(f"{self.base}/state", "ON" if self._on else "OFF", retain=True)
