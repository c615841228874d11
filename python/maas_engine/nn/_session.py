"""A model's present weights: where the newest are, the trainer that changes them, the program that predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maas_engine import _core
from maas_engine._runtime import next_seed
from maas_engine.model import Model
from maas_engine.nn._graph import write_graph
from maas_engine.nn._variable import Variable
from maas_engine.nn.layers import Dropout
from maas_engine.nn.losses import Loss
from maas_engine.nn.metrics import Metric
from maas_engine.nn.optimizers import Optimizer

if TYPE_CHECKING:
    from maas_engine.nn.sequential import Sequential


class Session:
    """Holds the trainer of one model and keeps its weights and the variables' in step.

    While a model trains, the newest weights are the trainer's; variables fetch them when someone looks. What is
    assigned to variables goes to the trainer before its next step. A trainer made anew, after layers or constants
    changed, goes on with the optimizer's state.

    Attributes
    ----------
    seed : int
        Of shuffling and dropout; drawn by `compile`.
    shuffles : int
        Orders of rows drawn so far: each is addressed by the seed and this number.
    feature_names : tuple of str, or None
        Columns of the frame that the model was trained with.
    """

    def __init__(self, model: Sequential) -> None:
        self._owner = model
        self.seed = 0
        self.shuffles = 0
        self.feature_names: tuple[str, ...] | None = None
        self.callbacks: Any = None  # of the fit that runs
        self.resumed: Any = None  # states of callbacks from a checkpoint, for the next fit
        self._optimizer: Optimizer | None = None
        self._loss: Loss | None = None
        self._metrics: Sequence[Metric] = ()
        self._trainer: _core.Trainer | None = None
        self._kept: list[Variable] = []  # the trainer's parameters, in its order
        self._trained: list[Variable] = []  # those of them that gradients change
        self._slots: dict[Variable, list[Any]] = {}  # of a trainer that was given up
        self._newer = False  # the trainer's weights are newer than the variables'
        self._stale = False  # the other way round
        self._model: Model | None = None

    def __getstate__(self) -> dict[str, Any]:
        self.discard()  # what cannot be copied is made again
        return {**self.__dict__, "callbacks": None}

    # --- Holder --------------------------------------------------------------------------------------

    def fetch(self) -> None:
        """Bring the variables up to date."""
        if self._newer and self._trainer is not None:
            self._newer = False
            for variable, value in zip(self._kept, self._trainer.get_parameters(), strict=True):
                variable.take(value, self)

    def changed(self, variable: Variable) -> None:
        """Note that a variable has another value."""
        self._model = None
        if any(each is variable for each in self._kept):
            self._stale = True
        else:
            self.discard()  # a constant of the trainer's graph

    # --- training ------------------------------------------------------------------------------------

    def compile(self, optimizer: Optimizer, loss: Loss, metrics: Sequence[Metric]) -> None:
        """Say how to train; another optimizer starts afresh."""
        self.discard()
        if optimizer is not self._optimizer:
            self._slots, optimizer.iterations = {}, 0  # it may have been another model's
        self._optimizer, self._loss, self._metrics = optimizer, loss, metrics
        self.seed, self.shuffles = next_seed(), 0

    def start(self, callbacks: Any) -> None:
        """Begin a fit: the callbacks learn of it, and go on from a checkpoint's states where there are some."""
        self.callbacks = callbacks
        callbacks.on_train_begin()
        states, self.resumed = self.resumed, None
        if states is not None:
            callbacks.set_states(states)

    def name_features(self, names: tuple[str, ...] | None) -> None:
        """Keep the names of the columns that the model is trained with."""
        if names is not None and names != self.feature_names:
            self.feature_names, self._model = names, None

    def discard(self) -> None:
        """Give up trainer and program, keeping weights and the optimizer's state."""
        self.fetch()
        self._model = None
        if self._trainer is not None:
            self._slots |= self._present_slots(self._trainer)
            self._trainer, self._kept, self._trained, self._stale = None, [], [], False

    def trainer(self) -> _core.Trainer:
        """Return the trainer, with the newest weights; made on first use of a compiled, built model.

        Raises
        ------
        Unsupported : a layer that cannot be trained as it is here.
        """
        self._fetch_shared()
        if self._trainer is None:
            self._trainer = self._make_trainer()
        elif self._stale:
            self._trainer.set_parameters([each.value for each in self._kept])
            self._stale = False
        return self._trainer

    def about_to_train(self) -> None:
        """Note that the trainer is about to change weights; even if it is interrupted."""
        self._newer, self._model = True, None

    def slot_names(self) -> list[str]:
        """Return what the optimizer keeps for each weight: ``"momentum"``, ..."""
        return list(self.trainer().slot_names)

    def slots(self) -> dict[Variable, list[Any]]:
        """Return the optimizer's state of each trained variable, in the order of `slot_names`."""
        return self._present_slots(self.trainer())

    def resume(self, seed: int, shuffles: int, slots: dict[Variable, list[Any]], callbacks: Any) -> None:
        """Go on from a checkpoint: with its random sequences, the optimizer's state, and callbacks' states."""
        self.discard()
        self.seed, self.shuffles, self._slots, self.resumed = seed, shuffles, slots, callbacks

    # --- predicting ----------------------------------------------------------------------------------

    def model(self) -> Model:
        """Return the present network, ready to predict."""
        self._fetch_shared()
        self.fetch()
        if self._model is None:
            owner = self._owner
            graph, _ = write_graph(
                owner.name,
                owner.layers,
                owner.signature("to_model"),
                training=False,
                feature_names=self.feature_names,
            )
            self._model = Model(graph)
        return self._model

    # --- inside --------------------------------------------------------------------------------------

    def _fetch_shared(self) -> None:
        """Fetch from other models that have layers of this one."""
        for variable in self._owner.weights:
            for holder in variable.holders:
                if holder is not self:
                    holder.fetch()

    def _make_trainer(self) -> _core.Trainer:
        assert self._optimizer is not None
        assert self._loss is not None
        layers = self._owner.layers
        graph, kept = write_graph(self._owner.name, layers, self._owner.signature("fit"), training=True)
        trained = {id(each) for layer in layers for each in layer.trainable_weights}
        parameters = []
        for each in kept:
            trains, penalty = id(each) in trained, each.regularizer
            l1, l2 = (penalty.l1, penalty.l2) if trains and penalty is not None else (0.0, 0.0)
            parameters.append((each.path, trains, l1, l2, self._optimizer.decays(each.path)))
        seeds = (layer.seed for layer in layers if isinstance(layer, Dropout) and layer.seed is not None)
        trainer = _core.Trainer(
            graph,
            parameters,
            self._loss.to_core(),
            [each.core_name for each in self._metrics],
            self._optimizer.to_core(),
            next(seeds, self.seed),
            False,
        )
        self._kept, self._stale, self._newer = kept, False, False
        self._trained = [each for each in kept if id(each) in trained]
        trainer.iterations = self._optimizer.iterations
        self._restore_slots(trainer)
        return trainer

    def _restore_slots(self, trainer: _core.Trainer) -> None:
        known, self._slots = self._slots, {}
        if any(each in known for each in self._trained):
            slots = trainer.get_slots()
            for place, each in enumerate(self._trained):
                for slot, value in zip(slots, known.get(each, ()), strict=False):
                    slot[place] = value
            trainer.set_slots(slots)

    def _present_slots(self, trainer: _core.Trainer) -> dict[Variable, list[Any]]:
        slots = trainer.get_slots()
        return {each: [slot[place] for slot in slots] for place, each in enumerate(self._trained)}
