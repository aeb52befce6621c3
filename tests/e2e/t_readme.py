#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""The introductory documents are correct: each command in them runs as written and prints the
output that is shown, and each link, path, make goal and option that they name exists.

A command is a line of a ```sh block, or a line that begins with "$ " in a ```console block; the
lines after the latter are its output. All commands of a document run in one shell, in a folder that
looks like the checkout, with the build on PATH. Substitutes for a user's machine:

    sudo            runs the command: this test is root
    make install    installs into a temporary folder, by DESTDIR
    Python          the shop of .github/CASE.md and its clients run during README.md
    container web   a podman container with a busy program runs during .github/FAQ.md

UNABLE lists commands that cannot run here, with reasons. With TRUTH=1, README.md and CASE.md also
run from the first command on in a bare Debian 12 made by debootstrap. There, make install installs,
and Python is the package python3 with the same shop."""

import contextlib
import fcntl
import glob
import os
import re
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time
import tty
from collections import namedtuple

import containers
import interpreters
import lib

README, CASE, FAQ = "README.md", ".github/CASE.md", ".github/FAQ.md"
DOCUMENTS = (README, CASE, FAQ)
MOST = 250  # lines of README
PICTURE = 150000  # bytes
WAIT = 1200 if lib.TRUTH else 180  # seconds for one command

# Commands that are not run here, and why.
UNABLE = (
    (r"sudo make test$", "it runs this test; .ci/run calls it, too"),
)
# Commands that may exit with another status than 0.
STATUS = ((r"krait doctor", (0, 1)),  # 1: krait works, with limits
          (r"krait dump", (0, 4)))  # 4: a thread that runs was never read twice alike

Command = namedtuple("Command", "line text output")


# --- documents ----------------------------------------------------------------------------------

def read(name):
    with open(os.path.join(lib.REPO, name), encoding="utf-8") as f:
        return f.read()


def blocks(text):
    """(kind, number of the first line, lines) of each fenced block."""
    kind, lines = None, []
    for n, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"```(\w*)\s*$", line)
        if fence and kind is None:
            kind, lines, first = fence[1], [], n + 1
        elif fence:
            yield kind, first, lines
            kind = None
        elif kind is not None:
            lines.append(line)


def commands(text):
    found = []
    for kind, first, lines in blocks(text):
        for n, line in enumerate(lines, first):
            if kind == "console" and line.startswith("$ "):
                found.append(Command(n, line[2:], []))
            elif kind == "console" and found:
                found[-1].output.append(line)
            elif kind == "sh" and line.strip() and not line.startswith("#"):
                found.append(Command(n, re.sub(r"\s+# .*", "", line), []))
    return found


def prose(text):
    """The text without fenced blocks."""
    return re.sub(r"(?ms)^```.*?^```\s*?$", "", text)


# --- shown output ---------------------------------------------------------------------------------

HEADING = re.compile(r"[A-Z0-9% .]*[A-Z]{3}[A-Z0-9% .]*\Z")
LIMIT = re.compile(r"--limit \d+")
FUNCTION = re.compile(r"\S+ \([\w./-]+\.py\)\Z")


def shape(line):
    """The line without numbers and plurals, which differ between machines."""
    line = re.sub(r"\b(process|sample|CPU|thread|function)(es|s)?\b", r"\1", line)
    return " ".join(re.sub(r"\d[\d.,]*", "0", line).split())


def facts(document, lines):
    """The parts of shown output that must be the same on every machine: headings and messages, and
    in CASE.md, whose program is known, functions."""
    for line in lines:
        if line.startswith("krait: ") or HEADING.match(line):
            yield shape(line)
        elif document == CASE and (m := FUNCTION.search(line)):
            yield m[0]


def missing(document, output, printed):
    printed = printed.replace("\033[K", "").splitlines()
    shapes, texts = {shape(line) for line in printed}, "\n".join(printed)
    return [f for f in facts(document, output) if f not in shapes and f not in texts]


# --- machines -------------------------------------------------------------------------------------

Machine = namedtuple("Machine", "name shell")  # shell() starts one in the folder of the checkout


@contextlib.contextmanager
def checkout():
    """A folder that looks like the checkout; the substitutes come first on PATH."""
    with tempfile.TemporaryDirectory(prefix="krait-readme-") as folder:
        work, tools = os.path.join(folder, "work"), os.path.join(folder, "tools")
        os.mkdir(work)
        os.mkdir(tools)
        for name in set(os.listdir(lib.REPO)) - {".git", "build"}:
            os.symlink(os.path.join(lib.REPO, name), os.path.join(work, name))
        stand_in(os.path.join(tools, "sudo"))
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "SUDO_", "MFLAGS"))}
        env.update(PATH=f"{tools}:{lib.OUTPUT}:{env['PATH']}", OUTPUT=lib.OUTPUT, DESTDIR=f"{folder}/root")
        yield Machine("checkout", lambda: Shell(["bash"], cwd=work, env=env))


# The shell has its own mount namespace, so its mounts end with it and do not appear on the host.
ENTER = ('for at in dev proc sys; do mount --rbind "/$at" "$0/$at" || exit; done; mount -t tmpfs run "$0/run" && '
         'exec chroot "$0" sh -c "cd /krait && exec bash"')


@contextlib.contextmanager
def bare():
    """A minimal Debian 12 made by debootstrap, with a copy of the checkout."""
    if not shutil.which("debootstrap"):
        raise lib.Skip("no debootstrap")
    with tempfile.TemporaryDirectory(prefix="krait-bare-") as root:
        run("debootstrap", "--variant=minbase", "bookworm", root, mirror())
        shutil.copytree("/etc/apt/apt.conf.d", f"{root}/etc/apt/apt.conf.d", dirs_exist_ok=True)
        shutil.copy("/etc/resolv.conf", f"{root}/etc/resolv.conf")
        shutil.copytree(lib.REPO, f"{root}/krait", symlinks=True, ignore=shutil.ignore_patterns("build", ".git"))
        stand_in(f"{root}/usr/local/bin/sudo")
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, root]
        yield Machine("bare Debian 12", lambda: Shell(enter, env=env))


def run(*argv):
    r = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if r.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {(r.stdout + r.stderr)[-1000:]}")
    return r.stdout


def mirror():
    """The Debian mirror that this machine uses."""
    uris = run("apt-get", "indextargets", "--format", "$(REPO_URI)").split()
    return next((u for u in uris if u.rstrip("/").endswith("/debian")), "http://deb.debian.org/debian")


def stand_in(path):
    with open(path, "w") as f:
        f.write('#!/bin/sh\nexec "$@"\n')
    os.chmod(path, 0o755)


class Shell:
    """One bash on a terminal for all commands of a document, so that background programs keep
    running between them. The terminal is raw: no echo, no carriage returns."""

    SIZE = struct.pack("HHHH", 50, 200, 0, 0)  # rows, columns; wide, as table rows may be long

    def __init__(self, argv, **more):
        self.terminal, other = os.openpty()
        tty.setraw(other)
        fcntl.ioctl(other, termios.TIOCSWINSZ, self.SIZE)
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=other, stderr=other, text=True,
                                      preexec_fn=lib.die_with_test, **more)
        os.close(other)
        self.number = 0

    def close(self):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self.say("kill $(jobs -p); exit")
            self.child.wait(10)
        self.child.kill()
        self.child.communicate()
        os.close(self.terminal)

    def say(self, text):
        self.child.stdin.write(text + "\n")
        self.child.stdin.flush()

    def run(self, text):
        """(exit status, output)"""
        self.number += 1
        end = f"END-OF-{self.number}"
        self.say(f"{{ {text}\n}} </dev/null; echo {end} $?")
        printed = self.until(re.compile(rf"{end} (\d+)\n"))
        return int(printed[1]), printed.string[:printed.start()]

    def until(self, pattern):
        text, patience = "", time.monotonic() + WAIT
        while not (found := pattern.search(text)):
            if not select.select([self.terminal], [], [], max(0, patience - time.monotonic()))[0]:
                raise RuntimeError(f"a command does not end: {text[-1000:]}")
            try:
                text += os.read(self.terminal, 1 << 16).decode(errors="replace")
            except OSError:
                raise RuntimeError(f"the shell ended: {text[-1000:]}") from None
        return found


# --- checks ---------------------------------------------------------------------------------------

def matching(rows, text, otherwise):
    return next((value for pattern, value in rows if re.match(pattern, text)), otherwise)


def check_command(t, shell, where, document, command):
    name = f"{document}:{command.line}: {command.text} [{where}]"
    reason = matching(UNABLE, command.text, None)
    if reason:
        return t.skip(name, reason)
    status, printed = shell.run(command.text)
    allowed = matching(STATUS, command.text.replace("sudo ", ""), (0,))
    t.ok(status in allowed, name, f"status {status}\n{printed[-2000:]}")
    if any(facts(document, command.output)):
        if LIMIT.search(command.text):  # on a busy machine, other functions may come first
            printed += shell.run(LIMIT.sub("--limit 1000", command.text))[1]
        lacks = missing(document, command.output, printed)
        t.ok(not lacks, f"{name}: the output is as shown",
             "\n".join([*lacks, "printed:", printed[-3000:]]))


def populate(shell, document):
    """Starts the Python programs of a typical host; CASE.md starts its own."""
    shell.run("command -v python3 || apt-get -qq -y --no-install-recommends install python3")
    if document == README:
        shell.run("tests/targets/shop.py & tests/targets/shoppers.py 3600 &")


def check_commands(t, machine, document):
    populated = False
    with contextlib.closing(machine.shell()) as shell:
        for command in commands(read(document)):
            # The sudo commands before this one have installed krait.
            if not populated and not re.match(r"sudo (?!krait)", command.text):
                populate(shell, document)
                populated = True
            check_command(t, shell, machine.name, document, command)


@contextlib.contextmanager
def container_web(document):
    """Runs a container named web for the FAQ, which records it."""
    if document != FAQ:
        yield
        return
    i = next((i for i in interpreters.all() if i.root), None)
    if not i:
        raise lib.Skip("no root for a container")
    with containers.Podman(i, "web", "load.py", "busy"):
        yield


def check_documents(t, machine, documents):
    for document in documents:
        with t.guard(f"{document}: commands [{machine.name}]"), container_web(document):
            check_commands(t, machine, document)


def check_size(t):
    lines = read(README).count("\n")
    t.ok(lines <= MOST, f"{README} has at most {MOST} lines", lines)
    for name in re.findall(r'src(?:set)?="([^"]+)"', read(README)):
        size = os.path.getsize(os.path.join(lib.REPO, name))
        t.ok(size <= PICTURE, f"{name} has at most {PICTURE} bytes", size)


def documents():
    found = [README, "tests/MATRIX.md"]
    return found + [f".github/{n}" for n in sorted(os.listdir(os.path.join(lib.REPO, ".github"))) if n.endswith(".md")]


def anchor(heading):
    """The anchor that GitHub makes for a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def check_links(t, document):
    text = prose(read(document))
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)|src(?:set)?=\"([^\"]+)\"", text):
        path, _, part = "".join(link).partition("#")
        if re.match(r"\w+:", path):
            continue
        target = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
        if not os.path.exists(os.path.join(lib.REPO, target)):
            wrong.append(target)
        elif part and part not in map(anchor, re.findall(r"(?m)^#+ (.*)", read(target))):
            wrong.append(f"{target}#{part}")
    t.ok(not wrong, f"{document}: each link has a target", "\n".join(wrong))


