"""FastAPI at its quickest: an async endpoint that reads the body and writes the response itself."""

import orjson
from fastapi import FastAPI, Request, Response
from runtime import answer

app = FastAPI()


@app.get("/v2/health/ready")
async def ready():
    return {}


@app.post("/v2/models/{name}/infer")
async def infer(name: str, request: Request):
    found = answer(name, orjson.loads(await request.body()))
    return Response(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
