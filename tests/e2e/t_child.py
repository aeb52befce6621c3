#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""`krait record -- CMD`: how the command is started, what is recorded of it, and how it ends."""

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
from collections import namedtuple

import lib

PYTHON = lib.system().argv[0]
NOBODY = dict(SUDO_UID="65534", SUDO_GID="65534", SUDO_USER="nobody")
OURS = {k: v for k, v in os.environ.items() if not k.startswith("SUDO_")}

Answer = namedtuple("Answer", "status out err stacks")


def start(where, *cmd, flags=(), **more):
    """Starts krait with a command in a directory, by default without sudo's variables."""
    more.setdefault("env", OURS)
    return lib.Process([lib.KRAIT, "record", *map(str, flags), "--", *map(str, cmd)], cwd=where,
                       **more)


def files(where):
    return sorted(f for f in os.listdir(where) if f.startswith("krait-"))


def answer(k, where):
    """Waits for krait to end; reads and removes the file that it wrote."""
    k.child.stdin.close()
    status = k.wait()
    stacks = None
    for name in files(where):
        with open(f"{where}/{name}") as f:
            stacks = lib.parse(f.read())
        os.unlink(f"{where}/{name}")
    return Answer(status, k.out.text(), k.err.text(), stacks)


def run(where, *cmd, **more):
    with start(where, *cmd, **more) as k:
        return answer(k, where)


def shell(where, script, **more):
    return run(where, "sh", "-c", script, **more)


def python(where, script, **more):
    return run(where, PYTHON, "-c", script, **more)


def lost(a, reason):
    found = re.search(r"lost (\d+) samples?: " + reason, a.err)
    return int(found[1]) if found else 0


# --- start and end ------------------------------------------------------------------------------

def check_statuses(t, where):
    for script, status in (("exit 0", 0), ("exit 3", 3), ("exit 127", 127), ("kill -9 $$", 137),
                           ("kill -TERM $$", 143)):
        a = shell(where, script)
        t.ok(a.status == status and a.stacks == [], f"{script}: {status}, and a profile",
             f"{a.status} {a.stacks} {a.err}")
    plain = f"{where}/plain"
    with open(plain, "w") as f:
        f.write("exit 0\n")
    for cmd, status, why in (("no-such-command-here", 127, "not found in PATH"),
                             ("./no-such-file", 127, "no such file"),
                             (plain, 126, "Permission denied"), ("/", 126, "Permission denied")):
        a = run(where, cmd)
        t.ok(a.status == status and f"'{cmd}'" in a.err and why in a.err and a.stacks is None,
             f"{why}: {status}, a message, and no profile", f"{a.status} {a.stacks} {a.err}")
    a = python(where, "import sys; sum(range(10000000)); sys.exit(3)",
               flags=("-F", 999, "-o", "/dev/full"))
    t.ok(a.status == 1 and "/dev/full" in a.err, "a profile that cannot be written: status 1",
         f"{a.status} {a.err}")


def check_not_started(t, where):
    """If krait cannot record, CMD is not started."""
    mark = f"{where}/ran"
    for name, argv, status in (
            ("no output", ["record", "-o", f"{where}/none/out", "--", "touch", mark], 1),
            ("wrong usage", ["record", "-p", str(os.getpid()), "--", "touch", mark], 2)):
        code, _, err = lib.usage(*argv, env=OURS)
        t.ok(code == status and not os.path.exists(mark), f"{name}: CMD is not started",
             f"{code} {err}")
    copy = shutil.copy(lib.KRAIT, f"{where}/krait")
    os.chmod(where, 0o777)
    r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy,
                        "record", "--", "touch", mark], cwd=where, capture_output=True, text=True,
                       timeout=lib.PATIENCE, env=OURS)
    t.ok(r.returncode == 3 and not os.path.exists(mark), "no privilege: CMD is not started",
         f"{r.returncode} {r.stderr}")


def check_duration(t, where):
    a = shell(where, "exec sleep 60", flags=("-d", "200ms"))
    t.ok(a.status == 143 and a.stacks == [], "at the end of -d, CMD gets SIGTERM",
         f"{a.status} {a.err}")
    a = shell(where, "trap 'echo told; exit 4' TERM; echo on; while :; do sleep 0.05; done",
              flags=("-d", "500ms"))
    # On a busy machine, SIGTERM may kill the shell before it has set its trap.
    t.bound(a.status == 4 and a.out == "on\ntold" and a.stacks == [],
            "and krait waits for its handler of SIGTERM", f"{a.status} {a.out} {a.err}")


