"""maas_engine: trains, proves and serves linear models and neural networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from maas_engine.convert import from_sklearn

__version__: str = _core.__version__

__all__ = [
    "Model",
    "__version__",
    "cpu_info",
    "from_sklearn",
    "get_num_threads",
    "gradient_descent",
    "load",
    "num_threads",
    "set_num_threads",
    "set_seed",
]

apply_environment()
del apply_environment


def __getattr__(name: str) -> Any:
    if name == "from_sklearn":  # loads scikit-learn
        from maas_engine.convert import from_sklearn

        return from_sklearn
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
