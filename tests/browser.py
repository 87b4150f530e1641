"""A headless Chromium for tests, spoken to over two pipes in the DevTools protocol.

The protocol: JSON messages that end with a zero byte, from file descriptor 3, to 4 of the browser.
Source: chromedevtools.github.io/devtools-protocol, --remote-debugging-pipe.
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
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # containers forbid what it needs; it opens only our own file
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-extensions",
    "--hide-scrollbars",
)
PATIENCE = 30.0  # seconds for an answer
ABOVE = 10  # the browser's ends are moved here first, so that 3 and 4 are free


def browser_path() -> str | None:
    """The first browser on the PATH. A snap's is passed over: it cannot read a test's folder."""
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path and "/snap/" not in os.path.realpath(path)), None)


class Browser:
    """One page of a browser. What it reports unasked is kept in `events`."""

    def __init__(self, path: str, folder: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self._unread = b""
        self._n_sent = 0
        self._session: dict[str, str] = {}
        from_us, self._write_end = os.pipe()
        self._read_end, to_us = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, ABOVE) for end in (from_us, to_us)]
        moves = [(os.POSIX_SPAWN_DUP2, end, 3 + i) for i, end in enumerate(ends)]
        words = [path, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        quiet = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        self._process = os.posix_spawn(
            path, words, os.environ, file_actions=[*moves, quiet], setpgroup=0
        )
        for end in (from_us, to_us, *ends):
            os.close(end)
        pages = self.call("Target.getTargets")["targetInfos"]
        target = next(page["targetId"] for page in pages if page["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a message. Raises RuntimeError where it is an error, TimeoutError late."""
        self._n_sent += 1
        message = {"id": self._n_sent, "method": method, "params": parameters, **self._session}
        os.write(self._write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._n_sent:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, address: str) -> None:
        """Go there, and come back when all of it is loaded and has run."""
        n_before = len(self.events)
        self.call("Page.navigate", url=address)
        while not any(e["method"] == "Page.loadEventFired" for e in self.events[n_before:]):
            self.events.append(self._receive())

    def evaluate(self, expression: str) -> Any:
        """The value of JavaScript. Raises RuntimeError where it throws."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key: Tab, or Enter."""
        sent = {"key": key, "windowsVirtualKeyCode": {"Tab": 9, "Enter": 13}[key]}
        text = {"text": "\r"} if key == "Enter" else {}  # what makes a button act
        self.call("Input.dispatchKeyEvent", type="keyDown", **sent, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **sent)

    def show(self, width: int, height: int, media: str = "", **features: str) -> None:
        """Change the window's size, the medium, and features such as prefers_color_scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        named = [{"name": name.replace("_", "-"), "value": v} for name, v in features.items()]
        self.call("Emulation.setEmulatedMedia", media=media, features=named)

    def screenshot(self, path: Path) -> bytes:
        """A picture of the whole page, as PNG; also written to the path."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        picture = base64.b64decode(answer["data"])
        path.write_bytes(picture)
        return picture

    def close(self) -> None:
        """End the browser and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._write_end)
        os.close(self._read_end)

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._read_end], [], [], left)[0]:
                raise TimeoutError(f"the browser said nothing for {PATIENCE:g} s")
            received = os.read(self._read_end, 1 << 20)
            if not received:
                raise RuntimeError("the browser ended")
            self._unread += received
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)
