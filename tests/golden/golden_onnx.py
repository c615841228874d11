"""Where the scripts of this folder put an ONNX file and, beside it, what its tool says the file computes.

`onnx/TOOL/NAME.onnx` is the tool's own file. `onnx/TOOL/NAME.npz` holds arrays input_0, input_1, ... in the order of
the graph's inputs, and output_0, output_1, ...: what the tool itself (not an ONNX runtime) predicts for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import ArrayLike

ROOT = Path(__file__).with_name("onnx")
LARGEST = 20_000  # bytes of a file
ROWS = 7  # that a batch holds: not a power of two, so that tails of vectors are seen


def write(
    tool: str, name: str, model: onnx.ModelProto, inputs: Sequence[ArrayLike], outputs: Sequence[ArrayLike]
) -> None:
    """Files the model and its record; refuses what is too large to keep."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        print(f"{tool}/{name} is not ONNX: {str(error).splitlines()[0]}")
    data = model.SerializeToString()
    if len(data) > LARGEST:
        raise ValueError(f"{tool}/{name}: expected at most {LARGEST} bytes, got {len(data)}")
    folder = ROOT / tool
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(data)
    arrays = {f"input_{i}": np.asarray(each) for i, each in enumerate(inputs)}
    arrays |= {f"output_{i}": np.asarray(each) for i, each in enumerate(outputs)}
    np.savez_compressed(folder / f"{name}.npz", allow_pickle=False, **arrays)
    print(f"{tool}/{name}: {len(data)} bytes")
