"""KServe's model server."""

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from runtime import SESSIONS


class Onnx(Model):
    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    def predict(self, payload: InferRequest, headers=None, response_headers=None):
        (result,) = SESSIONS[self.name].run(None, {"input": payload.inputs[0].as_numpy()})
        output = InferOutput("output", list(result.shape), "FP32")
        output.set_data_from_numpy(result, binary_data=False)
        return InferResponse(payload.id, self.name, [output])


if __name__ == "__main__":
    ModelServer().start([Onnx("small"), Onnx("wide")])
