"""Writes onnx/torch_dynamo and onnx/torch_script: `python tests/golden/make_torch.py`.

With torch 2.13.0, onnxscript 0.7.2, onnx 1.23.2. The first folder is of `torch.onnx.export(..., dynamo=True)`, the
second of `dynamo=False`. The outputs beside a file are torch's own. The exporter's notes on the modules and source
lines that nodes come from make most of a file: they are taken out, but for torch_dynamo/notes, which keeps all except
the author's paths (`stack_trace`).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import onnx
import torch
from golden_onnx import ROWS, write
from torch import Tensor, nn

FEATURES = 6


ACTIVATIONS = (
    nn.ReLU(),
    nn.ReLU6(),
    nn.GELU(),
    nn.GELU("tanh"),
    nn.SiLU(),
    nn.ELU(),
    nn.SELU(),
    nn.CELU(0.7),
    nn.LeakyReLU(0.2),
    nn.Softplus(),
    nn.Softsign(),
    nn.Sigmoid(),
    nn.LogSigmoid(),
    nn.Tanh(),
    nn.Hardtanh(),
    nn.Hardswish(),
    nn.Hardsigmoid(),
    nn.Mish(),
    nn.GLU(),
)


class Calls(nn.Module):
    """A module of one function, so that what users write in `forward` is exported too."""

    def __init__(self, function: Callable[..., Any], *modules: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(modules)
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*self.parts, *inputs)


def _trained(net: nn.Module) -> nn.Module:
    """As if trained: statistics of batch norms and weights away from their first values."""
    torch.manual_seed(1)
    for name, value in net.named_buffers():
        if value.is_floating_point() and "running" in name:
            value.uniform_(0.5, 1.5)
    for value in net.parameters():
        value.data.add_(0.1 * torch.randn_like(value))
    return net.eval()


def _chains() -> dict[str, nn.Module]:
    def mlp(activation: nn.Module) -> nn.Module:
        return nn.Sequential(nn.Linear(FEATURES, 8), activation, nn.Linear(8, 3))

    return {
        "mlp_relu": mlp(nn.ReLU()),
        "mlp_gelu": mlp(nn.GELU()),
        "mlp_silu": mlp(nn.SiLU()),
        "mlp_prelu": mlp(nn.PReLU(8)),
        "activations": Calls(
            lambda *parts: torch.cat([each(parts[-1]) for each in parts[:-1]], 1), *ACTIVATIONS
        ),
        "linear": nn.Linear(FEATURES, 1),
        "linear_no_bias": nn.Linear(FEATURES, 2, bias=False),
        "softmax": nn.Sequential(nn.Linear(FEATURES, 3), nn.Softmax(dim=1)),
        "log_softmax": nn.Sequential(nn.Linear(FEATURES, 3), nn.LogSoftmax(dim=-1)),
        "batch_norm": nn.Sequential(nn.Linear(FEATURES, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)),
        "batch_norm_first": nn.Sequential(nn.BatchNorm1d(FEATURES), nn.Linear(FEATURES, 2)),
        "layer_norm": nn.Sequential(nn.Linear(FEATURES, 8), nn.LayerNorm(8), nn.Linear(8, 2)),
        "rms_norm": nn.Sequential(nn.Linear(FEATURES, 8), nn.RMSNorm(8), nn.Linear(8, 2)),
        "group_norm": nn.Sequential(nn.Linear(FEATURES, 8), nn.GroupNorm(2, 8), nn.Linear(8, 2)),
        "dropout": nn.Sequential(nn.Linear(FEATURES, 8), nn.Dropout(0.4), nn.ReLU(), nn.Linear(8, 2)),
        "bilinear": Calls(lambda a, x: a(x[:, :2], x[:, 2:]), nn.Bilinear(2, 4, 3)),
    }


def _functions() -> dict[str, nn.Module]:
    """What users write by hand in `forward`."""
    return {
        "residual": Calls(
            lambda a, b, x: x + b(torch.relu(a(x))), nn.Linear(FEATURES, 8), nn.Linear(8, FEATURES)
        ),
        "view": Calls(lambda a, x: a(x.view(x.size(0), 3, 2)).flatten(1), nn.Linear(2, 4)),
        "reshape": Calls(
            lambda a, x: a(x.reshape(x.shape[0], 2, -1)).reshape(x.shape[0], -1), nn.Linear(3, 2)
        ),
        "concatenate": Calls(lambda a, x: a(torch.cat([x, x.square(), x.abs().sqrt()], 1)), nn.Linear(18, 2)),
        "split": Calls(lambda a, x: a(torch.maximum(*x.chunk(2, dim=1))), nn.Linear(3, 2)),
        "slice": Calls(lambda a, x: a(x[:, 1:-1]) * x[:, -1:], nn.Linear(4, 2)),
        "standardize": Calls(
            lambda a, x: a((x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 1e-5)), nn.Linear(6, 2)
        ),
        "normalize": Calls(lambda a, x: a(nn.functional.normalize(x)), nn.Linear(FEATURES, 2)),
        "clamp_where": Calls(lambda a, x: a(torch.where(x > 0, x, x.clamp(-0.5, 0.5))), nn.Linear(6, 2)),
        "label": Calls(lambda a, x: (a(x).argmax(1), a(x).softmax(1)), nn.Linear(FEATURES, 3)),
        "squeeze": Calls(lambda a, x: a(x).squeeze(1), nn.Linear(FEATURES, 1)),
        "einsum": Calls(lambda a, x: torch.einsum("bi,oi->bo", x, a.weight), nn.Linear(FEATURES, 2)),
        "cast": Calls(lambda a, x: a(x).double().float() * (x[:, :1] > 0).float(), nn.Linear(FEATURES, 2)),
        "log_sum_exp": Calls(lambda a, x: a(x).logsumexp(1), nn.Linear(FEATURES, 3)),
    }


def _refused() -> dict[str, tuple[nn.Module, Tensor]]:
    series = torch.randn(ROWS, 2, 12)
    return {
        "conv1d": (
            nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
            series,
        ),
        "lstm": (Calls(lambda a, x: a(x)[0], nn.LSTM(12, 3, batch_first=True)), series),
        "cumsum": (Calls(lambda x: x.cumsum(1)), series[:, 0]),
    }


def _file(
    name: str,
    net: nn.Module,
    inputs: tuple[Tensor, ...],
    *,
    only: str | None = None,
    dynamic: bool = True,
    **how: Any,
) -> None:
    """Exports with both exporters, or one, and files what they wrote."""
    net = _trained(net)
    with torch.no_grad():
        outputs = net(*inputs)
    record = [each.numpy() for each in (outputs if isinstance(outputs, tuple) else (outputs,))]
    for tool, export in {"torch_dynamo": _dynamo, "torch_script": _script}.items():
        if only not in (None, tool):
            continue
        try:
            model = export(net, inputs, dynamic, how)
        except torch.onnx.errors.UnsupportedOperatorError as error:
            print(f"{tool}/{name}: {error}")  # rms_norm and bilinear, by the older exporter
            continue
        _forget_notes(model, all_of_them=name != "notes")
        write(tool, name, model, [each.numpy() for each in inputs], record)


def _names(inputs: tuple[Tensor, ...]) -> list[str]:
    return [f"x{i}" for i in range(len(inputs))]


def _dynamo(
    net: nn.Module, inputs: tuple[Tensor, ...], dynamic: bool, how: dict[str, Any]
) -> onnx.ModelProto:
    batch = tuple({0: torch.export.Dim.DYNAMIC} for _ in inputs)
    shapes = (batch,) if isinstance(net, Calls) else batch  # all of *inputs are one argument
    made = torch.onnx.export(
        net,
        inputs,
        input_names=_names(inputs),
        dynamic_shapes=shapes if dynamic else None,
        dynamo=True,
        verbose=False,
        **how,
    )
    return made.model_proto


def _script(
    net: nn.Module, inputs: tuple[Tensor, ...], dynamic: bool, how: dict[str, Any]
) -> onnx.ModelProto:
    target = io.BytesIO()
    torch.onnx.export(
        net,
        inputs,
        target,
        input_names=_names(inputs),
        dynamic_axes={each: {0: "batch"} for each in _names(inputs)} if dynamic else None,
        dynamo=False,
        **how,
    )
    return onnx.load_from_string(target.getvalue())


def _forget_notes(model: onnx.ModelProto, all_of_them: bool) -> None:
    functions = [node for each in model.functions for node in each.node]
    for each in [*model.graph.node, *functions, *model.graph.value_info, *model.graph.initializer]:
        kept = [] if all_of_them else [p for p in each.metadata_props if not p.key.endswith("stack_trace")]
        del each.metadata_props[:]
        each.metadata_props.extend(kept)


def main() -> None:
    warnings.simplefilter("ignore")  # the older exporter is deprecated
    torch.manual_seed(0)
    rows = torch.randn(ROWS, FEATURES)
    for name, net in {**_chains(), **_functions()}.items():
        _file(name, net, (rows,))
    net = nn.Sequential(nn.Linear(FEATURES, 8), nn.SiLU(), nn.Dropout(), nn.Linear(8, 3), nn.Softmax(-1))
    _file("float64", net.double(), (rows.double(),))
    net.float()
    _file("static", net, (rows,), dynamic=False)
    for opset in (18, 21, 23):
        _file(f"opset_{opset}", net, (rows,), only="torch_dynamo", opset_version=opset)
    for opset in (9, 13, 18):
        _file(f"opset_{opset}", net, (rows,), only="torch_script", opset_version=opset)
    _file("notes", net, (rows,), only="torch_dynamo")
    _file("functions", net, (rows,), only="torch_dynamo", optimize=False)
    how = {"do_constant_folding": False, "keep_initializers_as_inputs": True}
    _file("initializers_as_inputs", net, (rows,), only="torch_script", **how)
    codes = torch.arange(3 * ROWS).reshape(ROWS, 3) % 5
    embedding = nn.Sequential(nn.Embedding(5, 2), nn.Flatten(), nn.Linear(6, 2))
    _file("embedding", embedding, (codes,))
    both = Calls(
        lambda a, b, c, codes, x: c(torch.cat([a(codes[:, 0]), b(codes[:, 1]), x], 1)),
        nn.Embedding(5, 2),
        nn.Embedding(5, 3),
        nn.Linear(5 + FEATURES, 2),
    )
    _file("embeddings_and_numbers", both, (codes, rows))
    _file("two_inputs", Calls(lambda a, x, y: a(torch.cat([x, y], 1)), nn.Linear(8, 2)), (rows, rows[:, :2]))
    for name, (net, inputs) in _refused().items():
        _file(name, net, (inputs,))


if __name__ == "__main__":
    main()