def check_daemon(t, where):
    a = shell(where, "setsid sleep 60 >/dev/null 2>&1 </dev/null & echo $!")
    daemon = int(a.out)
    t.ok(a.status == 0 and lib.state(daemon) not in (None, "Z"),
         "krait does not wait for a daemon that CMD left", a.err)
    with contextlib.suppress(OSError):
        os.kill(daemon, signal.SIGKILL)


# --- recorded processes -------------------------------------------------------------------------

def check_short(t, where):
    """A program with 20 ms of CPU time after Python's start-up."""
    script = ("import time\ndef short():\n"
              " end = time.process_time() + 0.02\n"
              " while time.process_time() < end:\n  for i in range(99): pass\n"
              "short()\nprint(time.process_time())")
    hz = 4999
    a = python(where, script, flags=("-F", hz))
    due = float(a.out) * hz
    seen = [s for s in a.stacks if "short" in lib.names(s) and s.frames[-1].line]
    t.bound(lib.total(seen) > 0.02 * hz * 0.7, "20 ms are recorded, with names and lines",
            f"{lib.total(seen)}\n{a.err}")
    late = lost(a, "before the process was known")
    t.bound(late < 0.02 * hz, "few samples come before the process is known",
            f"{late} of {due}\n{a.err}")
    t.bound(lib.total(a.stacks) + late + lost(a, "not delivered") > 0.7 * due,
            "and lost samples are counted", f"{lib.total(a.stacks)} {late} {due}\n{a.err}")
    first = [s for s in a.stacks if any("importlib" in (f.file or "") for f in s.frames)]
    t.bound(first, "Python's start-up is recorded", lib.worst(a.stacks))
    t.ok(len({s.root for s in a.stacks}) == 1, "and no other process",
         sorted({s.root for s in a.stacks}))


def check_children(t, where):
    """Children by fork and by exec; CMD reads the requests from its standard input."""
    with lib.Target(lib.system(), "named.py", "bystander"), \
            start(where, PYTHON, f"{lib.TARGETS}/spawner.py", flags=("-F", 999)) as k:
        k.out.wait_for("READY")
        k.tell("fork")
        k.tell("exec")
        pids = [int(k.out.wait_for("DONE", nth=n).split()[1]) for n in (1, 2)]
        a = answer(k, where)
    for pid, function in zip(pids, ("forked_hot", "executed_hot")):
        mine = [s for s in lib.of(a.stacks, pid) if function in lib.names(s)]
        t.bound(lib.total(mine) > 200, f"a descendant is recorded: {function}",
                f"{pid}: {lib.total(mine)}\n{lib.worst(a.stacks)}\n{a.err}")
    t.ok(not [s for s in a.stacks if "bystander" in lib.names(s)],
         "and no process that CMD did not start", lib.worst(a.stacks))
    t.ok(a.status == 0 and a.out == "\n".join(["READY", *(f"DONE {p}" for p in pids)]),
         "standard output has only CMD's lines", a.out)


# --- inherited properties and user --------------------------------------------------------------

# Python changes some signals itself, in the same way with and without krait.
INHERITED = """
import os, resource
print(sorted(os.listdir('/proc/self/fd')), os.getpgid(0), os.getsid(0), os.umask(0))
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_MEMLOCK))
print([x for x in open('/proc/self/status')
       if x[:3] in ('Sig', 'Cap', 'Gro', 'NoN') and x[:4] != 'SigQ'])
print(os.nice(0), os.sched_getscheduler(0), os.sched_getaffinity(0), open('/proc/self/oom_score_adj').read())
"""


def check_inherited(t, where):
    """CMD has the same blocked and ignored signals, descriptors, limits, groups and priority as a
    program started without krait."""
    def prepare():
        lib.die_with_test()
        signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGWINCH, signal.SIGUSR2})
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.setsid()

    def both():
        for argv in ([], [lib.KRAIT, "record", "-q", "-o", "inherited", "--"]):
            r = subprocess.run([*argv, PYTHON, "-c", INHERITED], cwd=where, env=OURS,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               preexec_fn=prepare, timeout=lib.PATIENCE)
            yield re.sub(r"(\]) \d+ \d+ ", r"\1 ", r.stdout, count=1), r.stderr
    (plain, _), (started, err) = both()
    t.ok(plain and plain == started, "CMD inherits what krait inherited, and nothing of krait's",
         f"{plain}\n{started}\n{err}")
    os.unlink(f"{where}/inherited")


