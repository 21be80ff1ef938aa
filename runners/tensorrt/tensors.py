"""The two ways TensorRT names what goes in and out, as one: bindings (8.2) and named tensors (8.5 on)."""

import inferometer_sdk as sdk

DTYPES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
    "UINT8": "uint8",
}


class Tensor:
    """One input or output of an engine: numpy's name of its type, and its shape."""

    def __init__(self, name, is_input, shape, dtype):
        self.name, self.is_input, self.shape = name, is_input, [int(size) for size in shape]
        self.dtype = DTYPES.get(dtype.name, dtype.name)


def need_fixed(name, shape):
    """Refuse a size that only an inference would tell."""
    if any(size < 0 for size in shape):
        words = "%s has the open shape %s; export the model with fixed sizes"
        raise sdk.RunnerError("unsupported", words % (name, list(shape)))


def has_names(engine):
    """Whether this release names tensors."""
    return hasattr(engine, "num_io_tensors")


def of(trt, engine):
    """All of them, in the engine's order."""
    if has_names(engine):
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        return [
            Tensor(
                name,
                engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT,
                engine.get_tensor_shape(name),
                engine.get_tensor_dtype(name),
            )
            for name in names
        ]
    return [
        Tensor(
            engine.get_binding_name(index),
            engine.binding_is_input(index),
            engine.get_binding_shape(index),
            engine.get_binding_dtype(index),
        )
        for index in range(engine.num_bindings)
    ]


def enqueuer(engine, context, addresses, stream):
    """A function that puts one inference on the stream; True when TensorRT took it.

    ``addresses``: of device memory, in the order of :func:`of`.
    """
    if has_names(engine):
        for index, address in enumerate(addresses):
            context.set_tensor_address(engine.get_tensor_name(index), address)
        return lambda: context.execute_async_v3(stream)
    return lambda: context.execute_async_v2(addresses, stream)
