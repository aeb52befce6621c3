#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Records memory images of the installed interpreters:

    python3 tests/images/record.py [LABEL...]     writes tests/images/VERSION-KIND.image

After a change that makes the walker read more than the images contain, record all of them again.

The target runs in /tmp/krait-image, so that an image contains no path of this machine. If one does,
it is reported and the exit status is 1."""

import glob
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import interpreters  # noqa: E402
import lib  # noqa: E402

NEUTRAL = "/tmp/krait-image"
LAYERS = ("base", "proc", "py")  # each depends only on those before it


def recorder():
    """The path of the recorder (record.c), which is built if it is missing or outdated."""
    program = os.path.join(lib.OUTPUT, "images", "record")
    sources = ["tests/images/record.c"]
    for layer in LAYERS:
        sources += glob.glob(f"user/{layer}/*.c", root_dir=lib.REPO)
    headers = ["tests/images/image.h", *glob.glob("bpf/py*.h", root_dir=lib.REPO), "bpf/wire.h"]
    newest = max(os.path.getmtime(os.path.join(lib.REPO, s)) for s in sources + headers)
    if os.path.exists(program) and os.path.getmtime(program) >= newest:
        return program
    cc = shutil.which(os.environ.get("CC", "cc"))
    if not cc:
        raise lib.Skip("no C compiler")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    fresh = f"{program}.{os.getpid()}"
    subprocess.run([cc, "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-I.", "-Iuser",
                    "-Itests", "-o", fresh, *sources, "-lelf", "-lz", "-ljansson", "-lm"],
                   check=True, cwd=lib.REPO)
    os.replace(fresh, program)
    return program


def stage(interpreter):
    folder = (interpreter.root or "") + NEUTRAL
    os.makedirs(folder, exist_ok=True)
    fresh = f"{folder}/imaged.py.{os.getpid()}"
    shutil.copyfile(os.path.join(lib.TARGETS, "imaged.py"), fresh)
    os.replace(fresh, f"{folder}/imaged.py")
    return f"{NEUTRAL}/imaged.py"


def sleeps(pid):
    """True if a second thread sleeps in a system call that is not a wait for the GIL."""
    futex = {"x86_64": "202", "aarch64": "98"}[os.uname().machine]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/syscall") as f:
            if int(task) != pid and f.read().split()[0] not in ("running", futex):
                return True
    return False


class Stopped(lib.Process):
    """The stopped target; leaving the `with` block kills it."""

    def __init__(self, interpreter):
        path = stage(interpreter)
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
        super().__init__([*interpreter.argv, "-E", "-s", "-S", "-B", path], env=env, cwd="/tmp")
        try:
            self.out.wait_for("STARTED")
            self.wait_for_sleeper()
            self.tell("")
            self.stacks = json.loads(self.out.wait_for("READY")[6:])
            os.waitpid(self.pid, os.WUNTRACED)  # returns when the target has stopped
        except RuntimeError as e:
            problem = "\n".join(self.err.lines[-5:])
            self.__exit__()
            raise RuntimeError(f"imaged.py: {e}\n{problem}") from None

    def wait_for_sleeper(self):
        end = time.monotonic() + lib.PATIENCE
        while not sleeps(self.pid):
            if self.child.poll() is not None or time.monotonic() > end:
                raise RuntimeError("its second thread does not go to sleep")
            time.sleep(0.001)

    def text(self):
        """Its threads in the format that the recorder reads."""
        lines = []
        for name, (thread, frames) in sorted(self.stacks.items()):
            lines.append(f"thread {name} {thread:#x}")
            lines += [f"frame {code:#x} {line}\t{function}\t{path}"
                      for code, line, function, path in frames]
        return "\n".join(lines) + "\n"


def forbidden(path, interpreter):
    """Top-level folders of this machine whose names occur in an image."""
    places = (lib.REPO, os.path.expanduser("~"), interpreter.prefix)
    tops = {"/" + p.split("/")[1] for p in places} - {"/usr", "/tmp", "/"}
    memory = b""
    with open(path, encoding="utf-8") as f:
        lines = f.readlines()
    for line in lines:
        if line.startswith("bytes "):
            memory += bytes.fromhex(line.split()[2])
    text = "".join(x for x in lines if not x.startswith("bytes "))
    return [p for p in tops if p.encode() in memory or p in text]


def record(interpreter, path):
    """Writes a new image of an interpreter."""
    with Stopped(interpreter) as target:
        subprocess.run([recorder(), str(target.pid), path], input=target.text().encode(),
                       check=True)
        if len(target.stacks) != 2:
            raise RuntimeError(f"want two threads: {sorted(target.stacks)}")


def check(path):
    """(whether a walk of the image gives the recorded stacks, the differences)"""
    r = subprocess.run([recorder(), "--check", path], stdout=subprocess.PIPE, text=True)
    return r.returncode == 0, r.stdout


def name_of(interpreter):
    kind = "shared" if interpreter.shared else "static"
    flavour = "t" * interpreter.threaded + "d" * interpreter.debug
    return "%d.%d.%d%s-%s.image" % (*interpreter.version, flavour, kind)


def main(wanted):
    wrong = 0
    for i in interpreters.all():
        if wanted and not any(w in i.label for w in wanted):
            continue
        path = os.path.join(HERE, name_of(i))
        record(i, path)
        good, why = check(path)
        bad = forbidden(path, i)
        print(f"{name_of(i)}: {os.path.getsize(path)} bytes", "" if good else "DIFFERS",
              f"holds {bad}" if bad else "")
        print(why, end="")
        wrong += not good or bool(bad)
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
