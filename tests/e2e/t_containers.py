#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Three containers whose programs have the same name and the same pids inside. The test selects one
of them, attributes the samples of all, restarts containers, and creates cgroups inside of one. The
containers are started by podman and built by hand on this machine's cgroup layout.

CONTAINERS=made: only tests that need no engine, for a guest, where everything takes ten times as long
(t_containers_guest.py). CONTAINERS=brief: of these, each way to choose containers once."""

import contextlib
import json
import os
import subprocess

import interpreters
import lib
from containers import PODMAN, Cgroup, Made, Podman, hierarchies, listed, ns_pids

BRIEF = os.environ.get("CONTAINERS") == "brief"
GUEST = BRIEF or os.environ.get("CONTAINERS") == "made"
RATE = 499 if GUEST else 2999
SAMPLES = 300 if GUEST else 10000  # a guest is slow
THREADS = 3
NAMES = ("one", "two", "three")


def unique(name):
    return f"krait-{os.getpid()}-{name}"


def owner(stack):
    """NAME of the function own_NAME in a stack; None: not a target, or it has not called it yet."""
    for name in lib.names(stack):
        if name.startswith("own_"):
            return name[4:]
    return None


def versions(roots):
    """Three interpreters, of different versions if possible, all with a root or all without."""
    found = {}
    for i in interpreters.all():
        if bool(i.root) == roots and not i.debug and not i.threaded and not i.embedded:
            found.setdefault(i.minor, i)
    found = sorted(found.items(), reverse=True)
    if len(found) < 2:
        raise lib.Skip("fewer than two versions of Python")
    return [found[n % len(found)][1] for n in range(len(NAMES))]


def enough(*args, samples=SAMPLES):
    """Stacks of as many recordings as it takes to get that many samples of targets."""
    stacks = []
    while lib.total([s for s in stacks if owner(s)]) < samples:
        fresh = lib.record(2, "-F", RATE, *args)
        if not fresh:
            raise RuntimeError("nothing was recorded")
        stacks += fresh
    return stacks


# --- checks for all kinds of containers -----------------------------------------------------------

def check_ids(t, what, targets):
    inside = [set(x.ready.split()) for x in targets.values()]
    t.ok(all(x & inside[0] for x in inside), f"{what}: pids inside are equal", inside)
    seen = listed()
    wrong = {n: seen.get(x.pid) for n, x in targets.items()
             if seen.get(x.pid, {}).get("ns_pid") != ns_pids(x.pid)[-1]}
    t.ok(not wrong, f"{what}: krait list has both ids", wrong)


def check_alone(t, what, targets, choose):
    """--container records all samples of the container, and no others."""
    for name, target in list(targets.items())[:1 if BRIEF else None]:
        t.trial(f"{what}: {name} alone", check_one, t, what, name, target, choose(name))


def check_one(t, what, name, target, choice):
    stacks, spent = lib.watch([target.pid], 1, "-F", RATE, *choice)
    foreign = [s for s in stacks if owner(s) not in (name, None) or lib.pid_of(s) != target.pid]
    t.ok(not foreign, f"{what}: {name}: its own stacks only", lib.worst(foreign))
    # In a guest two samples of 400 were [no Python state] once, for a reason that was not found.
    unknown = [s for s in stacks if owner(s) is None]
    t.bound(not unknown, f"{what}: {name}: every stack is known", lib.worst(unknown))
    part = lib.total(stacks) / (spent[target.pid] * RATE)
    least = 0.4 if GUEST else 0.9
    t.bound(least < part < 1.1, f"{what}: {name}: all its CPU time", f"{part:.3f}")


def check_wall(t, what, targets, choose):
    """--container with the wall clock: all threads of the container at every tick, no others."""
    name, seconds, hz = "two", 3, 99
    stacks = lib.record(seconds, "-F", hz, "--mode", "wall", *choose(name))
    strange = [s for s in stacks if owner(s) != name or lib.pid_of(s) != targets[name].pid]
    t.bound(lib.total(strange) <= lib.total(stacks) / 100, f"{what}: wall clock: its own stacks only",
            lib.worst(strange))
    part = lib.total(stacks) / (seconds * hz * THREADS)
    t.bound(0.9 < part < 1.1, f"{what}: wall clock: all threads and ticks",
            f"{part:.3f}\n{lib.worst(stacks)}")


def check_all(t, what, targets, label):
    """Records the whole host: each stack has its container and the host's thread ids."""
    stacks = enough("--by", "container,thread")
    mine = [s for s in stacks if owner(s) in targets]
    wrong = [s for s in mine if s.root != label(owner(s))]
    t.ok(not wrong, f"{what}: every stack has the right container",
         f"{lib.total(wrong)} of {lib.total(mine)}\n{lib.worst(wrong)}")
    others = [s for s in stacks if not owner(s) and
              s.root in [label(n) for n in targets] and s.frames[1].file is not None]
    t.bound(lib.total(others) <= lib.total(stacks) / 1000, f"{what}: no other program has one",
            lib.worst(others))
    for name, target in targets.items():
        tids = {int(s.frames[0].name.rpartition("-")[2]) for s in mine if owner(s) == name}
        there = lib.threads_of(target.pid)
        t.ok(tids <= there, f"{what}: {name}: thread ids are the host's", f"{tids}, not {there}")
        t.bound(tids >= there, f"{what}: {name}: each of its threads", f"{tids}, not {there}")