def check_user(t, where):
    script = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME; grep CapEff /proc/self/status"
    os.chown(where, 65534, 65534)
    with start(where, "sh", "-c", script, env={**OURS, **NOBODY}, extra_groups=[4, 24]) as k:
        k.wait()
        said = k.out.text().splitlines()
        name, = files(where)
        st = os.stat(f"{where}/{name}")
        os.unlink(f"{where}/{name}")
    t.ok(said == ["65534", "65534", "65534", "/nonexistent nobody nobody",
                  "CapEff:\t0000000000000000"], "CMD runs as the user who called sudo", said)
    t.ok((st.st_uid, st.st_gid) == (65534, 65534), "and the user owns the profile", st)
    with start(where, "id", "-u", env={**OURS, **NOBODY, "SUDO_UID": "0", "SUDO_GID": "0"}) as k:
        t.ok(answer(k, where).out == "0", "root who calls sudo stays root")
    for wrong in (dict(SUDO_UID="x", SUDO_GID="1"), dict(SUDO_UID="1000")):
        with start(where, "id", "-u", env={**OURS, **wrong}) as k:
            a = answer(k, where)
            t.ok(a.status == 1 and not a.out and "SUDO_" in a.err, f"refused: {wrong}", a)


# --- output -------------------------------------------------------------------------------------

def next_pids(number):
    """The next pids that the kernel will use."""
    with open("/proc/loadavg") as f:
        last = int(f.read().split()[-1])
    lowest, end = 300, lib.no_pid()  # after pid_max, the kernel continues at 300
    return [pid if pid < end else pid - end + lowest for pid in range(last + 1, last + 1 + number)]


def check_output(t, where):
    with start(where, "sh", "-c", "echo $$; cat", flags=("-v",)) as k:
        pid = k.out.wait_for("")
        k.tell("through")
        k.child.stdin.close()
        k.wait()
        t.ok(k.out.text() == f"{pid}\nthrough", "input and output pass through", k.out.lines)
        t.ok(files(where) == [f"krait-sh-{pid}.folded"] and
             f"krait: wrote krait-sh-{pid}.folded" in k.err.text(),
             "the profile is in a file named after CMD, and krait prints the name", k.err.text())
        os.unlink(f"{where}/krait-sh-{pid}.folded")
    work = "end = __import__('time').process_time() + 0.3\n" \
           "while __import__('time').process_time() < end: pass\nprint('mine', flush=True)"
    a = python(where, work, flags=("-o", "-"))
    first, _, rest = a.out.partition("\n")
    t.ok(first == "mine" and lib.parse(rest) and a.stacks is None,
         "-o - writes to standard output when CMD has ended", a.out[:200])
    victim = f"{where}/victim"
    with open(victim, "w") as f:
        f.write("untouched\n")
    with start(where, "sh", "-c", "ln -s victim krait-sh-$$.folded") as k:
        k.wait()
    name, = files(where)
    with open(victim) as f:
        t.ok(f.read() == "untouched\n" and not os.path.islink(f"{where}/{name}"),
             "a symbolic link that CMD makes in place of the profile is not followed")
    os.unlink(f"{where}/{name}")
    for pid in next_pids(2000):
        os.symlink("victim", f"{where}/krait-sh-{pid}.folded")
    with start(where, "sh", "-c", "echo ran") as k:
        k.wait()
        # On a busy machine, the pid may lie after the last link.
        t.bound(k.child.returncode == 1 and not k.out.text() and "File exists" in k.err.text(),
                "nor is one that was there first", k.err.text())
    for name in files(where):
        os.unlink(f"{where}/{name}")
    with open(victim) as f:
        t.ok(f.read() == "untouched\n", "and the file that the links name is unchanged")


# --- signals ------------------------------------------------------------------------------------

# Prints the signals that it gets; ends at SIGTERM or after three signals.
TOLD = """
import os, signal, sys
names = []
def told(number, frame):
    names.append(signal.Signals(number).name)
    print(names[-1], flush=True)
    if number == signal.SIGTERM or len(names) == 3:
        sys.exit(7)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2):
    signal.signal(number, told)
print('READY', os.getpid(), flush=True)
while True:
    signal.pause()
"""


