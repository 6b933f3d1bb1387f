"""The child's first steps, before anything foreign or large is imported. Runs in the box.

Started as `python -I -B -c ...` with one argument, the number of an inherited socket. The first frame that
comes says whether the doors to an observed network are to be opened, and holds a system-call filter (or nothing,
where the box has none): it is installed now, so that every thread inherits it, and the kernel's end of it is handed
over; `seal` is a second one, for after that. Then `host` takes over, or `probe` where the checker tests the box itself.
"""

from __future__ import annotations

import gc
import socket
import sys

from . import doors, guard, wire

PROGRAM_BYTES = 1 << 16


def main() -> None:
    """Install the filter, then answer until told to go."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)  # no program started by the encoder gets it
    question, program = wire.receive(channel, PROGRAM_BYTES)
    if question["doors"]:
        doors.open_doors(channel)
    if program:
        guard.hand_over(channel, guard.install(bytes(program)))
        if question["seal"]:
            guard.seal(bytes.fromhex(question["seal"]))
    if question["ask"] == "probe":
        from . import probe

        probe.serve(channel)
    gc.disable()  # nothing that is imported is garbage: an eighth of the time that torch takes
    from . import host

    gc.enable()
    host.serve(channel)


if __name__ == "__main__":
    main()
