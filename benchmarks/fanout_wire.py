"""What the load of `twin_fanout` says on the wire: MQTT 3.1.1 and WebSocket frames, put together by hand."""

import socket
from collections.abc import Iterable

LAMPS = 64
"""States go round these lamps, so that two states under way are hardly ever of one lamp."""


def state(seq: int) -> bytes:
    """An MQTT PUBLISH, QoS 0, of a lamp's state; about 190 bytes."""
    topic = f"twin/v1/fan_{seq % LAMPS:02}/state".encode()
    payload = (
        f'{{"on":true,"bri":{seq % 100 / 100},"mode":"rgb","r":{seq % 256},"g":180,"b":120,"ct":0,"effect":"",'
        f'"name":"Desk lamp ^^{seq:09}","caps":["on","bri","rgb","ct"],"note":"as long as real states"}}'
    ).encode()
    return _packet(0x30, len(topic).to_bytes(2, "big") + topic + payload)


def _packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, digit = divmod(size, 128)
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes((kind,)) + bytes(length) + body


def mqtt_connect(name: str) -> bytes:
    body = b"\0\4MQTT\4\2\0\0" + len(name).to_bytes(2, "big") + name.encode()  # 3.1.1, clean, no keepalive
    return _packet(0x10, body)


def frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload  # a mask of zeros changes nothing


def connected(kind: str, port: int, names: Iterable[int], receive_bytes: int) -> list[socket.socket]:
    """Clients of either side that have all they ask for; not blocking."""
    protocol, path = ("mqtt", "/") if kind == "mqtt" else ("twin.v1.json", "/ws/v1")
    sockets = []
    for _ in names:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.connect(("127.0.0.1", port))
        sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n".encode()
        )
        sockets.append(sock)
    for name, sock in zip(names, sockets, strict=True):
        _until(sock, b"\r\n\r\n")
        if kind == "mqtt":
            sock.sendall(frame(2, mqtt_connect(f"client-{name}")))
    for sock in sockets:
        if kind == "mqtt":
            _until(sock, b"\x20\x02")  # CONNACK
            sock.sendall(frame(2, _packet(0x82, b"\0\1\0\x0ftwin/v1/+/state\0")))
        else:
            sock.sendall(frame(1, b'{"t":"auth","v":1}'))
    for sock in sockets:
        _until(sock, b"\x90\x03" if kind == "mqtt" else b'"removed":[]}')  # SUBACK, or a part of the snapshot
        sock.setblocking(False)
    return sockets


def _until(sock: socket.socket, end: bytes) -> None:
    sock.settimeout(60)
    data = b""
    while end not in data:
        chunk = sock.recv(65536)
        assert chunk, f"the server closed before it said {end!r}: {data[:200]!r}"
        data = (data + chunk)[-100_000:]
