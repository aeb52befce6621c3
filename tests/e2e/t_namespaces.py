#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Processes in other namespaces: two pid namespaces with equal pids inside, a user namespace owned
by nobody, a mount namespace, a chroot, a container; and a process whose executable is deleted."""

import contextlib
import os
import shutil
import subprocess

import interpreters
import lib

PID_NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
# Lets podman run with mixed cgroup versions and where limits cannot be raised.
PODMAN = ("podman", "--runtime", "runc", "run", "--rm", "--net=none",
          "--ulimit", "nofile=1024:20000", "--ulimit", "nproc=4096:8192")


class Wrapped:
    """An interpreter started by another program."""

    def __init__(self, interpreter, prefix):
        self.root, self.argv = interpreter.root, (*prefix, *interpreter.argv)


def only_child(pid):
    """The pid, in this namespace, of the process that a chain of wrappers started."""
    while True:
        below = lib.children(pid)
        if not below:
            return pid
        pid = below[0]


def check(t, name, stacks, function, least=50):
    part = lib.share(stacks, lambda s: function in lib.names(s))
    t.bound(lib.total(stacks) >= least and part > 0.97, name,
            f"{part:.3f} of {lib.total(stacks)}\n{lib.worst(stacks)}")


def pid_namespaces(t, interpreter, name):
    with contextlib.ExitStack() as on:
        functions = ("alpha", "beta")
        inside = Wrapped(interpreter, PID_NAMESPACE)
        targets = [on.enter_context(lib.Target(inside, "named.py", f, 3)) for f in functions]
        pids = [only_child(x.pid) for x in targets]
        stacks, _ = lib.observe(pids, 0.5, "-F", 999)
    for pid, function in zip(pids, functions):
        check(t, f"{name}: {function}", lib.of(stacks, pid), function)


def user_namespace(t, interpreter):
    """A process that is root in its user namespace and nobody outside, in its own pid namespace."""
    nobody = ("setpriv", "--reuid", 65534, "--regid", 65534, "--clear-groups")
    prefix = map(str, (*nobody, "unshare", "--map-root-user", "--pid", "--fork", "--kill-child"))
    with lib.Target(Wrapped(interpreter, tuple(prefix)), "named.py", "unknown") as target:
        pid = only_child(target.pid)
        t.ok(os.stat(f"/proc/{pid}").st_uid == 65534, "user namespace: its owner is nobody")
        stacks, _ = lib.observe([pid], 0.5, "-F", 999)
        check(t, f"user namespace [{interpreter.label}]", lib.of(stacks, pid), "unknown")


def mount_namespace(t, interpreter):
    """The interpreter's executable is visible only in the process's mount namespace."""
    script = 'mount -t tmpfs none /mnt && cp "$(readlink -f "$1")" /mnt/hidden && shift && ' \
             'exec /mnt/hidden "$@"'
    prefix = ("unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh")
    with lib.Target(Wrapped(interpreter, prefix), "named.py", "mounted") as target:
        stacks, _ = lib.observe([target.pid], 0.5, "-F", 999)
        check(t, f"mount namespace [{interpreter.label}]", stacks, "mounted")


def deleted(t, interpreter):
    """The executable is removed while it runs."""
    with lib.scratch() as where:
        copy = shutil.copy(os.path.realpath(interpreter.argv[0]), f"{where}/gone")
        moved = Wrapped(interpreter, ())
        moved.argv = (copy,)
        with lib.Target(moved, "named.py", "removed") as target:
            os.unlink(copy)
            stacks, _ = lib.observe([target.pid], 0.5, "-F", 999)
            check(t, f"deleted executable [{interpreter.label}]", stacks, "removed")


def rooted(t, suite):
    interpreter = next((i for i in interpreters.all() if i.root and suite in i.root), None)
    if not interpreter:
        raise lib.Skip(f"no {suite} root")
    return interpreter


def chroot(t, suite):
    i = rooted(t, suite)
    with lib.Target(i, "named.py", "rooted") as target:
        stacks, _ = lib.watch([target.pid], 0.5, "-F", 999)  # without -p
        check(t, f"chroot [{i.label}]", lib.of(stacks, target.pid), "rooted", 20)


def container(t, suite):
    if not shutil.which("podman") or not shutil.which("runc"):
        raise lib.Skip("no podman with runc")
    i = rooted(t, suite)
    inside, name = Wrapped(i, ()), f"krait-test-{os.getpid()}"
    inside.argv = (*PODMAN, "--name", name, "--rootfs", f"{i.root}:O", *i.argv[2:])
    try:
        target = lib.Target(inside, "named.py", "contained", 2)
    except RuntimeError as e:
        raise lib.Skip(f"podman cannot start a container here: {str(e).splitlines()[-1]}")
    with target:
        t.trial(f"container [{i.label}]", check_container, t, i, name)
        subprocess.run(["podman", "rm", "-f", "-t", "0", name], capture_output=True)


def check_container(t, interpreter, name):
    asked = ["podman", "inspect", "-f", "{{.State.Pid}}", name]
    pid = int(subprocess.check_output(asked, text=True))
    stacks, _ = lib.watch([pid], 0.5, "-F", 999)
    check(t, f"container [{interpreter.label}]", lib.of(stacks, pid), "contained", 20)


def main():
    lib.need_krait()
    t = lib.Tap()
    system = lib.system()
    shared = next((i for i in interpreters.all() if i.shared and i.minor >= (3, 12)), system)
    for i in {system, shared}:
        t.trial(f"pid namespaces [{i.label}]", pid_namespaces, t, i, f"pid namespaces [{i.label}]")
    for function, argument in ((user_namespace, system), (mount_namespace, system),
                               (deleted, system), (chroot, "bullseye")):
        t.trial(function.__name__, function, t, argument)
    for suite in ("bullseye", "trixie"):
        with t.guard(f"container {suite}"):
            container(t, suite)
    t.done()


main()
