"""Training in JAX with Adam: a jitted step in a Python loop, and a jitted scan over an epoch."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace as Data
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .adapter import Run, Setup
from .training import TRAININGS


def loss(layers: Any, X: jax.Array, y: jax.Array, classes: bool) -> jax.Array:
    h = X
    for W, b in layers[:-1]:
        h = jax.nn.relu(h @ W + b)
    h = h @ layers[-1][0] + layers[-1][1]
    if classes:
        return -jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], 1).mean()
    return ((h[:, 0] - y) ** 2).mean()


def adam(state: Any, X: jax.Array, y: jax.Array, classes: bool) -> Any:
    layers, m, v, t = state
    gradient = jax.grad(loss)(layers, X, y, classes)
    t = t + 1
    m = jax.tree.map(lambda a, g: a + (g - a) * np.float32(0.1), m, gradient)
    v = jax.tree.map(lambda a, g: a + (g * g - a) * np.float32(0.001), v, gradient)
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    layers = jax.tree.map(lambda w, a, b: w - rate * a / (jnp.sqrt(b) + 1e-7), layers, m, v)
    return layers, m, v, t


def start(data: Data) -> Any:
    layers = jax.tree.map(jnp.asarray, data.layers)
    zeros = jax.tree.map(jnp.zeros_like, layers)
    return layers, zeros, zeros, jnp.zeros((), jnp.float32)


def answer(state: Any) -> Any:
    return jax.tree.map(np.asarray, state[0])


def train_step(data: Data) -> Run:
    spec = data.spec
    step = jax.jit(partial(adam, classes=spec.classes), donate_argnums=0)
    cuts = [slice(i, i + spec.batch) for i in range(0, len(data.X), spec.batch)]
    batches = [(jnp.asarray(data.X[cut]), jnp.asarray(data.y[cut])) for cut in cuts]

    def run() -> Any:
        state = jax.tree.map(jnp.copy, start(data))
        for _ in range(spec.epochs):
            for X, y in batches:
                state = step(state, X, y)
        return answer(state)

    return run


def train_scan(data: Data) -> Run:
    spec = data.spec
    whole = len(data.X) // spec.batch * spec.batch

    def batches(a: np.ndarray) -> jax.Array:
        return jnp.asarray(a[:whole].reshape(-1, spec.batch, *a.shape[1:]))

    X, y = batches(data.X), batches(data.y)
    rest = jnp.asarray(data.X[whole:]), jnp.asarray(data.y[whole:])

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: Any, X: jax.Array, y: jax.Array, rest: Any) -> Any:
        state, _ = jax.lax.scan(lambda s, batch: (adam(s, *batch, spec.classes), None), state, (X, y))
        return adam(state, *rest, spec.classes) if len(rest[0]) else state

    def run() -> Any:
        state = jax.tree.map(jnp.copy, start(data))
        for _ in range(spec.epochs):
            state = epoch(state, X, y, rest)
        return answer(state)

    return run


def cases() -> dict[str, Setup]:
    return {
        **{f"{kind}:step": train_step for kind in TRAININGS},
        **{f"{kind}:scan": train_scan for kind in TRAININGS},
    }
