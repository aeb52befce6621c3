#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""`krait list`: all interpreters at once, namespaces and containers, unsupported versions, hostile
names, callers without privileges, and processes that end during the listing."""

import contextlib
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import time

import interpreters
import lib

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
PID_NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
# Lets podman run with mixed cgroup versions and where limits cannot be raised.
PODMAN = ("podman", "--runtime", "runc", "run", "--rm", "-i", "--net=none",
          "--ulimit", "nofile=1024:20000", "--ulimit", "nproc=4096:8192")
HEADINGS = ["PID", "NSPID", "VERSION", "BUILD", "LINKED", "THREADS", "CONTAINER", "COMM",
            "SUPPORTED", "COMMAND"]
ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SURROGATE = re.compile("[\ud800-\udfff]")


# --- krait list ---------------------------------------------------------------------------------

def listed(*args, run=(), status=0):
    """(stdout, stderr) of `krait list`; RuntimeError for another exit status."""
    r = subprocess.run([*run, lib.KRAIT, "list", *map(str, args)], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=lib.PATIENCE)
    if r.returncode != status:
        raise RuntimeError(f"krait list {args}: status {r.returncode}: {r.stderr[-300:]}")
    return r.stdout.decode("utf-8"), r.stderr.decode("utf-8", "replace")


def document(*args, **more):
    return json.loads(listed("--json", *args, **more)[0])


def group(container):
    """The sort key of rows: those without a container first, then by its name and id."""
    return (container["name"] or container["id"], container["id"]) if container else ("", "")


def by_pid(*args, **more):
    """{pid: process object of the document}; also checks their order."""
    rows = document(*args, **more)["processes"]
    order = [group(r["container"]) + (r["pid"],) for r in rows]
    if order != sorted(set(order)):
        raise RuntimeError(f"not by container and ascending: {order}")
    return {r["pid"]: r for r in rows}


def cells(*args, **more):
    """Rows of the table."""
    head, *lines = listed(*args, **more)[0].rstrip("\n").split("\n")
    if head.split() != HEADINGS:
        raise RuntimeError(f"headings: {head!r}")
    return [re.split(" {2,}", line.strip(), maxsplit=len(HEADINGS) - 1) for line in lines]


def shown(text):
    """Text as the table escapes it, for the characters that these tests use."""
    known = {"\n": r"\n", "\t": r"\t", "\a": r"\a", "\x1b": r"\x1b", "\ufffd": r"\xff",
             "\u202e": r"\u202e"}
    return "".join(known.get(c, c) for c in text)


def container_cell(c):
    if not c:
        return "-"
    pod = f"{c['namespace']}/{c['pod']}/" if c["pod"] else ""
    return pod + (c["name"] or c["id"][:12 if len(c["id"]) == 64 else None])


def as_cells(row):
    """A row of the table from a row of the document."""
    where = os.path.basename(row["library"]) if row["library"] else row["linked"] or "?"
    command = " ".join(row["command"]) if row["command"] else f"[{row['comm']}]"
    return [str(row["pid"]), "-" if row["pid"] == row["ns_pid"] else str(row["ns_pid"]),
            row["version"] or "?", row["build"] or "?", ("embedded, " * row["embedded"]) + where,
            str(row["threads"]), container_cell(row["container"]),
            shown(row["comm"]), row["reason"] or "yes", shown(command)]


def build_of(interpreter):
    """The interpreter's build type in krait's words."""
    kinds = ["free-threaded"] * interpreter.threaded + ["debug"] * interpreter.debug
    return " ".join(kinds) or "release"


def fields(t, name, row, **want):
    """Checks that the row has these values."""
    wrong = {k: (row or {}).get(k) for k in want if (row or {}).get(k) != want[k]}
    return t.ok(row is not None and not wrong, name, f"got {wrong}, want {want}")


def proc(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as f:
        return f.read()


def ns_pid(pid):
    status = proc(pid, "status").decode("ascii", "replace")
    return int(re.search(r"^NSpid:.*\t(\d+)$", status, re.M)[1])


def only_child(pid):
    """The pid, in this namespace, of the process that a chain of wrappers started."""
    while lib.children(pid):
        pid = lib.children(pid)[0]
    return pid


def wrapped(interpreter, *prefix):
    other = lib.As(*prefix, *interpreter.argv)
    other.root = interpreter.root
    return other


# --- rows and filters ---------------------------------------------------------------------------

def all_at_once(t):
    with contextlib.ExitStack() as on:
        targets = [(i, name, on.enter_context(lib.Target(i, "waiting.py", n)), n)
                   for n, (i, name) in enumerate(t.each_interpreter("listed"))]
        pids = ",".join(str(x.pid) for _, _, x, _ in targets)
        everything, chosen, table = by_pid(), by_pid("-p", pids), cells("-p", pids)
    for i, name, x, n in targets:
        row = everything.get(x.pid)
        if not fields(t, name, row, ns_pid=x.pid, uid=0, threads=n + 1, build=build_of(i),
                      version="%d.%d.%d" % i.version, embedded=False, container=None,
                      linked="shared" if i.shared else "static", supported=True, reason=None):
            continue
        t.ok(("libpython%d.%d" % i.minor in (row["library"] or "")) == i.shared
             and row["command"][-2:] == [x.path, str(n)], f"{name}: library and command", row)
    t.ok(sorted(chosen) == sorted(x.pid for _, _, x, _ in targets), "-p lists only these",
         sorted(chosen))
    t.ok(table == [as_cells(row) for row in chosen.values()], "the table equals the document",
         "\n".join(map(str, table)))
    me = everything.get(os.getpid())
    fields(t, "this test itself", me, ns_pid=os.getpid(), version="%d.%d.%d" % lib.system().version,
           command=proc(os.getpid(), "cmdline").decode().rstrip("\0").split("\0"))
    t.ok(2 not in everything, "no kernel thread is listed")


def filters(t):
    i = lib.system()
    nobody = wrapped(i, *NOBODY)
    with lib.scratch() as where, contextlib.ExitStack() as on:
        script = shutil.copy(os.path.join(lib.TARGETS, "waiting.py"), where)
        a = on.enter_context(lib.Target(i, "waiting.py", 0, "first name"))
        b = on.enter_context(lib.Target(nobody, script, 0, "second"))
        both = ("-p", f"{a.pid},{b.pid}")
        for args, want in (((), [a, b]), (("--comm", "second"), [b]),
                           (("--comm", "first name,second"), [a, b]), (("--comm", "third"), []),
                           (("--uid", "65534"), [b]), (("--uid", "0"), [a]),
                           (("--uid", "0,65534"), [a, b]),
                           (("--uid", "0", "--comm", "second"), [])):
            got = sorted(by_pid(*both, *args))
            t.ok(got == sorted(x.pid for x in want), f"filter {args}", got)
        out, err = listed("--json", "-p", on.enter_context(sleeper()).pid)
        t.ok(json.loads(out) == {"processes": [], "not_permitted": 0} and "no Python" in err,
             "another program is not listed", out + err)


def sleeper():
    return lib.Process(["sleep", "1000"])


# --- namespaces and containers ------------------------------------------------------------------

def pid_namespace(t):
    with lib.Target(wrapped(lib.system(), *PID_NAMESPACE), "waiting.py") as target:
        pid = only_child(target.pid)
        row = by_pid().get(pid)
        fields(t, "pid namespace", row, ns_pid=ns_pid(pid), supported=True)
        t.ok(ns_pid(pid) != pid and cells("-p", pid)[0][1] == str(ns_pid(pid)),
             "pid namespace: NSPID in the table")


def place(full, engine, name=None):
    return {"id": full, "engine": engine, "name": name, "image": None, "pod": None,
            "namespace": None, "pod_uid": None, "labels": {}}


def container(t):
    if not shutil.which("podman") or not shutil.which("runc"):
        raise lib.Skip("no podman with runc")
    i = next((i for i in interpreters.all() if i.root), None)
    if not i:
        raise lib.Skip("no root to run")
    name = f"krait-list-{os.getpid()}"
    inside = lib.As(*PODMAN, "--name", name, "--rootfs", f"{i.root}:O", *i.argv[2:])
    inside.root = i.root
    try:
        target = lib.Target(inside, "waiting.py")
    except RuntimeError as e:
        raise lib.Skip(f"podman cannot start a container here: {str(e).splitlines()[-1]}")
    with target:
        asked = ["podman", "inspect", "-f", "{{.Id}} {{.State.Pid}}", name]
        full, pid = subprocess.check_output(asked, text=True).split()
        row = by_pid().get(int(pid))
        fields(t, "container of podman", row, ns_pid=1, container=place(full, "podman", name),
               version="%d.%d.%d" % i.version, supported=True)
        t.ok(cells("-p", pid)[0][6] == name, "container of podman: its name in the table")
        last = list(by_pid().values())[-1]["container"]
        t.ok(last, "processes in containers come after the others", last)
        subprocess.run(["podman", "rm", "-f", "-t", "0", name], capture_output=True)


def hierarchy():
    """The mount point of a cgroup hierarchy in which cgroups can be created."""
    with open("/proc/self/mounts") as f:
        for line in f:
            kind, where = line.split()[2], line.split()[1]
            if kind == "cgroup2" or (kind == "cgroup" and "pids" in line.split()[3].split(",")):
                if os.access(where, os.W_OK):
                    return where
    raise lib.Skip("no cgroup can be created here")


def cgroup(t):
    """A process in a cgroup with the path that Docker uses."""
    full = os.urandom(32).hex()
    top = os.path.join(hierarchy(), f"krait-test-{os.getpid()}")
    path = os.path.join(top, f"docker-{full}.scope")
    try:
        os.makedirs(path)
    except OSError as e:
        raise lib.Skip(f"no cgroup can be created here: {e}")
    try:
        with lib.Target(lib.system(), "waiting.py") as target:
            try:
                with open(f"{path}/cgroup.procs", "w") as f:
                    f.write(str(target.pid))
            except OSError as e:
                raise lib.Skip(f"no process can be put into a cgroup here: {e}")
            fields(t, "cgroup of docker", by_pid().get(target.pid), ns_pid=target.pid,
                   container=place(full, "docker"), unit=f"docker-{full}.scope")
            t.ok(cells("-p", target.pid)[0][6] == full[:12], "cgroup of docker: short in the table")
    finally:
        os.rmdir(path)
        os.rmdir(top)


def leaderless(t):
    with lib.Target(lib.system(), "waiting.py", "-leaderless") as target:
        lib.until(lambda: lib.state(target.pid) == "Z", "the first thread ends")
        fields(t, "a process whose main thread has ended", by_pid().get(target.pid),
               version="%d.%d.%d" % lib.system().version, linked="static", supported=True)


# --- unusual programs ---------------------------------------------------------------------------

def unsupported(t):
    with lib.Process([lib.tool("future")]) as target:
        target.out.wait_for("READY")
        row = by_pid().get(target.pid)
        fields(t, "an unknown version", row, version="3.99.1", build="free-threaded debug",
               linked="static", embedded=True, library=None, supported=False)
        status, _, err = lib.usage("record", "-d", "100ms", "-p", target.pid)
        t.ok(status == 1 and row["reason"] and row["reason"] in err, "record gives the same reason",
             f"{status} {row['reason']!r} {err}")
        t.ok(cells("-p", target.pid) == [as_cells(row)], "an unknown version in the table")


def embedded(t):
    if not shutil.which("gdb"):
        raise lib.Skip("no gdb")
    command = "python import sys; print('READY'); sys.stdout.flush(); sys.stdin.read()"
    with lib.Process(["gdb", "-nx", "-q", "-batch", "-ex", command]) as target:
        try:
            target.out.wait_for("READY")
        except RuntimeError:
            raise lib.Skip("a gdb without Python") from None
        row = by_pid().get(target.pid)
        fields(t, "embedded in gdb", row, embedded=True, comm="gdb", build="release")
        t.ok(row and cells("-p", target.pid) == [as_cells(row)], "embedded in gdb, in the table")


def hostile(t):
    name, words = b"\x1b[31mr\n\xff", [b"a\nb\x1b]0;x\a", b"\xff", "\u202e\u00fc".encode()]
    with lib.Target(lib.system(), "waiting.py", b"0".decode(), os.fsdecode(name),
                    *map(os.fsdecode, words)) as target:
        text, _ = listed("-p", target.pid)
        t.ok(not ACTING.search(text) and text.count("\n") == 2,
             "no control characters in the table", repr(text))
        raw = listed("--json", "-p", target.pid)[0]
        row = json.loads(raw)["processes"][0]
        t.ok(not ACTING.search(raw) and not SURROGATE.search(raw),
             "no control characters in JSON", repr(raw))
        fields(t, "hostile name", row, comm="\x1b[31mr\n\ufffd", supported=True)
        t.ok(row["command"][-3:] == ["a\nb\x1b]0;x\a", "\ufffd", "\u202e\u00fc"],
             "hostile arguments", row["command"])
        t.ok(cells("-p", target.pid) == [as_cells(row)], "the table escapes them", text)


# --- privileges ---------------------------------------------------------------------------------

def without_privilege(t):
    i = lib.system()
    nobody = wrapped(i, *NOBODY)
    with lib.scratch() as where, contextlib.ExitStack() as on:
        krait, script = f"{where}/krait", shutil.copy(f"{lib.TARGETS}/waiting.py", where)
        shutil.copy(lib.KRAIT, krait)
        os.chmod(krait, 0o755)
        exe = shutil.copy(os.path.realpath(i.argv[0]), f"{where}/gone")
        mine = on.enter_context(lib.Target(nobody, script))
        gone = on.enter_context(lib.Target(lib.As(*NOBODY, exe), script))
        other = on.enter_context(lib.Target(i, "waiting.py"))
        os.unlink(exe)
        before = programs()
        r = subprocess.run([*NOBODY, krait, "list", "--json"], capture_output=True, text=True,
                           timeout=lib.PATIENCE)
        answer = json.loads(r.stdout)
        rows = {row["pid"]: row for row in answer["processes"]}
        version = "%d.%d.%d" % i.version
        t.ok(r.returncode == 0, "without privilege: status", r.stderr)
        for what, x in (("own process", mine), ("own process whose file is deleted", gone)):
            fields(t, f"without privilege: {what}", rows.get(x.pid), version=version, uid=65534,
                   linked="static", build="release", embedded=False, supported=True)
        fields(t, "without privilege: another user's process", rows.get(other.pid), version=None,
               build=None, linked=None, threads=1, uid=0, supported=False)
        t.ok("permission denied" in str(rows.get(other.pid, {}).get("reason")),
             "without privilege: the reason is given", rows.get(other.pid))
        n = answer["not_permitted"]
        t.ok(n > 0 and f"{n} more process" in r.stderr,
             "without privilege: other inaccessible processes are counted", f"{n} {r.stderr}")
        # Processes that started and ended in between are in neither count.
        t.bound(n <= max(before, programs()), "without privilege: kernel threads are not counted",
                f"{n} of {before} to {programs()}")


def landlocked():
    """For preexec_fn: keeps all capabilities, but Landlock forbids access to processes outside."""
    create, restrict, make_char, no_new_privileges = 444, 446, 1 << 6, 38
    libc = ctypes.CDLL(None, use_errno=True)
    handled = ctypes.create_string_buffer(make_char.to_bytes(8, sys.byteorder), 8)
    ruleset = libc.syscall(create, handled, 8, 0)
    libc.prctl(no_new_privileges, 1, 0, 0, 0)
    if ruleset < 0 or libc.syscall(restrict, ruleset, 0):
        os._exit(77)


def forbidden(t):
    """A caller with all capabilities that is refused is not told to get more capabilities."""
    i = lib.system()
    with lib.Target(i, "waiting.py") as target:
        r = subprocess.run([lib.KRAIT, "list", "--json"], capture_output=True, text=True,
                           timeout=lib.PATIENCE, preexec_fn=landlocked)
        if r.returncode == 77:
            raise lib.Skip("this kernel has no Landlock")
        row = {p["pid"]: p for p in json.loads(r.stdout)["processes"]}.get(target.pid, {})
    for what, text in (("a process", str(row.get("reason"))), ("the other processes", r.stderr)):
        t.ok("permission denied" in text and "security module" in text and "needs" not in text,
             f"forbidden by a security module: the reason of {what}", text)


def programs():
    """The number of processes that are not kernel threads (PF_KTHREAD)."""
    n = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            n += not int(proc(name, "stat").rpartition(b")")[2].split()[6]) & 0x200000
    return n


def endings(t):
    """Interpreters start and end during the listing."""
    loop = f"while :; do {lib.system().argv[0]} -S -c 'print(1)'; done"
    bad, seen, end = [], set(), time.monotonic() + 2 * lib.PATIENCE
    with lib.Process(["sh", "-c", loop]) as storm:
        storm.out.wait_for("1")
        while len(seen) < 10 and not bad and time.monotonic() < end:
            try:
                rows = by_pid()
                seen |= {p for p, r in rows.items() if "print(1)" in r["command"]}
                bad += [r for r in rows.values() if r["linked"] is None and not r["reason"]]
            except (RuntimeError, ValueError) as e:
                bad.append(e)
    t.ok(not bad, "processes that end during the listing", bad[:3])
    t.bound(len(seen) >= 10, "some of them are listed", len(seen))


def refusals(t):
    for args, status in ((("-p", "x"), 2), (("--nonsense",), 2), (("extra",), 2),
                         (("--uid", "no-such-user-here"), 2)):
        code, out, err = lib.usage("list", *args)
        t.ok(code == status and not out and "krait" in err, f"refused: {args}", f"{code} {err}")
    pid = lib.no_pid()
    code, out, err = lib.usage("list", "-p", pid)
    t.ok(code == 1 and not out and str(pid) in err, "no such process", f"{code} {err}")
    with open("/dev/full", "wb") as full:
        r = subprocess.run([lib.KRAIT, "list"], stdout=full, stderr=subprocess.PIPE,
                           timeout=lib.PATIENCE)
    t.ok(r.returncode == 1 and b"standard output" in r.stderr, "full standard output", r.stderr)


def main():
    lib.need_krait()
    t = lib.Tap()
    for test in (all_at_once, filters, pid_namespace, container, cgroup, leaderless, unsupported,
                 embedded, hostile, without_privilege, forbidden, endings,
                 refusals):
        t.trial(test.__name__, test, t)
    t.done()


main()
