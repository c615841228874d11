"""JAX on the CPU, jit-compiled; compile time is not counted."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import jax_training
from .adapter import Run, Setup, loosest

LABEL = "jax"
jax.config.update("jax_enable_x64", True)


def on_device(data: Data) -> tuple[jax.Array, jax.Array]:
    X = jnp.asarray(data.X)
    return X, jnp.asarray(data.y, X.dtype)


@jax.jit
def solve_normal_equations(X: jax.Array, y: jax.Array) -> Any:
    rows = X.shape[0]
    mean, y_mean = X.mean(0), y.mean()
    gram = X.T @ X - rows * jnp.outer(mean, mean)
    coef = jnp.linalg.solve(gram, X.T @ y - rows * y_mean * mean)
    return coef, y_mean - mean @ coef


def normal_equations(data: Data) -> Run:
    X, y = on_device(data)
    return lambda: jax.block_until_ready(solve_normal_equations(X, y))


def descent(data: Data, residual: Any) -> Run:
    X, y = on_device(data)
    step = data.alpha / len(data.X)

    @jax.jit
    def loop(X: jax.Array, y: jax.Array) -> jax.Array:
        def body(_: int, w: jax.Array) -> jax.Array:
            return (w - step * (X.T @ residual(X @ w, y))).astype(X.dtype)

        return jax.lax.fori_loop(0, data.iterations, body, jnp.zeros(X.shape[1], X.dtype))

    return lambda: (np.asarray(loop(X, y)), 0.0)


@jax.jit
def newton_step(X: jax.Array, y: jax.Array, w: jax.Array, intercept: jax.Array) -> Any:
    p = jax.nn.sigmoid(X @ w + intercept)
    residual, weight = p - y, p * (1 - p)
    gradient = jnp.append(X.T @ residual + w, residual.sum())
    side = X.T @ weight
    hessian = (X * weight[:, None]).T @ X + jnp.eye(len(w), dtype=X.dtype)
    full = jnp.block([[hessian, side[:, None]], [side[None], weight.sum()[None, None]]])
    step = jnp.linalg.solve(full, gradient)
    return w - step[:-1], intercept - step[-1], jnp.abs(gradient).max()


def newton(data: Data) -> Run:
    X, y = on_device(data)

    def fit(tolerance: float) -> Any:
        w, intercept = jnp.zeros(X.shape[1], X.dtype), jnp.zeros((), X.dtype)
        for _ in range(50):
            w, intercept, gradient = newton_step(X, y, w, intercept)
            if float(gradient) <= tolerance * len(data.y):
                break
        return np.asarray(w), np.asarray(intercept)

    return loosest(data, fit)


def gemm(data: Data) -> Run:
    A, B = jnp.asarray(data.A), jnp.asarray(data.B)
    multiply = jax.jit(jnp.matmul)
    return lambda: np.asarray(multiply(A, B))


def cases() -> dict[str, Setup]:
    return {
        "least_squares": normal_equations,
        "gradient_descent": lambda data: descent(data, jnp.subtract),
        "logistic_gd": lambda data: descent(data, lambda margin, y: jax.nn.sigmoid(margin) - y),
        "logistic:newton": newton,
        "gemm": gemm,
        **jax_training.cases(),
    }
