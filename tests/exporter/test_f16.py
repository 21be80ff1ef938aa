"""Half-precision files: fp16 weights, float32 ends, and what the file computes in."""

import floats
import numpy as np
import pytest

from models.techniques import f16


@pytest.mark.parametrize(
    ("format_", "compute", "share"),
    [("onnx", "float16", 0.6), ("tflite", "float32", 0.65), ("pt2", "float16", 0.8)],
)
def test_half_the_weights_and_nearly_the_same_logits(tmp_path, format_, compute, share):
    source, target = floats.float_file(format_), tmp_path / "model"
    facts = f16.convert(format_, source, target, None, {})
    assert facts["weight_tensors"] == {"float16": 4}
    assert set(facts["compute"]) == {compute}
    assert target.stat().st_size < share * source.stat().st_size  # the rest is graph, not weights
    expected, given = floats.outputs(source, format_), floats.outputs(target, format_)
    assert 0 < np.abs(expected - given).max() < 0.02 * np.abs(expected).max()
    assert (expected.argmax(1) == given.argmax(1)).all()
