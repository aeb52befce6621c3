#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Saved recordings: read without root, filtered, merged; usable after krait was killed and after
the disk was full. Output files: complete or absent, owned by the user who called sudo, never
written through another user's symbolic link."""

import contextlib
import os
import shutil
import signal
import subprocess

import lib

NOBODY = 65534
USER = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY), "SUDO_USER": "nobody"}


def folded(*args, **more):
    """(stacks, standard error) of krait report."""
    status, out, err = lib.usage("report", *args, "-f", "folded", **more)
    if status:
        raise RuntimeError(f"krait report {args}: {status}: {err}")
    return lib.parse(out), err


@contextlib.contextmanager
def recorded(where, *args, name="r.krait", **more):
    """(target, a krait that records it, path of the recording)"""
    path = f"{where}/{name}"
    with lib.Target(lib.system(), "shapes.py") as target, \
            lib.Krait("-F", 499, "-p", target.pid, "-o", path, *args, **more) as k:
        yield target, k, path


def wait_for_size(path, size, k):
    def grown():
        if k.child.poll() is not None:
            raise RuntimeError(f"krait ended: {k.err.text()}")
        with contextlib.suppress(FileNotFoundError):
            return os.stat(path).st_size > size
    lib.until(grown, f"{path} grows over {size} bytes")
    return os.stat(path).st_size


def check_whole(t, where):
    with recorded(where, "-o", f"{where}/r.folded") as (target, k, path):
        wait_for_size(path + ".part", wait_for_size(path + ".part", 100, k), k)
        t.ok(not os.path.exists(path), "an unfinished recording is named FILE.part")
        k.finish()
    t.ok(os.path.exists(path) and not os.path.exists(path + ".part"),
         "a finished recording is named FILE")
    stacks, err = folded(path)
    with open(f"{where}/r.folded", encoding="utf-8") as f:
        t.ok(stacks == lib.parse(f.read()), "report gives the stacks of record's other output")
    t.ok(err == "", "no warning for a complete recording", err)
    return path, target.pid


def check_unprivileged(t, path, where):
    os.chmod(path, 0o644)
    krait = shutil.copy(lib.KRAIT, f"{where}/krait")
    r = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                        "--bounding-set=-all", krait, "report", path], capture_output=True)
    t.ok(r.returncode == 0 and b"FUNCTION" in r.stdout, "report needs no privilege",
         r.stderr.decode())


def check_where(t, path, pid):
    stacks, _ = folded(path)
    total = lib.total(stacks)
    for text, condition in ((f"process={pid}", lambda s: True),
                            ("process=1", lambda s: False),
                            ("function=texts", lambda s: "texts" in lib.names(s)),
                            ("file=shapes.py", lambda s: any("shapes.py" in (f.file or "")
                                                             for f in s.frames))):
        got, _ = folded(path, "--where", text)
        want = lib.total([s for s in stacks if condition(s)])
        t.ok(lib.total(got) == want, f"--where {text}", f"{lib.total(got)} {want} {total}")
    parts = [lib.total(folded(path, "--where", f"time={x}")[0]) for x in ("..1s", "1s..")]
    t.ok(sum(parts) == total, "--where time: two ranges add up to all samples", f"{parts} {total}")
    t.bound(all(parts), "--where time: both ranges have samples", f"{parts} {total}")


def check_merge(t, path, where):
    both = f"{where}/both.krait"
    status, _, err = lib.usage("report", path, shutil.copy(path, f"{where}/copy.krait"), "-o", both)
    t.ok(status == 0, "two recordings are merged", err)
    t.ok(lib.total(folded(both)[0]) == 2 * lib.total(folded(path)[0]), "merging adds their samples")


def check_refused(t, path, where):
    with open(path, "rb") as f:
        data = f.read()
    for what, content, word in (("a foreign file", b"main 5\n" * 9, "not a krait recording"),
                                ("a damaged one", data[:60] + b"x" + data[61:], "damaged"),
                                ("one of a later version", data[:8] + b"\x09" + data[9:],
                                 "version 9"),
                                ("an empty one", b"", "not a krait recording")):
        with open(f"{where}/bad.krait", "wb") as f:
            f.write(content)
        status, out, err = lib.usage("report", f"{where}/bad.krait")
        t.ok(status == 1 and word in err and not out, f"{what} is refused", f"{status} {err}")


