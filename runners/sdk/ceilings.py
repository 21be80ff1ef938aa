"""What this container could do at most: float32 products and streams over memory, timed with numpy.

Imported by the SDK for the command ``probe`` alone. Python 3.6, standard library and numpy. What is sent is
raw: every repetition's ns beside the operations or bytes it takes; the host computes rates.
"""

import functools
import glob
import itertools
import os
import re
from concurrent.futures import ThreadPoolExecutor

import inferometer_sdk as sdk

# Read by OpenBLAS, OpenMP, MKL and BLIS when they are loaded.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
SIZES = (256, 512, 1024)  # of square matrices: the largest three take 12 MiB
LEAST = 3  # repetitions of a kernel, however slow
MOST = 4096
MEBI = 1 << 20
ARRAY_BYTES = 16 * MEBI, 512 * MEBI  # least and most of each of three arrays
# Of each array and thread in one repetition: short enough to fall between two interruptions, long enough for
# the start of threads to be a small part.
PIECE_BYTES = 8 * MEBI
CACHE_UNKNOWN_BYTES = 32 * MEBI
ITEM = 4  # bytes of a float32


def limit_threads(threads):
    """Called before numpy is imported; what is loaded then starts no more threads."""
    os.environ.update({name: str(threads) for name in THREADS})


def measure(threads, duration_ns, root="/", clock_ns=sdk.now_ns):
    """The fields of ``probe``; each of the two lasts about ``duration_ns``. Raises RunnerError."""
    try:
        import numpy
    except ImportError as error:
        message = "ceilings are measured with numpy, which is not there: %s" % error
        raise sdk.RunnerError("unsupported", message) from None
    reasons, notes = {}, []
    # Memory first: threads of a BLAS go on spinning for a while after a product.
    memory, reason = stream(numpy, threads, duration_ns, root, clock_ns, notes)
    if reason:
        reasons["memory"] = reason
    compute, reason = multiply(numpy, duration_ns, root, clock_ns)
    if reason:
        reasons["compute"] = reason
    method = "numpy %s, %s, float32" % (numpy.__version__, blas(root) or "unknown BLAS")
    fields = {"threads": threads, "method": method, "compute": compute, "memory": memory}
    return dict(fields, notes=notes, reasons=reasons)


def repeat(kernel, duration_ns, clock_ns):
    """ns of each call of ``kernel``, after one that is not counted: for the duration, at least LEAST."""
    kernel()
    values, end = [], clock_ns() + duration_ns
    while len(values) < MOST:
        start = clock_ns()
        kernel()
        now = clock_ns()
        values.append(now - start)
        if now >= end and len(values) >= LEAST:
            break
    return values


def series(kernel, count, values_ns):
    """One kernel's repetitions; ``count``: floating-point operations or bytes of each."""
    return {"kernel": kernel, "count": count, "values_ns": values_ns}


def blas(root="/"):
    """The file name of the BLAS that this process has loaded, or None. numpy's own begin with its package."""
    lines = (sdk.read_text(root, "proc/self/maps") or "").splitlines()
    names = {os.path.basename(line.split()[-1]) for line in lines if line.count("/")}
    known = [name for name in sorted(names) if re.match(r"lib\w*(openblas|blis|mkl_rt|atlas|blas)", name)]
    return known[0] if known else None


