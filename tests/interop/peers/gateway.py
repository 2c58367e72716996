"""An ASGI application that answers as APNs, FCM and Google's token endpoint would."""

import json
import os

GONE = json.dumps({"reason": "Unregistered", "timestamp": 1_790_000_000_000}).encode()
SENT = json.dumps({"name": "projects/shop/messages/0:1"}).encode()
GRANT = json.dumps({"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"}).encode()


async def app(scope, receive, send):
    """Answer one request, and note its path in the file that GATEWAY_LOG names."""
    if scope["type"] != "http":
        return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    path = scope["path"]
    with open(os.environ["GATEWAY_LOG"], "a") as log:
        log.write(f"{path}\n")
    status, body = 200, b""
    if path.startswith("/3/device/de"):
        status, body = 410, GONE
    elif path.startswith("/v1/"):
        body = SENT
    elif path == "/token":
        body = GRANT
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    head += [pair for pair in scope["headers"] if pair[0] == b"apns-id"]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
