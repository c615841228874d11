"""Sequential: layers one after another, with Keras 3's manners."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import ArrayLike, DTypeLike, NDArray

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.model import Model
from maas_engine.nn._config import float_type, floatx
from maas_engine.nn._graph import Signature
from maas_engine.nn._lookup import snake_case
from maas_engine.nn._saving import Saving
from maas_engine.nn._session import Session
from maas_engine.nn._summary import summary
from maas_engine.nn._training import Training
from maas_engine.nn._variable import Variable
from maas_engine.nn.layers import Embedding, InputLayer, Layer
from maas_engine.nn.layers.layer import Shape, assign_all

Array = NDArray[Any]


class Sequential(Training, Saving):
    """Layers one after another, from one input to one output.

    Parameters
    ----------
    layers : list of Layer, optional
        May begin with an `Input`, and hold other `Sequential` models, whose layers are then shared.
    trainable : bool
        False keeps all weights as they are.
    name : str, optional
    dtype : float32 or float64, optional
        Of weights, features and outputs. Default: that of the `Input`, else `floatx()`.

    Attributes
    ----------
    layers : list of Layer, without the input
    built : bool
        Whether the weights exist: from the start where the input's shape is known, else with the first rows.
    input_shape, output_shape : tuple
        Of a batch, None first.
    optimizer, loss, metrics, history : after `compile` and `fit`
    stop_training : bool
        Set by callbacks to end `fit` after the epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from maas_engine import nn
    >>> model = nn.Sequential([nn.Input((4,)), nn.Dense(8, activation="relu"), nn.Dense(1)])
    >>> model.count_params()
    49
    >>> model.predict(np.zeros((2, 4)), verbose=0)
    array([[0.],
           [0.]], dtype=float32)
    """

    def __init__(
        self,
        layers: Sequence[Layer | Sequential] | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.name = name or "sequential"
        self._trainable = trainable
        self._dtype = None if dtype is None else float_type(dtype, "Sequential")
        self._layers: list[Layer] = []
        self._input: InputLayer | None = None
        self._session = Session(self)
        if isinstance(layers, (Layer, Sequential)):
            raise InvalidArgument(f"[Sequential] expected a list of layers, got {layers!r}")
        for layer in layers or ():
            self.add(layer)

    # --- structure -----------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        return list(self._layers)

    @property
    def dtype(self) -> str:
        """float32 or float64: of weights, features and outputs."""
        if self._dtype is None:
            first = [self._input, *self._layers]
            self._dtype = next((each.dtype for each in first if each is not None and each.dtype), floatx())
        return self._dtype

    @property
    def built(self) -> bool:
        return self._input is not None and bool(self._layers) and all(each.built for each in self._layers)

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        """Set it for all layers."""
        self._trainable = value
        for layer in self._layers:
            layer.trainable = value

    @property
    def input_shape(self) -> Shape:
        return self.signature("input_shape").shape

    @property
    def output_shape(self) -> Shape:
        self._require_built("output_shape")
        return self._layers[-1].output_shape

    def add(self, layer: Layer | Sequential) -> None:
        """Append a layer, or those of another model, which then share their weights.

        Raises
        ------
        InvalidArgument : something else, an input that is not first, a layer that is there already, a name that is
            taken, or a layer that does not fit the one before.
        """
        if isinstance(layer, Sequential):
            if layer._input is not None and self._input is None:
                self.add(layer._input)
            for each in layer.layers:
                self.add(each)
            return
        if not isinstance(layer, Layer):
            raise InvalidArgument(f"[add] expected a layer of maas_engine.nn, got {layer!r}")
        if isinstance(layer, InputLayer):
            if self._input is not None or self._layers:
                raise InvalidArgument("[add] expected the Input to be the first entry of the model")
            self._input = layer
            return
        if any(each is layer for each in self._layers):
            raise InvalidArgument(f"[add] the layer '{layer.name}' is part of the model already")
        if self._input is None and not self._layers:
            self._input = _input_of(layer)
        layer.name = self._free_name(layer)
        if not self._trainable:
            layer.trainable = False
        if self._input is not None:
            self._build_layer(
                layer, self._layers[-1].output_shape if self._layers else self._input.input_shape
            )
        self._layers.append(layer)
        self._session.discard()

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it.

        Raises
        ------
        InvalidArgument : there is none.
        """
        if not self._layers:
            raise InvalidArgument("[pop] expected at least one layer")
        self._session.fetch()
        layer = self._layers.pop()
        for variable in layer.weights:
            variable.holders.remove(self._session)
        self._session.discard()
        return layer

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its place.

        Raises
        ------
        InvalidArgument : there is none such.
        """
        found = [each for each in self._layers if each.name == name]
        if index is not None and -len(self._layers) <= index < len(self._layers):
            found = [self._layers[index]]
        if not found:
            names = ", ".join(each.name for each in self._layers)
            raise InvalidArgument(
                f"[get_layer] expected one of {names}, got {name if index is None else index!r}"
            )
        return found[0]

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights for inputs of a shape, the batch (None) first; a built model checks the shape.

        Raises
        ------
        InvalidArgument : a shape that the layers cannot take, or that is not the model's.
        """
        if input_shape is not None and self._input is None:
            indices = bool(self._layers) and isinstance(self._layers[0], Embedding)
            self._input = InputLayer(tuple(input_shape[1:]), dtype="int64" if indices else None)  # type: ignore[arg-type]
        if self._input is None or not self._layers:
            raise InvalidArgument("[build] expected at least one layer and the shape of the inputs")
        shape = self._input.input_shape
        if input_shape is not None and (None, *input_shape[1:]) != shape:
            raise InvalidArgument(f"[build] expected inputs of {shape}, got {tuple(input_shape)}")
        for layer in self._layers:
            if not layer.built:
                self._build_layer(layer, shape)
            shape = layer.output_shape

    # --- weights -------------------------------------------------------------------------------------

    @property
    def weights(self) -> list[Variable]:
        return [each for layer in self._layers for each in layer.weights]

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        return [each for layer in self._layers for each in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return [each for layer in self._layers for each in layer.non_trainable_weights]

    trainable_variables, non_trainable_variables = trainable_weights, non_trainable_weights

    def get_weights(self) -> list[Array]:
        """Return copies of all weights, layer by layer, in Keras's order and shapes."""
        return [each.numpy() for each in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace all weights.

        Raises
        ------
        InvalidArgument : another number of arrays, or other shapes; nothing is changed then.
        """
        self._require_built("set_weights")
        assign_all(self.weights, weights, "set_weights")

    def count_params(self) -> int:
        """Return the number of values in the weights."""
        self._require_built("count_params")
        return sum(each.size for each in self.weights)

    def summary(
        self,
        line_length: int | None = None,
        print_fn: Callable[[str], Any] | None = None,
        show_trainable: bool = False,
    ) -> None:
        """Print the layers, their output shapes and parameters.

        Parameters
        ----------
        line_length : int, optional
            Characters a line, about; default 76.
        print_fn : function, optional
            Called with the whole text instead of ``print``.
        show_trainable : bool
            Whether to say which layers are trained.
        """
        (print_fn or print)(summary(self.name, self._layers, line_length, show_trainable))

    # --- predicting ----------------------------------------------------------------------------------

    def to_model(self) -> Model:
        """Return the network with its present weights as a `maas_engine.Model`.

        ``model.predict`` gives the bits that this ``predict`` gives. Compiled once, and kept until weights change.
        """
        self._require_built("to_model")
        return self._session.model()

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the network as an ONNX file, which `maas_engine.load` and other runtimes read.

        Parameters
        ----------
        filepath : path ending in ``.onnx``
        overwrite : bool
            False: an existing file is an error.

        Raises
        ------
        Unsupported : another ending: Keras's own formats are not written.
        FileExistsError : the file is there, and ``overwrite`` False.
        """
        path = os.fspath(filepath)
        if not path.endswith(".onnx"):
            raise Unsupported(
                f"[save] expected a path ending in .onnx, got '{path}': models are saved as ONNX, "
                "weights alone by save_weights"
            )
        if not overwrite and os.path.exists(path):
            raise FileExistsError(path)
        self.to_model().save(path)

    def __call__(self, x: Any, training: bool = False) -> Array:
        """Return the outputs for a batch, in inference mode."""
        if training:
            raise Unsupported(
                "[Sequential] a forward pass in training mode is part of fit and train_on_batch"
            )
        return self.predict(x, verbose=0)

    def __repr__(self) -> str:
        return f"<Sequential name={self.name}, built={self.built}>"

    # --- inside --------------------------------------------------------------------------------------

    def signature(self, where: str) -> Signature:
        if self._input is None:
            raise InvalidArgument(
                f"[{where}] expected a built model: build it, or give the first layer an Input"
            )
        first = self._layers[0] if self._layers else None
        rows = first.input_dim if isinstance(first, Embedding) else None
        indices = self._input.takes_integers or rows is not None
        kind = "int64" if indices else self.dtype
        return Signature(self._input.name, self._input.input_shape, kind, self.dtype, rows)

    def _require_built(self, where: str) -> None:
        if not self.built:
            raise InvalidArgument(
                f"[{where}] expected a built model: begin it with Input(shape), or call build or fit first"
            )

    def _build_layer(self, layer: Layer, shape: Shape) -> None:
        if layer.dtype is None and not layer.built:
            layer.dtype = self.dtype
        if layer.dtype != self.dtype:
            raise InvalidArgument(f"[{layer.name}] expected a layer of {self.dtype}, got {layer.dtype}")
        layer.build(shape)
        for variable in layer.weights:
            variable.path = f"{layer.name}/{variable.name}"
            variable.holders.append(self._session)

    def _free_name(self, layer: Layer) -> str:
        taken = {each.name for each in self._layers}
        if layer.name not in taken:
            return layer.name
        if layer.named:
            raise InvalidArgument(f"[add] expected names that are used once, got '{layer.name}' again")
        stem = snake_case(type(layer).__name__)
        numbers = (f"{stem}_{number}" for number in range(1, len(taken) + 2))
        return next(name for name in (stem, *numbers) if name not in taken)


def _input_of(layer: Layer) -> InputLayer | None:
    """The input that a first layer knows by itself."""
    if layer.first_shape is not None:
        return InputLayer(layer.first_shape, dtype="int64" if isinstance(layer, Embedding) else None)
    if layer.built:
        indices = isinstance(layer, Embedding)
        return InputLayer(
            tuple(int(size or 0) for size in layer.input_shape[1:]), dtype="int64" if indices else None
        )
    return None
