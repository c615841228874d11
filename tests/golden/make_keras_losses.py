"""Records what Keras trains: `KERAS_BACKEND=torch python tests/golden/make_keras_losses.py [PROGRAM ...]`.

Writes keras_losses.json beside itself: losses, metrics and predictions of the programs of
tests/cases/keras_programs.py; of the programs named alone, where there are names. With KERAS_FLOATX=float64
the same in float64, to keras_losses_float64.json. Needs Keras 3; the tests read the records
alone.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import keras

FLOATX = os.environ.get("KERAS_FLOATX", "float32")
RECORD = Path(__file__).with_name(
    "keras_losses.json" if FLOATX == "float32" else f"keras_losses_{FLOATX}.json"
)
sys.path.insert(0, str(RECORD.parents[1]))

from cases import keras_programs  # noqa: E402


def _short(value: Any) -> Any:
    """Nine digits tell every float32 apart."""
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value]
    return float(f"{value:.9g}")


def main() -> None:
    warnings.simplefilter("ignore")  # Keras on Input and input_shape
    keras.config.set_floatx(FLOATX)
    names = sys.argv[1:]
    old = json.loads(RECORD.read_text())["programs"] if names else {}
    programs = {
        name: old[name] if names and name not in names else _short(keras_programs.run(keras, program))
        for name, program in keras_programs.PROGRAMS.items()
    }
    record = {
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "textbook": _short(keras_programs.textbook(keras)),
    }
    lines = [f'  "{name}": {json.dumps(value)}' for name, value in programs.items()]
    RECORD.write_text(json.dumps(record)[:-1] + ', "programs": {\n' + ",\n".join(lines) + "\n}}\n")


if __name__ == "__main__":
    main()
