# SPDX-License-Identifier: BSD-2-Clause
"""Shared by all end-to-end tests: TAP output, targets that announce when they are ready, running
krait, parsing folded stacks, CPU times. Tests wait for a line or the end of a process, never for a
fixed time."""

import contextlib
import ctypes
import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple

import interpreters

TESTS = os.path.dirname(interpreters.HERE)
REPO = os.path.dirname(TESTS)
OUTPUT = os.path.abspath(os.environ.get("OUTPUT") or os.path.join(REPO, "build"))
KRAIT = os.path.join(OUTPUT, "krait")
TARGETS = os.path.join(TESTS, "targets")
TRUTH = os.environ.get("TRUTH") == "1"
SECONDS = 20 if TRUTH else 2  # one accuracy run
RATE = 2999  # Hz, for accuracy tests
PATIENCE = 180  # timeout in seconds of each wait; generous, because the machine may be loaded
DOWNLOAD = 120  # seconds for a package
TICK = os.sysconf("SC_CLK_TCK")


# --- TAP ----------------------------------------------------------------------------------------

class Tap:
    """One line for each check; done() prints the plan and exits."""

    def __init__(self):
        self.count = self.failed = 0
        self.doubts = None  # during a trial's first run: names of the bounds that failed
        self.left = self.doubted = None  # in its second run: bounds not yet checked again, and all

    def _line(self, text):
        print(text, flush=True)

    def ok(self, good, name, why=""):
        if self.doubted is not None:
            if good and name not in self.doubted:
                return True  # reported by the first run
            self.left.discard(name)
        self.count += 1
        self.failed += not good
        self._line(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        for line in str(why).splitlines() if not good else ():
            self._line("# " + line)
        return bool(good)

    def bound(self, good, name, why=""):
        """A check that may fail by chance: in trial() it fails only if it fails in both runs."""
        if self.doubts is None or good:
            return self.ok(good, name, why)
        self.doubts.add(name)
        self.note(f"once more, with fresh data: {name}")
        for line in str(why).splitlines():
            self.note(line)
        return False

    def skip(self, name, reason):
        if self.doubted is not None:
            return
        self.count += 1
        self._line(f"ok {self.count} - {name} # SKIP {reason}")

    def note(self, text):
        self._line("# " + str(text))

    def done(self):
        self._line(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)

    @contextlib.contextmanager
    def guard(self, name):
        """Turns an exception into a failed (or skipped) check of that name, and continues."""
        try:
            yield
        except Skip as e:
            self.skip(name, e)
        except Exception as e:  # noqa: BLE001
            self.ok(False, name, f"{type(e).__name__}: {e}")

    def trial(self, name, run, *args):
        """Calls run(*args), which takes data and checks it, under guard(name). If only bounds fail,
        it is called once more for fresh data, and the result of that run counts."""
        self.doubts, failed = set(), self.failed
        with self.guard(name):
            run(*args)
        doubts, self.doubts = self.doubts, None
        if doubts and self.failed == failed:
            self.doubted, self.left = doubts, set(doubts)
            with self.guard(name):
                run(*args)
            doubts, self.doubted = self.left, None
        for doubt in sorted(doubts):
            self.ok(False, doubt, "failed in the first run, and was not checked in a second one")

    def each_interpreter(self, name, here=False, chosen=interpreters.chosen):
        """(interpreter, check name) for interpreters.chosen(here) or few(here); SKIP lines for the
        absent."""
        for what, why in interpreters.absent():
            self.skip(f"{name} [{what}]", why)
        for i in chosen(here):
            yield i, f"{name} [{i.label}]"


class Skip(Exception):
    """Raised inside a guard: the check cannot run here; the text is the reason."""


def need_krait():
    """Ends the test file if krait cannot record here."""
    if not os.access(KRAIT, os.X_OK):
        print(f"Bail out! {KRAIT} is not built")
        raise SystemExit(1)
    if os.geteuid() != 0:
        print("1..0 # SKIP recording needs root")
        raise SystemExit(0)


# --- processes ----------------------------------------------------------------------------------

class Lines(threading.Thread):
    """Collects a pipe's lines; other threads can wait for one."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe, self.lines, self.ended = pipe, [], False
        self.news = threading.Condition()
        self.start()

    def run(self):
        for raw in self.pipe:
            self._add(raw.decode("utf-8", "backslashreplace").rstrip("\n"))
        with self.news:
            self.ended = True
            self.news.notify_all()

    def _add(self, line):
        with self.news:
            self.lines.append(line)
            self.news.notify_all()

    def wait_for(self, prefix, seconds=PATIENCE, nth=1):
        """The nth line with this prefix; RuntimeError if the pipe ends first, or at the timeout."""
        def seen():
            return [x for x in self.lines if x.startswith(prefix)]
        with self.news:
            self.news.wait_for(lambda: len(seen()) >= nth or self.ended, seconds)
            if len(seen()) < nth:
                raise RuntimeError(f"no line {prefix!r}; got: {self.lines[-8:]}")
            return seen()[nth - 1]

    def text(self):
        self.join(PATIENCE)
        return "\n".join(self.lines)


def die_with_test():
    """For preexec_fn."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Process:
    """A child with its output lines; leaving the `with` kills it."""

    def __init__(self, argv, cpu=None, **more):
        def prepare():
            die_with_test()
            if cpu is not None:
                os.sched_setaffinity(0, {cpu})
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, preexec_fn=prepare, **more)
        self.pid = self.child.pid
        self.out, self.err = Lines(self.child.stdout), Lines(self.child.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        for lines in (self.out, self.err):
            lines.join(1)
            if not lines.is_alive():  # a grandchild may hold the pipe open, and close() would block
                lines.pipe.close()

    def signal(self, number):
        self.child.send_signal(number)

    def tell(self, line):
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def wait(self, seconds=PATIENCE):
        return self.child.wait(seconds)


class Target(Process):
    """A program of tests/targets run by an interpreter. `ready` is the rest of its READY line. Without
    `wait`, several can start at the same time; then until_ready()."""

    def __init__(self, interpreter, script, *args, cpu=None, wait=True, **more):
        path = stage(interpreter, script)
        environment = dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONDONTWRITEBYTECODE="1",
                           **more.pop("env", {}))
        super().__init__([*interpreter.argv, path, *map(str, args)], cpu, env=environment, **more)
        self.path, self.ready, self.script = path, "", script
        if wait:
            self.until_ready()

    def until_ready(self):
        try:
            self.ready = self.out.wait_for("READY")[6:]
        except RuntimeError as e:
            problem = "\n".join(self.err.lines[-5:])
            self.__exit__()
            raise RuntimeError(f"{self.script} did not start: {e}\n{problem}") from None


