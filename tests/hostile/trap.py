"""An address on this machine that hostile files name. Nobody may call it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Trap:
    """Listens, and counts who calls."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.calls = 0
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def _count(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:  # closed: the test is over
                return
            self.calls += 1
            caller.close()


@contextmanager
def trap() -> Iterator[Trap]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Trap(listening)
        listening.shutdown(socket.SHUT_RDWR)
