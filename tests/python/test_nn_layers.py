"""Layers and the graphs they write: shapes, names, weights, initial values, agreement with other runtimes."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import maas_engine
from maas_engine import interpreter, nn
from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn import activations, initializers, layers, regularizers

DTYPES = ("float32", "float64")
ACTIVATIONS = (
    "linear", "relu", "leaky_relu", "elu", "selu", "gelu", "gelu_tanh", "silu", "swish", "tanh", "sigmoid",
    "softplus", "softmax", "exponential", "softsign", "hard_sigmoid", "hard_silu", "hard_swish", "mish", "relu6",
)  # fmt: skip

rng = np.random.default_rng(3)


def erf(x: np.ndarray) -> np.ndarray:
    return np.vectorize(math.erf)(x)


FORMULAS: dict[str, Any] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))
    ),
    "gelu": lambda x: x / 2 * (1 + erf(x / np.sqrt(2))),
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "exponential": np.exp,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "relu6": lambda x: np.clip(x, 0, 6),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}


def run_onnx(model: nn.Sequential, x: np.ndarray, path: Path) -> np.ndarray:
    model.save(path)
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def check_everywhere(model: nn.Sequential, x: np.ndarray, path: Path, runtime: bool = True) -> None:
    """The saved file gives the bits of predict; the interpreter and ONNX Runtime agree."""
    expected = model.predict(x)
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if model.dtype == "float32" else {"rtol": 1e-10, "atol": 1e-10}
    graph = model.to_model().graph
    (interpreted,) = interpreter.run(graph, {graph.inputs[0][0]: x}).values()
    np.testing.assert_allclose(interpreted, expected, **tolerance)
    if runtime:
        np.testing.assert_allclose(run_onnx(model, x, path), expected, **tolerance)
    else:
        model.save(path)
    assert maas_engine.load(path).predict(x).tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name: str, dtype: str, tmp_path: Path) -> None:
    x = (rng.standard_normal((33, 5)) * 3).astype(dtype)
    model = nn.Sequential([nn.Input((5,)), nn.Activation(name)], dtype=dtype)
    expected = FORMULAS[name](x.astype(float))
    close = {"rtol": 3e-6 if dtype == "float32" else 1e-7, "atol": 2e-6 if dtype == "float32" else 1e-7}
    np.testing.assert_allclose(model.predict(x), expected, **close)
    np.testing.assert_allclose(activations._BY_NAME[name](x), expected, **close)
    # ONNX Runtime has no erf of doubles.
    check_everywhere(model, x, tmp_path / "m.onnx", runtime=(name, dtype) != ("gelu", "float64"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_float64_activations_are_spelt_out_with_the_same_values(dtype: str) -> None:
    x = np.array([[-800.0, -30, -1e-9, -0.0, 0.0, 1e-9, 30, 800]], dtype)
    for name in ("leaky_relu", "elu", "selu", "softplus", "softsign", "hard_silu", "mish"):
        model = nn.Sequential([nn.Input((8,)), nn.Activation(name)], dtype=dtype)
        np.testing.assert_allclose(model.predict(x), FORMULAS[name](x.astype(float)), rtol=1e-6, atol=1e-9)


def test_activation_functions_of_the_module() -> None:
    x = np.array([-1.0, 2.0])
    assert activations.get(activations.relu).name == "relu"
    assert activations.get(None).name == "linear"
    np.testing.assert_allclose(activations.leaky_relu(x, negative_slope=0.5), [-0.5, 2])
    np.testing.assert_allclose(activations.get(partial(activations.elu, alpha=2.0))(x), [2 * np.expm1(-1), 2])
    assert activations.relu(3).shape == ()
    assert activations.get(layers.LeakyReLU(0.25)).argument == 0.25
    assert activations.get(activations.hard_swish).name == "hard_silu"
    for name in activations.__all__:
        if name not in ("Activation", "get"):
            function = getattr(activations, name)
            assert activations.get(function) is activations.get(name)
            np.testing.assert_allclose(function(x), FORMULAS[name](x), rtol=1e-6)
    assert activations.relu(np.zeros((0, 2))).shape == (0, 2)
    assert activations.softmax(np.ones((2, 3, 4))).shape == (2, 3, 4)
    for wrong in ("relux", lambda x: x, 3):
        with pytest.raises(InvalidArgument, match="activations"):
            activations.get(wrong)


LAYERS: dict[str, tuple[tuple[int, ...], Any]] = {
    "dense": ((6,), lambda: layers.Dense(4, activation="tanh")),
    "dense wide": ((6,), lambda: layers.Dense(40, use_bias=False)),
    "dense of positions": ((3, 6), lambda: layers.Dense(4, activation="relu")),
    "dense of positions, no bias": ((3, 6), lambda: layers.Dense(4, use_bias=False)),
    "relu": ((6,), lambda: layers.ReLU()),
    "relu with a slope": ((6,), lambda: layers.ReLU(negative_slope=0.1)),
    "leaky": ((6,), lambda: layers.LeakyReLU(0.25)),
    "elu": ((6,), lambda: layers.ELU(0.5)),
    "relu with a bound": ((6,), lambda: layers.ReLU(max_value=6)),
    "rescaling": ((3, 6), lambda: layers.Rescaling(0.5, offset=-1)),
    "softmax": ((3, 6), lambda: layers.Softmax()),
    "dropout": ((6,), lambda: layers.Dropout(0.5)),
    "batch norm": ((6,), lambda: layers.BatchNormalization()),
    "batch norm, plain": ((6,), lambda: layers.BatchNormalization(center=False, scale=False)),
    "layer norm": ((6,), lambda: layers.LayerNormalization()),
    "layer norm, plain": ((3, 6), lambda: layers.LayerNormalization(center=False, scale=False)),
    "flatten": ((3, 6), lambda: layers.Flatten()),
    "reshape": ((3, 6), lambda: layers.Reshape((2, -1))),
    "normalization": ((6,), lambda: layers.Normalization(mean=np.arange(6), variance=np.arange(1, 7))),
    "normalization of all": ((3, 6), lambda: layers.Normalization(axis=None, mean=2.0, variance=4.0)),
    "inverse normalization": ((6,), lambda: layers.Normalization(mean=3, variance=4, invert=True)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", LAYERS)
def test_layer_everywhere(case: str, dtype: str, tmp_path: Path) -> None:
    shape, make = LAYERS[case]
    model = nn.Sequential([nn.Input(shape), make()], dtype=dtype)
    weights = [rng.uniform(0.5, 2, each.shape) for each in model.weights]  # variances are positive
    model.set_weights(weights)
    x = rng.standard_normal((9, *shape)).astype(dtype)
    assert model.predict(x).shape == (9, *model.output_shape[1:])
    # ONNX says that mean and deviation of LayerNormalization are float32.
    check_everywhere(model, x, tmp_path / "m.onnx", runtime="layer norm" not in case or dtype == "float32")


def test_embedding_everywhere(tmp_path: Path) -> None:
    model = nn.Sequential([layers.Embedding(10, 4), layers.Flatten(), layers.Dense(2)])
    x = np.array([[0, 9, 3], [1, 1, 1]])
    table, kernel, bias = (model.predict(x), model.get_weights())[1]
    np.testing.assert_allclose(
        model.predict(x), table[x].reshape(2, 12) @ kernel + bias, rtol=1e-5, atol=1e-6
    )
    assert model.input_shape == (None, 3)
    assert model.layers[0].output_shape == (None, 3, 4)
    check_everywhere(model, x, tmp_path / "m.onnx")
    with pytest.raises(InvalidArgument, match="first"):
        nn.Sequential([nn.Input((3,)), layers.Dense(2), layers.Embedding(3, 2)]).predict(np.ones((1, 3)))


def test_training_graph_is_a_chain_with_dropout() -> None:
    from maas_engine.nn._graph import write_graph

    model = nn.Sequential(
        [nn.Input((5,)), nn.Dense(4, "silu"), nn.Dropout(0.25), nn.BatchNormalization(), nn.Dense(1)]
    )
    graph, kept = write_graph(model.name, model.layers, model.signature("test"), training=True)
    assert [node.op for node in graph.nodes] == [
        "Gemm",
        "Sigmoid",
        "Mul",
        "Dropout",
        "BatchNormalization",
        "Gemm",
    ]
    assert [each.path for each in kept] == [each.path for each in model.weights]
    assert graph.nodes[4].attributes["momentum"] == pytest.approx(0.99)
    ops = [node.op for node in model.to_model().graph.nodes]
    assert "Dropout" not in ops


def test_normalization_adapts() -> None:
    data = rng.normal(3, 2, (500, 4))
    layer = layers.Normalization()
    layer.adapt(data)
    np.testing.assert_allclose(layer.mean, data.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(layer.variance, data.var(axis=0), rtol=1e-6)
    assert [each.name for each in layer.weights] == ["mean", "variance", "count"]
    out = layer(data)
    np.testing.assert_allclose(out.mean(axis=0), np.zeros(4), atol=1e-5)
    batches = layers.Normalization()
    batches.adapt(data[first : first + 7] for first in range(0, 500, 7))
    np.testing.assert_allclose(batches.variance, layer.variance, rtol=1e-6)
    layer.adapt(data + 1e6)  # no digits lost to the offset
    np.testing.assert_allclose(layer.variance, data.var(axis=0), rtol=1e-6)
    model = nn.Sequential([layer, nn.Dense(1)])
    before = model.predict(data)
    layer.adapt(data)
    assert not np.array_equal(model.predict(data), before)
    with pytest.raises(InvalidArgument, match="finite"):
        layers.Normalization().adapt([[1.0], [np.nan]])
    with pytest.raises(InvalidArgument, match="both"):
        layers.Normalization(mean=1.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_trained(name: str, dtype: str) -> None:
    """A step of gradient descent is the one that differences of the loss suggest."""
    nn.set_random_seed(1)
    model = nn.Sequential([nn.Input((3,)), nn.Dense(4, name), nn.Dense(2)], dtype=dtype)
    maas_engine.set_seed(None)
    model.compile(nn.optimizers.SGD(1e-3), "mse")
    x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
    before = model.get_weights()
    first = model.evaluate(x, y, verbose=0)
    model.train_on_batch(x, y)
    squared = sum(np.square((a - b) / 1e-3).sum() for a, b in zip(before, model.get_weights(), strict=True))
    fall = first - model.evaluate(x, y, verbose=0)
    assert fall == pytest.approx(1e-3 * squared, rel=0.05)


def test_wrong_options_are_named() -> None:
    for make in (
        lambda: layers.Dense(0),
        lambda: layers.Dropout(1.0),
        lambda: layers.BatchNormalization(momentum=1),
        lambda: layers.LayerNormalization(epsilon=0),
        lambda: layers.Reshape((-1, -1)),
        lambda: layers.Embedding(0, 3),
        lambda: layers.LeakyReLU(-1),
        lambda: nn.Input((None, 3)),
        lambda: nn.Input(()),
        lambda: nn.Input((3,), dtype="str"),
        lambda: nn.Sequential(dtype="int32"),
        lambda: layers.Dense(3, kernel_initializer="glorot"),
        lambda: layers.Dense(3, kernel_regularizer="l3"),
    ):
        with pytest.raises(InvalidArgument, match="expected"):
            make()
    with pytest.raises(Unsupported, match="kernel_constraint"):
        layers.Dense(3, kernel_constraint="max_norm")
    with pytest.raises(Unsupported, match="Sequential"):
        layers.Dense(3)(nn.Input((3,)))  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="hold the 6 values"):
        nn.Sequential([nn.Input((6,)), layers.Reshape((4,))])


# --- initial weights ---------------------------------------------------------------------------------

# name -> (standard deviation, largest magnitude) for a kernel of 300 × 200
_CUT = 2 / 0.87962566103423978
SPREADS = {
    "glorot_uniform": (math.sqrt(2 / 500), math.sqrt(6 / 500)),
    "glorot_normal": (math.sqrt(2 / 500), _CUT * math.sqrt(2 / 500)),
    "he_uniform": (math.sqrt(2 / 300), math.sqrt(6 / 300)),
    "he_normal": (math.sqrt(2 / 300), _CUT * math.sqrt(2 / 300)),
    "lecun_uniform": (math.sqrt(1 / 300), math.sqrt(3 / 300)),
    "lecun_normal": (math.sqrt(1 / 300), _CUT * math.sqrt(1 / 300)),
    "random_uniform": (0.1 / math.sqrt(12), 0.05),
    "random_normal": (0.05, 0.3),
    "truncated_normal": (0.05 * 0.87962566103423978, 0.1),
}


@pytest.mark.parametrize("name", SPREADS)
def test_initializer_spread(name: str) -> None:
    deviation, largest = SPREADS[name]
    values = initializers._BY_NAME[name](seed=5)((300, 200), "float64")
    assert values.std() == pytest.approx(deviation, rel=0.01)
    assert abs(values.mean()) < 4 * deviation / math.sqrt(values.size)
    assert np.abs(values).max() <= largest
    assert np.abs(values).max() > 0.7 * largest
    again = initializers._BY_NAME[name](seed=5)((300, 200), "float64")
    assert np.array_equal(values, again)
    assert not np.array_equal(values, initializers._BY_NAME[name](seed=6)((300, 200), "float64"))


def test_leading_axes_of_a_kernel_count_for_both_sides() -> None:
    kernel = initializers.HeNormal(seed=5)((3, 3, 40, 80), "float64")
    assert kernel.std() == pytest.approx(math.sqrt(2 / (9 * 40)), rel=0.01)
    assert np.abs(initializers.GlorotUniform(seed=5)((7, 20, 30))).max() <= math.sqrt(6 / (7 * 50))


def test_initializers_by_every_way() -> None:
    assert np.array_equal(initializers.get("zeros")((2, 2), "float32"), np.zeros((2, 2)))
    assert np.array_equal(initializers.get("HeNormal")((0,), "float32"), np.zeros(0))
    assert np.array_equal(initializers.Constant([1, 2])((3, 2)), [[1, 2]] * 3)
    dense = layers.Dense(2, kernel_initializer=lambda shape, dtype: np.full(shape, 3, dtype))
    dense.build((None, 4))
    assert np.array_equal(dense.get_weights()[0], np.full((4, 2), 3))
    with pytest.raises(InvalidArgument, match="shape"):
        layers.Dense(2, kernel_initializer=lambda shape, dtype: np.zeros(3)).build((None, 4))


def test_seed_makes_weights_repeatable() -> None:
    def weights() -> np.ndarray:
        return nn.Sequential([nn.Input((5,)), nn.Dense(4), nn.Dense(3)]).get_weights()[2]

    nn.set_random_seed(7)
    first, second = weights(), weights()
    nn.set_random_seed(7)
    assert np.array_equal(weights(), first)
    assert not np.array_equal(first, second)
    maas_engine.set_seed(None)


def test_regularizers() -> None:
    w = np.array([-1.0, 2.0])
    assert regularizers.l1(0.1)(w) == pytest.approx(0.3)
    assert regularizers.get("l2")(w) == pytest.approx(0.05)
    assert regularizers.l1_l2(0.1, 0.2)(w) == pytest.approx(1.3)
    assert regularizers.get(None) is None
    for wrong in (-1, math.nan, math.inf):
        with pytest.raises(InvalidArgument, match="finite"):
            regularizers.l2(wrong)