class As:
    """Stands for an interpreter in Target: an arbitrary command that runs a script."""

    def __init__(self, *argv):
        self.root, self.argv = None, argv


def stage(interpreter, script):
    """The interpreter's path of a script in tests/targets, which is copied into its root."""
    host = os.path.join(TARGETS, script)
    if not interpreter.root:
        return host
    with open(host, "rb") as f:  # tests of several source trees may share a root
        content = hashlib.sha256(f.read()).hexdigest()[:16]
    inside = os.path.join("/tmp/krait-targets", content, os.path.basename(script))
    copy = interpreter.root + inside
    if not os.path.exists(copy):
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        fresh = f"{copy}.{os.getpid()}.{threading.get_ident()}"  # several tests may do so at once
        shutil.copy(host, fresh)
        os.replace(fresh, copy)
    return inside


def hot_lines(script):
    """{function: line} of a target's HOT marks."""
    with open(os.path.join(TARGETS, script)) as f:
        marked = [(text.split("HOT ")[1].strip(), n) for n, text in enumerate(f, 1)
                  if "# HOT " in text]
    return dict(marked)


def system():
    """Debian's /usr/bin/python3."""
    return next(i for i in interpreters.all() if i.argv == ("/usr/bin/python3",))


def children(pid):
    """The pids of a process's children."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/stat") as f:
                if int(f.read().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(name))
    return found


def python_of(target):
    """The process that runs Python: a frozen program may start it as a child."""
    pid = target.pid
    while children(pid):
        pid = children(pid)[0]
    return pid


def threads_of(pid):
    """The ids of a process's threads now."""
    try:
        return set(map(int, os.listdir(f"/proc/{pid}/task")))
    except OSError:
        return set()