PATH = re.compile(r"(?:bpf|user|tests|tools|\.ci|\.github)/[\w./*-]*")


def paths(text):
    """Repository paths in `...`, and in the first column of blocks without a language."""
    for span in re.findall(r"`([^`\n]+)`", prose(text)):
        if PATH.fullmatch(span):
            yield span
    for kind, _, lines in blocks(text):
        for line in lines if not kind else ():
            yield from (p for p in re.split(r",?\s+", line.partition("  ")[0]) if PATH.fullmatch(p))


def exists(path):
    if "NAME" in path or "PID" in path:
        return True
    return bool(glob.glob(os.path.join(lib.REPO, path)))


def check_names(t, document, options, goals):
    text = read(document)
    lost = sorted({p for p in paths(text) if not exists(p)})
    t.ok(not lost, f"{document}: each path exists", "\n".join(lost))
    wrong = [f"{function}() in {path}" for function, path in re.findall(r"`(\w+)\(\)`\s+in\s+`([\w./]+)`", text)
             if not re.search(rf"\b{function}\(", read(path) if exists(path) else "")]
    t.ok(not wrong, f"{document}: each function is in the named file", "\n".join(wrong))
    spans = re.findall(r"`([^`\n]+)`", prose(text))
    unknown = sorted({o for s in spans if s.startswith(("krait ", "sudo krait ", "-"))
                      for o in re.findall(r"(?<![\w-])--[a-z][a-z-]+", s)} - options)
    t.ok(not unknown, f"{document}: each option exists", "\n".join(unknown))
    named = {g for s in spans for g in re.findall(r"\bmake ([a-z][a-z0-9-]*)\b", s)}
    t.ok(named <= goals, f"{document}: each make goal exists", "\n".join(sorted(named - goals)))


