"""Which machines may be asked: only those that anybody on the internet could ask, and those that the operator names."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ingest_service.web.errors import AddressRefused
from shared.errors import Unprocessable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host; raises `OSError` when there are none."""

PORTS = frozenset({80, 443, 8080, 8443})
_NAT64 = ip_network("64:ff9b::/96")
# Not for everybody, though the library of this Python calls some of them global.
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; a cloud keeps its metadata here
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # a cloud's host, seen from its guests
        "2001::/23",  # Teredo and others: they carry an IPv4 address of somebody's choice
        "2002::/16",  # 6to4, the same
        "64:ff9b:1::/48",  # NAT64 inside a network
        "fec0::/10",  # site-local
    )
)


class AddressGuard:
    """Decides by the addresses that a name leads to, each time anew, and says which to connect to."""

    def __init__(self, allowed_hosts: Sequence[str], resolve: Resolver | None = None) -> None:
        self._resolve = resolve or system_resolver
        self._networks: list[Network] = []
        self._names: set[str] = set()
        for entry in allowed_hosts:
            self._allow(entry.strip().lower())

    async def addresses(self, host: str, port: int) -> Sequence[Address]:
        """The addresses to connect to. Raises `AddressRefused` when the host is unknown, or one of its addresses is
        not public (a name that leads to both kinds is an attack), or the port is none of the web's."""
        try:
            found = [ip_address(text) for text in await self._resolve(host, port)]
        except (OSError, ValueError):  # UnicodeError, for a label that is too long, is a ValueError
            found = []
        if not found or not all(self._may_be_asked(host, address, port) for address in found):
            raise AddressRefused(
                f"{host}:{port} is not fetched: its name is not known, it is not public, or its port is none of "
                f"{', '.join(map(str, sorted(PORTS)))}. Check the spelling; an operator may allow a host of the own "
                "network (INGEST__URL_ALLOWED_HOSTS)."
            )
        return found

    def _may_be_asked(self, host: str, address: Address, port: int) -> bool:
        plain = _plain(address)
        if host in self._names or any(plain in network for network in self._networks):
            return True
        return port in PORTS and is_public(plain)

    def _allow(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry))
        except ValueError as error:
            if not entry or set(entry) & set("/:@*"):
                raise Unprocessable(
                    f"INGEST__URL_ALLOWED_HOSTS takes host names, addresses and networks such as 10.1.0.0/16; "
                    f"'{entry}' is none."
                ) from error
            self._names.add(entry.removesuffix("."))


def is_public(address: Address) -> bool:
    """Whether anybody on the internet reaches the same machine under this address."""
    address = _plain(address)
    if address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return address.is_global and not any(address in network for network in _SPECIAL)


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the operating system answers."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _plain(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that stands for it."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(address.packed[-4:])
    return address
