"""What the compiled training loop refuses, and in which words."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import numpy as np
import pytest
from small_trainers import ADAM, CASES, ROWS, TABLE, X, Y, make_trainer, rates, state

from maas_engine import _core, errors

ORDER = np.arange(10, dtype=np.uint32)
BROADCAST = np.broadcast_to(X[:, :2, None], (ROWS, 2, 2))  # each value twice, from one place


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X[:, :3], Y, None, None, 8, rates(99)), "expected 4 values in a row of x, got 3"),
        ((X, Y[:, :2], None, None, 8, rates(99)), "expected 3 values in a row of y, got 2"),
        ((X, Y[:9], None, None, 8, rates(99)), "expected 100 rows of y, got 9"),
        ((X, Y, np.ones(9), None, 8, rates(99)), "expected 100 weights, got 9"),
        ((X, Y, None, None, 0, rates(99)), "batch_size of at least 1"),
        ((X, Y, None, None, 8, rates(12)), "expected 13 learning rates, got 12"),
        ((X, Y, None, ORDER + np.uint32(91), 8, rates(99)), "rows from 0 to 100 - 1"),
        ((X, Y, None, ORDER[::2], 8, rates(99)), "contiguous order"),
        ((X, Y, None, None, 2**64 - 1, rates(0)), "expected 1 learning rates, got 0"),
        ((BROADCAST, Y, None, None, 8, rates(99)), "one stride apart"),
        ((X.astype("float16"), Y, None, None, 8, rates(99)), "float16"),
        ((X.astype(">f8"), Y, None, None, 8, rates(99)), "native byte order"),
        ((X.astype("U4"), Y, None, None, 8, rates(99)), "expected float32"),
        ((np.float64(1.0)[...], Y, None, None, 8, rates(99)), "at least 1 dimension"),
    ],
)
def test_arguments_are_checked(arguments: tuple[Any, ...], message: str) -> None:
    trainer = make_trainer()
    before = state(trainer)
    with pytest.raises(errors.InvalidArgument, match=message):
        trainer.run(*arguments)
    assert state(trainer) == before


@pytest.mark.parametrize("index", [-1, 7])
def test_indices_are_checked(index: int) -> None:
    x = np.zeros((ROWS, 3), np.int64)
    x[20, 1] = index
    with pytest.raises(errors.InvalidArgument, match=f"indices from 0 to 6, got {index}"):
        make_trainer(TABLE).run(x, Y, None, None, 8, rates(99))
    if index > 0:
        with pytest.raises(errors.InvalidArgument):
            make_trainer(TABLE).evaluate(x, Y, None)


def test_a_second_thread_is_told_to_wait() -> None:
    trainer, seen = make_trainer(), []
    order = np.zeros(100_000, np.uint32)

    def train() -> None:
        while not seen:
            with contextlib.suppress(errors.InvalidArgument):  # it is also this one that may come second
                trainer.run(X, Y, None, order, 100, rates(1_000))

    run = threading.Thread(target=train)
    run.start()
    deadline = time.monotonic() + 60
    while not seen and time.monotonic() < deadline:
        try:
            trainer.get_parameters()
        except errors.InvalidArgument as error:
            seen.append(str(error))
    seen.append("never refused")
    run.join()
    assert "one thread at a time" in seen[0]
    trainer.get_parameters()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": {}}, "a loss with a name"),
        ({"loss": {"name": "least"}}, "least"),
        ({"loss": {"name": "mse", "power": 3}}, "unknown loss option 'power'"),
        ({"metrics": ["best"]}, "best"),
        ({"metrics": ["sparse_categorical_accuracy"]}, "as the loss has them"),
        ({"optimizer": {}}, "an optimizer with a rule"),
        ({"optimizer": {"rule": "newton"}}, "got 'newton'"),
        ({"optimizer": {"rule": "adam", "speed": 3}}, "unknown optimizer option 'speed'"),
        ({"parameters": [("weights", True, 0.0, 0.0, True)]}, "got 'weights'"),
        ({"parameters": [("n0_0", True, 0.0, 0.0, True)] * 2}, "each parameter once"),
    ],
)
def test_options_are_checked(change: dict[str, Any], message: str) -> None:
    graph, parameters = CASES["Gemm-5x15"].graph()
    options = {"parameters": parameters, "loss": {"name": "mse"}, "metrics": [], "optimizer": ADAM, **change}
    with pytest.raises(errors.InvalidArgument, match=message):
        _core.Trainer(graph, *options.values(), 0, False)


def test_arrays_are_checked() -> None:
    trainer = make_trainer(CASES["Gemm-5x15"], "float64")
    weights, bias = trainer.get_parameters()
    for arrays, message in (
        ([weights], "expected 2 arrays, got 1"),
        ([weights, bias, bias], "expected 2 arrays, got 3"),
        ([weights.T, bias], r"expected 'n0_0' of float64 \[5, 15\], got float64 \(15, 5\)"),
        ([weights.astype("float32"), bias], "got float32"),
    ):
        with pytest.raises(errors.InvalidArgument, match=message):
            trainer.set_parameters(arrays)
    with pytest.raises(errors.InvalidArgument, match="expected 2 slots, got 1"):
        trainer.set_slots([[weights, bias]])