def known_options():
    helps = [run(lib.KRAIT, "--help")] + [run(lib.KRAIT, c, "--help") for c in ("record", "report", "list", "dump", "doctor")]
    return set(re.findall(r"--[a-z][a-z-]+", "\n".join(helps)))


def known_goals():
    phony = re.search(r"(?m)^\.PHONY:((?:.*\\\n)*.*)$", read("Makefile"))[1]
    return set(phony.replace("\\", " ").split())


def check_setup(t):
    """README's commands to set up a machine and to test are those of continuous integration."""
    ci = read(".ci/run")
    for command in ("tools/deps.sh test", "make test"):
        t.ok(f"sudo {command}" in [c.text for c in commands(read(README))] and
             re.search(rf"(?m)^{command}\b", ci), f"README's set-up is CI's: {command}")


def main():
    lib.need_krait()
    t = lib.Tap()
    check_size(t)
    check_setup(t)
    options, goals = known_options(), known_goals()
    for document in documents():
        check_links(t, document)
        check_names(t, document, options, goals)
    with checkout() as machine:
        check_documents(t, machine, DOCUMENTS)
    if lib.TRUTH:
        with t.guard("a bare Debian 12"), bare() as machine:
            check_documents(t, machine, (README, CASE))
    t.done()


main()