def check_killed(t, where):
    with recorded(where, name="killed.krait") as (_, k, path):
        part = path + ".part"
        wait_for_size(part, wait_for_size(part, 100, k), k)
        k.signal(signal.SIGKILL)
        k.wait()
    t.ok(not os.path.exists(path), "killed: no incomplete file is named FILE")
    stacks, err = folded(part)
    t.bound(lib.total(stacks) > 50, "killed: FILE.part has the flushed samples", lib.total(stacks))
    t.ok("unfinished recording" in err, "killed: report warns that it is unfinished", err)
    status, _, err = lib.usage("record", "-d", 1, "-o", path)
    t.ok(status == 1 and part in err, "killed: FILE.part is not overwritten", err)


@contextlib.contextmanager
def small_disk(where, size):
    os.makedirs(where, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "krait", where]).returncode:
        raise lib.Skip("cannot mount a tmpfs")
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


def fill(path):
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as f:
        while True:
            f.write(b"x" * 4096)


def check_full(t, where):
    """The disk is full until some time after the recording; then space becomes free."""
    with small_disk(f"{where}/disk", "1m") as disk:
        fill(f"{disk}/ballast")
        with lib.Target(lib.system(), "shapes.py") as target, \
                lib.Krait("-F", 499, "-d", 2, "-p", target.pid, "-o", f"{disk}/r.krait",
                          "-o", f"{disk}/r.folded") as k:
            k.err.wait_for("krait: the recording is kept in memory")
            names = set(os.listdir(disk))
            t.ok(not names & {"r.krait", "r.folded"}, "full: no incomplete file", names)
            os.unlink(f"{disk}/ballast")
            k.signal(signal.SIGUSR1)
            t.ok(k.wait() == 0, "full: written once there is space", k.err.text())
        stacks, _ = folded(f"{disk}/r.krait")
        with open(f"{disk}/r.folded", encoding="utf-8") as f:
            t.ok(lib.parse(f.read()) == stacks and stacks, "full: no sample is missing")
        t.ok("No space left" in k.err.text(), "full: krait reported it", k.err.text())
        t.ok(not [n for n in os.listdir(disk) if n not in ("r.krait", "r.folded")],
             "full: no other file is left", os.listdir(disk))


def check_owner(t, where):
    env = dict(os.environ, **USER)
    names = ("r.krait", "r.folded", "r.pb.gz")
    outputs = [x for n in names[1:] for x in ("-o", f"{where}/{n}")]
    with recorded(where, *outputs, env=env) as (_, k, path):
        wait_for_size(path + ".part", 100, k)
        k.finish()
    owners = {n: os.stat(f"{where}/{n}").st_uid for n in names}
    t.ok(set(owners.values()) == {NOBODY}, "files belong to the user who called sudo", owners)
    modes = {oct(os.stat(f"{where}/{n}").st_mode & 0o777) for n in names}
    t.ok(modes == {"0o644"}, "files have mode 0644", modes)
    status, _, err = lib.usage("report", path, "-o", f"{where}/x.txt", env=env)
    t.ok(status == 0 and os.stat(f"{where}/x.txt").st_uid == NOBODY,
         "files of report belong to that user, too", err)


def check_links(t, where):
    victim = f"{where}/victim"
    with open(victim, "w") as f:
        f.write("precious\n")
    os.symlink(victim, f"{where}/planted.folded")
    os.lchown(f"{where}/planted.folded", NOBODY, NOBODY)
    os.symlink(where, f"{where}/planted")
    os.lchown(f"{where}/planted", NOBODY, NOBODY)
    for name in ("planted.folded", "planted/x.folded", "planted/x.krait"):
        status, _, err = lib.usage("record", "-d", 1, "-o", f"{where}/{name}")
        t.ok(status != 0 and "symbolic link" in err, f"{name}: another user's link is refused", err)
    with open(victim) as f:
        t.ok(f.read() == "precious\n", "the file that a refused link names is unchanged")
    os.symlink(f"{where}/mine", f"{where}/own.folded")
    status, _, err = lib.usage("record", "-d", "200ms", "-o", f"{where}/own.folded")
    t.ok(status == 0 and os.path.islink(f"{where}/own.folded"),
         "the user's own link is followed", err)
    os.symlink(victim, f"{where}/r2.krait.part")
    status, _, err = lib.usage("record", "-d", "200ms", "-o", f"{where}/r2.krait")
    with open(victim) as f:
        t.ok(status == 1 and f.read() == "precious\n", "a link at FILE.part is never followed", err)


def check_read(t, where):
    path, pid = check_whole(t, where)
    check_unprivileged(t, path, where)
    check_where(t, path, pid)
    check_merge(t, path, where)
    check_refused(t, path, where)


def main():
    lib.need_krait()
    t = lib.Tap()
    for name, check in (("a recording", check_read), ("killed", check_killed), ("full", check_full),
                        ("owner", check_owner), ("links", check_links)):
        t.trial(name, lib.in_scratch, check, t)
    t.done()


main()
