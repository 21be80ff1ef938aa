"""Telemetry on a board whose firmware answers at once: ``firmware_telemetry.py PARENT ANSWERS WORDS...``.

ANSWERS holds lines of a question's and its answer's message, in hexadecimal; WORDS are the program's own.
"""

import sys

sys.path.insert(0, sys.argv[1])

from telemetry import program
from telemetry.machine import Machine

with open(sys.argv[2]) as file:
    ANSWERS = {bytes.fromhex(asked): bytes.fromhex(said) for asked, said in map(str.split, file)}


class Node:
    """The driver's node."""

    def __init__(self, path):
        pass

    def ioctl(self, request, message):
        """Put the answer in the question's place."""
        message[:] = ANSWERS[bytes(message)]

    def close(self):
        """Nothing to give back."""


if __name__ == "__main__":
    program.Machine = lambda root: Machine(root, device=Node)
    sys.exit(program.main(sys.argv[3:], None))
