"""MLServer: a custom runtime over ONNX Runtime, without its parallel workers, which slow one row down."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from runtime import SESSIONS


class Onnx(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0])
        (result,) = SESSIONS[self.name].run(None, {"input": rows})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("output", result)])
