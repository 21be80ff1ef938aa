"""An engine from ONNX: what TensorRT 8.2 to 11 have in common, and where they part.

Up to 10 the builder chooses precisions within what its flags allow; 11 takes them from the model alone.
https://docs.nvidia.com/deeplearning/tensorrt/latest/api/migration-guide.html
"""

import inferometer_sdk as sdk
import tensors

WORKSPACE_BYTES = 1 << 28  # 8.2 starts from none, which rules out most fast kernels
FLAGS = {"fp16": "FP16", "int8": "INT8"}
TF32_FROM = (8, 0)  # compute capability
FAST = {"tf32": "platform_has_tf32", "fp16": "platform_has_fast_fp16", "int8": "platform_has_fast_int8"}


def serialized(trt, log, request, capability, calibrator):
    """The engine as bytes. Raises RunnerError.

    ``calibrator``: a function that gives one, called where int8 needs it.
    """
    builder = trt.Builder(log)
    network = builder.create_network(explicit_batch(trt))
    parser = trt.OnnxParser(network, log)
    with open(request.model["path"], "rb") as file:
        if not parser.parse(file.read()):
            errors = [str(parser.get_error(index)) for index in range(parser.num_errors)]
            raise sdk.RunnerError("model", "TensorRT cannot parse it: " + "; ".join(errors)[:1000])
    for index in range(network.num_inputs):  # without an optimization profile none of these is built
        tensor = network.get_input(index)
        tensors.need_fixed(tensor.name, tensor.shape)
    config = builder.create_builder_config()
    if not hasattr(config, "set_memory_pool_limit"):
        config.max_workspace_size = WORKSPACE_BYTES
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # the inspector tells of layers only then
    precision = request.options["precision"]
    if precision != "tf32":  # its ten bits of mantissa are not what fp32 means
        config.clear_flag(trt.BuilderFlag.TF32)
    told = precision != "tf32" or capability >= TF32_FROM  # 11 tells nothing
    if not getattr(builder, FAST.get(precision, ""), told):
        words = "this GPU (sm_%d%d) computes no faster in %s" % (capability + (precision,))
        raise sdk.RunnerError("unsupported", words)
    scales = lower(trt, network, config, precision, calibrator) if precision in FLAGS else None
    plan = builder.build_serialized_network(network, config)
    if scales and scales.error:
        raise scales.error
    if plan is None:
        raise log.error("model", "TensorRT built no engine")
    return bytes(plan)


def explicit_batch(trt):
    """Flags of a network; from 10 on there is no other batch than an explicit one."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH", None)
    return 0 if flag is None else 1 << int(flag)


def lower(trt, network, config, precision, calibrator):
    """Allow a lower precision, or refuse where the model has none; the calibrator if it needs one."""
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    is_quantized = any(layer.type == trt.LayerType.QUANTIZE for layer in layers)
    flag = getattr(trt.BuilderFlag, FLAGS[precision], None)
    if flag is None:
        types = [layer.get_output(0).dtype for layer in layers if layer.num_outputs]
        has = is_quantized if precision == "int8" else trt.DataType.HALF in types
        if not has:
            words = "TensorRT %s takes precision from the model, and this one has no %s"
            raise sdk.RunnerError("unsupported", words % (trt.__version__, precision))
        return None
    config.set_flag(flag)
    if precision != "int8" or is_quantized:
        return None
    config.int8_calibrator = made = calibrator(network.get_input(0))
    return made
