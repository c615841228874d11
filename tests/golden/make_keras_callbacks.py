"""Records what Keras's callbacks do with given logs: `KERAS_BACKEND=torch python make_keras_callbacks.py`.

Writes keras_callbacks.json beside itself. Needs Keras 3; the tests read the record alone.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import warnings
from pathlib import Path
from typing import Any

import keras


class Model:
    """As much of a model as the callbacks touch. Its weights are the number of the epoch."""

    def __init__(self) -> None:
        self.stop_training = False
        self.optimizer = keras.optimizers.SGD(1.0)
        self.weights = 0
        self.metrics: list[Any] = []
        self.saved: list[str] = []

    def get_weights(self) -> int:
        return self.weights

    def set_weights(self, weights: int) -> None:
        self.weights = weights

    def save(self, path: str, **_: Any) -> None:
        self.saved.append(path)


def settings() -> dict[str, list[dict[str, Any]]]:
    stopping = [
        {
            "monitor": monitor,
            "mode": "max" if monitor == "accuracy" else "min",
            "patience": patience,
            "min_delta": delta,
            "baseline": baseline,
            "restore_best_weights": restore,
            "start_from_epoch": start,
        }
        for monitor, patience, delta, baseline, restore, start in itertools.product(
            ("loss", "accuracy"), (0, 1, 3), (0, 0.05), (None, 0.5), (False, True), (0, 2)
        )
    ]
    plateau = [
        {
            "monitor": monitor,
            "mode": "max" if monitor == "accuracy" else "min",
            "patience": patience,
            "factor": 0.5,
            "cooldown": cooldown,
            "min_delta": delta,
            "min_lr": low,
        }
        for monitor, patience, cooldown, delta, low in itertools.product(
            ("loss", "accuracy"), (0, 1, 2), (0, 2), (0, 0.05), (0.0, 0.2)
        )
    ]
    saving = [
        {
            "filepath": "m-{epoch:02d}-{loss:.2f}.keras",
            "monitor": monitor,
            "save_best_only": best,
            "mode": mode,
        }
        for monitor, best, mode in itertools.product(("loss", "accuracy"), (False, True), ("min", "max"))
    ]
    return {"EarlyStopping": stopping, "ReduceLROnPlateau": plateau, "ModelCheckpoint": saving}


def played(kind: str, options: dict[str, Any], values: list[float]) -> dict[str, Any]:
    model = Model()
    callback = getattr(keras.callbacks, kind)(**options)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_begin(epoch, {})
        callback.on_epoch_end(epoch, {"loss": value, "accuracy": 1 - value})
        rates.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            break
    callback.on_train_end()
    return {"epochs": len(rates), "rates": rates, "weights": model.weights, "saved": model.saved}


def main() -> None:
    random.seed(0)
    record = []
    for kind, table in settings().items():
        for options in table:
            values = [round(random.uniform(0.2, 0.9), 3) for _ in range(12)]
            if random.random() < 0.5:  # falling on the whole
                values = [round(value * 0.9**epoch, 3) for epoch, value in enumerate(values)]
            with warnings.catch_warnings(), contextlib.redirect_stdout(None):
                warnings.simplefilter("ignore")
                result = played(kind, options, values)
            record.append({"kind": kind, "options": options, "values": values, **result})
    path = Path(__file__).with_name("keras_callbacks.json")
    lines = ",\n".join(json.dumps(each) for each in record)
    path.write_text(f'{{"keras": "{keras.__version__}", "runs": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
