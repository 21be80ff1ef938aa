"""Arm NN through PyArmNN: Neon kernels, and the plain reference kernels where they are asked for."""

import inferometer_sdk as sdk  # isort: skip  (first: it claims standard output)

import ctypes
import functools
import json
import os
import re
import tempfile

FAST = "CpuAcc"
MOST_THREADS = 64  # beyond it CpuAcc silently takes every core
BACKENDS = {"Neon": FAST, "Ref": "CpuRef"}  # by the word a kernel's class begins with
KERNEL = re.compile(r"(?:(.*)_)?(Neon|Ref)([A-Z]\w*?)(?:Workload)?_Execute_#\d+")
CONFIGURE_LOGGING = "_ZN5armnn16ConfigureLoggingEbbNS_11LogSeverityE"  # (stdout, debugger, severity)
WARNING = 3


class ArmNN(sdk.Runner):
    """Loads ``.tflite``; the inference is ``EnqueueWorkload`` over tensors made once."""

    runtime = "armnn"
    formats = ("tflite",)
    options = {
        "backend": ("CpuAcc", "CpuAcc+CpuRef", "CpuRef"),
        "fast_math": ("off", "on"),
        "fp16": ("off", "on"),
    }

    def version(self):
        """Import the runtime; the version is the library's own (33.0.0: release 23.08)."""
        global armnn, numpy
        try:
            import numpy
            import pyarmnn as armnn
        except ImportError as error:
            message = "%s; PyArmNN comes with Debian, not with pip: use ENGINE=docker" % error
            raise sdk.RunnerError("unsupported", message) from None
        return armnn.ARMNN_VERSION

    def load(self):
        """Parse the model; to run it, give each layer to the first backend that takes it."""
        parser = armnn.ITfLiteParser()
        network = parser.CreateNetworkFromBinaryFile(self.request.model["path"])
        names = parser.GetSubgraphInputTensorNames(0), parser.GetSubgraphOutputTensorNames(0)
        self.takes = [(name, parser.GetNetworkInputBindingInfo(0, name)) for name in names[0]]
        self.gives = [(name, parser.GetNetworkOutputBindingInfo(0, name)) for name in names[1]]
        if not self.request.inputs:
            return  # `inspect` asks for the signature alone, on any machine and of any backend
        self.armnn = armnn.IRuntime(armnn.CreationOptions())  # a second one in a process would crash
        device = self.armnn.GetDeviceSpec()
        self.backends = self.request.options["backend"].split("+")
        present = [str(name) for name in device.GetSupportedBackends()]
        missing = [name for name in self.backends if name not in present]
        if missing:
            message = "Arm NN has no backend %s here, only %s; " % (missing[0], ", ".join(present))
            message += "CpuAcc needs an aarch64 processor, backend=CpuRef runs everywhere, slowly"
            raise sdk.RunnerError("accelerator", message)
        order = network, [armnn.BackendId(name) for name in self.backends], device, self.wishes()
        try:
            optimized, self.messages = armnn.Optimize(*order)
        except RuntimeError as error:
            raise sdk.RunnerError("model", "load: %s: %s" % (error, refusal(order))) from None
        self.network, _ = self.armnn.LoadNetwork(optimized)

    def wishes(self):
        """The request as options of the optimizer. CpuRef crashes where it is given any of its own."""
        wishes, threads = armnn.OptimizerOptions(), self.request.threads
        wishes.m_ReduceFp32ToFp16 = self.request.options["fp16"] == "on"
        fast_math = self.request.options["fast_math"] == "on"
        if FAST in self.backends:
            if threads > MOST_THREADS:
                raise sdk.RunnerError("unsupported", "CpuAcc runs at most %d threads" % MOST_THREADS)
            options = armnn.BackendOptions(armnn.BackendId(FAST))
            options.AddOption(armnn.BackendOption("NumberOfThreads", threads))
            options.AddOption(armnn.BackendOption("FastMathEnabled", fast_math))
            wishes.m_ModelOptions = [options]
        elif threads > 1 or fast_math:
            message = "CpuRef has one thread and no fast math; leave both out or choose backend=CpuAcc"
            raise sdk.RunnerError("unsupported", message)
        return wishes

    def signature(self):
        """As the model file says; Arm NN knows one scale a tensor."""
        kinds = {
            armnn.DataType_Float32: "float32",
            armnn.DataType_Float16: "float16",
            armnn.DataType_QAsymmU8: "uint8",
            armnn.DataType_QAsymmS8: "int8",
            armnn.DataType_QSymmS8: "int8",
            armnn.DataType_QSymmS16: "int16",
            armnn.DataType_Signed32: "int32",
        }

        def describe(name, info):
            scale, zero_point = [info.GetQuantizationScale()], [info.GetQuantizationOffset()]
            scales = {"scale": scale, "zero_point": zero_point} if info.IsQuantized() else None
            kind = kinds.get(info.GetDataType(), "Arm NN's type %d" % info.GetDataType())
            return sdk.tensor(name, info.GetShape(), kind, scales)

        return {
            "inputs": [describe(name, info) for name, (_, info) in self.takes],
            "outputs": [describe(name, info) for name, (_, info) in self.gives],
        }

    def bind(self, index):
        """Make the tensors once, so that the call holds inference alone."""
        tensor = numpy.load(self.request.inputs)[index]
        self.results = armnn.make_output_tensors([binding for _, binding in self.gives])
        tensors = armnn.make_input_tensors([binding for _, binding in self.takes], [tensor])
        self.infer = functools.partial(self.armnn.EnqueueWorkload, self.network, tensors, self.results)
        return self.infer

    def outputs(self):
        """Raw, as the model gives them: a quantized output stays integer."""
        _, first = self.results[0]
        return list(first.GetShape()), first.get_memory_area().tolist()

    def placement(self):
        """Run once more with the profiler on: it names the kernel that executed each layer."""
        profiler = self.armnn.GetProfiler(self.network)
        profiler.EnableProfiling(True)
        self.infer()
        nodes = executed_nodes(json.loads(profiler.as_json()))
        if self.request.options["fp16"] == "on" and "ConvertFp32ToFp16" not in [node["op"] for node in nodes]:
            message = "fp16 was asked for and not used: CpuAcc finds no fp16 arithmetic, or the model no fp32"
            raise sdk.RunnerError("accelerator", message)
        places = [node["on"] for node in nodes]
        if FAST in self.backends and FAST not in places:
            raise sdk.RunnerError("accelerator", "%s took none of the model's layers" % FAST)
        return {
            "executed": {place: places.count(place) for place in sorted(set(places))},
            "nodes": nodes,
            "notes": [" ".join(str(message).split()) for message in self.messages],
        }


