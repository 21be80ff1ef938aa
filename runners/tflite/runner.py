"""LiteRT, or tflite_runtime where only that is installed: the interpreter with a delegate or without."""

import inferometer_sdk as sdk  # isort: skip  (first: it claims standard output)

import os

ARMNN = "/opt/armnn/libarmnnDelegate.so"


class Tflite(sdk.Runner):
    """Loads ``.tflite``; the inference is ``invoke`` over a tensor set once."""

    runtime = "ai-edge-litert"
    formats = ("tflite",)
    options = {
        "delegate": ("xnnpack", "none", "armnn", "external"),
        "library": ("", "*"),
        "delegate_options": ("", "*"),
    }

    def version(self):
        """Import the runtime that there is; ``runtime`` says which."""
        global numpy, tflite
        import numpy

        try:
            import ai_edge_litert as package
            from ai_edge_litert import interpreter as tflite
        except ImportError as litert_error:
            try:
                import tflite_runtime as package
                from tflite_runtime import interpreter as tflite
            except ImportError:
                raise litert_error from None
            self.runtime = "tflite-runtime"
        return package.__version__

    def load(self):
        """Make the interpreter; XNNPACK is its default delegate and can only be left out."""
        resolver, wanted = tflite.OpResolverType.AUTO, self.request.options["delegate"]
        foreign = wanted in ("armnn", "external")
        if not foreign and (self.request.options["library"] or self.request.options["delegate_options"]):
            message = "library and delegate_options go with delegate=external or delegate=armnn"
            raise sdk.RunnerError("unsupported", message)
        if wanted != "xnnpack":
            resolver = tflite.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self.interpreter = tflite.Interpreter(
            self.request.model["path"],
            num_threads=self.request.threads,
            experimental_delegates=[self.load_delegate()] if foreign else [],
            experimental_op_resolver_type=resolver,
        )
        self.interpreter.allocate_tensors()

    def load_delegate(self):
        """A delegate from a library; nodes that it leaves go to the interpreter's own kernels."""
        path, wishes = self.request.options["library"], {}
        fix = "name one that the container holds, as option library"
        if self.request.options["delegate"] == "armnn":
            path = path or ARMNN
            wishes = {"backends": "CpuAcc", "number-of-threads": str(self.request.threads)}
            fix = "give tflite.Dockerfile a release of Arm's: build arguments ARMNN_URL and ARMNN_SHA256"
        if not os.path.isfile(path):
            message = "no delegate library %s here; %s" % (path or "is named", fix)
            raise sdk.RunnerError("accelerator", message)
        wishes.update(pairs(self.request.options["delegate_options"]))
        try:
            return tflite.load_delegate(path, wishes)
        except (OSError, ValueError) as error:
            raise sdk.RunnerError("accelerator", " ".join(str(error).split())) from None

    def signature(self):
        """As the model file says; a size it leaves open is None."""

        def describe(details):
            shape = [None if size < 0 else size for size in details["shape_signature"].tolist()]
            dtype = numpy.dtype(details["dtype"]).name
            return sdk.tensor(details["name"], shape, dtype, quantization(details["quantization_parameters"]))

        return {
            "inputs": [describe(details) for details in self.interpreter.get_input_details()],
            "outputs": [describe(details) for details in self.interpreter.get_output_details()],
        }

    def bind(self, index):
        """Copy the tensor in once, so that the call holds inference alone."""
        tensor = numpy.load(self.request.inputs)[index]
        details = self.interpreter.get_input_details()[0]
        if tuple(details["shape"]) != tensor.shape:
            self.interpreter.resize_tensor_input(details["index"], tensor.shape, strict=True)
            self.interpreter.allocate_tensors()
        self.interpreter.set_tensor(details["index"], tensor)
        return self.interpreter.invoke

    def outputs(self):
        """Raw, as the model gives them: a quantized output stays integer."""
        first = self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])
        return first.shape, first.ravel().tolist()

    @property
    def place(self):
        """The name of what was asked for: the delegate's, or its library's."""
        wanted = self.request.options["delegate"]
        return os.path.basename(self.request.options["library"]) if wanted == "external" else wanted

    def placement(self):
        """Which nodes the delegate took over; there is one at most."""
        try:
            operations = self.interpreter._get_ops_details()
        except (AttributeError, ValueError) as error:
            return {
                "executed": {self.place: None},
                "notes": ["this runtime does not list its nodes: %s" % error],
            }
        delegated = delegated_nodes(operations)
        nodes = [
            {
                "name": str(operation["index"]),
                "op": operation["op_name"],
                "on": self.place if operation["index"] in delegated else "builtin",
            }
            for operation in operations
            if operation["op_name"] != "DELEGATE"
        ]
        places = [node["on"] for node in nodes]
        if self.place not in places + ["none"]:
            raise sdk.RunnerError("accelerator", "%s took none of the model's nodes" % self.place)
        return {
            "executed": {place: places.count(place) for place in sorted(set(places))},
            "nodes": nodes,
            "notes": ["delegated parts: %d" % (len(operations) - len(nodes))],
        }


def pairs(text):
    """``key=value;key=value`` as a dict. Raises RunnerError."""
    words = [word.partition("=") for word in text.split(";") if word]
    if not all(key and equals for key, equals, _ in words):
        raise sdk.RunnerError("unsupported", "delegate_options %s: must be key=value;key=value" % text)
    return {key.strip(): value.strip() for key, _, value in words}


def quantization(parameters):
    """Scales and zero points as lists, or None where there are none."""
    if not len(parameters["scales"]):
        return None
    return {"scale": parameters["scales"].tolist(), "zero_point": parameters["zero_points"].tolist()}


def delegated_nodes(operations):
    """Indices of the nodes that lie inside a delegate's part: between its inputs and its outputs."""
    maker = {
        tensor: operation
        for operation in operations
        if operation["op_name"] != "DELEGATE"
        for tensor in operation["outputs"]
    }
    found = set()
    for part in operations:
        pending = set(part["outputs"]) if part["op_name"] == "DELEGATE" else set()
        while pending:
            node = maker.get(pending.pop())
            if node is not None and node["index"] not in found:
                found.add(node["index"])
                pending |= set(node["inputs"]) - set(part["inputs"])
    return found


if __name__ == "__main__":
    sdk.serve(Tflite)
