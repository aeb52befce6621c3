#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Container names from Docker-compatible sockets: podman's server, and servers that are slow,
broken or absent. The latter must not delay or stop a recording, which then shows short container
ids."""

import contextlib
import json
import os
import socket
import subprocess
import threading
import time

import interpreters
import lib
import pprof
from containers import Cgroup, Made, PODMAN, hierarchies, need_podman

ID = "5f0c3a1be2d4" + f"{os.getpid():06x}".ljust(52, "0")
NAME = "from-the-socket"
SHORT = ID[:12]
DURATION = 0.3  # seconds of a recording
# Seconds that it may take beyond that; the limit with a silent engine.
SPARE, LATE = 1.5, 10


def answer(containers, status="200 OK"):
    body = json.dumps(containers).encode()
    return b"HTTP/1.0 %s\r\nContent-Type: application/json\r\n\r\n%s" % (status.encode(), body)


GOOD = answer([{"Id": ID, "Names": ["/" + NAME], "Image": "x", "Labels": None}])


def well(c):
    c.sendall(GOOD)


def in_pieces(c):
    for byte in GOOD:
        c.sendall(bytes([byte]))


def refusing(c):
    c.sendall(answer({"message": "client version is too old"}, "400 Bad Request"))


def garbage(c):
    c.sendall(os.urandom(100000))


def cut(c):
    c.sendall(GOOD[:-10])


def hangs_up(c):
    pass


def silent(c):
    c.recv(1)  # returns when krait closes the connection


def endless(c):
    c.sendall(GOOD[:-1])
    with contextlib.suppress(OSError):
        while True:
            c.sendall(b" " * 65536)


def nested(c):
    c.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 1000000)


class Server(threading.Thread):
    """Accepts one connection at a time, reads the request and calls `behave` to answer it."""

    def __init__(self, path, behave):
        super().__init__(daemon=True)
        self.behave, self.asked = behave, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(1)
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.socket.accept()
                with c, contextlib.suppress(OSError):
                    self.asked.append(c.recv(4096).split(b"\r\n")[0].decode())
                    self.behave(c)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def record(path, *args):
    """(stacks, seconds that it took, standard error)"""
    start = time.monotonic()
    env = dict(os.environ, DOCKER_HOST="unix://" + path)
    with lib.Krait("-d", f"{1000 * DURATION:.0f}ms", "-F", 499, "--by", "container", *args, env=env) as k:
        stacks = k.result()
        took = time.monotonic() - start
    return [s for s in stacks if "own_x" in lib.names(s)], took, k.err.text()


def check(t, name, path, wanted, late=SPARE):
    t.trial(name, check_one, t, name, path, wanted, late)


def check_one(t, name, path, wanted, late):
    stacks, took, said = record(path)
    t.bound(stacks, f"{name}: the container is recorded", said)
    t.ok({s.root for s in stacks} <= {wanted}, f"{name}: the container is called {wanted}",
         f"{said}\n{lib.worst(stacks)}")
    t.bound(took < DURATION + late + SPARE, f"{name}: krait does not wait for the engine", f"{took:.2f} s")


def servers(t, where):
    kinds = [(well, NAME), (in_pieces, NAME), (refusing, SHORT), (garbage, SHORT), (cut, SHORT),
             (hangs_up, SHORT), (silent, SHORT), (endless, SHORT), (nested, SHORT)]
    for behave, wanted in kinds:
        path = f"{where}/{behave.__name__}.sock"
        server = Server(path, behave)
        check(t, behave.__name__, path, wanted)
        t.ok(server.asked and set(server.asked) == {"GET /containers/json HTTP/1.0"},
             f"{behave.__name__}: the request names no API version", server.asked)
        server.close()
    unheard = socket.socket(socket.AF_UNIX)
    unheard.bind(f"{where}/unheard.sock")
    full = socket.socket(socket.AF_UNIX)
    full.bind(f"{where}/full.sock")
    full.listen(0)
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for s in waiting:
        s.setblocking(False)
        with contextlib.suppress(OSError):
            s.connect(f"{where}/full.sock")
    for name, path in (("not there", f"{where}/no.sock"), ("nobody listens", unheard.getsockname()),
                       ("a full queue", full.getsockname()), ("no socket", "/etc/passwd"),
                       ("a path too long", "/" + "x" * 200)):
        check(t, name, path, SHORT)


def choose(t, where):
    """--container with a name that only the engine's socket knows."""
    path = f"{where}/choose.sock"
    server = Server(path, well)
    stacks, _, said = record(path, "--container", NAME)
    t.bound(stacks, "--container with a name from the socket", said)
    t.ok({s.root for s in stacks} <= {NAME}, "and the stacks have that name", lib.worst(stacks))
    server.close()


