"""CUDA's runtime library through ctypes: device facts, memory, one stream, events.

Only functions whose C signature is the same from CUDA 10.2 to 13 are used:
https://docs.nvidia.com/cuda/cuda-runtime-api/
"""

import ctypes
import glob
import os
import sys

import inferometer_sdk as sdk

LIBRARIES = ("libcudart.so", "libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0", "libcudart.so.10.2")
IN_PACKAGES = "nvidia/*/lib/libcudart.so.*"  # where NVIDIA's Python packages keep it
TO_DEVICE, TO_HOST = 1, 2  # cudaMemcpyKind
MAJOR, MINOR, INTEGRATED, MULTIPROCESSORS = 75, 76, 18, 16  # cudaDeviceAttr
NON_BLOCKING = 1  # cudaStreamNonBlocking
NAME_BYTES = 256  # cudaDeviceProp begins with the name; the rest differs between releases
PROPERTIES_BYTES = 1 << 14

_POINTER, _INT, _SIZE = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
_OUT, _OUT_INT = ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int)
SIGNATURES = {
    "cudaGetDeviceCount": (_OUT_INT,),
    "cudaDriverGetVersion": (_OUT_INT,),
    "cudaDeviceGetAttribute": (_OUT_INT, _INT, _INT),
    "cudaGetDeviceProperties": (_POINTER, _INT),
    "cudaMemGetInfo": (ctypes.POINTER(_SIZE), ctypes.POINTER(_SIZE)),
    "cudaMalloc": (_OUT, _SIZE),
    "cudaFree": (_POINTER,),
    "cudaHostAlloc": (_OUT, _SIZE, ctypes.c_uint),
    "cudaFreeHost": (_POINTER,),
    "cudaMemcpyAsync": (_POINTER, _POINTER, _SIZE, _INT, _POINTER),
    "cudaStreamCreateWithFlags": (_OUT, ctypes.c_uint),
    "cudaStreamSynchronize": (_POINTER,),
    "cudaEventCreate": (_OUT,),
    "cudaEventRecord": (_POINTER, _POINTER),
    "cudaEventSynchronize": (_POINTER,),
    "cudaEventElapsedTime": (ctypes.POINTER(ctypes.c_float), _POINTER, _POINTER),
}


OUT_OF_MEMORY = 2  # cudaErrorMemoryAllocation


class CudaError(sdk.RunnerError):
    """No library, no GPU, or a call that failed; the text names it with CUDA's own words."""

    def __init__(self, text, status=None):
        super().__init__("resource" if status == OUT_OF_MEMORY else "accelerator", text)


def find():
    """The runtime library. Raises CudaError where there is none."""
    packages = [path for root in sys.path for path in sorted(glob.glob(os.path.join(root, IN_PACKAGES)))]
    for name in LIBRARIES + tuple(packages):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise CudaError("no libcudart.so: start the container with NVIDIA's runtime (--runtime=nvidia)")


class Cuda:
    """The first GPU. Raises CudaError where none can be used."""

    def __init__(self, library=None):
        self.library = library or find()
        for name, arguments in SIGNATURES.items():
            function = getattr(self.library, name)
            function.argtypes, function.restype = arguments, _INT
        self.library.cudaGetErrorString.restype = ctypes.c_char_p
        if not self.integer("cudaGetDeviceCount"):
            raise CudaError("cudaGetDeviceCount: no GPU")

    def check(self, status, call):
        """Raise CudaError for any status but 0."""
        if status:
            words = self.library.cudaGetErrorString(status)
            told = (call, (words or b"unknown").decode("ascii", "replace"), status)
            raise CudaError("%s: %s (%d)" % told, status)

    def integer(self, call, *arguments):
        """What a call writes into an int."""
        value = ctypes.c_int()
        self.check(getattr(self.library, call)(ctypes.byref(value), *arguments), call)
        return value.value

    def pointer(self, call, *arguments):
        """What a call writes into a pointer, as an integer."""
        value = ctypes.c_void_p()
        self.check(getattr(self.library, call)(ctypes.byref(value), *arguments), call)
        return value.value

    def capability(self):
        """Compute capability, as ``(major, minor)``."""
        return tuple(self.integer("cudaDeviceGetAttribute", which, 0) for which in (MAJOR, MINOR))

    def is_integrated(self):
        """Whether GPU and processor share one memory, as on every Jetson."""
        return bool(self.integer("cudaDeviceGetAttribute", INTEGRATED, 0))

    def name(self):
        """The GPU's name."""
        properties = ctypes.create_string_buffer(PROPERTIES_BYTES)
        self.check(self.library.cudaGetDeviceProperties(properties, 0), "cudaGetDeviceProperties")
        return properties.raw[:NAME_BYTES].split(b"\0")[0].decode("utf-8", "replace")

    def memory_bytes(self):
        """All memory of the GPU, free or not."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        status = self.library.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total))
        self.check(status, "cudaMemGetInfo")
        return total.value

    def identity(self):
        """What an engine is good for: GPU, and the CUDA version of the driver. Boards share GPU names."""
        driver = self.integer("cudaDriverGetVersion")
        return "%s sm_%d%d, %d SMs, %d MiB, driver CUDA %d.%d" % (
            (self.name(),)
            + self.capability()
            + (self.integer("cudaDeviceGetAttribute", MULTIPROCESSORS, 0), self.memory_bytes() >> 20)
            + (driver // 1000, driver % 1000 // 10)
        )

    def stream(self):
        """A stream that does not wait for the default one."""
        return self.pointer("cudaStreamCreateWithFlags", NON_BLOCKING)

    def elapsed_ns(self, start, end):
        """Time between two recorded events; CUDA resolves about 0.5 us."""
        value = ctypes.c_float()
        self.check(self.library.cudaEventSynchronize(end), "cudaEventSynchronize")
        status = self.library.cudaEventElapsedTime(ctypes.byref(value), start, end)
        self.check(status, "cudaEventElapsedTime")
        return int(value.value * 1e6)


class Pair:
    """One tensor's memory: page-locked on the host, and on the GPU; ``size`` in bytes."""

    def __init__(self, cuda, size):
        self.cuda, self.size, self.host, self.device = cuda, size, None, None
        self.host = cuda.pointer("cudaHostAlloc", size, 0)
        self.device = cuda.pointer("cudaMalloc", size)

    def free(self):
        """Give both back."""
        self.cuda.library.cudaFreeHost(self.host)
        self.cuda.library.cudaFree(self.device)
