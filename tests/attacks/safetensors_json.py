"""Headers that parsers read differently: duplicates, numbers that are no integers, content after the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attacks.attack import Attack, entry, safetensors

Weights = partial(Attack, kind="safetensors")
DATA = bytes(11)


def attacks(folder: Path) -> Iterator[Attack]:
    good = json.dumps(entry("U8", [11], 0, 11)).encode()
    cases = {
        "a name twice": (b'{"a":%s,"a":%s}' % (good, good), "'a' twice"),
        "a name twice, escaped": (b'{"a":%s,"\\u0061":%s}' % (good, good), "'a' twice"),
        "a field twice": (
            b'{"a":{"dtype":"F32","dtype":"U8","shape":[11],"data_offsets":[0,11]}}',
            "'dtype' twice",
        ),
        "metadata twice": (b'{"__metadata__":{},"__metadata__":{},"a":%s}' % good, "'__metadata__' twice"),
        "a float": (good.replace(b"[11]", b"[11.0]"), "integers in the header, got 11.0"),
        "an exponent": (good.replace(b"[11]", b"[1e1]"), "integers in the header, got 1e1"),
        "NaN": (good.replace(b"[11]", b"[NaN]"), "integers in the header"),
        "Infinity": (good.replace(b"[11]", b"[-Infinity]"), "integers in the header"),
        "minus zero": (good.replace(b"[0,", b"[-0,").replace(b"[0, ", b"[-0, "), "integers from 0"),
        "a leading zero": (good.replace(b"[11]", b"[011]"), "JSON"),
        "a million digits": (good.replace(b"[11]", b"[" + b"1" * 10**6 + b"]"), "integers from 0"),
        "metadata of numbers": (b'{"__metadata__":{"x":1},"a":%s}' % good, "texts by name"),
        "metadata as text": (b'{"__metadata__":"x","a":%s}' % good, "texts by name"),
        "content after": (b'{"a":%s}{}' % good, "spaces after"),
        "a line's end after": (b'{"a":%s}\n' % good, "spaces after"),
        "a zero after": (b'{"a":%s}\0' % good, "spaces after"),
        "space before": (b' {"a":%s}' % good, "begins with"),
        "byte order mark": (b'\xef\xbb\xbf{"a":%s}' % good, "begins with"),
        "a list": (b'["a"]', "begins with"),
        "no end": (b'{"a":%s' % good, "JSON"),
        "a comma more": (b'{"a":%s,}' % good, "JSON"),
        "not UTF-8": (b'{"\xff":%s}' % good, "UTF-8"),
        "half a surrogate pair": (b'{"\\ud800":%s}' % good, "surrogate"),
        "a surrogate in UTF-8": (b'{"\xed\xa0\x80":%s}' % good, "UTF-8"),
        "a raw control character": (b'{"a\n":%s}' % good, "JSON"),
        "deep": (b'{"a":' * 50_000, "nested deeper"),
        "deep lists": (b'{"a":' + b"[" * 50_000, "nested deeper"),
    }
    for name, (header, words) in cases.items():
        text = header if b'"a"' in header or header[:1] != b"{" or b'":{' in header else b'{"a":%s}' % header
        yield Weights(name, safetensors(text, DATA), "FormatError", words)
    yield Weights("spaces after", safetensors(b'{"a":%s}   ' % good, DATA), None)
