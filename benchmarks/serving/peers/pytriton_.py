"""Triton Inference Server, as nvidia-pytriton brings it, with a Python callable."""

import os

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig
from runtime import SESSIONS

WIDTHS = {"small": (10, 1), "wide": (784, 10)}


def ask(name):
    @batch
    def infer(input):
        return {"output": SESSIONS[name].run(None, {"input": input})[0]}

    return infer


if __name__ == "__main__":
    port = int(os.environ["PORT"])
    config = TritonConfig(http_port=port, grpc_port=port + 1, metrics_port=port + 2, log_verbose=0)
    with Triton(config=config) as triton:
        for name, (taken, given) in WIDTHS.items():
            triton.bind(
                model_name=name,
                infer_func=ask(name),
                inputs=[Tensor(name="input", dtype=np.float32, shape=(taken,))],
                outputs=[Tensor(name="output", dtype=np.float32, shape=(given,))],
                config=ModelConfig(
                    max_batch_size=256, batcher=DynamicBatcher(max_queue_delay_microseconds=0)
                ),
            )
        triton.serve()