def choose_silent(t, where):
    path = f"{where}/slow.sock"
    server = Server(path, silent)
    start = time.monotonic()
    status, _, err = lib.usage("record", "-d", 1, "--container", NAME,
                               env=dict(os.environ, DOCKER_HOST="unix://" + path))
    took = time.monotonic() - start
    t.ok(status == 1 and SHORT in err,
         "a silent engine: the name is unknown, and the running containers are listed", err)
    t.bound(took < LATE, "a silent engine: krait soon gives up", f"{took:.1f} s")
    server.close()


def podman(t, where):
    """podman's server with its state in a folder where krait does not look."""
    need_podman()
    name = f"krait-{os.getpid()}-elsewhere"
    at = ["--root", f"{where}/root", "--runroot", f"{where}/run", "--tmpdir", f"{where}/tmp"]
    root = next((i.root for i in interpreters.all() if i.root), None)
    if not root:
        raise lib.Skip("no Debian root")
    i = next(i for i in interpreters.all() if i.root == root)
    inside = lib.As()
    inside.root = root
    inside.argv = ("podman", *at, *PODMAN[1:], "--name", name, "--label", "app=shop",
                   "--label", "com.example/tier=back=end; \u6f22", "--rootfs", f"{root}:O", *i.argv[2:])
    with contextlib.ExitStack() as on:
        on.callback(subprocess.run, ["podman", *at, "rm", "-f", "-t", "0", name],
                    capture_output=True)
        try:
            on.enter_context(lib.Target(inside, "tenant.py", "x"))
        except RuntimeError as e:
            raise lib.Skip(f"podman cannot start a container here: {str(e).splitlines()[-1]}")
        path = f"{where}/podman.sock"
        on.enter_context(lib.Process(["podman", *at, "system", "service", "--time=0",
                                      f"unix://{path}"]))
        lib.until(lambda: os.path.exists(path), "podman serves its socket", 20)
        stacks, _, said = record(path)
        t.ok(stacks and {s.root for s in stacks} == {name}, "podman's server names it",
             f"{said}\n{lib.worst(stacks)}")
        labels(t, where, name, dict(os.environ, DOCKER_HOST="unix://" + path))


def labels(t, where, name, environment):
    """The container's labels in `krait list`, in the output formats and in --where."""
    want = {"app": "shop", "com.example/tier": "back=end; \u6f22"}

    def mine(said):
        return {k: v for k, v in (said or {}).items() if k in want}
    _, out, _ = lib.usage("list", "--json", env=environment)
    said = [p["container"]["labels"] for p in json.loads(out)["processes"]
            if p["container"] and p["container"]["name"] == name]
    t.ok(len(said) == 1 and mine(said[0]) == want, "labels: krait list --json", said)
    kept = f"{where}/labels.krait"
    outputs = [x for s in ("jsonl", "pb.gz", "krait") for x in ("-o", f"{where}/labels.{s}")]
    status, _, err = lib.usage("record", "-d", 1, "--container", name, *outputs, env=environment)
    t.ok(status == 0, "labels: recorded", err)
    with open(f"{where}/labels.jsonl", encoding="utf-8") as f:
        said = [x["labels"] for x in map(json.loads, f) if x["type"] == "samples"]
    t.ok(said and all(mine(x) == want for x in said), "labels: JSON lines", said[:2])
    try:
        said = [x for _, _, x in pprof.samples(pprof.decode(f"{where}/labels.pb.gz"))]
        t.ok(said and all(x.get("label:" + k) == v for x in said for k, v in want.items()),
             "labels: pprof", said[:2])
    except lib.Skip as e:
        t.skip("labels: pprof", e)
    for choice, there in ((("label:app=sh*",), True), (("label:app=other",), False),
                          (("label:app=shop", "label:com.example/tier=back=end*"), True),
                          (("label:app=shop", "label:com.example/tier=front"), False)):
        where_options = [x for c in choice for x in ("--where", c)]
        status, out, err = lib.usage("report", kept, "-f", "folded", *where_options)
        t.ok(status == 0 and bool(out) == there, f"labels: --where {' and '.join(choice)}", err + out[:200])


def main():
    lib.need_krait()
    t = lib.Tap()
    mounts = list(hierarchies().values())
    if not mounts:
        t.skip("all", "no hierarchy of cgroups")
        t.done()
    with lib.scratch() as where:
        with t.guard("servers"), Cgroup("/docker/" + ID, mounts) as group, \
             Made(lib.system(), group, "tenant.py", "x"):
            servers(t, where)
            t.trial("choose", lib.in_scratch, choose, t)
            t.trial("choose, silent", lib.in_scratch, choose_silent, t)
        with t.guard("podman"):
            podman(t, where)
    t.done()


main()