def executed_nodes(events):
    """The layers in a profile of Arm NN's; constants and copies compute nothing and are left out."""
    nodes = []
    for name, event in events.items():
        kernel = KERNEL.fullmatch(name)
        if kernel and kernel.group(3) != "Constant":
            layer, word, op = kernel.groups()
            nodes.append({"name": layer or op, "op": op, "on": BACKENDS[word]})
        elif isinstance(event, dict):
            nodes += executed_nodes(event)
    return nodes


def refusal(order):
    """Why no backend takes a layer: PyArmNN hides it, so it is read from the log of a second try."""
    configure = getattr(ctypes.CDLL(armnn._generated._pyarmnn.__file__), CONFIGURE_LOGGING)
    configure(ctypes.c_bool(True), ctypes.c_bool(False), ctypes.c_int(WARNING))
    saved = os.dup(1)
    with tempfile.TemporaryFile(dir="/tmp") as log:
        os.dup2(log.fileno(), 1)
        try:
            armnn.Optimize(*order)
        except RuntimeError:
            pass  # as expected
        finally:
            os.dup2(saved, 1)
            os.close(saved)
        log.seek(0)
        text = log.read().decode("utf-8", "replace")
    # The last backend to refuse the layer repeats the reasons of those before it.
    entries = re.findall(r"(Layer of type .*?), falling back", text, re.DOTALL)
    return " ".join((entries or [text])[-1].split())


if __name__ == "__main__":
    sdk.serve(ArmNN)
