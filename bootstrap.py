"""Makes the project's virtual environment from a lock file, every hash checked; `make setup` calls it.

    python3 bootstrap.py VENV LOCK [LARGER_LOCK...]

Installs LOCK unless the environment was already made from it, or from one of the LARGER_LOCKs that
include it. Needs only a Python >= 3.10: where the distribution ships it without ensurepip (Debian
without python3-venv), pip comes from the package index, its hash checked. The file itself stays
readable for older Pythons so that they get a clear refusal instead of a syntax error.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

PIP_WHEEL = "pip-25.3-py3-none-any.whl"
PIP_SHA256 = "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd"
ROOT = os.path.dirname(os.path.abspath(__file__))
PROGRAM = """#!{python}
import sys

from orchestrator.cli import main

sys.exit(main())
"""


def main(arguments):
    """Returns the exit status: 0 ready, 1 with one line on stderr saying what to do."""
    if sys.version_info < (3, 10):
        found = "%d.%d" % sys.version_info[:2]
        return refuse("Python >= 3.10 is needed, this is %s; try: make PYTHON=python3.12 ..." % found)
    venv, locks = os.path.abspath(arguments[0]), arguments[1:]
    with open(venv + ".lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two verbs at once: the second waits, then finds it ready
        stamps = [stamp_of(lock) for lock in locks]
        if read_stamp(venv) in stamps:
            return 0
        return make(venv, locks[0], stamps[0])


def stamp_of(lock):
    """What an environment made from this lock, by this Python, for this checkout is marked with."""
    with open(os.path.join(ROOT, lock), "rb") as file:
        content = hashlib.sha256(file.read()).hexdigest()
    return "%s %d.%d %s" % (content, sys.version_info[0], sys.version_info[1], ROOT)


def read_stamp(venv):
    """The mark of a finished environment, or None."""
    try:
        with open(os.path.join(venv, "made-from")) as file:
            return file.read()
    except OSError:
        return None


def make(venv, lock, stamp):
    """Creates or updates the environment; the stamp is written last, so an interrupted one is redone."""
    print("setting up %s from %s ..." % (os.path.basename(venv), lock), file=sys.stderr)
    python = os.path.join(venv, "bin", "python")
    mark = os.path.join(venv, "made-from")
    old = read_stamp(venv)
    if old is not None and old.split(" ", 1)[1] == stamp.split(" ", 1)[1]:
        os.remove(mark)
        status = 0
    else:
        shutil.rmtree(venv, ignore_errors=True)
        status = create(venv, python)
    if status == 0:
        status = pip(python, "install", "--require-hashes", "-r", os.path.join(ROOT, lock))
        if status:
            return refuse("pip could not install %s into %s; its reason is above" % (lock, venv))
    if status == 0:
        link(venv, python)
        with open(mark + ".new", "w") as file:
            file.write(stamp)
        os.rename(mark + ".new", mark)
    return status


def create(venv, python):
    """An environment with pip."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return subprocess.call([sys.executable, "-m", "venv", venv])
    if not importlib.util.find_spec("venv"):
        return refuse("this Python has no venv module; fix: apt-get install python3-venv")
    status = subprocess.call([sys.executable, "-m", "venv", "--without-pip", venv])
    if status:
        return refuse("python3 -m venv failed; fix: apt-get install python3-venv")
    with tempfile.TemporaryDirectory() as folder:
        try:
            wheel = fetch_pip(folder)
        except (OSError, ValueError) as error:
            return refuse("no pip here and none to be had (%s); fix: apt-get install python3-venv" % error)
        # A wheel of pip is a zip that Python runs in place.
        return subprocess.call([python, os.path.join(wheel, "pip"), "-qq", "install", "--no-index", wheel])


def fetch_pip(folder):
    """The path of a verified pip wheel from the index that PIP_INDEX_URL names, else PyPI."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    with urllib.request.urlopen(index, timeout=60) as page:
        found = re.search(r'href="([^"]*/%s)[#"]' % re.escape(PIP_WHEEL), page.read().decode())
    if found is None:
        raise ValueError("%s is not at %s" % (PIP_WHEEL, index))
    with urllib.request.urlopen(urllib.parse.urljoin(index, found.group(1)), timeout=60) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != PIP_SHA256:
        raise ValueError("%s from %s has another SHA-256 than the pinned one" % (PIP_WHEEL, index))
    path = os.path.join(folder, PIP_WHEEL)
    with open(path, "wb") as file:
        file.write(content)
    return path


def pip(python, *arguments):
    """Runs the environment's pip, silent unless it fails."""
    command = [python, "-m", "pip", "-qq", "--disable-pip-version-check", *arguments]
    return subprocess.call(command, stdin=subprocess.DEVNULL)


def link(venv, python):
    """Makes this checkout importable and `bin/inferometer` start it; no build step, no network."""
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    with open(os.path.join(site, "inferometer.pth"), "w") as file:
        file.write(ROOT + "\n")
    program = os.path.join(venv, "bin", "inferometer")
    with open(program, "w") as file:
        file.write(PROGRAM.format(python=python))
    os.chmod(program, 0o755)


def refuse(line):
    """One line on stderr."""
    print("inferometer: " + line, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
