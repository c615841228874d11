"""maas_engine: trains, proves and serves linear models and neural networks."""

from __future__ import annotations

from maas_engine import _core
from maas_engine._gradient_descent import gradient_descent
from maas_engine._runtime import (
    apply_environment,
    cpu_info,
    get_num_threads,
    num_threads,
    set_num_threads,
    set_seed,
)
from maas_engine.model import Model, load

__version__: str = _core.__version__

__all__ = [
    "Model",
    "__version__",
    "cpu_info",
    "get_num_threads",
    "gradient_descent",
    "load",
    "num_threads",
    "set_num_threads",
    "set_seed",
]

apply_environment()
del apply_environment
