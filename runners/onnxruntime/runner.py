"""ONNX Runtime on the CPU or a CUDA GPU: one session, sequential execution, outputs in host memory."""

import inferometer_sdk as sdk  # isort: skip  (first: it claims standard output)

import functools
import glob
import json
import os
import tempfile

DTYPES = {"float": "float32", "double": "float64"}  # the others have numpy's names
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
PROVIDER_OPTIONS = {"cuda": {"use_tf32": "0"}}  # on by default, and its ten bits of mantissa are not fp32


class OnnxRuntime(sdk.Runner):
    """Loads ``.onnx``; the inference is ``run_with_iobinding`` over tensors bound once."""

    runtime = "onnxruntime"
    formats = ("onnx",)
    accelerators = ("cpu", "cuda")

    def version(self):
        """Import the runtime."""
        global ort, numpy
        import numpy
        import onnxruntime as ort

        ort.disable_telemetry_events()
        return ort.__version__

    def load(self):
        """Make the session, on no other place than was asked for."""
        wanted = PROVIDERS[self.request.accelerator]
        if wanted not in ort.get_available_providers():
            raise sdk.RunnerError("accelerator", "this build of ONNX Runtime has no %s" % wanted)
        if self.request.accelerator == "cuda" and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()  # CUDA's libraries lie among the Python packages
        self.session = self.make_session(ort.SessionOptions())

    def make_session(self, options):
        """A session as the request asks; errors come as exceptions, so its own log stays at errors."""
        options.intra_op_num_threads = self.request.threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        wanted = PROVIDERS[self.request.accelerator]
        given = [(wanted, PROVIDER_OPTIONS.get(self.request.accelerator, {}))]
        session = ort.InferenceSession(self.request.model["path"], options, providers=given)
        if wanted not in session.get_providers():  # it only warns, and takes the processor
            raise sdk.RunnerError("accelerator", "%s found no GPU that it can use" % wanted)
        return session

    def signature(self):
        """As the model file says; symbolic sizes stay words. ONNX keeps quantization inside the graph."""

        def describe(tensors):
            kinds = [tensor.type[len("tensor(") : -1] for tensor in tensors]
            return [
                sdk.tensor(tensor.name, tensor.shape, DTYPES.get(kind, kind))
                for tensor, kind in zip(tensors, kinds)
            ]

        return {
            "inputs": describe(self.session.get_inputs()),
            "outputs": describe(self.session.get_outputs()),
        }

    def bind(self, index):
        """Bind host memory once, so that the call holds inference alone."""
        self.tensor = numpy.load(self.request.inputs)[index]
        self.binding = self.session.io_binding()
        self.binding.bind_cpu_input(self.session.get_inputs()[0].name, self.tensor)
        for output in self.session.get_outputs():
            self.binding.bind_output(output.name, "cpu")
        # With outputs bound to the host, it returns when they are there.
        return functools.partial(self.session.run_with_iobinding, self.binding)

    def outputs(self):
        """Already in host memory."""
        first = self.binding.get_outputs()[0].numpy()
        return first.shape, first.ravel().tolist()

    def placement(self):
        """Run once more with the profiler on: it names the provider of each node."""
        options = ort.SessionOptions()
        options.enable_profiling = True
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            options.profile_file_prefix = os.path.join(folder, "profile")
            session = self.make_session(options)
            session.run(None, {session.get_inputs()[0].name: self.tensor})
            session.end_profiling()
            with open(glob.glob(os.path.join(folder, "profile*"))[0]) as file:
                events = json.load(file)
        kernels = [event for event in events if event["name"].endswith("_kernel_time")]
        nodes = [
            {
                "name": event["name"][: -len("_kernel_time")],
                "op": event["args"]["op_name"],
                "on": event["args"]["provider"],
            }
            for event in kernels
        ]
        providers = [node["on"] for node in nodes]
        return {
            "executed": {name: providers.count(name) for name in sorted(set(providers))},
            "nodes": nodes,
            "notes": ["providers: %s" % ", ".join(self.session.get_providers())],
        }


if __name__ == "__main__":
    sdk.serve(OnnxRuntime)
