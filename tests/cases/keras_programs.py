"""Training programs that read the same for Keras 3 and for maas_engine.nn: each takes the library as `k`.

Initial weights and data are made here, from uniform doubles alone, and rows come in order: both libraries then
do the same arithmetic but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Library = Any  # keras, or maas_engine.nn

ROWS, FEATURES, CLASSES, WORDS = 200, 8, 6, 12


def data(target: str) -> tuple[Array, Array]:
    """Return 200 rows of features and a target of the kind `target`."""
    rng = np.random.default_rng(7)
    x = (2 * rng.random((ROWS, FEATURES)) - 1).astype(np.float32)
    scores = x @ (2 * rng.random((FEATURES, CLASSES)) - 1) + 0.3 * rng.random((ROWS, CLASSES))
    classes = scores.argmax(axis=1)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    targets: dict[str, Callable[[], Array]] = {
        "numbers": lambda: scores[:, :1].astype(np.float32),
        "columns": lambda: scores[:, :3].astype(np.float32),
        "binary": lambda: (scores[:, :1] > 0).astype(np.float32),
        "labels": lambda: (scores[:, :3] > 0).astype(np.float32),
        "signs": lambda: np.where(scores[:, :1] > 0, 1, -1).astype(np.float32),
        "counts": lambda: np.floor(4 * rng.random((ROWS, 1)) * (1 + (scores[:, :1] > 0))).astype(np.float32),
        "classes": lambda: classes.astype(np.int32),
        "one_hot": lambda: np.eye(CLASSES, dtype=np.float32)[classes],
        "shares": lambda: shares.astype(np.float32),
        "words": lambda: classes.astype(np.int32),
    }
    y = targets[target]()
    if target == "words":  # features are numbers of words
        x = np.floor(WORDS * (0.5 + 0.5 * x[:, :3])).astype(np.int32)
    return x, y


@dataclass(frozen=True)
class Program:
    """What to build, compile and fit; each function takes the library."""

    layers: Callable[[Library], list[Any]]
    loss: Callable[[Library], Any]
    target: str
    optimizer: Callable[[Library], Any] = lambda k: k.optimizers.Adam(0.01)
    metrics: tuple[str, ...] = ()
    fit: dict[str, Any] = field(default_factory=dict)
    epochs: int = 4
    calls: int = 1  # of fit, one after the other
    # How far losses may differ, relative; wider only where the program itself multiplies rounding errors.
    tolerance: float = 1e-4


def _hidden(units: int, last: str | None, *, activation: str = "relu") -> Callable[[Library], list[Any]]:
    def layers(k: Library) -> list[Any]:
        return [
            k.layers.Input((FEATURES,)),
            k.layers.Dense(16, activation=activation),
            k.layers.Dense(units, activation=last),
        ]

    return layers


_classifier = _hidden(CLASSES, "softmax")


def _classes(optimizer: Callable[[Library], Any], **changes: Any) -> Program:
    return Program(
        _classifier,
        lambda k: k.losses.SparseCategoricalCrossentropy(),
        "classes",
        optimizer,
        ("accuracy",),
        **changes,
    )


def _loss(
    loss: Callable[[Library], Any], target: str, units: int, last: str | None, *metrics: str
) -> Program:
    return Program(_hidden(units, last), loss, target, metrics=metrics)


def _activation(name: str) -> Program:
    return Program(_hidden(1, None, activation=name), lambda _: "mse", "numbers", metrics=("mae",))


OPTIMIZERS: dict[str, Callable[[Library], Any]] = {
    "sgd": lambda k: k.optimizers.SGD(0.1),
    "momentum": lambda k: k.optimizers.SGD(0.05, momentum=0.9),
    "nesterov": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "sgd_decay": lambda k: k.optimizers.SGD(0.1, weight_decay=0.01),
    "adam": lambda k: k.optimizers.Adam(0.01),
    "adam_betas": lambda k: k.optimizers.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    "amsgrad": lambda k: k.optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda k: k.optimizers.AdamW(0.01, weight_decay=0.05),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.005),
    "rmsprop_momentum": lambda k: k.optimizers.RMSprop(0.002, rho=0.8, momentum=0.5),
    "rmsprop_centered": lambda k: k.optimizers.RMSprop(0.005, centered=True),
    "adagrad": lambda k: k.optimizers.Adagrad(0.1),
    "clip_value": lambda k: k.optimizers.SGD(0.5, clipvalue=0.02),
    "clip_norm": lambda k: k.optimizers.SGD(0.5, clipnorm=0.1),
    "all_at_once": lambda k: k.optimizers.AdamW(0.01, weight_decay=0.05, clipnorm=0.1, amsgrad=True),
    "clip_global_norm": lambda k: k.optimizers.Adam(0.02, global_clipnorm=0.1),
    "exponential_decay": lambda k: k.optimizers.SGD(
        k.optimizers.schedules.ExponentialDecay(0.2, decay_steps=5, decay_rate=0.8)
    ),
    "exponential_staircase": lambda k: k.optimizers.SGD(
        k.optimizers.schedules.ExponentialDecay(0.2, decay_steps=5, decay_rate=0.8, staircase=True)
    ),
    "cosine_warmup": lambda k: k.optimizers.Adam(
        k.optimizers.schedules.CosineDecay(
            1e-4, decay_steps=14, alpha=0.1, warmup_target=0.02, warmup_steps=6
        )
    ),
    "piecewise": lambda k: k.optimizers.SGD(
        k.optimizers.schedules.PiecewiseConstantDecay([6, 13], [0.2, 0.05, 0.01])
    ),
    "inverse_time": lambda k: k.optimizers.SGD(
        k.optimizers.schedules.InverseTimeDecay(0.2, decay_steps=5, decay_rate=0.5)
    ),
    "polynomial": lambda k: k.optimizers.SGD(
        k.optimizers.schedules.PolynomialDecay(0.2, decay_steps=20, end_learning_rate=0.01, power=2.0)
    ),
}

LOSSES = {
    "mse": _loss(lambda _: "mse", "columns", 3, None, "mae", "root_mean_squared_error"),
    "mae": _loss(lambda _: "mae", "numbers", 1, None, "mse"),
    "huber": _loss(lambda k: k.losses.Huber(delta=0.3), "numbers", 1, None),
    "binary": _loss(lambda _: "binary_crossentropy", "binary", 1, "sigmoid", "accuracy", "mse"),
    "binary_labels": _loss(lambda _: "binary_crossentropy", "labels", 3, "sigmoid", "binary_accuracy"),
    "binary_logits": _loss(lambda k: k.losses.BinaryCrossentropy(from_logits=True), "binary", 1, None),
    "binary_smooth": _loss(
        lambda k: k.losses.BinaryCrossentropy(label_smoothing=0.1), "binary", 1, "sigmoid"
    ),
    "categorical": _loss(
        lambda _: "categorical_crossentropy", "one_hot", CLASSES, "softmax", "accuracy", "mae"
    ),
    "categorical_logits": _loss(
        lambda k: k.losses.CategoricalCrossentropy(from_logits=True), "one_hot", CLASSES, None
    ),
    "categorical_smooth": _loss(
        lambda k: k.losses.CategoricalCrossentropy(label_smoothing=0.1), "one_hot", CLASSES, "softmax"
    ),
    "categorical_shares": _loss(
        lambda _: "categorical_crossentropy", "shares", CLASSES, "softmax", "kl_divergence"
    ),
    "categorical_sigmoid": _loss(
        lambda _: "categorical_crossentropy", "one_hot", CLASSES, "sigmoid", "top_k_categorical_accuracy"
    ),
    "sparse_logits": _loss(
        lambda k: k.losses.SparseCategoricalCrossentropy(from_logits=True),
        "classes",
        CLASSES,
        None,
        "accuracy",
        "sparse_top_k_categorical_accuracy",
    ),
    "hinge": _loss(lambda _: "hinge", "signs", 1, "tanh"),
    "hinge_of_zeros": _loss(lambda _: "hinge", "binary", 1, "tanh"),
    "squared_hinge": _loss(lambda _: "squared_hinge", "signs", 1, None, "hinge"),
    "poisson": _loss(lambda _: "poisson", "counts", 1, "softplus"),
    "kl_divergence": _loss(lambda _: "kl_divergence", "shares", CLASSES, "softmax"),
}


# No L1 of what starts at 0: there the slope of |w| is 0 with Keras on torch (and here), 1 with Keras on JAX.
def _regularised(k: Library) -> list[Any]:
    r = k.regularizers
    return [
        k.layers.Input((FEATURES,)),
        k.layers.Dense(16, activation="relu", kernel_regularizer=r.L2(0.01), bias_regularizer=r.L2(0.01)),
        k.layers.Dense(CLASSES, activation="softmax", kernel_regularizer=r.L1L2(0.001, 0.002)),
    ]


def _batch_norm(k: Library) -> list[Any]:
    return [
        k.layers.Input((FEATURES,)),
        k.layers.Dense(16, use_bias=False),
        k.layers.BatchNormalization(momentum=0.9),
        k.layers.Activation("relu"),
        k.layers.Dense(CLASSES, activation="softmax"),
    ]


def _layer_norm(k: Library) -> list[Any]:
    return [
        k.layers.Input((FEATURES,)),
        k.layers.Dense(16, activation="tanh"),
        k.layers.LayerNormalization(),
        k.layers.Dense(CLASSES, activation="softmax"),
    ]


def _embedding(k: Library) -> list[Any]:
    return [
        k.layers.Input((3,), dtype="int32"),
        k.layers.Embedding(WORDS, 5),
        k.layers.Flatten(),
        k.layers.Dense(16, activation="relu"),
        k.layers.Dense(CLASSES, activation="softmax"),
    ]


def _positions(k: Library) -> list[Any]:
    return [
        k.layers.Input((3,), dtype="int32"),
        k.layers.Embedding(WORDS, 5),
        k.layers.Dense(6, activation="relu"),
        k.layers.LayerNormalization(epsilon=1e-2),
        k.layers.Reshape((18,)),
        k.layers.Dense(CLASSES, activation="softmax"),
    ]


def _batch_norms(k: Library) -> list[Any]:
    return [
        k.layers.Input((FEATURES,)),
        k.layers.BatchNormalization(scale=False),
        k.layers.Dense(16, activation="relu"),
        k.layers.BatchNormalization(center=False, epsilon=1e-2),
        k.layers.Dense(16, activation="tanh"),
        k.layers.BatchNormalization(trainable=False),
        k.layers.Dense(CLASSES, activation="softmax"),
    ]


def _normalization(k: Library) -> list[Any]:
    scale = k.layers.Normalization()
    scale.adapt(data("classes")[0])
    shift = k.layers.Rescaling(0.5, offset=0.25)
    return [k.layers.Input((FEATURES,)), scale, shift, *_classifier(k)[1:]]


def _layers_of_activations(k: Library) -> list[Any]:
    return [
        k.layers.Input((FEATURES,)),
        k.layers.Dense(16),
        k.layers.LeakyReLU(negative_slope=0.1),
        k.layers.Dense(8),
        k.layers.ELU(alpha=0.5),
        k.layers.Dense(CLASSES),
        k.layers.Softmax(),
    ]


def _frozen(k: Library) -> list[Any]:
    return [
        k.layers.Input((FEATURES,)),
        k.layers.Dense(16, activation="relu", trainable=False),
        k.layers.Dense(CLASSES, activation="softmax"),
    ]


def _sparse(layers: Callable[[Library], list[Any]], target: str = "classes", **changes: Any) -> Program:
    return Program(
        layers, lambda _: "sparse_categorical_crossentropy", target, metrics=("accuracy",), **changes
    )


LAYERS = {
    "regularised": _sparse(_regularised),
    "batch_norm": _sparse(_batch_norm),
    "layer_norm": _sparse(_layer_norm),
    "embedding": _sparse(_embedding, "words"),
    "positions": _sparse(_positions, "words"),
    "batch_norms": _sparse(_batch_norms),
    "normalization": _sparse(_normalization),
    "activation_layers": _sparse(_layers_of_activations),
    "frozen": _sparse(_frozen),
}

_WEIGHTS = 0.5 + np.random.default_rng(9).random(ROWS)

FITS = {
    "sample_weight": _sparse(_classifier, fit={"sample_weight": _WEIGHTS}),
    "class_weight": _sparse(_classifier, fit={"class_weight": {0: 1.0, 1: 2.0, 2: 0.5, 3: 1.5}}),
    "class_weight_one_hot": Program(
        _classifier,
        lambda _: "categorical_crossentropy",
        "one_hot",
        metrics=("accuracy",),
        fit={"class_weight": {0: 2.0, 1: 0.5}},
    ),
    "weight_of_zero": _sparse(_classifier, fit={"sample_weight": np.floor(2 * _WEIGHTS)}),
    "twice": _sparse(_classifier, calls=2, epochs=2),
    "validation_split": _sparse(_classifier, fit={"validation_split": 0.25}),
    "validation_data": _sparse(_classifier, fit={"validation_data": tuple(a[:50] for a in data("classes"))}),
    "validation_weighted": _sparse(
        _classifier, fit={"validation_data": (*(a[:50] for a in data("classes")), _WEIGHTS[:50])}
    ),
    "regularised_validation": _sparse(_regularised, fit={"validation_split": 0.2}),
    "one_batch": _sparse(_classifier, fit={"batch_size": 1000}),
    "batches_of_one": _sparse(_classifier, fit={"batch_size": 1}, epochs=1),
}

ACTIVATIONS = [
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "leaky_relu",
    "linear",
    "mish",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]

PROGRAMS: dict[str, Program] = {
    **{f"optimizer_{name}": _classes(optimizer) for name, optimizer in OPTIMIZERS.items()},
    **{f"loss_{name}": program for name, program in LOSSES.items()},
    **{f"layers_{name}": program for name, program in LAYERS.items()},
    **{f"fit_{name}": program for name, program in FITS.items()},
    **{f"activation_{name}": _activation(name) for name in ACTIVATIONS},
}


def initial_weights(shapes: list[Array]) -> list[Array]:
    """Return uniform matrices of Glorot's width, and what has one axis as it is."""
    rng = np.random.default_rng(3)
    return [
        ((2 * rng.random(w.shape) - 1) * np.sqrt(6 / sum(w.shape))).astype(np.float32) if w.ndim > 1 else w
        for w in shapes
    ]