def cpu_seconds(pid, tid=None):
    """utime + stime of a process or one thread of it."""
    with open(f"/proc/{pid}/task/{tid}/stat" if tid else f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def compute(seconds, *pids):
    """Waits until each of these processes has used that many more seconds of CPU time."""
    start = {p: cpu_seconds(p) for p in pids}
    until(lambda: all(cpu_seconds(p) - s >= seconds for p, s in start.items()), "they compute", 120)


def no_pid():
    """A pid that no process can have."""
    with open("/proc/sys/kernel/pid_max") as f:
        return int(f.read())


def state(pid):
    """R, S, T, Z, ... or None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0]
    except OSError:
        return None


def label(pid):
    """The root frame of a process's stacks: comm-PID."""
    with open(f"/proc/{pid}/comm") as f:
        return f"{f.read().rstrip()}-{pid}"


def until(condition, what, seconds=PATIENCE, pause=0.005):
    """Polls a condition that has no event to wait for, and returns its value."""
    end = time.monotonic() + seconds
    while not (seen := condition()):
        if time.monotonic() > end:
            raise RuntimeError("did not happen: " + what)
        time.sleep(pause)
    return seen


# --- krait --------------------------------------------------------------------------------------

# A marker has the name "[x]" and file None; a frame whose file cannot be read has file "".
Frame = namedtuple("Frame", "name file line")
Stack = namedtuple("Stack", "root frames count")  # root None with --by none

FIRST = re.compile(r":\d+\Z")
FRAME = re.compile(r"(.*) \((.*?)(?::~?(\d+))?\)\Z", re.S)
# Control and other invisible characters, and those that change the direction of text.
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")


@functools.lru_cache(maxsize=None)
def frame(text):
    if CONTROL.search(text):
        raise ValueError(f"a control character: {text!r}")
    if text.startswith("[") and text.endswith("]"):
        return Frame(text, None, None)
    m = FRAME.match(text)
    if not m:
        return Frame(text, "", None)
    return Frame(m[1], m[2], int(m[3]) if m[3] else None)


def parse(text, root=True):
    """The stacks of a folded text; ValueError names a malformed line."""
    stacks = []
    lines = text.split("\n")
    if lines[0].endswith(" 0"):  # an empty stack that only names the format
        del lines[0]
    for line in lines:
        if not line:
            continue
        text, _, count = line.rpartition(" ")
        parts = text.split(";")
        head = parts.pop(0) if root else None
        if not text or not count.isdecimal() or int(count) < 1 or CONTROL.search(head or ""):
            raise ValueError(f"not a folded line: {line!r}")
        stacks.append(Stack(head, tuple(map(frame, parts)), int(count)))
    return stacks


def pid_of(stack):
    """The id in a root frame comm-PID or NAME-TID, which ends in "#2" if the id was used before."""
    return int(stack.root.rpartition("-")[2].partition("#")[0])


def of(stacks, pid):
    return [s for s in stacks if pid_of(s) == pid]


def total(stacks):
    return sum(s.count for s in stacks)


def names(stack):
    """Function names, root first, without the qualifying prefix of 3.11 and later, and without the
    line that is appended if several functions of a file have the same name."""
    return [FIRST.sub("", f.name.rpartition(".")[2]) for f in stack.frames]


def share(stacks, condition):
    """The fraction of samples that match the condition."""
    n = total(stacks)
    return total([s for s in stacks if condition(s)]) / n if n else 0.0


def worst(stacks, n=5):
    """The n heaviest stacks, as text for a diagnosis."""
    top = sorted(stacks, key=lambda s: -s.count)[:n]
    return "\n".join(f"{s.count} {s.root};" + ";".join(
        f.name if f.line is None else f"{f.name}:{f.line}" for f in s.frames[-12:]) for s in top)


class Krait(Process):
    """A running `krait record`; with `wait`, sampling has begun when the constructor returns."""

    def __init__(self, *args, wait=True, **more):
        super().__init__([KRAIT, "record", *map(str, args)], **more)
        self.by_none = "none" in args
        try:
            if wait:
                self.err.wait_for("krait: sampling")
        except RuntimeError as e:
            status = self.child.poll()
            self.__exit__()
            raise RuntimeError(f"krait did not start (status {status}): {e}") from None

    def finish(self, number=signal.SIGINT):
        """Stops the recording and returns its stacks."""
        if number:
            self.signal(number)
        return self.result()

    def result(self):
        status = self.wait()
        if status != 0:
            raise RuntimeError(f"krait exited with {status}: {self.err.text()[-500:]}")
        return parse(self.out.text(), not self.by_none)


def record(seconds, *args, **more):
    """The stacks of a recording of that many seconds."""
    with Krait("-d", seconds, *args, **more) as k:
        return k.result()


def observe(pids, seconds, *args):
    """(stacks, {pid: CPU seconds}) of a recording of these processes, as watch()."""
    return watch(pids, seconds, "-p", ",".join(map(str, pids)), *args)


def watch(pids, seconds, *args):
    """(stacks, {pid: CPU seconds}) of a recording that lasts until each of these processes has used
    that much CPU time, or a fifth of it on a very busy machine."""
    with Krait(*args) as k:
        start = {p: cpu_seconds(p) for p in pids}
        soon = time.monotonic() + 20 + 2 * seconds

        def computed():
            dead = [p for p in pids if state(p) in (None, "Z")]
            if dead or k.child.poll() is not None:
                raise RuntimeError(f"ended early: targets {dead}, krait {k.child.poll()}")
            enough = seconds if time.monotonic() < soon else seconds / 5
            return min(cpu_seconds(p) - start[p] for p in pids) >= enough
        until(computed, "they compute", 120)
        spent = {p: cpu_seconds(p) - start[p] for p in pids}
        return k.finish(), spent


def usage(*args, **more):
    """Runs krait to its end: (status, stdout, stderr)."""
    r = subprocess.run([KRAIT, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=PATIENCE, **more)
    return r.returncode, r.stdout.decode("utf-8"), r.stderr.decode("utf-8", "replace")


# --- things built for targets -------------------------------------------------------------------

def helper(name="helper"):
    """Builds a shared library of tests/targets/ext, for ctypes or LD_PRELOAD."""
    source = os.path.join(TARGETS, "ext", name + ".c")
    library = os.path.join(OUTPUT, "targets", name + ".so")
    if os.path.exists(library) and os.path.getmtime(library) >= os.path.getmtime(source):
        return library
    cc = shutil.which(os.environ.get("CC", "cc"))
    if not cc:
        raise Skip("no C compiler")
    os.makedirs(os.path.dirname(library), exist_ok=True)
    fresh = f"{library}.{os.getpid()}"
    subprocess.run([cc, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-shared", "-fPIC", "-Wall",
                    "-o", fresh, source, "-lpthread"], check=True)
    os.replace(fresh, library)
    return library


def package(interpreter, name):
    """The folder of a PyPI package for this interpreter; pip downloads it into the cache."""
    flavour = "%d.%d%s" % (*interpreter.minor, "t" * interpreter.threaded)
    where = os.path.join(interpreters.CACHE, "pip", flavour, name)
    if os.path.isdir(where):
        return where
    fresh = f"{where}.{os.getpid()}"
    argv = [*interpreter.argv, "-m", "pip", "install", "-q", "--disable-pip-version-check",
            "--only-binary", ":all:", "--retries", "1", "--target", fresh, name]
    try:
        r = subprocess.run(argv, capture_output=True, text=True, timeout=DOWNLOAD)
    except subprocess.TimeoutExpired:
        raise Skip(f"pip did not install {name} in {DOWNLOAD} s") from None
    if r.returncode:
        last = [x for x in r.stderr.splitlines() if "ERROR" in x or "No module" in x]
        raise Skip(f"no {name}: {(last or ['pip failed'])[0]}")
    os.replace(fresh, where)
    return where


def tool(name):
    """A program of tests/targets that the Makefile builds."""
    path = os.path.join(OUTPUT, "targets", name)
    if not os.path.exists(path):
        raise Skip(f"{path} is not built")
    return path


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="krait-test-") as path:
        os.chmod(path, 0o755)
        yield path


def in_scratch(run, *args):
    """Calls run(*args, folder) with a fresh folder, which is removed afterwards."""
    with scratch() as where:
        run(*args, where)
