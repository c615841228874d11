"""How a model is trained and asked: compile, fit, evaluate, predict, as Keras's models have them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.errors import InvalidArgument
from maas_engine.nn import losses, metrics, optimizers
from maas_engine.nn._batches import Batches, is_batches
from maas_engine.nn._checks import whole_number
from maas_engine.nn._evaluate import evaluate_batches, evaluate_rows, named_results
from maas_engine.nn._fit import ArrayEpochs, BatchEpochs, Fit
from maas_engine.nn._graph import Signature
from maas_engine.nn._rows import Rows, Target, column_names, features, take_rows, with_class_weight
from maas_engine.nn.layers.layer import Layer, Shape, refuse

if TYPE_CHECKING:
    from maas_engine.nn._session import Session
    from maas_engine.nn.callbacks import History

Array = NDArray[Any]

_DEFAULT_BATCH = 32
_BLOCK_VALUES = 1 << 20  # of x, where predict converts numbers


class Training:
    """The half of `Sequential` that trains and predicts."""

    _session: Session

    def __init__(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.metrics: list[metrics.Metric] = []
        self.history: Any = None
        self.stop_training = False

    if TYPE_CHECKING:  # of Sequential

        @property
        def built(self) -> bool: ...
        @property
        def output_shape(self) -> Shape: ...
        @property
        def layers(self) -> list[Layer]: ...
        @property
        def dtype(self) -> str: ...
        def build(self, input_shape: Any = None) -> None: ...
        def signature(self, where: str) -> Signature: ...
        def to_model(self) -> Any: ...

    @property
    def compiled(self) -> bool:
        return self.optimizer is not None

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns, in order."""
        return ["loss", *(each.name for each in self.metrics)]

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: None = None,
        metrics: Any = None,
        weighted_metrics: None = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        Parameters
        ----------
        optimizer : str or Optimizer
            ``"sgd"``, ``"adam"``, ``"adamw"``, ``"rmsprop"``, ``"adagrad"``, or one of `maas_engine.nn.optimizers`.
        loss : str or Loss
            ``"mse"``, ``"binary_crossentropy"``, ..., or one of `maas_engine.nn.losses`.
        metrics : list of str or Metric, optional
            ``"mae"``, ``"accuracy"``, ..., or those of `maas_engine.nn.metrics`.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss : ignored
            Training is compiled always.

        Raises
        ------
        InvalidArgument, Unsupported : what is not known.
        """
        refuse("compile", loss_weights=loss_weights, weighted_metrics=weighted_metrics or None)
        if loss is None:
            raise InvalidArgument("[compile] expected a loss, such as 'mse' or 'binary_crossentropy'")
        made = optimizers.get(optimizer), losses.get(loss), _metrics_of(metrics)
        self._session.compile(*made)
        self.optimizer, self.loss, self.metrics = made

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train for some epochs.

        Parameters
        ----------
        x : array_like of shape (n, ...), frame, or source of batches (x, y) or (x, y, weight)
            Arrays of any layout, memory maps among them, are read row by row without a copy. A source is a
            generator, an iterable, or an object with ``__len__`` and ``__getitem__``.
        y : array_like of shape (n,) or (n, columns)
            Numbers; for sparse categorical cross-entropy class numbers from 0. Not for a source.
        batch_size : int, default 32
        epochs, initial_epoch : int
            Training ends with epoch ``epochs``, having begun with ``initial_epoch``.
        verbose : 0, 1, 2 or "auto"
            Nothing, a bar, or a line an epoch; "auto" is 1.
        callbacks : list of Callback, optional
        validation_split : float in 0 ... 1
            The share of the rows, the last ones, that is kept for validation.
        validation_data : (x, y) or (x, y, weight), or source of batches, optional
        shuffle : bool
            Whether to draw an order of the rows for each epoch.
        class_weight : dict of int to float, optional
            The weight of each class's rows; others count 1.
        sample_weight : array_like of shape (n,), optional
        steps_per_epoch, validation_steps : int, optional
            Batches an epoch: needed where a source never ends. More than the rows give: a warning.
        validation_batch_size : ignored
        validation_freq : int
            Epochs from one validation to the next.

        Returns
        -------
        History

        Raises
        ------
        InvalidArgument : rows that do not fit the model or one another.
        NotFinite : the loss became NaN or infinite; weights are those before that step. With a `TerminateOnNaN`
            callback training stops instead.
        KeyboardInterrupt : weights are those of the last whole step.
        """
        self._require_compiled("fit")
        if is_batches(x):
            _refuse_beside_batches("fit", y, sample_weight, validation_split or None)
            batches = Batches(x, steps_per_epoch, "fit")
            source: Any = BatchEpochs(self._batch_reader(class_weight, "fit"), batches, bool(shuffle))
        else:
            rows = self._rows(x, y, sample_weight, "fit")
            if validation_split:
                rows, validation_data = _split_off(rows, validation_split, validation_data)
            rows = with_class_weight(rows, class_weight, "fit")
            source = ArrayEpochs(rows, _batch_size(batch_size), bool(shuffle), steps_per_epoch)
        if validation_data is not None and not isinstance(validation_data, Rows):
            validation_data = self._validation(validation_data, validation_steps)
        every = whole_number(validation_freq, "validation_freq", "fit")
        run = Fit(self, self._session, source, validation_data, every)
        first = whole_number(initial_epoch, "initial_epoch", "fit", 0)
        return run(first, whole_number(epochs, "epochs", "fit", 0), _verbosity(verbose), callbacks)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return loss, penalties included, and metrics in inference mode.

        Parameters
        ----------
        x, y, sample_weight : as for `fit`
        batch_size : ignored
        verbose : 0, 1, 2 or "auto"
            Other than 0: print a line.
        steps : int, optional
            Batches to take of a source.
        callbacks : ignored
        return_dict : bool

        Returns
        -------
        float, list of float, or dict of str to float
            The loss alone where there are no metrics; otherwise in the order of `metrics_names`.
        """
        self._require_compiled("evaluate")
        if is_batches(x):
            _refuse_beside_batches("evaluate", y, sample_weight)
            batches = Batches(x, steps, "evaluate")
            result = evaluate_batches(self._session, batches, self._batch_reader(None, "evaluate"))
        else:
            result = evaluate_rows(self._session, self._rows(x, y, sample_weight, "evaluate"))
        logs = named_results(self.metrics_names, *result)
        if verbose not in (0, False):
            print(" - ".join(f"{name}: {value:.4f}" for name, value in logs.items()))
        return _answer(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Array:
        """Return the outputs for rows, in inference mode: a row's result is the same in any batch.

        Parameters
        ----------
        x : array_like of shape (n, ...), frame, or source of batches
            By name, where the model was trained with a frame.
        steps : int, optional
            Batches to take of a source.
        batch_size, verbose, callbacks : ignored

        Returns
        -------
        ndarray of shape (n, ...), of the model's type
        """
        if not is_batches(x):
            return self._predict_rows(x)
        parts = [self._predict_rows(each[0]) for each in Batches(x, steps, "predict").epoch()]
        if not parts:
            raise InvalidArgument("[predict] expected at least one batch")
        return np.concatenate(parts)

    def predict_on_batch(self, x: Any) -> Array:
        """Return the outputs for one batch."""
        return self._predict_rows(x)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Do one step with all rows of x as one batch; return loss and metrics from before it, as `evaluate` does.

        Raises
        ------
        NotFinite : the loss is NaN or infinite; nothing was changed.
        """
        self._require_compiled("train_on_batch")
        rows = with_class_weight(
            self._rows(x, y, sample_weight, "train_on_batch"), class_weight, "train_on_batch"
        )
        source = ArrayEpochs(rows, max(1, len(rows.x)), False, None)
        logs = Fit(self, self._session, source, None, 1).step(rows)
        return _answer(logs, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return loss and metrics of one batch, as `evaluate` does."""
        return self.evaluate(x, y, sample_weight=sample_weight, return_dict=return_dict, verbose=0)

    # --- inside --------------------------------------------------------------------------------------

    def _require_compiled(self, where: str) -> None:
        if self.optimizer is None:
            raise InvalidArgument(f"[{where}] expected a compiled model: call compile(optimizer, loss) first")

    def _build_for(self, x: Any) -> None:
        """Build a model without an input for the shape of these rows."""
        if not self.built:
            shape = x.shape if hasattr(x, "shape") else np.shape(x)
            self.build((None, *(shape[1:] or (1,))))

    def _rows(self, x: Any, y: Any, weight: Any, where: str) -> Rows:
        if x is None:
            raise InvalidArgument(f"[{where}] expected rows x")
        self._build_for(x)
        session, signature = self._session, self.signature(where)
        if where == "fit" and len(signature.shape) == 2 and not signature.takes_indices:
            session.name_features(column_names(x))
        target = Target(self.loss.core_name, math.prod(int(size or 0) for size in self.output_shape[1:]))
        return take_rows(x, y, weight, signature, target, session.feature_names, where)

    def _batch_reader(self, class_weight: Mapping[int, float] | None, where: str) -> Any:
        def read(x: Any, y: Any, weight: Any) -> Rows:
            return with_class_weight(self._rows(x, y, weight, where), class_weight, where)

        return read

    def _validation(self, data: Any, steps: int | None) -> Any:
        if isinstance(data, (tuple, list)):
            if not 2 <= len(data) <= 3:
                raise InvalidArgument(
                    f"[fit] expected validation_data (x, y) or (x, y, weight), got {len(data)} parts"
                )
            x, y, weight = (*data, None)[:3]
            return self._rows(x, y, weight, "validation_data")
        return Batches(data, steps, "validation_data"), self._batch_reader(None, "validation_data")

    def _predict_rows(self, x: Any) -> Array:
        self._build_for(x)
        signature = self.signature("predict")
        rows = features(x, signature, self._session.feature_names, "predict")
        model = self.to_model()
        if rows.dtype == signature.dtype:
            return np.asarray(model.predict(rows))
        size = max(1, _BLOCK_VALUES // max(1, rows[:1].size))
        out = np.empty((len(rows), *(int(size or 0) for size in self.output_shape[1:])), self.dtype)
        for first in range(0, len(rows), size):
            out[first : first + size] = model.predict(rows[first : first + size].astype(signature.dtype))
        return out


def _metrics_of(given: Any) -> list[metrics.Metric]:
    return metrics.get_all(given)


def _verbosity(verbose: Any) -> int:
    """0, 1 or 2."""
    level = 1 if verbose == "auto" else verbose
    if level not in (0, 1, 2):
        raise InvalidArgument(f"[fit] expected verbose to be 0, 1, 2 or 'auto', got {verbose!r}")
    return int(level)


def _refuse_beside_batches(where: str, *given: Any) -> None:
    """Refuse what a source of batches has inside."""
    if any(each is not None for each in given):
        raise InvalidArgument(
            f"[{where}] expected a source of batches (x, y) or (x, y, weight) alone: no y, sample_weight or "
            "validation_split beside it"
        )


def _batch_size(given: int | None) -> int:
    return _DEFAULT_BATCH if given is None else whole_number(given, "batch_size", "fit")


def _split_off(rows: Rows, share: float, validation_data: Any) -> tuple[Rows, Any]:
    """The rows to train on, and the last ones for validation."""
    if not 0 < share < 1:
        raise InvalidArgument(f"[fit] expected 0 <= validation_split < 1, got {share}")
    n = len(rows.x)
    first = math.floor(n * (1 - share))
    if first in (0, n):
        raise InvalidArgument(f"[fit] expected rows on both sides of validation_split={share}, got {n} rows")
    if validation_data is not None:
        return rows.part(0, first), validation_data
    return rows.part(0, first), rows.part(first, n)


def _answer(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