def run(library: Library, program: Program) -> dict[str, Any]:
    """Return history, evaluation and the first predictions."""
    x, y = data(program.target)
    model = library.Sequential(program.layers(library))
    model.set_weights(initial_weights(model.get_weights()))
    model.compile(
        optimizer=program.optimizer(library), loss=program.loss(library), metrics=list(program.metrics)
    )
    options = {"epochs": program.epochs, "batch_size": 32, "shuffle": False, "verbose": 0, **program.fit}
    history: dict[str, list[Any]] = {}
    for _ in range(program.calls):
        for name, values in model.fit(x, y, **options).history.items():
            history.setdefault(name, []).extend(values)
    return _numbers(
        history,
        [*np.atleast_1d(model.evaluate(x, y, verbose=0)), *_weighted(model, x, y)],
        model.predict(x[:3], verbose=0),
    )


def _weighted(model: Any, x: Array, y: Array) -> Array:
    return np.atleast_1d(model.evaluate(x, y, sample_weight=_WEIGHTS, verbose=0))


def textbook(library: Library) -> dict[str, Any]:
    """Run the program of the first lesson: 1000 random rows, 64 and 32 hidden units."""
    rng = np.random.default_rng(0)
    x, y = rng.random((1000, 10)), rng.random((1000, 1))
    model = library.Sequential(
        [
            library.layers.Dense(64, activation="relu", input_shape=(10,)),
            library.layers.Dense(32, activation="relu"),
            library.layers.Dense(1),
        ]
    )
    model.set_weights(initial_weights(model.get_weights()))
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    history = model.fit(x, y, epochs=10, batch_size=32, shuffle=False, verbose=0).history
    return _numbers(history, model.evaluate(x, y, verbose=0), model.predict(x[:3], verbose=0))


def _numbers(history: dict[str, list[Any]], evaluated: Any, predicted: Array) -> dict[str, Any]:
    return {
        "history": {name: [float(v) for v in values] for name, values in history.items()},
        "evaluate": [float(v) for v in np.atleast_1d(evaluated)],
        "predict": np.asarray(predicted, dtype=np.float64).ravel().tolist(),
    }