# --- podman ---------------------------------------------------------------------------------------

def start_podman(on, found):
    return {name: on.enter_context(Podman(i, unique(name), "tenant.py", name, THREADS))
            for name, i in zip(NAMES, found)}


def check_words(t, targets):
    one, two = targets["one"], targets["two"]
    with t.guard("words"):
        stacks, _ = lib.watch([one.pid], 0.3, "-F", RATE, "--container", one.id[:8])
        t.ok({owner(s) for s in stacks} == {"one"}, "by a prefix of the id", lib.worst(stacks))
        stacks, _ = lib.watch([one.pid, two.pid], 0.3, "-F", RATE, "--container", f"{one.name},{two.name}",
                              "--by", "container")
        t.ok({s.root for s in stacks} == {one.name, two.name}, "a list of two", lib.worst(stacks))
        stacks, _ = lib.watch([two.pid], 0.3, "-F", RATE, "--cgroup", f"/libpod_parent/libpod-{two.id}")
        t.ok({owner(s) for s in stacks} == {"two"}, "--cgroup", lib.worst(stacks))
    status, _, err = lib.usage("record", "-d", 1, "--container", "no-such-name")
    t.ok(status == 1 and "not found" in err and one.name in err and two.id[:12] in err,
         "an unknown name: the running containers are listed", err)
    seen = listed()[one.pid]["container"]
    t.ok(seen and seen["id"] == one.id and seen["engine"] == "podman", "krait list", seen)


def restart(t, found):
    """A container is removed and another one started under the same name while it is recorded."""
    name = unique("again")
    with contextlib.ExitStack() as on:
        first = on.enter_context(Podman(found[0], name, "tenant.py", "first"))
        k = on.enter_context(lib.Krait("-F", 999, "--container", name, "--by", "container,process"))
        lib.compute(0.3, first.pid)
        first.remove()
        first.wait()
        with Podman(found[1], name, "tenant.py", "second") as second, \
             Podman(found[1], unique("other"), "tenant.py", "other") as other:
            lib.until(lambda: lib.cpu_seconds(second.pid) > 0.5, "it computes again")
            spent = lib.cpu_seconds(second.pid)
            lib.until(lambda: lib.cpu_seconds(other.pid) > 0.2, "the other computes")
            stacks = k.finish()
    by = {x: lib.total([s for s in stacks if owner(s) == x]) for x in ("first", "second", "other")}
    t.bound(by["first"] > 100 and by["second"] > 0.7 * 999 * spent, "started again under its name",
            f"{by}, second for {spent} s\n{lib.worst(stacks)}")
    t.ok(not by["other"], "and no other container", f"{by}\n{lib.worst(stacks)}")
    t.ok({s.root for s in stacks} == {name}, "and both have that name", {s.root for s in stacks})


