"""TFLite, by ai-edge-quantizer. Inputs and outputs stay float32: conversions stand inside the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils
from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe_manager
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.utils import qsv_utils, tfl_flatbuffer_utils

from models.arithmetic import clustered
from models.arithmetic.tflite import weights
from models.quantization import batches

ALL = qtyping.TFLOperationName.ALL_SUPPORTED
EVERYWHERE = ".*"


def dynamic(source: Path, target: Path) -> None:
    """int8 weights with a scale per channel; activations are quantized by the runtime, input by input."""
    recipe = recipe_manager.RecipeManager()
    recipe.add_dynamic_config(EVERYWHERE, ALL, num_bits=8)
    write(quantizer.Quantizer(source, recipe.get_quantization_recipe()), None, target)


def half(source: Path, target: Path) -> None:
    """fp16 weights, each before a DEQUANTIZE."""
    recipe = recipe_manager.RecipeManager()
    recipe.add_weight_only_config(EVERYWHERE, ALL, 16, algorithm_key=AlgorithmName.FLOAT_CASTING)
    write(quantizer.Quantizer(source, recipe.get_quantization_recipe()), None, target)


def static(source: Path, target: Path, calibration: np.ndarray | None) -> None:
    """int8 weights with a scale per channel, int8 activations with one each.

    Clustered weights and those of fully connected layers have one scale per tensor.
    """
    recipe = recipe_manager.RecipeManager()
    grain = qtyping.QuantGranularity.CHANNELWISE
    if clustered(data for _, data in weights(flatbuffer_utils.read_model(str(source)))):
        grain = qtyping.QuantGranularity.TENSORWISE
    recipe.add_static_config(
        EVERYWHERE, ALL, activation_num_bits=8, weight_num_bits=8, weight_granularity=grain
    )
    # Arm NN 23.08 and TFLite before 2.17 take one scale for the weights of a fully connected layer.
    recipe.add_static_config(
        EVERYWHERE,
        qtyping.TFLOperationName.FULLY_CONNECTED,
        activation_num_bits=8,
        weight_num_bits=8,
        weight_granularity=qtyping.QuantGranularity.TENSORWISE,
    )
    for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        recipe.add_quantization_config(EVERYWHERE, end, algorithm_key=AlgorithmName.NO_QUANTIZE)
    tool = quantizer.Quantizer(source, recipe.get_quantization_recipe())
    signature, name, batch = entry(source)
    ranges = calibrated(source, {signature: [{name: part} for part in batches(calibration, batch)]}, recipe)
    repair(source, ranges)
    write(tool, ranges, target)


def calibrated(
    source: Path, inputs: dict[str, Any], recipe: recipe_manager.RecipeManager
) -> dict[str, dict[str, np.ndarray]]:
    """Lowest and highest value of every tensor over all inputs, as TensorFlow's converter takes them.

    From the kernels' own profiler: two to seven times as fast as fetching every tensor.
    """
    observer = calibrator.Calibrator(
        str(source),
        num_threads=1,
        mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=qsv_utils.min_max_update,
    )
    observer.calibrate(inputs, recipe)
    return dict(observer.get_model_qsvs())


def entry(source: Path) -> tuple[str, str, int]:
    """The names of a file's signature and of its input, and its batch."""
    interpreter = Interpreter(model_path=str(source))
    ((signature, ends),) = interpreter.get_signature_list().items()
    return signature, ends["inputs"][0], int(interpreter.get_input_details()[0]["shape"][0])


def repair(source: Path, ranges: dict[str, Any]) -> None:
    """Give tensors padded with -infinity (before a maximum) the range of what was padded."""
    graph = flatbuffer_utils.read_model(str(source)).subgraphs[0]
    names = [tfl_flatbuffer_utils.get_tensor_name(tensor) for tensor in graph.tensors]
    for operator in graph.operators:
        given, made = names[operator.inputs[0]], names[operator.outputs[0]]
        if made in ranges and not all(np.isfinite(ranges[made][end]).all() for end in ("min", "max")):
            ranges[made] = dict(ranges[given])


def write(tool: quantizer.Quantizer, ranges: dict[str, Any] | None, target: Path) -> None:
    """Quantize, and write with the permissions that new files have (the tool's own are executable)."""
    result = tool.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    target.write_bytes(result.quantized_model)
