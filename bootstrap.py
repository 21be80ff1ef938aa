"""Makes the project's virtual environment from a lock file, every hash checked; `make setup` calls it.

    python3 bootstrap.py [--bundle FILE] VENV LOCK [LARGER_LOCK...]

Installs LOCK unless the environment was already made from it, or from one of the LARGER_LOCKs that
include it. Needs only a Python >= 3.10: where the distribution ships it without ensurepip (Debian
without python3-venv), pip comes from the package index, its hash checked. With --bundle every wheel comes
from that file (`make bundle` writes it), pip's too, and the network is not asked, unless the file is for
another kind of machine, which is to be emulated here. This program stays readable for older Pythons so
that they get a clear refusal instead of a syntax error.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request

PIP_WHEEL = "pip-25.3-py3-none-any.whl"
PIP_SHA256 = "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd"
# Docker's name of a platform -> the kernel's name of the machine.
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
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
    if sys.maxsize < 2**32:  # the kernel may well be a 64-bit one, as on Raspberry Pi OS (32-bit)
        words = (
            "a 64-bit system is needed: this Python is 32-bit (kernel: %s); install the system's 64-bit image"
        )
        return refuse(words % os.uname().machine)
    bundle = None
    if arguments[0] == "--bundle":
        bundle, arguments = arguments[1], arguments[2:]
    venv, locks = os.path.abspath(arguments[0]), arguments[1:]
    with open(venv + ".lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two verbs at once: the second waits, then finds it ready
        stamps = [stamp_of(lock) for lock in locks]
        if read_stamp(venv) in stamps:
            return 0
        if bundle is None:
            return make(venv, locks[0], stamps[0], None)
        with tempfile.TemporaryDirectory() as folder:
            try:
                wheels = folder if take_wheels(bundle, locks[0], folder) else None
            except (OSError, ValueError, KeyError, TypeError, tarfile.TarError) as error:
                fix = "copy the file again, or make one for this suite and machine"
                return refuse("%s: %s; %s" % (bundle, error, fix))
            return make(venv, locks[0], stamps[0], wheels)


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


def make(venv, lock, stamp, wheels):
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
        status = create(venv, python, wheels)
    if status == 0:
        offline = ["--isolated", "--no-index", "--find-links", wheels] if wheels else []
        status = pip(python, "install", *offline, "--require-hashes", "-r", os.path.join(ROOT, lock))
        if status:
            return refuse("pip could not install %s into %s; its reason is above" % (lock, venv))
    if status == 0:
        link(venv, python)
        with open(mark + ".new", "w") as file:
            file.write(stamp)
        os.rename(mark + ".new", mark)
    return status


def create(venv, python, wheels):
    """An environment with pip; ``wheels``: the folder to take it from, None for the package index."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return subprocess.call([sys.executable, "-m", "venv", venv])
    if not importlib.util.find_spec("venv"):
        return refuse("this Python has no venv module; fix: apt-get install python3-venv")
    status = subprocess.call([sys.executable, "-m", "venv", "--without-pip", venv])
    if status:
        return refuse("python3 -m venv failed; fix: apt-get install python3-venv")
    with tempfile.TemporaryDirectory() as folder:
        try:
            wheel = bundled_pip(wheels) if wheels else fetch_pip(folder)
        except (OSError, ValueError) as error:
            return refuse("no pip here and none to be had (%s); fix: apt-get install python3-venv" % error)
        # A wheel of pip is a zip that Python runs in place.
        return subprocess.call([python, os.path.join(wheel, "pip"), "-qq", "install", "--no-index", wheel])


def take_wheels(bundle, lock, folder):
    """Unpacks this Python's wheels of a bundle, checked; whether it has any for this machine.

    One for another machine is emulated here, and says so on stderr. Raises ValueError saying what is wrong,
    OSError.
    """
    python = "%d.%d" % sys.version_info[:2]
    with tarfile.open(bundle, "r:") as archive:
        first = archive.next()
        if first is None or first.name != "manifest.json" or not first.isreg():
            raise ValueError("it is no bundle")
        manifest = json.loads(archive.extractfile(first).read().decode())
        with open(os.path.join(ROOT, lock), "rb") as file:
            if manifest["lock_sha256"] != hashlib.sha256(file.read()).hexdigest():
                raise ValueError("it was made for another %s" % lock)
        machine = os.uname().machine
        if MACHINES.get(manifest["platform"]) != machine:
            words = "%s is for %s, this machine is %s: libraries come from the package index instead"
            print("inferometer: " + words % (bundle, manifest["platform"], machine), file=sys.stderr)
            return False
        if python not in manifest["wheels"]:
            known = ", ".join(sorted(manifest["wheels"], key=len))
            raise ValueError(
                "it has wheels for Python %s, this is %s (try make PYTHON=...)" % (known, python)
            )
        wanted = {"wheels/" + os.path.basename(name) for name in manifest["wheels"][python]}
        hashes = {member["path"]: member["sha256"] for member in manifest["members"]}
        for member in archive:
            if member.name not in wanted or not member.isreg():
                continue
            content = archive.extractfile(member).read()
            if hashlib.sha256(content).hexdigest() != hashes[member.name]:
                raise ValueError("%s was changed" % member.name)
            with open(os.path.join(folder, os.path.basename(member.name)), "wb") as file:
                file.write(content)
            wanted.remove(member.name)
            if not wanted:
                return True
    raise ValueError("%s is missing" % min(wanted))


def bundled_pip(wheels):
    """The path of pip's wheel; its hash was checked with the bundle's others. Raises ValueError."""
    for name in os.listdir(wheels):
        if name.startswith("pip-"):
            return os.path.join(wheels, name)
    raise ValueError("the bundle has no wheel of pip")


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
