"""A real browser for tests: headless Chromium, spoken to over its debugging pipe."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
WHY_NOT = "needs a Chromium on PATH"
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe"
)


class Browser:
    """One page of a browser."""

    def __init__(self, write: int, read: int) -> None:
        self._write = write
        self._read = os.fdopen(read, "rb")
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.messages: list[dict[str, Any]] = []
        """What the browser said of itself, such as errors of the page."""

    def open(self, url: str) -> None:
        """Load *url* in a new page and wait until it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        self._until(lambda message: message.get("method") == "Page.loadEventFired")

    def look(self, *, width: int, height: int, dark: bool = False) -> None:
        """Show the page in this size and scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, script: str) -> Any:
        """Return the value of *script*, awaited if it is a promise."""
        found = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition: str) -> Any:
        """Wait, in the page, until *condition* holds after one of its changes; return its value."""
        return self.run(
            f"""new Promise(resolve => {{
                const look = () => {{
                    const value = ({condition});
                    if (value) {{ watch.disconnect(); resolve(value); }}
                }};
                const watch = new MutationObserver(look);
                watch.observe(document, {{subtree: true, childList: true, attributes: true,
                    characterData: true}});
                look();
            }})"""
        )

    def screenshot(self) -> str:
        """Return what is seen, as a PNG in base64."""
        data: str = self.call("Page.captureScreenshot", format="png")["data"]
        return data

    def errors(self) -> list[str]:
        """Return what went wrong in the page so far: exceptions, and what its policy forbade."""
        self.run("0")  # everything said before this answer has arrived
        return [
            json.dumps(message["params"])
            for message in self.messages
            if message["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")
        ]

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call *method* of the Chrome DevTools Protocol and return its result."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda message: message.get("id") == number)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _until(self, wanted: Any) -> dict[str, Any]:
        while True:
            while b"\0" not in self._buffer:
                part = self._read.read1(65_536)
                assert part, "the browser is gone"
                self._buffer += part
            raw, _, self._buffer = self._buffer.partition(b"\0")
            message: dict[str, Any] = json.loads(raw)
            if "id" not in message:
                self.messages.append(message)
            if wanted(message):
                return message

    def close(self) -> None:
        """Hang up."""
        os.close(self._write)
        self._read.close()


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """Run a browser with a profile of its own until the block ends."""
    assert CHROMIUM is not None, WHY_NOT
    profile = tempfile.mkdtemp(prefix="pushctl-browser-")
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    script = f'exec "$0" {_FLAGS} --user-data-dir="$1" about:blank 3<&{theirs_in} 4>&{theirs_out}'
    process = subprocess.Popen(
        ["/bin/bash", "-c", script, CHROMIUM, profile],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(theirs_in, theirs_out),
    )
    os.close(theirs_in)
    os.close(theirs_out)
    browser = Browser(ours_out, ours_in)
    try:
        yield browser
    finally:
        with contextlib.suppress(AssertionError, OSError):
            browser._session = None
            browser.call("Browser.close")
        browser.close()
        process.kill()
        process.wait()
        shutil.rmtree(profile, ignore_errors=True)
