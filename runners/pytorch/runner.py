"""PyTorch on the CPU or a CUDA GPU: an exported program, as it is, in another layout, or compiled."""

import inferometer_sdk as sdk  # isort: skip  (first: it claims standard output)

import json
import os
import shutil
import sysconfig
import tempfile

import program


class PyTorch(sdk.Runner):
    """Loads ``.pt2``, and in mode ``aot`` the AOTInductor package that ``compile`` made of it."""

    runtime = "torch"
    formats = ("pt2", "aoti")
    accelerators = ("cpu", "cuda")
    options = {"mode": ("eager", "channels_last", "compiled", "aot")}
    folder = module = program = None

    def version(self):
        """Import the runtime; what it compiles or unpacks stays in this process's own folder."""
        global numpy, torch
        self.folder = tempfile.mkdtemp(prefix="inferometer-", dir="/tmp")
        os.environ.update(TMPDIR=self.folder, TORCHINDUCTOR_CACHE_DIR=self.folder)
        os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # no worker processes beside the measurement
        import numpy
        import torch
        import torch.ao.quantization.fx._decomposed  # the operators of quantized programs

        return torch.__version__

    def prepare(self):
        """Threads and inference mode, for good."""
        torch.set_num_threads(self.request.threads)
        torch.set_num_interop_threads(1)
        torch.inference_mode().__enter__()
        mode, kind = self.request.options["mode"], self.request.model["format"]
        if self.request.accelerator == "cuda":
            if not torch.cuda.is_available():
                built = torch.version.cuda
                why = "finds no GPU that it can use" if built else "is built without CUDA"
                raise sdk.RunnerError("accelerator", "torch %s %s" % (torch.__version__, why))
            if mode == "aot":
                raise sdk.RunnerError("unsupported", "mode aot is for the processor; use compiled on cuda")
            # As the processor computes, unless a model says otherwise.
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        return mode, kind

    def load(self):
        """Make the callable of the mode that was asked for."""
        (mode, kind), path = self.prepare(), self.request.model["path"]
        if (mode == "aot") != (kind == "aoti"):
            raise sdk.RunnerError("unsupported", "mode %s does not run %s; only aot runs aoti" % (mode, kind))
        if mode == "aot":
            # The public loader first probes the processor with the C++ compiler, which no run needs.
            self.module = torch._C._aoti.AOTIModelPackageLoader(path, "model", False, 1, -1)
            return
        self.program = program.load(path)
        if self.request.accelerator == "cuda":
            from torch.export import passes

            self.program = passes.move_to_device_pass(self.program, "cuda")
        self.module = self.program.module()
        if mode == "channels_last":
            self.module.to(memory_format=torch.channels_last)
        elif mode == "compiled":
            need_compiler(os.path.join(sysconfig.get_path("include"), "Python.h"))
            self.module = torch.compile(self.module, fullgraph=True, options={"freezing": True})

    def compile(self):
        """Make an AOTInductor package, with the signature inside: the package itself does not tell."""
        mode, kind = self.prepare()
        if (mode, kind) != ("aot", "pt2"):
            return super().compile()
        need_compiler()
        self.program = program.load(self.request.model["path"])
        from torch import _inductor

        path = os.path.join(self.request.output_dir, "model.aoti.pt2")
        metadata = {"signature": json.dumps(self.signature())}
        configs = {"freezing": True, "aot_inductor.metadata": metadata}
        _inductor.aoti_compile_and_package(self.program, package_path=path, inductor_configs=configs)
        return path, "aoti"

    def signature(self):
        """Tensors of the exported program by name; only sizes that are fixed are numbers."""
        if self.program is None:
            return json.loads(self.module.get_metadata()["signature"])

        values = {node.name: node.meta["val"] for node in self.program.graph.nodes if "val" in node.meta}

        def describe(name):
            shape = [size if isinstance(size, int) else None for size in values[name].shape]
            return sdk.tensor(name, shape, str(values[name].dtype).split(".")[-1])

        signature = self.program.graph_signature
        return {
            "inputs": [describe(name) for name in signature.user_inputs],
            "outputs": [describe(name) for name in signature.user_outputs],
        }

    def bind(self, index):
        """The call holds inference alone; its result is host memory when it returns."""
        tensor = torch.from_numpy(numpy.load(self.request.inputs)[index])
        if self.request.options["mode"] == "channels_last":
            tensor = tensor.contiguous(memory_format=torch.channels_last)
        module, arguments = self.module, [tensor]

        def infer():
            self.result = module(tensor)

        def infer_cuda():
            # Both copies are part of it; the one to the host waits for the GPU.
            result = module(tensor.to("cuda", non_blocking=True))
            self.result = (result[0] if isinstance(result, (list, tuple)) else result).cpu()

        def infer_aot():
            self.result = module.run(arguments)

        if self.request.accelerator == "cuda":
            tensor = tensor.pin_memory()
            return infer_cuda
        return infer_aot if self.request.model["format"] == "aoti" else infer

    def outputs(self):
        """The first output."""
        first = self.result[0] if isinstance(self.result, (list, tuple)) else self.result
        return first.shape, first.flatten().tolist()

    def placement(self):
        """The mode that was really executed, checked where PyTorch tells."""
        mode = self.request.options["mode"]
        if mode == "aot":
            made_for = self.module.get_metadata().get("AOTI_CPU_ISA", "an unknown processor")
            return {"executed": {"aot_inductor": None}, "notes": ["made for %s" % made_for]}
        if self.request.accelerator == "cuda":
            places = sorted({str(value.device.type) for value in self.program.state_dict.values()})
            if places not in (["cuda"], []):
                raise sdk.RunnerError("accelerator", "weights lie on %s" % ", ".join(places))
        operations = [node for node in self.program.graph.nodes if node.op == "call_function"]
        on = "" if self.request.accelerator == "cpu" else "cuda "
        if mode != "compiled":
            return {"executed": {on + mode: len(operations)}}
        captured = torch._dynamo.utils.counters["stats"]["calls_captured"]
        if not captured:
            raise sdk.RunnerError("accelerator", "the compiler took none of the model's operations")
        executed = {on + "inductor": captured, on + "eager": max(0, len(operations) - captured)}
        return {"executed": {place: count for place, count in executed.items() if count}}

    def close(self):
        """Unload, then remove the folder."""
        self.module = None
        shutil.rmtree(self.folder, ignore_errors=True)


def need_compiler(header=None):
    """Say in one line what is missing, before PyTorch says it in a hundred."""
    if not shutil.which(os.environ.get("CXX", "g++")):
        raise sdk.RunnerError("unsupported", "this mode needs a C++ compiler: apt-get install g++")
    if os.statvfs("/tmp").f_flag & os.ST_NOEXEC:  # vector instructions would silently go unused
        raise sdk.RunnerError("unsupported", "this mode loads what it compiles: mount /tmp with exec")
    if header and not os.path.exists(header):
        raise sdk.RunnerError("unsupported", "this mode needs %s: apt-get install python3-dev" % header)


if __name__ == "__main__":
    sdk.serve(PyTorch)
