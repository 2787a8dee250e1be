"""A function app that only reads the body, with the host handing it over inside the invocation."""

import azure.functions as func

app = func.FunctionApp()


@app.route(route="{*path}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
def read(req: func.HttpRequest) -> func.HttpResponse:
    req.get_body()
    return func.HttpResponse("Timbre")
