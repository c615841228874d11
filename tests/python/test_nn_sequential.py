"""Sequential without training: structure, names, weights, the summary, inputs of predict, files."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import maas_engine
from maas_engine import nn
from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn import Sequential, layers

rng = np.random.default_rng(0)

SUMMARY = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ (None, 64)             │           704 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 64)             │           256 │
│ (BatchNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dropout (Dropout)               │ (None, 64)             │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ leaky_re_lu (LeakyReLU)         │ (None, 64)             │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ layer_normalization             │ (None, 64)             │           128 │
│ (LayerNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 1)              │            65 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 1,153 (4.50 KB)
 Trainable params: 1,025 (4.00 KB)
 Non-trainable params: 128 (512.00 B)"""


def small(**options: object) -> Sequential:
    return Sequential([nn.Input((4,)), nn.Dense(5, activation="relu"), nn.Dense(2)], **options)  # type: ignore[arg-type]


def test_summary_is_keras(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential(
        [
            nn.Input((10,)),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.LeakyReLU(),
            layers.LayerNormalization(),
            layers.Dense(1),
        ]
    )
    model.summary()
    assert capsys.readouterr().out == SUMMARY + "\n"
    lines: list[str] = []
    model.layers[0].trainable = False
    model.summary(print_fn=lines.append, show_trainable=True)
    assert "Non-trainable params: 832" in lines[0]
    assert "│ N " in lines[0]


def test_summary_of_an_unbuilt_model(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([layers.Dense(3), layers.Activation("relu")])
    model.summary()
    text = capsys.readouterr().out
    assert "0 (unbuilt)" in text
    assert "│ ? " in text
    assert text.count("unbuilt") == 1
    assert not model.built
    assert model.get_weights() == []
    with pytest.raises(InvalidArgument, match="Input"):
        model.count_params()
    with pytest.raises(InvalidArgument, match="Input"):
        model.to_model()


def test_every_way_to_say_the_input() -> None:
    for first in (
        [nn.Input((4,)), layers.Dense(3)],
        [nn.Input(shape=4), layers.Dense(3)],
        [layers.InputLayer((4,)), layers.Dense(3)],
        [layers.Dense(3, input_shape=(4,))],
        [layers.Dense(3, input_dim=4)],
    ):
        assert Sequential(first).count_params() == 15
    model = Sequential()
    model.add(layers.Dense(3))
    assert not model.built
    model.build((None, 4))
    assert model.built
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 3))
    model.build((7, 4))
    with pytest.raises(InvalidArgument, match="inputs of"):
        model.build((None, 5))
    lazy = Sequential([layers.Dense(3)])
    assert lazy(np.ones((2, 4))).shape == (2, 3)
    assert lazy.input_shape == (None, 4)


def test_names_and_order_of_weights() -> None:
    model = Sequential(
        [
            nn.Input((4,)),
            nn.Dense(3),
            nn.BatchNormalization(),
            nn.Dense(2, name="head"),
            nn.Dense(2),
            nn.ReLU(),
        ]
    )
    assert [layer.name for layer in model.layers] == [
        "dense",
        "batch_normalization",
        "head",
        "dense_1",
        "re_lu",
    ]
    assert [each.path for each in model.weights] == [
        "dense/kernel", "dense/bias", "batch_normalization/gamma", "batch_normalization/beta",
        "batch_normalization/moving_mean", "batch_normalization/moving_variance", "head/kernel", "head/bias",
        "dense_1/kernel", "dense_1/bias",
    ]  # fmt: skip
    assert [each.name for each in model.non_trainable_weights] == ["moving_mean", "moving_variance"]
    assert [each.shape for each in model.layers[0].weights] == [(4, 3), (3,)]
    assert model.get_layer("head") is model.layers[2]
    assert model.get_layer(index=-1) is model.layers[4]
    with pytest.raises(InvalidArgument, match="head"):
        model.get_layer("heads")
    with pytest.raises(InvalidArgument, match="once"):
        model.add(nn.Dense(2, name="head"))
    with pytest.raises(InvalidArgument, match="already"):
        model.add(model.layers[0])
    with pytest.raises(InvalidArgument, match="first"):
        model.add(nn.Input((3,)))
    with pytest.raises(InvalidArgument, match="layer"):
        model.add("dense")  # type: ignore[arg-type]


def test_weights_round_trip() -> None:
    model, other = small(), small()
    x = rng.standard_normal((6, 4))
    assert not np.array_equal(model.predict(x), other.predict(x))
    other.set_weights(model.get_weights())
    assert np.array_equal(model.predict(x), other.predict(x))
    kernel, bias = model.layers[0].get_weights()
    model.layers[0].set_weights([kernel * 2, bias + 1])
    assert np.array_equal(model.get_weights()[0], kernel * 2)
    assert not np.array_equal(model.predict(x), other.predict(x))
    model.layers[0].kernel.assign(kernel)
    np.testing.assert_array_equal(np.asarray(model.layers[0].kernel), kernel)
    before = model.get_weights()
    with pytest.raises(InvalidArgument, match="dense/kernel"):
        model.set_weights(before[:2])
    with pytest.raises(InvalidArgument, match="shape"):
        model.set_weights([before[0] + 1, before[1], before[3], before[2]])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    model.get_weights()[0][:] = 0  # copies
    assert model.get_weights()[0].any()


