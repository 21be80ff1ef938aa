"""A device node kept open, and the calls that its driver answers."""

import fcntl
import os


class Device:
    """Opens the node for reading. Raises OSError as the kernel gave it, here and in ``ioctl``."""

    def __init__(self, path: str) -> None:
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def ioctl(self, request: int, message: bytearray) -> None:
        """Let the driver replace ``message``.

        Python lets other threads run meanwhile for messages of up to 1024 bytes only (fcntlmodule.c).
        """
        fcntl.ioctl(self._handle, request, message, True)

    def close(self) -> None:
        """Give the node back."""
        os.close(self._handle)
