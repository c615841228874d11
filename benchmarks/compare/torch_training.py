"""Training in PyTorch: the usual loop over batches with Adam, eager, and compiled where that works."""

from __future__ import annotations

from types import SimpleNamespace as Data
from typing import Any

import torch

from .adapter import Run, Setup
from .training import TRAININGS


def train(compiled: bool, fused: bool) -> Setup:
    def setup(data: Data) -> Run:
        torch.set_grad_enabled(True)
        spec = data.spec
        X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
        modules: list[torch.nn.Module] = []
        for W, _ in data.layers:
            modules += [torch.nn.Linear(*W.shape), torch.nn.ReLU()]
        model = torch.nn.Sequential(*modules[:-1])
        loss_of = torch.nn.functional.cross_entropy if spec.classes else torch.nn.functional.mse_loss
        parameters = list(model.parameters())
        first = [torch.from_numpy(a.T.copy() if a.ndim == 2 else a) for layer in data.layers for a in layer]

        def loss(X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            out = model(X)
            return loss_of(out if spec.classes else out[:, 0], y)

        forward = torch.compile(loss) if compiled else loss

        def run() -> Any:
            with torch.no_grad():
                for parameter, value in zip(parameters, first, strict=True):
                    parameter.copy_(value)
            optimizer = torch.optim.Adam(parameters, lr=1e-3, eps=1e-7, fused=fused)
            for _ in range(spec.epochs):
                for begin in range(0, len(X), spec.batch):
                    optimizer.zero_grad()
                    forward(X[begin : begin + spec.batch], y[begin : begin + spec.batch]).backward()
                    optimizer.step()
            arrays = [parameter.detach().numpy() for parameter in parameters]
            return [(W.T, b) for W, b in zip(arrays[::2], arrays[1::2], strict=True)]

        return run

    return setup


def cases() -> dict[str, Setup]:
    found: dict[str, Setup] = {}
    for kind in TRAININGS:
        found[kind] = train(compiled=False, fused=False)
        found[f"{kind}:fused"] = train(compiled=False, fused=True)
        found[f"{kind}:compile"] = train(compiled=True, fused=True)
    return found
