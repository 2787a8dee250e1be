"""A function app that only reads the body, through Microsoft's extension for HTTP streams."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

app = func.FunctionApp()


@app.route(route="{*path}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def read(req: Request) -> Response:
    await req.body()
    return Response("Timbre")
