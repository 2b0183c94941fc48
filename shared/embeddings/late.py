"""An embedding model that comes while the services run: tried again and again in a thread, until it embeds."""

import threading
from collections.abc import Callable

from shared.embeddings.model import ModelState, ModelStatus
from shared.embeddings.protocol import Embedder
from shared.observability.logs import get_logger
from shared.observability.metrics import MODEL_TROUBLE

log = get_logger(__name__)

LOOK_AGAIN_S = 3.0
"""Between two attempts; one that would ask somebody far away paces itself."""
LONGEST_PAUSE_S = 300.0
"""Between two attempts that fail for a reason that nobody foresaw: doubled each time."""
CLOSE_S = 1.0


class NotYet(Exception):
    """The model is not there; `state` and `words` say why and what becomes of it."""

    def __init__(self, state: ModelState, words: str) -> None:
        super().__init__(words)
        self.state = state
        self.words = words


Say = Callable[[ModelState, str], None]
Attempt = Callable[[Say], Embedder]
"""The embedder if it can be had now; raises `NotYet`. It may say meanwhile what it is doing."""


class LateModel:
    """The `EmbeddingModel` that one of many attempts brings. Each new reason for waiting is logged once."""

    def __init__(self, name: str, attempt: Attempt) -> None:
        self.name: str | None = name
        self._attempt = attempt
        self._embedder: Embedder | None = None
        self._status = ModelStatus(name, ModelState.ABSENT, "not looked for yet")
        self._logged: ModelState | None = None
        self._pause = LOOK_AGAIN_S
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="embedding-model", daemon=True)

    def start(self, *, at_once: bool) -> None:
        """Begin trying. With `at_once` the first attempt is over when this returns."""
        if not (at_once and self._tried()):
            self._thread.start()

    def current(self) -> Embedder | None:
        return self._embedder

    def status(self) -> ModelStatus:
        return self._status

    def close(self) -> None:
        """A fetch in hand is left where it is: the next start goes on with it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not self._stop.is_set() and not self._tried():
            self._stop.wait(self._pause)

    def _tried(self) -> bool:
        try:
            embedder = self._attempt(self._say)
        except NotYet as reason:
            if reason.state != self._logged:
                self._logged = reason.state
                log.warning("embedding_model_not_there", model=self.name, state=reason.state.value, reason=reason.words)
            self._say(reason.state, reason.words)
            self._pause = LOOK_AGAIN_S
            return False
        except Exception:  # the services answer by words meanwhile, and the next attempt may do better
            MODEL_TROUBLE.inc()
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
            log.exception("embedding_model_attempt_failed", model=self.name, again_in_s=self._pause)
            self._say(ModelState.WAITING, f"Something unforeseen went wrong (in the log). Again in {self._pause:g} s.")
            return False
        self._embedder = embedder
        self._say(ModelState.READY, f"{embedder.name}, {embedder.dimension} dimensions")
        log.info("embedding_model_ready", model=embedder.name, dimension=embedder.dimension)
        return True

    def _say(self, state: ModelState, words: str) -> None:
        self._status = ModelStatus(self.name, state, words)