def check_signals(t, where):
    with start(where, PYTHON, "-c", TOLD) as k:
        k.out.wait_for("READY")
        k.signal(signal.SIGTERM)
        a = answer(k, where)
        t.ok(a.status == 7 and re.fullmatch(r"READY \d+\nSIGTERM", a.out) and a.stacks is not None,
             "SIGTERM is passed on, and the profile written when CMD ends", a)
    with start(where, PYTHON, "-c", TOLD) as k:
        k.out.wait_for("READY")
        for number in (signal.SIGQUIT, signal.SIGUSR2, signal.SIGINT):
            k.signal(number)
            k.out.wait_for(number.name)
        a = answer(k, where)
        t.ok(a.status == 7 and a.stacks is not None, "so are SIGQUIT, SIGUSR2, SIGINT", a)
    with start(where, PYTHON, "-c", TOLD) as k:
        pid = int(k.out.wait_for("READY").split()[1])
        k.signal(signal.SIGHUP)
        k.out.wait_for("SIGHUP")
        k.signal(signal.SIGINT)
        k.out.wait_for("SIGINT")
        status = k.wait()
        t.ok(status == -signal.SIGINT and not files(where),
             "a second signal ends krait without a profile", status)
        os.kill(pid, signal.SIGTERM)
        k.out.wait_for("SIGTERM")  # krait left CMD running, which holds our pipes open
    with start(where, PYTHON, "-c", TOLD) as k:
        k.out.wait_for("READY")
        k.signal(signal.SIGUSR1)
        lib.until(lambda: files(where), "a snapshot is written")
        k.signal(signal.SIGTERM)
        a = answer(k, where)
        t.ok(a.status == 7 and "SIGUSR1" not in a.out, "SIGUSR1 is not passed on", a)


class Terminal:
    """krait as the foreground process of a new pseudo-terminal."""

    def __init__(self, where, *cmd):
        self.pid, self.master = pty.fork()
        if not self.pid:
            os.chdir(where)
            os.execve(lib.KRAIT, [lib.KRAIT, "record", "--", *cmd], OURS)
        self.out = lib.Lines(self._lines())

    def _lines(self):
        """Lines of the terminal; reading it fails once its last program has ended."""
        with contextlib.suppress(OSError), os.fdopen(os.dup(self.master), "rb") as f:
            for line in f:
                yield line.replace(b"\r", b"").replace(b"^C", b"")

    def press(self, key):
        os.write(self.master, key)

    def wait(self):
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def check_terminal(t, where):
    tty = Terminal(where, PYTHON, "-c", TOLD)
    pid = int(tty.out.wait_for("READY").split()[1])
    # A SIGINT that krait sent could merge with the terminal's; so CMD first gets the latter alone.
    os.kill(tty.pid, signal.SIGSTOP)
    lib.until(lambda: lib.state(tty.pid) == "T", "krait stops")
    tty.press(b"\x03")
    tty.out.wait_for("SIGINT")
    os.kill(tty.pid, signal.SIGCONT)
    lib.until(lambda: lib.state(tty.pid) == "S", "krait has done what there was to do")
    os.kill(tty.pid, signal.SIGUSR2)
    tty.out.wait_for("SIGUSR2")
    t.ok(len([x for x in tty.out.lines if x.startswith("SIGINT")]) == 1,
         "Ctrl-C reaches CMD once, and krait waits for it", tty.out.lines)
    tty.press(b"\x03")
    status = tty.wait()
    t.ok(status == -signal.SIGINT and not files(where),
         "the second Ctrl-C ends krait without a profile", f"{status} {files(where)}")
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # CMD is still running
    os.close(tty.master)
    tty = Terminal(where, "sh", "-c", "trap 'exit 9' INT; echo READY; while :; do sleep 0.05; done")
    tty.out.wait_for("READY")
    tty.press(b"\x03")
    status = tty.wait()
    t.ok(status == 9 and len(files(where)) == 1, "Ctrl-C that ends CMD writes the profile",
         f"{status} {files(where)} {tty.out.lines}")
    os.close(tty.master)


def main():
    lib.need_krait()
    t = lib.Tap()
    for part in (check_statuses, check_not_started, check_duration, check_daemon, check_short,
                 check_children, check_inherited, check_user, check_output, check_signals,
                 check_terminal):
        t.trial(part.__name__, lib.in_scratch, part, t)
    t.done()


main()
