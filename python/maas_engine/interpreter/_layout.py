"""Operators that move values: shapes, slices, gathers, joins."""

from __future__ import annotations

import math

import numpy as np

from maas_engine.interpreter._call import Call, axis_of, ints
from maas_engine.interpreter._elementwise import Function
from maas_engine.interpreter._namespace import Array, broadcast_shapes, to_device


def concat(call: Call, *arrays: Array) -> Array:
    axis = axis_of(call, call.attribute("axis"), len(arrays[0].shape))
    return call.xp.concat(arrays, axis=axis)


def constant_of_shape(call: Call, shape: Array) -> Array:
    value = call.attribute("value", np.zeros(1, dtype=np.float32))
    return to_device(call.xp, np.full(ints(shape), np.asarray(value).reshape(-1)[0]))


def expand(call: Call, x: Array, shape: Array) -> Array:
    return call.xp.broadcast_to(x, broadcast_shapes(x.shape, ints(shape) or ()))


def flatten(call: Call, x: Array) -> Array:
    rank = len(x.shape)
    axis = call.attribute("axis", 1)
    axis = rank if axis == rank else axis_of(call, axis, rank)
    return call.xp.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


def wrapped(call: Call, indices: Array, size: int) -> Array:
    """Indices that count from behind made to count from the front, all of them checked."""
    call.check((indices < -size) | (indices >= size), f"expected indices in {-size} ... {size - 1}")
    return call.xp.where(indices < 0, indices + size, indices)


def gather(call: Call, x: Array, indices: Array) -> Array:
    xp, axis = call.xp, axis_of(call, call.attribute("axis", 0), len(x.shape))
    indices = wrapped(call, indices, x.shape[axis])
    taken = xp.take(x, xp.reshape(indices, (-1,)), axis=axis)
    return xp.reshape(taken, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def gather_elements(call: Call, x: Array, indices: Array) -> Array:
    """Element i of the output is at i in ``x``, but for the axis, where ``indices`` says."""
    xp, axis = call.xp, axis_of(call, call.attribute("axis", 0), len(x.shape))
    chosen = call.cast(wrapped(call, indices, x.shape[axis]), "int64")
    position = xp.zeros(indices.shape, dtype=xp.int64)  # in the flat array
    for a, size in enumerate(x.shape):
        along = tuple(-1 if b == a else 1 for b in range(len(x.shape)))
        here = chosen if a == axis else xp.reshape(xp.arange(indices.shape[a], dtype=xp.int64), along)
        position = position * size + here
    taken = xp.take(xp.reshape(x, (-1,)), xp.reshape(position, (-1,)), axis=0)
    return xp.reshape(taken, indices.shape)


def reshape(call: Call, x: Array, shape: Array) -> Array:
    """-1: what is left; 0: as in the input, unless ``allowzero``."""
    sizes = ints(shape) or []
    if not call.attribute("allowzero", 0):
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    if -1 in sizes and 0 in x.shape:  # nothing to divide: what the other sizes leave of the first axes
        sizes = _inferred(x.shape, sizes)
    return call.xp.reshape(x, tuple(sizes))


def _inferred(shape: tuple[int, ...], sizes: list[int]) -> list[int]:
    """The sizes of an array without elements, where -1 is a batch of none or what follows the batch."""
    place = sizes.index(-1)
    if place == 0:
        return [0, *sizes[1:]]
    known = math.prod(size for size in sizes[1:] if size != -1)
    return [*sizes[:place], math.prod(shape[1:]) // max(known, 1), *sizes[place + 1 :]]


def shape_of(call: Call, x: Array) -> Array:
    start, end = call.attribute("start", 0), call.attribute("end", None)
    return np.array(tuple(x.shape)[start:end], dtype=np.int64)


def slice_of(
    call: Call, x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None
) -> Array:
    first, last = ints(starts) or [], ints(ends) or []
    chosen = ints(axes) or list(range(len(first)))
    stride = ints(steps) or [1] * len(first)
    index = [slice(None)] * len(x.shape)
    for axis, start, end, step in zip(chosen, first, last, stride, strict=True):
        a = axis_of(call, axis, len(x.shape))
        begin, stop, step = slice(start, end, step).indices(x.shape[a])
        index[a] = slice(begin, stop, step)
        if step < 0:  # a stop of -1 would count from behind
            index[a] = slice(begin, None if stop < 0 else stop, step) if begin > stop else slice(0, 0)
    return x[tuple(index)]


def split(call: Call, x: Array, sizes: Array | None = None) -> tuple[Array, ...]:
    axis = axis_of(call, call.attribute("axis", 0), len(x.shape))
    lengths = ints(sizes)
    if lengths is None:
        parts = call.attribute("num_outputs", len(call.node.outputs))
        part = -(-x.shape[axis] // parts)
        lengths = [min(part, x.shape[axis] - part * i) for i in range(parts)]  # the last may be shorter
    pieces, start = [], 0
    for length in lengths:
        index = [slice(None)] * len(x.shape)
        index[axis] = slice(start, start + length)
        pieces.append(x[tuple(index)])
        start += length
    return tuple(pieces)


def squeeze(call: Call, x: Array, axes: Array | None = None) -> Array:
    rank, chosen = len(x.shape), ints(axes)
    if chosen is None:
        chosen = [axis for axis in range(rank) if x.shape[axis] == 1]
    return call.xp.squeeze(x, axis=tuple(axis_of(call, axis, rank) for axis in chosen))


def tile(call: Call, x: Array, repeats: Array) -> Array:
    return call.xp.tile(x, tuple(ints(repeats) or ()))


def transpose(call: Call, x: Array) -> Array:
    return call.xp.permute_dims(x, tuple(call.attribute("perm", None) or reversed(range(len(x.shape)))))


def unsqueeze(call: Call, x: Array, axes: Array) -> Array:
    chosen = ints(axes) or []
    rank = len(x.shape) + len(chosen)
    added = {axis_of(call, axis, rank) for axis in chosen}
    sizes = iter(x.shape)
    return call.xp.reshape(x, tuple(1 if axis in added else next(sizes) for axis in range(rank)))


OPERATORS: dict[str, Function] = {
    "Concat": concat,
    "ConstantOfShape": constant_of_shape,
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "GatherElements": gather_elements,
    "Reshape": reshape,
    "Shape": shape_of,
    "Slice": slice_of,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
