"""Parse every line of the JSON Lines files named on standard input and keep nothing of them."""

import json
import sys

if __name__ == "__main__":
    for name in sys.stdin.read().splitlines():
        with open(name, "rb") as file:
            for line in file:
                json.loads(line)
