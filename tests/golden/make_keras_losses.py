"""Records what Keras trains: `KERAS_BACKEND=jax python tests/golden/make_keras_losses.py`.

Writes keras_losses.json beside itself: losses, metrics and predictions of the programs of
tests/cases/keras_programs.py. Needs Keras 3; the tests read the record alone.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import keras

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

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
    programs = {name: keras_programs.run(keras, program) for name, program in keras_programs.PROGRAMS.items()}
    record = {
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "textbook": _short(keras_programs.textbook(keras)),
        "programs": _short(programs),
    }
    lines = [f'  "{name}": {json.dumps(value)}' for name, value in record["programs"].items()]
    head = {name: value for name, value in record.items() if name != "programs"}
    text = json.dumps(head)[:-1] + ', "programs": {\n' + ",\n".join(lines) + "\n}}\n"
    (HERE / "keras_losses.json").write_text(text)


if __name__ == "__main__":
    main()
