"""TensorRT on an NVIDIA GPU, releases 8.2 to 11: copies in, inference and copies out on one stream."""

import inferometer_sdk as sdk  # isort: skip  (first: it claims standard output)

import collections
import ctypes
import functools
import os

import build
import calibration
import cudart
import inspection
import log
import tensors

PARTS = ("h2d", "compute", "d2h")
PARTS_COUNT = 200


class TensorRT(sdk.Runner):
    """Loads ``.onnx``, building an engine of it first, and the engines that ``compile`` made of one."""

    runtime = "tensorrt"
    formats = ("onnx", "onnx-s8", "engine")
    accelerators = ("cuda",)
    options = {"precision": ("fp32", "tf32", "fp16", "int8")}
    cuda = None

    def version(self):
        """Import the runtime. On L4T r32 its files come from the board, with NVIDIA's container runtime."""
        global numpy, trt
        import numpy

        try:
            import tensorrt as trt
        except ImportError as error:
            words = "TensorRT cannot be imported (%s): start the container with NVIDIA's runtime"
            raise sdk.RunnerError("accelerator", words % error) from None
        return trt.__version__

    def target(self):
        """The GPU and its driver: engines are good for no other."""
        self.find_gpu()
        return self.cuda.identity()

    def find_gpu(self):
        """Before any object of TensorRT's is made: without a driver it ends the process."""
        self.cuda = self.cuda or cudart.Cuda()

    def start(self):
        """Find the GPU, then make what all of TensorRT's objects need."""
        self.find_gpu()
        self.log = log.make(trt)
        trt.init_libnvinfer_plugins(self.log, "")

    def build(self):
        """An engine of the model in the request, as bytes."""
        calibrate = functools.partial(calibration.make, trt, numpy, self.cuda, self.request.inputs)
        capability = self.cuda.capability()
        return build.serialized(trt, self.log, self.request, capability, calibrate)

    def compile(self):
        """Write the engine."""
        self.start()
        if self.request.model["format"] == "engine":
            return super().compile()
        path = os.path.join(self.request.output_dir, "model.engine")
        plan = self.build()
        with open(path, "wb") as file:
            file.write(plan)
        return path, "engine"

    def load(self):
        """Make engine and context, and memory for all tensors."""
        self.start()
        if self.request.model["format"] == "engine":
            with open(self.request.model["path"], "rb") as file:
                plan = file.read()
        else:
            plan = self.build()
        self.engine = trt.Runtime(self.log).deserialize_cuda_engine(plan)
        if self.engine is None:
            raise self.log.error("model", "TensorRT refuses this engine")
        self.tensors = tensors.of(trt, self.engine)
        for item in self.tensors:  # outputs: inputs were looked at before the engine was made
            tensors.need_fixed(item.name, item.shape)
        self.context = self.engine.create_execution_context()
        if self.context is None:
            raise self.log.error("resource", "TensorRT made no execution context")
        self.stream = self.cuda.stream()
        self.pairs = [cudart.Pair(self.cuda, self.size(item)) for item in self.tensors]
        addresses = [pair.device for pair in self.pairs]
        self.enqueue = tensors.enqueuer(self.engine, self.context, addresses, self.stream)

    @staticmethod
    def size(item):
        """Bytes of one tensor."""
        return max(1, int(numpy.prod(item.shape))) * numpy.dtype(item.dtype).itemsize

    def signature(self):
        """As the engine says. Scales of int8 lie inside it."""
        described = collections.defaultdict(list)
        for item in self.tensors:
            kind = "inputs" if item.is_input else "outputs"
            described[kind].append(sdk.tensor(item.name, item.shape, item.dtype))
        return described

    def copies(self, is_input, kind):
        """Functions that put a copy on the stream, one a tensor; each returns CUDA's status."""
        copy = self.cuda.library.cudaMemcpyAsync
        made = []
        for item, pair in zip(self.tensors, self.pairs):
            if item.is_input == is_input:
                ends = (pair.device, pair.host) if is_input else (pair.host, pair.device)
                made.append(functools.partial(copy, *ends, pair.size, kind, self.stream))
        return made

    def bind(self, index):
        """The input waits in page-locked memory; outputs are there again when the call returns."""
        tensor = numpy.ascontiguousarray(numpy.load(self.request.inputs)[index])
        place = next(pair for item, pair in zip(self.tensors, self.pairs) if item.is_input)
        ctypes.memmove(place.host, tensor.ctypes.data, tensor.nbytes)
        into, outof = self.copies(True, cudart.TO_DEVICE), self.copies(False, cudart.TO_HOST)
        enqueue, stream = self.enqueue, self.stream
        wait = self.cuda.library.cudaStreamSynchronize

        def infer():
            status = 0
            for copy in into:
                status = status or copy()
            took = enqueue()
            for copy in outof:
                status = status or copy()
            status = wait(stream) or status
            if status or not took:
                self.fail(status)

        return infer

    def fail(self, status):
        """Raise what went wrong in an inference."""
        self.cuda.check(status, "inference")
        raise self.log.error("accelerator", "TensorRT did not take the inference")

    def parts(self):
        """Copy in, compute and copy out apart, by CUDA events; outside the window, which has none."""
        into, outof = self.copies(True, cudart.TO_DEVICE), self.copies(False, cudart.TO_HOST)
        events = [self.cuda.pointer("cudaEventCreate") for _ in range(len(PARTS) + 1)]
        record, wait = self.cuda.library.cudaEventRecord, self.cuda.library.cudaStreamSynchronize
        steps = [into, [lambda: not self.enqueue()], outof]
        values = {name: [] for name in PARTS}
        for _ in range(PARTS_COUNT):
            status = record(events[0], self.stream)
            for number, calls in enumerate(steps):
                for call in calls:
                    status = status or call()
                status = status or record(events[number + 1], self.stream)
            status = wait(self.stream) or status
            if status:
                self.fail(status)
            for number, name in enumerate(PARTS):
                values[name].append(self.cuda.elapsed_ns(events[number], events[number + 1]))
        return values

    def outputs(self):
        """The first output, from page-locked memory."""
        item, pair = next((item, pair) for item, pair in zip(self.tensors, self.pairs) if not item.is_input)
        raw = (ctypes.c_char * pair.size).from_address(pair.host)
        return item.shape, numpy.frombuffer(raw, item.dtype).astype("float64").tolist()

    def placement(self):
        """Every layer runs on the GPU; the inspector tells what of, and how precisely."""
        nodes, trouble = inspection.layers(trt, self.engine)
        counts = collections.Counter(node["precision"] for node in nodes)
        told = ", ".join("%d in %s" % (count, name) for name, count in sorted(counts.items()))
        notes = [
            self.cuda.identity(),
            "layers: " + (trouble or told),
            "asked for: " + self.request.options["precision"],
        ]
        if self.cuda.is_integrated():
            notes.append("GPU and processor share one memory: copies stay within it")
        return {"executed": {"cuda": len(nodes) or None}, "nodes": nodes, "notes": notes}


if __name__ == "__main__":
    sdk.serve(TensorRT)
