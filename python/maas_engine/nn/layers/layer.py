"""What every layer is: a name, variables made once the input's shape is known, and nodes of a graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn._config import float_type, floatx
from maas_engine.nn._lookup import snake_case
from maas_engine.nn._node_writer import NodeWriter
from maas_engine.nn._variable import Variable
from maas_engine.nn.regularizers import Regularizer

Array = NDArray[Any]
Shape = tuple[int | None, ...]  # the batch, None, first
_MOST_VALUES = 2**48  # of an array: no machine has more memory


class Layer:
    """Base of the layers.

    Parameters
    ----------
    name : str, optional
        Default: the class's name, numbered within its model: ``dense``, ``dense_1``.
    trainable : bool
        False keeps the weights as they are; set it before ``compile``.
    input_shape : tuple of int, optional
        Of one sample, for the first layer of a model.
    input_dim : int, optional
        The same for a single axis.

    Attributes
    ----------
    built : bool
        Whether the variables exist.
    weights, trainable_weights, non_trainable_weights : list of Variable
    input_shape, output_shape : tuple
        Of a batch, with None first; after `build`.
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: DTypeLike | None = None,
        input_shape: Sequence[int] | None = None,
        input_dim: int | None = None,
    ) -> None:
        self.named = name is not None
        self.name = name or snake_case(type(self).__name__)
        self.trainable = trainable
        self.dtype = None if dtype is None else float_type(dtype, self.name)
        self.built = False
        self.input_shape: Shape = ()
        self.output_shape: Shape = ()
        self._variables: list[Variable] = []
        self.first_shape = tuple(input_shape) if input_shape is not None else None
        if input_dim is not None:
            self.first_shape = (input_dim,)

    # --- weights -------------------------------------------------------------------------------------

    @property
    def weights(self) -> list[Variable]:
        return list(self._variables)

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        return [each for each in self._variables if self.trainable and each.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return [each for each in self._variables if not (self.trainable and each.trainable)]

    trainable_variables, non_trainable_variables = trainable_weights, non_trainable_weights

    def get_weights(self) -> list[Array]:
        """Return copies of the weights, in the order of `weights`."""
        return [each.numpy() for each in self._variables]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace the weights.

        Raises
        ------
        InvalidArgument : another number of arrays, or other shapes; nothing is changed then.
        """
        assign_all(self._variables, weights, self.name)

    def count_params(self) -> int:
        """Return the number of values in the weights.

        Raises
        ------
        InvalidArgument : the layer is not built.
        """
        if not self.built:
            raise InvalidArgument(f"[{self.name}] expected a built layer: its input's shape is not known")
        return sum(each.size for each in self._variables)

    # --- building ------------------------------------------------------------------------------------

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the variables for inputs of a shape, the batch (None) first. Once; later calls check the shape.

        Raises
        ------
        InvalidArgument : a shape the layer cannot take.
        """
        shape = (None, *input_shape[1:])
        if self.built:
            if shape != self.input_shape:
                raise InvalidArgument(f"[{self.name}] expected inputs of {self.input_shape}, got {shape}")
            return
        if any(size is None or size < 1 for size in shape[1:]):
            raise InvalidArgument(
                f"[{self.name}] expected every axis after the batch to be known, got {shape}"
            )
        self.input_shape = shape
        self.dtype = self.dtype or floatx()
        self.output_shape = self.compute_output_shape(shape)
        self._build()
        self.built = True

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the shape of the outputs for inputs of a shape, the batch first."""
        return tuple(input_shape)

    def _build(self) -> None:
        """Make the variables; ``input_shape`` and ``dtype`` are known."""

    def _add(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: Callable[[Sequence[int], DTypeLike], ArrayLike],
        *,
        regularizer: Regularizer | None = None,
        trainable: bool = True,
    ) -> Variable:
        assert self.dtype is not None
        try:
            if math.prod(shape) > _MOST_VALUES:
                raise MemoryError
            value = np.array(initializer(shape, self.dtype), dtype=self.dtype, order="C")
        except MemoryError:
            raise MemoryError(f"[{self.name}] no memory for {name} of shape {shape}") from None
        if value.shape != shape:
            raise InvalidArgument(
                f"[{self.name}] expected the initializer of {name} to give shape {shape}, got {value.shape}"
            )
        variable = Variable(name, value, trainable=trainable, regularizer=regularizer)
        variable.path = f"{self.name}/{name}"
        self._variables.append(variable)
        return variable

    @property
    def width(self) -> int:
        """The size of the input's last axis."""
        return int(self.input_shape[-1] or 0)

    # --- running -------------------------------------------------------------------------------------

    def write(self, nodes: NodeWriter, x: str) -> str:
        """Add the layer's nodes for the value ``x`` and return the name of the result."""
        raise NotImplementedError

    def __call__(self, x: ArrayLike) -> Array:
        """Return the layer's outputs in inference mode for a batch; builds it for the batch's shape first.

        Raises
        ------
        Unsupported : a layer or an `Input` instead of a batch.
        """
        if isinstance(x, Layer):
            raise Unsupported(
                f"[{self.name}] layers make a model by Sequential([...]), not by calls of one another"
            )
        from maas_engine.nn._graph import run_layer

        return run_layer(self, x)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def assign_all(variables: Sequence[Variable], values: Sequence[ArrayLike], where: str) -> None:
    """Assign values to variables, all or, where one does not fit, none."""
    if len(values) != len(variables):
        raise InvalidArgument(
            f"[{where}] expected {len(variables)} arrays of weights, got {len(values)}: "
            f"{', '.join(each.path for each in variables)}"
        )
    for variable, value in zip(variables, values, strict=True):
        if np.shape(value) != variable.shape:
            raise InvalidArgument(f"[{variable.path}] expected shape {variable.shape}, got {np.shape(value)}")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def refuse(where: str, **options: Any) -> None:
    """Raise Unsupported for an option of Keras that the engine does not have."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise Unsupported(f"[{where}] {name} is not supported")
