"""Writes profile_1.safetensors beside itself: a profile that later versions must still read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maas_engine import Model
from maas_engine.graph import GraphBuilder
from maas_engine.monitoring import Profile

PATH = Path(__file__).with_name("profile_1.safetensors")
ROWS = {
    "age": np.r_[np.arange(98.0), np.nan, np.inf].reshape(-1, 1),
    "city": np.array(["Oslo", "Łódź", "", "Oslo"] * 25, dtype=object).reshape(-1, 1),
    "count": np.arange(100).reshape(-1, 1) % 3,
}


def model() -> Model:
    builder = GraphBuilder("passed on")
    for name, dtype in (("age", np.float64), ("city", str), ("count", np.int64)):
        builder.output(builder.add("Identity", builder.input(name, dtype, (None, 1)), outputs=f"same {name}"))
    return Model(builder.build())


def profile() -> Profile:
    return Profile.build(model(), ROWS)


if __name__ == "__main__":
    profile().to_file(PATH)
