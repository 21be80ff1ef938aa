"""The network of an ONNX file built in Keras, weight for weight, and converted by TensorFlow's own converter.

Usage: keras_reference.py MODEL.onnx OUT.tflite. Knows the operators of plain convolutional classifiers.
Batch normalisation is in the file's convolutions already, where the converter would fold it as well.
"""

import sys

import keras
import onnx
import tensorflow
from onnx import helper, numpy_helper


def padded(value, pads, kernel, strides, name):
    """``value`` with an ONNX node's padding, and the Keras word for what is left to do."""
    top, left, bottom, right = pads
    same = [(size - 1) // 2 for size in kernel]
    if list(strides) == [1, 1] and [top, left, bottom, right] == same * 2:
        return value, "same"
    if any(pads):
        value = keras.layers.ZeroPadding2D(((top, bottom), (left, right)), name=f"{name}_pad")(value)
    return value, "valid"


def convolution(value, weights, bias, words, name):
    """Conv: one group, or as many as channels."""
    kernel, strides, groups = words["kernel_shape"], words["strides"], words["group"]
    value, padding = padded(value, words["pads"], kernel, strides, name)
    if groups == 1:
        layer = keras.layers.Conv2D(len(weights), kernel, strides, padding, name=name)
        arranged = weights.transpose(2, 3, 1, 0)
    elif groups == value.shape[-1] == len(weights):
        layer = keras.layers.DepthwiseConv2D(kernel, strides, padding, name=name)
        arranged = weights.transpose(2, 3, 0, 1)
    else:
        raise SystemExit(f"{name}: {groups} groups are neither one nor as many as channels")
    made = layer(value)
    layer.set_weights([arranged, bias])
    return made


def build(graph):
    """The graph as a Keras model with NHWC input at batch 1."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    _, channels, height, width = (size.dim_value for size in graph.input[0].type.tensor_type.shape.dim)
    first = keras.Input((height, width, channels), batch_size=1)
    values = {graph.input[0].name: first}
    for number, node in enumerate(graph.node):
        words = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        name, kind = f"n{number}", node.op_type
        if kind == "Constant":
            tensors[node.output[0]] = numpy_helper.to_array(words["value"])
            continue
        inputs = [values[item] for item in node.input if item in values]
        given = [tensors[item] for item in node.input if item in tensors]
        if kind == "Conv":
            made = convolution(*inputs, *given, words, name)
        elif kind == "Relu":
            made = keras.layers.ReLU(name=name)(*inputs)
        elif kind == "Clip" and [float(limit) for limit in given] == [0.0, 6.0]:
            made = keras.layers.ReLU(6.0, name=name)(*inputs)
        elif kind == "Add":
            made = keras.layers.Add(name=name)(inputs)
        elif kind == "MaxPool":  # of values that are not negative, so that zeros pad as well
            value, padding = padded(*inputs, words["pads"], words["kernel_shape"], words["strides"], name)
            made = keras.layers.MaxPool2D(words["kernel_shape"], words["strides"], padding, name=name)(value)
        elif kind == "GlobalAveragePool":
            made = keras.layers.GlobalAveragePooling2D(name=name)(*inputs)
        elif kind == "Flatten":
            made = inputs[0]  # pooled to one value a channel already
        elif kind == "Gemm" and words.get("transB"):
            layer = keras.layers.Dense(len(given[0]), name=name)
            made = layer(*inputs)
            layer.set_weights([given[0].T, given[1]])
        else:
            raise SystemExit(f"{kind} is no operator that this program builds in Keras")
        values[node.output[0]] = made
    return keras.Model(first, values[graph.output[0].name])


def main():
    """Build and convert; whether both files agree is for those to see who run them."""
    source, target = sys.argv[1:]
    model = build(onnx.load(source).graph)
    content = tensorflow.lite.TFLiteConverter.from_keras_model(model).convert()
    with open(target, "wb") as stream:
        stream.write(content)


if __name__ == "__main__":
    main()
