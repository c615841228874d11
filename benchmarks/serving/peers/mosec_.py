"""mosec: one worker, no batching wait, orjson; the path of the request is a route each."""

import orjson
from mosec import Runtime, Server, Worker
from runtime import answer


class Quick(Worker):
    def deserialize(self, data):
        return orjson.loads(data)

    def serialize(self, data):
        return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


class Small(Quick):
    def forward(self, data):
        return answer("small", data)


class Wide(Quick):
    def forward(self, data):
        return answer("wide", data)


if __name__ == "__main__":
    server = Server()
    server.register_runtime(
        {f"/v2/models/{n}/infer": [Runtime(w)] for n, w in (("small", Small), ("wide", Wide))}
    )
    server.run()
