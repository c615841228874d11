"""What the Python peers share: sessions of ONNX Runtime, one thread each, and the protocol's JSON."""

import os

import busy  # noqa: F401
import numpy as np
import onnxruntime

FOLDER = os.environ["MODELS"]


def session(name):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(f"{FOLDER}/{name}.onnx", options, providers=["CPUExecutionProvider"])


SESSIONS = {name: session(name) for name in ("small", "wide")}


def answer(name, request):
    first = request["inputs"][0]
    rows = np.array(first["data"], dtype=np.float32).reshape(first["shape"])
    (result,) = SESSIONS[name].run(None, {"input": rows})
    output = {"name": "output", "datatype": "FP32", "shape": result.shape, "data": result.ravel()}
    return {"model_name": name, "outputs": [output]}
