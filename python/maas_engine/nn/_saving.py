"""The methods of `Sequential` that write and read weights and checkpoints."""

from __future__ import annotations

import os
from typing import Any, cast

from maas_engine.nn import checkpoint
from maas_engine.nn.layers.layer import refuse


class Saving:
    """The part of `Sequential` that keeps weights and the state of training in safetensors files."""

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights by their paths (``"dense/kernel"``) as a safetensors file.

        Parameters
        ----------
        filepath : path ending in ``.safetensors``
        overwrite : bool
            False: an existing file is an error.

        Raises
        ------
        FileExistsError : the file is there, and ``overwrite`` False.
        InvalidArgument : the model is not built, or another ending.
        """
        self._ready("save_weights")
        if not overwrite and os.path.exists(filepath):
            raise FileExistsError(os.fspath(filepath))
        checkpoint.save_weights(cast(Any, self), filepath)

    def load_weights(self, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> None:
        """Replace the weights by those that ``save_weights`` wrote, or a checkpoint's.

        Raises
        ------
        NotFound : no such file.
        FormatError : a broken file, or weights of other names, shapes or types; nothing is changed then.
        InvalidArgument : the model is not built.
        """
        refuse("load_weights", skip_mismatch=skip_mismatch)
        self._ready("load_weights")
        checkpoint.load_weights(cast(Any, self), filepath)

    def save_checkpoint(self, filepath: str | os.PathLike[str], *, epoch: int | None = None) -> None:
        """Write the whole state of training, from which ``fit`` goes on bit for bit.

        Weights, the optimizer's state and iterations, the learning rate, how far shuffling and dropout are, the
        epoch, and the state of the last fit's callbacks (`EarlyStopping`, `ReduceLROnPlateau`, `History`, ...).
        `callbacks.ModelCheckpoint(path, save_checkpoint=True)` writes one after each epoch.

        Parameters
        ----------
        filepath : path ending in ``.safetensors``
        epoch : int, optional
            Epochs done. Default: those of the last fit.

        Raises
        ------
        InvalidArgument : the model is not built and compiled, or another ending.
        """
        self._ready("save_checkpoint", compiled=True)
        checkpoint.save_checkpoint(cast(Any, self), filepath, epoch)

    def load_checkpoint(self, filepath: str | os.PathLike[str]) -> int:
        """Go on where a checkpoint was written: ``fit(..., initial_epoch=model.load_checkpoint(path))``.

        The next ``fit`` with the same rows, batch size and callbacks gives the bits it would have given without a
        stop. Callbacks find their state by their class, in order.

        Returns
        -------
        int : epochs done

        Raises
        ------
        NotFound : no such file.
        FormatError : a broken file, or a checkpoint of another model, named by the first difference of weights,
            layers, loss or optimizer; nothing is changed then.
        InvalidArgument : the model is not built and compiled.
        """
        self._ready("load_checkpoint", compiled=True)
        return checkpoint.load_checkpoint(cast(Any, self), filepath)

    def _ready(self, where: str, *, compiled: bool = False) -> None:
        model = cast(Any, self)
        model._require_built(where)
        if compiled:
            model._require_compiled(where)
