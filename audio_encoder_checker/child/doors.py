"""Open the doors: sockets in the box's empty network on which the checker answers from outside.

A socket belongs to the network in which it was made, whoever holds it. They are made here, before anything foreign
runs, handed over, and forgotten; the one right that it takes, to listen on low ports, is then given up for good.
"""

from __future__ import annotations

import ctypes
import os
import socket

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - of a network that holds nothing but this box
DNS_PORT = 53
LISTENING = ((LOOPBACK, 3128), (LOOPBACK, 8080), (EVERYWHERE, 443), (EVERYWHERE, 80))
"""HTTP proxy, stand-in of the Hugging Face Hub, and where direct connections of programs that know no proxy arrive."""
BACKLOG = 256
CAPABILITY_VERSION_3 = 0x20080522


def open_doors(channel: socket.socket) -> None:
    """Make the sockets, send them to the parent in the order name server, `LISTENING`; keep none, and no rights.

    Raises:
        OSError: the kernel refuses.
    """
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((LOOPBACK, DNS_PORT))
    doors = [names, *(socket.create_server(address, backlog=BACKLOG) for address in LISTENING)]
    socket.send_fds(channel, [b"d"], [door.fileno() for door in doors])
    for door in doors:
        door.close()
    _give_up_rights()


def _give_up_rights() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    if libc.capset(header, none) < 0:
        raise OSError(ctypes.get_errno(), f"rights could not be given up: {os.strerror(ctypes.get_errno())}")