def multiply(numpy, duration_ns, root, clock_ns):
    """``(series, reason)`` of C = A B: 2 n^3 operations, a multiplication and an addition each."""
    library = blas(root) or ""
    if re.match(r"libblas\b", library):  # Debian's, written to be right and not to be fast
        return [], "numpy here uses the reference BLAS (%s), whose speed is no ceiling" % library
    found = []
    for size in SIZES:
        one, two, out = (numpy.full((size, size), 0.5, dtype=numpy.float32) for _ in range(3))

        product = functools.partial(numpy.dot, one, two, out=out)
        values_ns = repeat(product, duration_ns // len(SIZES), clock_ns)
        found.append(series("sgemm %d" % size, 2 * size**3, values_ns))
    return found, None


def stream(numpy, threads, duration_ns, root, clock_ns, notes):
    """``(series, reason)`` of copy, add and read over arrays beyond every cache, piece by piece.

    Bytes are those that the program names, as in STREAM (McCalpin 1995): what a store reads first, to own
    its line, is not counted.
    """
    cache = last_level_bytes(root)
    if cache is None:
        notes.append("the size of the last-level cache is unknown; %d bytes assumed" % CACHE_UNKNOWN_BYTES)
    least = 4 * (cache or CACHE_UNKNOWN_BYTES)  # of each array: STREAM's rule
    wanted = max(ARRAY_BYTES[0], min(ARRAY_BYTES[1], least))
    free = available_bytes(root)
    size = wanted if free is None else min(wanted, free // 12)  # three arrays: a quarter of what is free
    if 3 * size < 2 * (cache or CACHE_UNKNOWN_BYTES):
        return [], "%s bytes of free memory are too few for arrays beyond the last-level cache" % free
    if size < least:
        notes.append(
            "arrays of %d bytes are less than four times the last-level cache (%d)" % (size, least // 4)
        )
    part = size // ITEM // threads
    piece = min(part, PIECE_BYTES // ITEM)
    with ThreadPoolExecutor(threads) as pool:
        # Each thread writes its own part first, so that it lies in memory near to it.
        parts = list(pool.map(lambda _: fresh(numpy, part), range(threads)))
        kernels = (
            ("copy", 2, lambda own, at: numpy.copyto(own[0][at], own[1][at])),
            ("add", 3, lambda own, at: numpy.add(own[1][at], own[2][at], out=own[0][at])),
            ("read", 1, lambda own, at: own[1][at].max()),
        )

        def onwards(work, places):
            """The next piece of every thread's part; it comes again when all the others have been."""
            at = next(places)
            if threads == 1:
                work(parts[0], at)
            else:
                list(pool.map(work, parts, itertools.repeat(at)))

        found = []
        for name, arrays, work in kernels:
            starts = range(0, part - piece + 1, piece)
            places = itertools.cycle([slice(start, start + piece) for start in starts])
            kernel = functools.partial(onwards, work, places)
            values_ns = repeat(kernel, duration_ns // len(kernels), clock_ns)
            found.append(series(name, arrays * ITEM * piece * threads, values_ns))
    return found, None


def fresh(numpy, items):
    """Three arrays whose pages are there."""
    return [numpy.full(items, value, dtype=numpy.float32) for value in (0.0, 1.0, 2.0)]


def last_level_bytes(root="/"):
    """All last-level caches that this process's cores reach, or None."""
    found = {}
    for core in sorted(os.sched_getaffinity(0)):
        for folder in glob.glob(os.path.join(root, "sys/devices/system/cpu/cpu%d/cache/index*" % core)):
            level, size = sdk.read_text(folder, "level"), sdk.read_text(folder, "size")
            match = re.match(r"(\d+)([KMG]?)$", size or "")
            if level and match:
                scale = 1 << {"": 0, "K": 10, "M": 20, "G": 30}[match.group(2)]
                shared = sdk.read_text(folder, "shared_cpu_list") or str(core)
                found[int(level), shared] = int(match.group(1)) * scale
    last = max([level for level, _ in found], default=None)
    return sum(size for (level, _), size in found.items() if level == last) or None


def available_bytes(root="/"):
    """Memory that may still be taken: of the machine, or what the container's limit leaves; None: unknown."""
    lines = (sdk.read_text(root, "proc/meminfo") or "").splitlines()
    amounts = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        texts = [sdk.read_text(root, "sys/fs/cgroup", name) for name in (limit, used)]
        if all(text and text.isdigit() for text in texts):
            amounts.append(max(0, int(texts[0]) - int(texts[1])))
    return min(amounts, default=None)
