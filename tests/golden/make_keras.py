"""Writes onnx/keras_BACKEND: `KERAS_BACKEND=tensorflow python tests/golden/make_keras.py`, and so with torch.

With keras 3.15.1, tensorflow-cpu 2.21.0, torch 2.13.0, tf2onnx 1.17.0, onnx 1.23.2. The files are of
Keras' own `model.export(format="onnx")`; with tensorflow also onnx/tf2onnx, of `tf2onnx.convert.from_function` at
several opsets. The outputs beside a file are `model.predict`'s.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import onnx
from golden_onnx import ROWS, write
from keras import layers
from numpy.typing import NDArray

Array = NDArray[Any]
FEATURES = 6


def _trained(model: Any) -> Any:
    """As if trained: every weight away from its first value, variances positive."""
    draw = np.random.default_rng(1)
    model.set_weights(
        [each + draw.uniform(0.05, 0.4, each.shape).astype(each.dtype) for each in model.get_weights()]
    )
    return model


def _chain(*chain: Any, width: int = FEATURES, dtype: str = "float32") -> Any:
    return keras.Sequential([keras.Input((width,), dtype=dtype), *chain])


def _networks() -> dict[str, Any]:
    """Models of one input of FEATURES floats."""
    normalization = layers.Normalization(mean=np.arange(6.0), variance=np.arange(1.0, 7.0))
    x = keras.Input((FEATURES,))
    hidden = layers.Dense(FEATURES, "relu")(x)
    residual = layers.Dense(2)(layers.Add()([x, hidden]))
    wide = layers.Concatenate()([x, layers.Dense(3, "tanh")(x)])
    two = [layers.Dense(1, name="value")(wide), layers.Dense(3, "softmax", name="kind")(wide)]
    squeezed = layers.Multiply()([x, layers.Dense(FEATURES, "sigmoid")(layers.Dense(2, "relu")(x))])
    columns = [
        layers.Activation(name)(x)
        for name in (
            "relu", "relu6", "sigmoid", "tanh", "softmax", "log_softmax", "softplus", "softsign", "elu", "selu",
            "silu", "hard_sigmoid", "hard_silu", "mish", "leaky_relu", "exponential", "linear",
        )
    ]  # fmt: skip
    return {
        "linear": _chain(layers.Dense(1)),
        "mlp": _chain(layers.Dense(8, "relu"), layers.Dense(3, "softmax")),
        "mlp_binary": _chain(layers.Dense(8, "gelu"), layers.Dense(1, "sigmoid")),
        "prelu": _chain(layers.Dense(8), layers.PReLU(), layers.Dense(2)),
        "batch_norm": _chain(
            layers.BatchNormalization(), layers.Dense(8, use_bias=False), layers.BatchNormalization(),
            layers.ReLU(), layers.Dense(2),
        ),
        "layer_norm": _chain(layers.Dense(8), layers.LayerNormalization(), layers.Dense(2)),
        "dropout": _chain(layers.Dense(8, "silu"), layers.Dropout(0.4), layers.Dense(2)),
        "normalization": _chain(normalization, layers.Dense(2)),
        "rescaling": _chain(layers.Rescaling(1 / 255, -0.5), layers.Dense(2)),
        "unit_norm": _chain(layers.Dense(8), layers.UnitNormalization(), layers.Dense(2)),
        "reshape": _chain(layers.Reshape((3, 2)), layers.Dense(4, "relu"), layers.Flatten(), layers.Dense(2)),
        "pooled": _chain(layers.Reshape((3, 2)), layers.GlobalAveragePooling1D(), layers.Dense(2)),
        "residual": keras.Model(x, residual),
        "two_outputs": keras.Model(x, two),
        "gate": keras.Model(x, squeezed),
        "activations": keras.Model(x, layers.Concatenate()(columns)),
        "conv1d": _chain(layers.Reshape((3, 2)), layers.Conv1D(2, 2), layers.Flatten(), layers.Dense(2)),
    }  # fmt: skip


def _answers(model: Any, inputs: Any) -> list[Array]:
    answer = model.predict(inputs, verbose=0)
    return answer if isinstance(answer, list) else [answer]


def _export(model: Any, **how: Any) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        model.export(path, format="onnx", verbose=False, **how)
        return onnx.load(path)


def _tf2onnx(model: Any, opset: int) -> onnx.ModelProto:
    import tensorflow
    import tf2onnx

    signature = [tensorflow.TensorSpec(each.shape, each.dtype, name=each.name) for each in model.inputs]
    call = tensorflow.function(lambda *inputs: model(list(inputs) if len(inputs) > 1 else inputs[0]))
    return tf2onnx.convert.from_function(call, signature, opset=opset)[0]


def _file(tool: str, name: str, model: Any, inputs: list[Array], **how: Any) -> None:
    _trained(model)
    record = _answers(model, inputs if len(inputs) > 1 else inputs[0])
    try:
        made = _tf2onnx(model, **how) if tool == "tf2onnx" else _export(model, **how)
    except RuntimeError as error:  # layer_norm on torch: the traced shape is no constant
        print(f"{tool}/{name}: {str(error)[:200]}")
        return
    if len(made.graph.input) > len(inputs):  # tensorflow: what Normalization learned is left to the caller
        normalization = model.layers[0]
        inputs = [*inputs, np.asarray(normalization.mean), np.sqrt(np.asarray(normalization.variance))]
    write(tool, name, made, inputs, record)


def main() -> None:
    keras.utils.set_random_seed(0)
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(ROWS, FEATURES)).astype(np.float32)
    tool = f"keras_{keras.backend.backend()}"
    for name, model in _networks().items():
        _file(tool, name, model, [rows])

    codes = draw.integers(0, 5, (ROWS, 3)).astype(np.int32)
    embedding = _chain(layers.Embedding(5, 2), layers.Flatten(), layers.Dense(2), width=3, dtype="int32")
    _file(tool, "embedding", embedding, [codes])
    a, b = keras.Input((3,), dtype="int32", name="codes"), keras.Input((FEATURES,), name="numbers")
    joined = layers.Concatenate()([layers.Flatten()(layers.Embedding(5, 2)(a)), b])
    _file(tool, "embedding_and_numbers", keras.Model([a, b], layers.Dense(2)(joined)), [codes, rows])
    keras.config.set_floatx("float64")
    net = keras.Sequential(
        [keras.Input((FEATURES,), dtype="float64"), layers.Dense(4, "tanh"), layers.Dense(2)]
    )
    _file(tool, "float64", net, [rows.astype(np.float64)])
    keras.config.set_floatx("float32")

    if tool == "keras_tensorflow":  # torch unrolls an LSTM into a large file
        lstm = _chain(layers.Reshape((3, 2)), layers.LSTM(2), layers.Dense(2))
        _file(tool, "lstm", lstm, [rows])
        net = _chain(layers.Dense(8, "silu"), layers.Dense(3, "softmax"))
        for opset in (9, 13, 18):
            _file("tf2onnx", f"opset_{opset}", net, [rows], opset=opset)


if __name__ == "__main__":
    main()
