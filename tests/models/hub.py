"""A stand-in for the model hub: the two addresses that a fetch uses, over real HTTP, with the troubles of a line."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "0" * 40
PIECE = 1 << 20


@dataclass
class Hub:
    """Serves `files` of a folder as one repository; the other fields say how badly."""

    repository: str
    folder: Path
    url: str = ""
    pause_s: float = 0.0
    """Before each MiB."""
    cut_after: int = 0
    """Bytes after which the next answer breaks off, once."""
    spoilt: str = ""
    """A file that is served with other bytes than promised."""
    unsigned: bool = False
    """Do not say what the files' checksums are."""
    ranges: list[str] = field(default_factory=list)
    """What was asked to be continued."""
    sent: int = 0


@contextmanager
def serving(repository: str, folder: Path) -> Iterator[Hub]:
    hub = Hub(repository, folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == f"/api/models/{hub.repository}":
                self._json({"id": hub.repository, "sha": REVISION, "siblings": _siblings(hub)})
                return
            prefix = f"/{hub.repository}/resolve/{REVISION}/"
            if path.startswith(prefix) and (hub.folder / path.removeprefix(prefix)).is_file():
                self._file(path.removeprefix(prefix))
                return
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _json(self, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _file(self, name: str) -> None:
            data = (hub.folder / name).read_bytes()
            if name == hub.spoilt:
                data = b"\0" * len(data)
            asked, start = self.headers.get("Range"), 0
            if asked:
                hub.ranges.append(f"{name} {asked}")
                start = int(asked.removeprefix("bytes=").partition("-")[0])
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            for at in range(start, len(data), PIECE):
                time.sleep(hub.pause_s)
                if hub.cut_after and at >= hub.cut_after:
                    hub.cut_after = 0
                    self.close_connection = True
                    return
                self.wfile.write(data[at : at + PIECE])
                hub.sent += len(data[at : at + PIECE])

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _siblings(hub: Hub) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for path in sorted(hub.folder.iterdir()):
        sibling: dict[str, object] = {"rfilename": path.name, "size": path.stat().st_size}
        if path.suffix == ".onnx" and not hub.unsigned:
            checksum = hashlib.sha256(path.read_bytes()).hexdigest()
            sibling["lfs"] = {"size": path.stat().st_size, "sha256": checksum, "pointerSize": 134}
        found.append(sibling)
    return found
