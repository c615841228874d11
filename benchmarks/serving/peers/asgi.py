"""Bare ASGI under uvicorn: orjson, numpy and ONNX Runtime, nothing between."""

import orjson
from runtime import answer

HEADERS = [(b"content-type", b"application/json")]


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message.get("more_body"):
            break
    name = scope["path"].split("/")[3] if scope["method"] == "POST" else None
    reply = (
        orjson.dumps(answer(name, orjson.loads(body)), option=orjson.OPT_SERIALIZE_NUMPY) if name else b"{}"
    )
    length = (b"content-length", str(len(reply)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
    await send({"type": "http.response.body", "body": reply})
