# SPDX-License-Identifier: BSD-2-Clause
"""Drives a headless Chromium by the DevTools protocol over two pipes: the browser reads requests
from descriptor 3 and writes answers and events to descriptor 4, each a JSON document terminated by
a NUL. Tests wait for an answer or for a condition in the page, never for a fixed time."""

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time

import lib

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--remote-debugging-pipe", "--force-color-profile=srgb")
KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "ArrowUp": (38, ""), "ArrowDown": (40, ""),
        "ArrowLeft": (37, ""), "ArrowRight": (39, ""), "Backspace": (8, ""), "/": (191, "/"), "Tab": (9, ""),
        "Home": (36, ""), "n": (78, "n")}


def program():
    for name in NAMES:
        if shutil.which(name):
            return shutil.which(name)
    raise lib.Skip("no Chromium")


class Browser:
    """One page; leaving the `with` ends the browser."""

    def __init__(self, where):
        requests, self.requests = os.pipe()
        self.answers, answers = os.pipe()

        def prepare():
            lib.die_with_test()
            source, sink = os.dup(requests), os.dup(answers)  # either may already be 3 or 4
            os.dup2(source, 3)
            os.dup2(sink, 4)
        self.log = open(f"{where}/browser.log", "wb")
        self.child = subprocess.Popen([program(), *ARGUMENTS, f"--user-data-dir={where}/chromium"],
                                      stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                      preexec_fn=prepare, close_fds=False, start_new_session=True)
        os.close(requests)
        os.close(answers)
        self.buffer, self.number, self.session, self.events = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Kills all browser processes; one left would write into the folder being removed."""
        self.child.kill()
        self.child.wait()

        def gone():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)
                return False
            return True
        lib.until(gone, "the browser's processes end")
        os.close(self.requests)
        os.close(self.answers)
        self.log.close()

    # --- protocol ---------------------------------------------------------------------------------

    def _message(self, end):
        while b"\0" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise RuntimeError("the browser does not answer")
            part = os.read(self.answers, 1 << 20)
            if not part:
                raise RuntimeError("the browser ended")
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def ask(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.requests, data):]
        end = time.monotonic() + lib.PATIENCE
        while True:
            message = self._message(end)
            if message.get("id") == self.number:
                break
            self.events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"]

    def said(self):
        """The page's exceptions and console messages."""
        kinds = {"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"}
        return [json.dumps(e["params"])[:600] for e in self.events if e.get("method") in kinds]

    def requested(self):
        """The URLs that the page requested."""
        return [e["params"]["request"]["url"] for e in self.events
                if e.get("method") == "Network.requestWillBeSent"]

    # --- actions of a user ------------------------------------------------------------------------

    def size(self, width, height, scale=1):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                 mobile=False)

    def prefer(self, scheme):
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, path, fragment="", ready="window.krait !== undefined"):
        self.ask("Page.navigate", url="about:blank")  # a new fragment alone does not reload a page
        self.ask("Page.navigate", url=f"file://{path}{fragment}")
        self.wait(ready)

    def js(self, expression):
        """The value of an expression, which may be a promise."""
        r = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(f"{expression}: {r['exceptionDetails']}")
        return r["result"].get("value")

    def wait(self, condition):
        lib.until(lambda: self.js(f"Boolean({condition})"), f"in the page: {condition}")

    def move(self, x, y):
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, x, y):
        self.ask("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)

    def release(self, x, y):
        self.ask("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)

    def click(self, x, y):
        self.move(x, y)
        self.press(x, y)
        self.release(x, y)

    def click_on(self, selector):
        """Scrolls an element into view and clicks its center."""
        at = self.js(f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
                     "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
                     "return [r.left + r.width / 2, r.top + r.height / 2]; })()")
        self.click(*at)

    def key(self, name):
        code, text = KEYS[name]
        more = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code,
                     **(more if kind == "keyDown" else {}))

    def type(self, text):
        self.ask("Input.insertText", text=text)

    def choose(self, selector, value):
        """Selects an entry of a <select> and fires the event of a user's choice."""
        self.js(f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
                f"e.value = {json.dumps(value)}; e.dispatchEvent(new Event('change')); }})()")

    def picture(self, path, form="png", **more):
        data = self.ask("Page.captureScreenshot", format=form, **more)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
