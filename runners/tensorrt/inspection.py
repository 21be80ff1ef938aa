"""What an engine is made of, as its inspector tells: layers, and the type each one writes.

https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/advanced.html#engine-inspector
The layout of its JSON is not specified; words that are new here are passed on as they are.
"""

import json
import re

WORDS = (
    ("fp32", r"\b(FP32|Float)\b"),
    ("fp16", r"\b(FP16|Half)\b"),
    ("int8", r"\bInt8\b"),
    ("bf16", r"\b(BF16|BFloat16)\b"),
    ("fp8", r"\bFP8\b"),
    ("int32", r"\bInt32\b"),
    ("int64", r"\bInt64\b"),
    ("bool", r"\bBool\b"),
)


def precision_of(text):
    """A name of ours for words like ``Row major linear FP32`` or ``Half``; the words where they are new."""
    return next((name for name, words in WORDS if re.search(words, text, re.IGNORECASE)), text or "unknown")


def node(layer):
    """One layer; an engine built without details tells its name alone."""
    if not isinstance(layer, dict):
        return {"name": str(layer), "op": "unknown", "on": "cuda", "precision": "unknown"}
    outputs = layer.get("Outputs") or [{}]
    written = outputs[0].get("Format/Datatype", "")
    name, op = layer.get("Name", ""), layer.get("LayerType", "unknown")
    return {"name": name, "op": op, "on": "cuda", "precision": precision_of(written)}


def layers(trt, engine):
    """(all layers in the engine's order, None), or (none, why they cannot be told)."""
    text = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
    try:
        # Names of layers come from the model, and TensorRT escapes nothing in them.
        return [node(layer) for layer in json.loads(text, strict=False).get("Layers", [])], None
    except ValueError as error:
        return [], "the engine's inspector gives no JSON (%s)" % error