def test_pop_and_add() -> None:
    model = small()
    model.pop()
    assert model.output_shape == (None, 5)
    model.add(nn.Dense(3, activation="softmax"))
    np.testing.assert_allclose(model.predict(rng.random((4, 4))).sum(axis=1), np.ones(4), rtol=1e-5)
    with pytest.raises(InvalidArgument, match="at least one layer"):
        Sequential().pop()


def test_models_share_layers() -> None:
    encoder = Sequential([nn.Input((4,)), nn.Dense(2)])
    decoder = Sequential([nn.Input((2,)), nn.Dense(4)])
    both = Sequential([encoder, decoder])
    x = rng.random((3, 4)).astype("f4")
    assert both.count_params() == 22
    np.testing.assert_allclose(both.predict(x), decoder.predict(encoder.predict(x)), rtol=1e-6)
    both.set_weights([each * 2 + 1 for each in both.get_weights()])
    np.testing.assert_allclose(both.predict(x), decoder.predict(encoder.predict(x)), rtol=1e-6)


def test_float64() -> None:
    assert nn.floatx() == "float32"
    nn.set_floatx("float64")
    try:
        model = small()
    finally:
        nn.set_floatx(np.float32)
    assert model.dtype == "float64"
    assert small(dtype="float64").predict(np.zeros((1, 4))).dtype == np.float64
    first = Sequential([nn.Input((4,), dtype="float64"), nn.Dense(2)])
    assert first.predict(np.zeros((1, 4))).dtype == np.float64
    assert {each.dtype for each in first.weights} == {"float64"}
    with pytest.raises(InvalidArgument, match="float32 or float64"):
        nn.set_floatx("float16")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predict_takes_rows_of_any_kind(dtype: str) -> None:
    model = small(dtype=dtype)
    whole = rng.integers(-5, 5, (60, 4)).astype(dtype)
    expected = model.predict(whole)
    for x in (
        whole.astype("float64"),
        whole.astype("float32"),
        whole.astype("int64"),
        whole.astype("int8"),
        np.asfortranarray(whole),
        np.repeat(whole, 2, axis=0)[::2],
        whole.astype(">f4"),
        whole.tolist(),
        pd.DataFrame(whole),
        pl.DataFrame(whole),
        memoryview(whole),
    ):
        assert np.array_equal(model.predict(x), expected)
    assert np.array_equal(model(whole), expected)
    assert np.array_equal(model.predict_on_batch(whole[:7]), expected[:7])
    batches = (whole[first : first + 8] for first in range(0, 60, 8))
    assert np.array_equal(model.predict(batches), expected)
    assert model.predict(whole[:0]).shape == (0, 2)
    for wrong in (whole[:, :3], whole[0], [["a"] * 4], {"a": 1}, "abc", 3.0, np.ma.masked_array(whole)):
        with pytest.raises(InvalidArgument):
            model.predict(wrong)


def test_predict_converts_in_blocks() -> None:
    model = Sequential([nn.Input((4,)), nn.Dense(1)])
    x = rng.random(((1 << 18) + 5, 4))
    assert np.array_equal(model.predict(x), model.predict(x.astype("f4")))


def test_one_feature_may_be_a_vector() -> None:
    model = Sequential([nn.Dense(3)])
    assert model.predict(np.arange(5.0)).shape == (5, 3)
    assert model.input_shape == (None, 1)


def test_save(tmp_path: Path) -> None:
    model = small()
    x = rng.random((5, 4)).astype("f4")
    model.save(tmp_path / "m.onnx")
    assert maas_engine.load(tmp_path / "m.onnx").predict(x).tobytes() == model.predict(x).tobytes()
    for name in ("m.keras", "m.h5", "m"):
        with pytest.raises(Unsupported, match=r"\.onnx"):
            model.save(tmp_path / name)
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "m.onnx", overwrite=False)


def test_names_of_input_and_output() -> None:
    for name, output in (("features", "output"), ("output", "output_1"), (None, "output")):
        schema = Sequential([nn.Input((4,), name=name), nn.Dense(2)]).to_model().schema
        assert (schema.inputs[0].name, schema.outputs[0].name) == (name or "input", output)


def test_copies() -> None:
    model = Sequential(
        [nn.Input((4,)), nn.Dense(3, activation=nn.activations.gelu), nn.LeakyReLU(0.3), nn.Dense(2, "elu")]
    )
    x = rng.random((5, 4)).astype("f4")
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(other.predict(x), model.predict(x))
        other.set_weights([each * 2 for each in other.get_weights()])
        assert not np.array_equal(other.predict(x), model.predict(x))


def test_to_categorical() -> None:
    assert nn.utils.to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert nn.utils.to_categorical([[1], [0]], 3).shape == (2, 3)
    for wrong in ([-1], [0.5]):
        with pytest.raises(InvalidArgument, match="class numbers"):
            nn.utils.to_categorical(wrong)