def short(t, found):
    """A container that starts after krait and is removed before krait ends."""
    name = unique("brief")
    with lib.Krait("-F", RATE, "--by", "container") as k:
        with Podman(found[0], name, "tenant.py", "brief") as brief:
            lib.until(lambda: lib.cpu_seconds(brief.pid) > 0.1, "it computes")
        stacks = [s for s in k.finish() if owner(s) == "brief"]
    t.bound(stacks, "started after krait, and soon removed")
    t.ok({s.root for s in stacks} <= {name}, "and its stacks have its name", lib.worst(stacks))


def inside(t, found):
    """krait itself in a container, with a cgroup namespace of its own."""
    krait = os.path.join(lib.OUTPUT, "static", "krait")
    if not os.access(krait, os.X_OK):
        raise lib.Skip(f"{krait} is not built (make static)")
    more = ("--cap-add=BPF,PERFMON,SYS_PTRACE,SYS_ADMIN", "--security-opt", "seccomp=unconfined",
            "--cgroupns=private", "-v", f"{krait}:/krait:ro", "--rootfs", f"{found[0].root}:O",
            "/krait")
    with Podman(found[0], unique("seen"), "tenant.py", "seen") as seen:
        run = subprocess.run([*PODMAN, "--rm", "--pid=host", *more, "record", "-d", "2", "-F", "499",
                              "--container", seen.name, "--by", "container,process"],
                             capture_output=True, text=True, timeout=lib.PATIENCE)
        stacks = lib.parse(run.stdout) if not run.returncode else []
        pids = {s.frames[0].name for s in stacks}
        t.bound(lib.total(stacks) > 50, "krait in a container", run.stderr + lib.worst(stacks))
        t.ok({owner(s) for s in stacks} <= {"seen"} and {s.root for s in stacks} <= {seen.name} and
             pids <= {f"tenant-{seen.pid}"}, "with the host's pids", run.stderr + lib.worst(stacks))
        run = subprocess.run([*PODMAN, "--rm", *more, "record", "-d", "1"], capture_output=True,
                             text=True, timeout=lib.PATIENCE)
        t.ok(run.returncode == 3 and "child pid namespace" in run.stderr and
             "krait list" in run.stderr, "without the host's pids krait refuses", run.stderr)
        run = subprocess.run([*PODMAN, "--rm", *more, "list"], capture_output=True, text=True,
                             timeout=lib.PATIENCE)
        t.ok(run.returncode == 0 and "no Python process" in run.stderr,
             "and krait list finds no process", run.stderr + run.stdout)


def podman(t):
    found = versions(True)
    with contextlib.ExitStack() as on:
        targets = start_podman(on, found)
        check_ids(t, "podman", targets)
        check_alone(t, "podman", targets, lambda name: ("--container", unique(name)))
        t.trial("podman: wall clock", check_wall, t, "podman", targets,
                lambda name: ("--container", unique(name)))
        t.trial("podman: the whole host", check_all, t, "podman", targets, unique)
        check_words(t, targets)
    for function in (restart, short, inside):
        t.trial(function.__name__, function, t, found)


# --- built by hand --------------------------------------------------------------------------------

def digits(name):
    """A container id of 64 digits, made of a name and our pid."""
    return (name.encode().hex() + f"{os.getpid():06x}").ljust(64, "0")


PATHS = {"docker": "/docker/{}", "pod": "/kubepods/burstable/pod{uid}/{}",
         "systemd": "/system.slice/docker-{}.scope"}
UID = f"1a2b3c4d-5e6f-7a8b-9c0d-{os.getpid():012x}"
UNIT = f"krait-test-{os.getpid()}.service"


def start_made(on, found, mounts, pattern="/docker/{}"):
    targets = {}
    for name, i in zip(NAMES, found):
        group = on.enter_context(Cgroup(pattern.format(digits(name)), mounts))
        targets[name] = on.enter_context(Made(i, group, "tenant.py", name, THREADS))
        targets[name].group = group
    return targets


