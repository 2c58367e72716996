"""
A real browser for tests: Debian's chromium without a window, spoken to over a pair of pipes.

The protocol is Chrome DevTools; with ``--remote-debugging-pipe`` it needs no library and no port:
JSON messages that end in a zero byte, read by the browser from descriptor 3, written to 4.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_PATIENCE_S = 60.0
"""How long a browser may take for one thing; a bound for a broken one, nothing is measured."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)


def chromium_path() -> str:
    """Return the browser's program; skip the test, saying why, where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    pytest.skip("needs a browser: no chromium on PATH (Debian: apt-get install chromium)")


class BrowserError(AssertionError):
    """The browser refused a command, or was silent."""


class Tab:
    """One tab.  What it complains of and what it asks the network for is kept."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session
        self.problems: list[str] = []
        """Errors and warnings of its console, exceptions, and what its policy blocked."""
        self.requests: list[str] = []
        """The addresses it asked for."""
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """Return the result of a DevTools command."""
        return self._browser.call(method, params, self._session, self._note)

    def size(self, width: int, height: int = 900, *, scheme: str = "light") -> None:
        """Be a screen of *width* by *height* pixels that prefers the colour *scheme*."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media="", features=features)

    def open(self, address: str) -> None:
        """Load *address* and wait until it is loaded."""
        self.problems.clear()
        self.requests.clear()
        loaded: list[bool] = []

        def note(event: dict[str, Any]) -> None:
            self._note(event)
            if event["method"] == "Page.loadEventFired":
                loaded.append(True)

        answer = self._browser.call("Page.navigate", {"url": address}, self._session, note)
        if "errorText" in answer:
            raise BrowserError(f"{address}: {answer['errorText']}")
        self._browser.read_until(lambda: bool(loaded), self._session, note)
        self.evaluate("document.fonts.ready.then(() => 0)")

    def evaluate(self, expression: str) -> Any:
        """Return what *expression*, or its promise, comes to in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Save the whole page as a picture."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def print_to(self, path: Path) -> None:
        """Save the page as it prints."""
        answer = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _note(self, event: dict[str, Any]) -> None:
        params = event["params"]
        match event["method"]:
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.problems.append(params["entry"]["text"])
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.problems.append(json.dumps(params["args"]))
            case "Runtime.exceptionThrown":
                self.problems.append(params["exceptionDetails"]["text"])
            case "Audits.issueAdded":
                self.problems.append(json.dumps(params["issue"]))
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])


class Browser:
    """A running browser.  Made by :func:`browser`."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._rest = b""
        self._number = 0
        self._messages: list[dict[str, Any]] = []

    def tab(self) -> Tab:
        """Open a tab."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        return Tab(self, attached["sessionId"])

    def call(
        self,
        method: str,
        params: dict[str, Any],
        session: str | None = None,
        on_event: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> Any:
        """Return the result of *method*; give events of *session* to *on_event* meanwhile."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._writing, data) :]
        answers: list[dict[str, Any]] = []

        def answered() -> bool:
            answers[:] = [it for it in self._messages if it.get("id") == self._number]
            return bool(answers)

        self.read_until(answered, session, on_event)
        self._messages.remove(answers[0])
        if "error" in answers[0]:
            raise BrowserError(f"{method}: {answers[0]['error']['message']}")
        return answers[0]["result"]

    def read_until(
        self,
        done: Callable[[], bool],
        session: str | None,
        on_event: Callable[[dict[str, Any]], None],
    ) -> None:
        """Read messages until *done*."""
        until = time.monotonic() + _PATIENCE_S
        while not done():
            ready, _, _ = select.select([self._reading], [], [], max(0, until - time.monotonic()))
            data = os.read(self._reading, 1 << 20) if ready else b""
            if not data:
                raise BrowserError("the browser " + ("has ended" if ready else "is silent"))
            *whole, self._rest = (self._rest + data).split(b"\0")
            for text in whole:
                message = json.loads(text)
                if "id" in message:
                    self._messages.append(message)
                elif message.get("sessionId") == session:
                    on_event(message)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser with a profile of its own, and end it with the block."""
    program = chromium_path()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        to_browser, from_browser = _high(os.pipe()), _high(os.pipe())
        pid = os.posix_spawn(
            program,
            [program, *_FLAGS, f"--user-data-dir={home}/profile", "about:blank"],
            {**os.environ, "HOME": home},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, to_browser[0], 3),
                (os.POSIX_SPAWN_DUP2, from_browser[1], 4),
            ],
            setpgroup=0,
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            yield Browser(from_browser[0], to_browser[1])
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(from_browser[0])
            os.close(to_browser[1])


def _high(pipe: tuple[int, int]) -> tuple[int, int]:
    """Return *pipe* with numbers that the browser's 3 and 4 do not collide with."""
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in pipe)
    for end in pipe:
        os.close(end)
    return moved[0], moved[1]
