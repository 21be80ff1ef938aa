"""Read JSON files and write their cases to one, without looking at them: ``json_copy.py OUT FILE ...``."""

import json
import sys

if __name__ == "__main__":
    with open(sys.argv[1], "w") as out:
        for name in sys.argv[2:]:
            with open(name, "rb") as file:
                for case in json.loads(file.read())["cases"]:
                    out.write(json.dumps(case, sort_keys=True) + "\n")
