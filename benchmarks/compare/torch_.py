"""PyTorch on the CPU, written by hand with explicit gradients (autograd would only slow it down)."""

from __future__ import annotations

import os
from types import SimpleNamespace as Data
from typing import Any

import torch

from . import torch_training
from .adapter import Run, Setup, loosest
from .models import NETWORKS

LABEL = "torch"
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.set_grad_enabled(False)


def normal_equations(data: Data) -> Run:
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)

    def run() -> Any:
        rows = X.shape[0]
        mean, y_mean = X.mean(0), y.mean()
        gram = X.T @ X - rows * torch.outer(mean, mean)
        coef = torch.linalg.solve(gram, X.T @ y - rows * y_mean * mean)
        return coef.numpy(), (y_mean - mean @ coef).numpy()

    return run


def descent(data: Data, residual: Any) -> Run:
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y).to(torch.from_numpy(data.X).dtype)
    step = data.alpha / len(X)

    def run() -> Any:
        w = torch.zeros(X.shape[1], dtype=X.dtype)
        for _ in range(data.iterations):
            w = w - step * (X.T @ residual(X @ w, y))
        return w.numpy(), 0.0

    return run


def lbfgs(loss_and_gradient: Any, width: Any) -> Setup:
    """torch.optim.LBFGS over a closure that fills the gradient itself."""

    def setup(data: Data) -> Run:
        X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)

        def fit(tolerance: float) -> Any:
            W = torch.zeros(width(data), dtype=X.dtype, requires_grad=True)
            optimizer = torch.optim.LBFGS(
                [W],
                lr=1,
                max_iter=500,
                history_size=10,
                line_search_fn="strong_wolfe",
                tolerance_grad=tolerance,
                tolerance_change=0.0,
            )

            def closure() -> Any:
                loss, W.grad = loss_and_gradient(X, y, W.detach())
                return loss

            optimizer.step(closure)
            answer = W.detach().numpy()
            return answer[:-1].T, answer[-1]

        return loosest(data, fit)

    return setup


def binary(X: torch.Tensor, y: torch.Tensor, W: torch.Tensor) -> Any:
    rows = X.shape[0]
    margin, target = X @ W[:-1] + W[-1], y.to(X.dtype)
    residual = torch.sigmoid(margin) - target
    loss = (torch.nn.functional.softplus(margin) - target * margin).sum() + W[:-1] @ W[:-1] / 2
    gradient = torch.cat([X.T @ residual + W[:-1], residual.sum()[None]])
    return loss / rows, gradient / rows


def softmax(X: torch.Tensor, y: torch.Tensor, W: torch.Tensor) -> Any:
    rows = X.shape[0]
    log_p = torch.log_softmax(X @ W[:-1] + W[-1], 1)
    loss = -log_p.gather(1, y[:, None]).sum() + (W[:-1] ** 2).sum() / 2
    residual = log_p.exp()
    residual.scatter_add_(1, y[:, None], torch.full((rows, 1), -1.0, dtype=X.dtype))
    gradient = torch.cat([X.T @ residual + W[:-1], residual.sum(0)[None]])
    return loss / rows, gradient / rows


def gemm(data: Data) -> Run:
    A, B = torch.from_numpy(data.A), torch.from_numpy(data.B)
    return lambda: (A @ B).numpy()


def predict(data: Data) -> Run:
    """The network frozen by torch.jit, an array in and an array out."""
    modules: list[torch.nn.Module] = []
    for W, b in data.layers:
        layer = torch.nn.Linear(*W.shape)
        layer.weight.copy_(torch.from_numpy(W.T))
        layer.bias.copy_(torch.from_numpy(b))
        modules += [layer, torch.nn.ReLU()]
    modules[-1] = torch.nn.Sigmoid() if data.last == "Sigmoid" else torch.nn.Identity()
    traced = torch.jit.freeze(torch.jit.trace(torch.nn.Sequential(*modules).eval(), torch.from_numpy(data.X)))
    X = data.X

    def run() -> Any:
        return traced(torch.from_numpy(X)).numpy()

    for _ in range(3):  # the first calls compile
        run()
    return run


def cases() -> dict[str, Setup]:
    return {
        "least_squares": normal_equations,
        "gradient_descent": lambda data: descent(data, torch.sub),
        "logistic_gd": lambda data: descent(data, lambda margin, y: torch.sigmoid(margin) - y),
        "logistic:lbfgs": lbfgs(binary, lambda data: data.X.shape[1] + 1),
        "multinomial:lbfgs": lbfgs(softmax, lambda data: (data.X.shape[1] + 1, int(data.y.max()) + 1)),
        "gemm": gemm,
        **dict.fromkeys(NETWORKS, predict),
        **torch_training.cases(),
    }