def nested(t, what, targets, mounts):
    """A cgroup created below a container's while it is recorded."""
    one = targets["one"]
    with lib.Krait("-F", RATE, "--container", digits("one"), "--by", "container") as k, \
         contextlib.ExitStack() as on:
        inner = on.enter_context(Cgroup(one.group.path + "/inner/most", mounts))
        inner.take(one.pid)
        on.callback(one.group.take, one.pid)
        lib.compute(0.7, one.pid)
        stacks = k.finish()
    least = 0.3 if GUEST else 0.6
    t.bound(lib.total(stacks) > 0.7 * RATE * least, f"{what}: a nested cgroup is recorded",
            lib.worst(stacks))
    t.ok({owner(s) for s in stacks} <= {"one"} and {s.root for s in stacks} <= {digits("one")[:12]},
         f"{what}: and belongs to the container", lib.worst(stacks))


def ambiguous(t, mounts):
    with Cgroup("/docker/" + digits("same-a"), mounts), \
         Cgroup("/docker/" + digits("same-b"), mounts):
        word = "same-".encode().hex()
        status, _, err = lib.usage("record", "-d", 1, "--container", word)
        t.ok(status == 1 and "ambiguous" in err and digits("same-a")[:12] in err,
             "an ambiguous id: the candidates are listed", err)


def by_unit(t):
    stacks = [s for s in enough("--by", "unit,container", samples=100) if owner(s)]
    wrong = [s for s in stacks if (s.root == UNIT) != (owner(s) == "unit")]
    t.ok(not wrong and {s.frames[0].name for s in stacks} == {"host"}, "--by unit", lib.worst(wrong))


def units(t, mounts):
    with contextlib.ExitStack() as on:
        group = on.enter_context(Cgroup(f"/system.slice/{UNIT}", mounts))
        i = lib.system()
        target = on.enter_context(Made(i, group, "tenant.py", "unit"))
        on.enter_context(lib.Target(i, "tenant.py", "host"))
        stacks, _ = lib.watch([target.pid], 0.3, "-F", RATE, "--unit", UNIT, "--by", "unit")
        t.ok({owner(s) for s in stacks} == {"unit"} and {s.root for s in stacks} == {UNIT}, "--unit",
             lib.worst(stacks))
        if not BRIEF:
            by_unit(t)
        status, _, err = lib.usage("record", "-d", 1, "--unit", "no-such.service")
        t.ok(status == 1 and UNIT in err, "an unknown unit: the running units are listed", err)


def pods(t, mounts):
    """A pod whose name is unknown is shown by its uid."""
    with contextlib.ExitStack() as on:
        targets = start_made(on, versions(False), mounts, f"/kubepods/burstable/pod{UID}/{{}}")
        stacks = [s for s in enough("--by", "pod,container", samples=100) if owner(s)]
        wrong = [s for s in stacks if s.root != UID or
                 s.frames[0].name != digits(owner(s))[:12]]
        t.ok(stacks and not wrong, "--by pod", lib.worst(wrong))
        stacks, _ = lib.watch([x.pid for x in targets.values()], 0.3, "-F", RATE,
                              "--cgroup", f"/kubepods/burstable/pod{UID}")
        t.ok({owner(s) for s in stacks} == set(targets), "the cgroup of a pod has its containers",
             lib.worst(stacks))


# The files of a kubelet (systemd cgroup driver) and containerd: the container's cgroup, its OCI
# bundle, and its log. Only the log exists if the runtime keeps its state elsewhere. krait reads
# both below the root of process 1, which in a guest differs from ours and which may be
# inaccessible.
SLICE = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid}.slice/cri-containerd-{id}.scope"
HOST = "/proc/1/root" if os.access("/proc/1/root/.", os.X_OK) else ""
BUNDLE = HOST + "/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}/config.json"
LOG = HOST + "/var/log/containers/{pod}_{ns}_{name}-{id}.log"
SHOP = f"shop-{os.getpid()}"
PODS = {"one": (SHOP, "web-5d4f7", UID, "app"), "two": (SHOP, "web-5d4f7", UID, "sidecar"),
        "three": (SHOP, "db-0", UID.replace("1a2b", "7a2b"), "db")}


@contextlib.contextmanager
def placed(path, text):
    """Creates a file and its missing parent folders, and removes them at the end."""
    made, at = [], os.path.dirname(path)
    while not os.path.isdir(at):
        made.append(at)
        at = os.path.dirname(at)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "x") as f:
        f.write(text)
    try:
        yield
    finally:
        os.unlink(path)
        for folder in made:
            with contextlib.suppress(OSError):  # another program may use the folder by now
                os.rmdir(folder)


