# SPDX-License-Identifier: BSD-2-Clause
"""Containers for tests: started by podman, or built by hand from namespaces and cgroups. The latter
need no engine and can have the cgroup path of any engine."""

import contextlib
import json
import os
import shutil
import subprocess
import time

import lib

# Lets podman run with mixed cgroup versions and where limits cannot be raised.
PODMAN = ("podman", "--runtime", "runc", "run", "--net=none",
          "--ulimit", "nofile=1024:20000", "--ulimit", "nproc=4096:8192")
NAMESPACES = ("unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--uts")


def need_podman():
    if not shutil.which("podman") or not shutil.which("runc"):
        raise lib.Skip("no podman with runc")


def innermost(pid):
    """The pid, in this namespace, of the process that a chain of wrappers started."""
    while lib.children(pid):
        pid = lib.children(pid)[0]
    return pid


def ns_pids(pid):
    """The pids of a process, from this namespace inwards to its own."""
    with open(f"/proc/{pid}/status") as f:
        return next([int(x) for x in line.split()[1:]] for line in f if line.startswith("NSpid"))


# --- podman -------------------------------------------------------------------------------------

class Podman(lib.Target):
    """A target in a podman container of that name; leaving the `with` removes the container."""

    def __init__(self, interpreter, name, script, *args, **more):
        need_podman()
        if not interpreter.root:
            raise lib.Skip(f"{interpreter.label} has no root of its own")
        inside = lib.As()
        inside.root = interpreter.root
        inside.argv = (*PODMAN, "--rm", "--name", name, "--rootfs", f"{interpreter.root}:O",
                       *interpreter.argv[2:])
        self.name = name
        try:
            super().__init__(inside, script, *args, **more)
        except RuntimeError as e:
            self.remove()
            raise lib.Skip(f"podman cannot start a container here: {str(e).splitlines()[-1]}")
        self.id, self.pid = self.inspect("{{.Id}} {{.State.Pid}}").split()
        self.pid = int(self.pid)

    def inspect(self, what):
        return subprocess.run(["podman", "inspect", "-f", what, self.name], check=True,
                              capture_output=True, text=True).stdout.strip()

    def remove(self):
        subprocess.run(["podman", "rm", "-f", "-t", "0", self.name], capture_output=True)

    def __exit__(self, *args):
        self.remove()
        super().__exit__(*args)


# --- built by hand ------------------------------------------------------------------------------

def hierarchies(kinds=("v2", "memory", "pids", "freezer")):
    """{kind: mount point} of the hierarchies that are mounted here."""
    found = {}
    with open("/proc/self/mountinfo") as f:
        for line in f:
            mount = line.split()[4]
            kind, _, options = line.rstrip().partition(" - ")[2].split(None, 2)
            if line.split()[3] != "/":
                continue
            if kind == "cgroup2":
                found["v2"] = mount
            elif kind == "cgroup":
                found.update({c: mount for c in options.split(",") if c in kinds})
    return {k: v for k, v in found.items() if k in kinds}


class Cgroup:
    """A cgroup in several hierarchies; creates missing parents, and removes what it created."""

    def __init__(self, path, mounts):
        self.path, self.made = path, []
        self.places = [mount + path for mount in mounts]
        for mount in mounts:
            at = mount
            for part in path.strip("/").split("/"):
                at += "/" + part
                if not os.path.isdir(at):
                    os.mkdir(at)
                    self.made.append(at)

    def take(self, pid):
        for place in self.places:
            with open(place + "/cgroup.procs", "w") as f:
                f.write(str(pid))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for path in reversed(self.made):
            def gone():
                with contextlib.suppress(OSError):
                    os.rmdir(path)
                return not os.path.exists(path)
            lib.until(gone, f"{path} is empty", 10)


class Made(lib.Target):
    """A target in namespaces and a cgroup of its own."""

    def __init__(self, interpreter, cgroup, script, *args, **more):
        join = "".join(f"echo $$ > '{place}/cgroup.procs' && " for place in cgroup.places)
        inside = lib.As("sh", "-c", join + 'exec "$@"', "sh", *NAMESPACES, *interpreter.argv)
        inside.root = interpreter.root
        super().__init__(inside, script, *args, **more)
        self.pid = innermost(self.child.pid)


# --- sockets ------------------------------------------------------------------------------------

@contextlib.contextmanager
def podman_service(path):
    """podman's Docker-compatible server, listening at that socket."""
    need_podman()
    with lib.Process(["podman", "system", "service", "--time=0", f"unix://{path}"]) as service:
        end = time.monotonic() + 20
        while not os.path.exists(path):
            if service.child.poll() is not None or time.monotonic() > end:
                raise lib.Skip("podman serves no socket here: " + service.err.text()[-200:])
            time.sleep(0.02)
        yield path


def listed():
    """The processes of `krait list --json`, by pid."""
    status, out, err = lib.usage("list", "--json")
    if status:
        raise RuntimeError(err)
    return {p["pid"]: p for p in json.loads(out)["processes"]}
