"""Dynamic-range int8: weights are integers, activations are not, and LiteRT computes it."""

import floats
import pytest

from models.errors import ExportError
from models.techniques import blq


def test_every_weight_is_int8_and_the_answers_stay(tmp_path):
    source, target = floats.float_file("tflite"), tmp_path / "model.tflite"
    facts = blq.convert("tflite", source, target, None, {})
    assert facts["weight_tensors"] == {"int8": 4}
    assert facts["compute"] == {"float32": 4, "hybrid": 4}
    assert facts["float_fallback"] == {"MAX_POOL_2D": 2, "RESHAPE": 1, "TRANSPOSE": 1}
    assert abs(floats.right(target, "tflite") - floats.right(source, "tflite")) <= 0.01 * floats.TOTAL
    assert target.stat().st_size < 0.4 * source.stat().st_size  # 9 kB of it are no weights


@pytest.mark.parametrize("format_", ["onnx", "pt2"])
def test_a_format_without_it_has_a_reason(tmp_path, format_):
    with pytest.raises(ExportError, match=f"blq: {format_}: .*dynamically"):
        blq.convert(format_, tmp_path / "a", tmp_path / "b", None, {})