def annotations(name):
    ns, pod, uid, container = PODS[name]
    kind = "io.kubernetes.cri."
    return json.dumps({"ociVersion": "1.0.2", "process": {"args": ["python3"]}, "annotations": {
        kind + "container-type": "container", kind + "container-name": container,
        kind + "image-name": "registry.example/shop:1", kind + "sandbox-name": pod,
        kind + "sandbox-namespace": ns, kind + "sandbox-uid": uid}})


def start_kubelet(on, mounts):
    targets = {}
    for (name, i) in zip(NAMES, versions(False)):
        ns, pod, uid, container = PODS[name]
        cgroup = on.enter_context(Cgroup(SLICE.format(uid=uid.replace("-", "_"), id=digits(name)), mounts))
        if name == "three":
            path, text = LOG.format(pod=pod, ns=ns, name=container, id=digits(name)), ""
        else:
            path, text = BUNDLE.format(id=digits(name)), annotations(name)
        on.enter_context(placed(path, text))
        targets[name] = on.enter_context(Made(i, cgroup, "tenant.py", name))
    return targets


def kubelet(t, mounts):
    """Pods by name."""
    with contextlib.ExitStack() as on:
        targets = start_kubelet(on, mounts)
        seen = listed()
        said = {n: seen[x.pid]["container"] for n, x in targets.items()}
        want = {n: {"name": PODS[n][3], "pod": PODS[n][1], "namespace": PODS[n][0]} for n in targets}
        t.ok(all({k: said[n].get(k) for k in want[n]} == want[n] for n in targets),
             "a kubelet's pods: krait list", said)
        choices = [("web-5d4f7", {"one", "two"}), ("db-0", {"three"})]
        for pod, owners in choices[:1 if BRIEF else None]:
            choice = f"{SHOP}/{pod}"
            stacks, _ = lib.watch([targets[n].pid for n in owners], 0.3, "-F", RATE, "--pod", choice,
                                  "--by", "pod,container")
            wrong = [s for s in stacks if s.root != choice or owner(s) not in owners or
                     s.frames[0].name != PODS[owner(s)][3]]
            t.ok(not wrong and {owner(s) for s in stacks} == owners, f"a kubelet's pods: --pod {pod}",
                 lib.worst(wrong or stacks))
        status, _, err = lib.usage("record", "-d", 1, "--pod", f"{SHOP}/no-such")
        t.ok(status == 1 and f"{SHOP}/web-5d4f7" in err,
             "an unknown pod: the running pods are listed", err)


def made(t, what, kinds):
    mounts = [m for k, m in hierarchies().items() if k in kinds]
    if not mounts:
        raise lib.Skip(f"no hierarchy of {kinds}")
    with contextlib.ExitStack() as on:
        targets = start_made(on, versions(False), mounts)
        check_ids(t, what, targets)
        check_alone(t, what, targets, lambda name: ("--container", digits(name)[:20]))
        if not GUEST:
            t.trial(f"{what}: wall clock", check_wall, t, what, targets,
                    lambda name: ("--container", digits(name)[:20]))
        t.trial(f"{what}: the whole host", check_all, t, what, targets, lambda name: digits(name)[:12])
        t.trial(f"{what}: nested", nested, t, what, targets, mounts)


def main():
    lib.need_krait()
    t = lib.Tap()
    have = hierarchies()
    if not GUEST:
        with t.guard("podman"):
            podman(t)
    for what, kinds in (("version 2", ("v2",)), ("version 1", ("memory", "pids", "freezer"))):
        with t.guard(what):
            made(t, what, kinds)
    mounts = list(have.values())
    for name, function in (("ambiguous", ambiguous), ("units", units), ("pods", pods), ("kubelet", kubelet)):
        if BRIEF and function is pods:
            continue  # kubelet() has pods, too
        with t.guard(name):
            if not mounts:
                raise lib.Skip("no cgroups")
            function(t, mounts)
    t.done()


main()
