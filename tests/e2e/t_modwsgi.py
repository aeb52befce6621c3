#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Runs beside others.
"""Apache with mod_wsgi, on the loopback interface: Python in a module that the server loads, in
forked processes, in threads that Python did not start, in the main interpreter and in a
subinterpreter."""

import contextlib
import glob
import json
import os
import shutil
import socket
import threading
import urllib.request

import lib

REQUESTS = 400
FIRST = 30  # requests before the recording; they start each process's interpreter
THREADS = 3

CONFIG = """
ServerRoot {where}
PidFile {where}/pid
ErrorLog {where}/error.log
ServerName localhost
Listen {address}:{port}
User nobody
Group nogroup
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {module}
WSGISocketPrefix {where}/wsgi
WSGIDaemonProcess job processes=2 threads={threads}
WSGIProcessGroup job
WSGIApplicationGroup {group}
WSGIScriptAlias / {where}/site.wsgi
"""


def own_address():
    """A loopback address of this test alone."""
    return "127.%d.%d.%d" % tuple((os.getpid() + (1 << 16)).to_bytes(3, "big"))


def free_port():
    with socket.socket() as s:
        s.bind((own_address(), 0))
        return s.getsockname()[1]


def server(where, group):
    """(the server's process, its port)"""
    apache = shutil.which("apache2") or shutil.which("apache2", path="/usr/sbin")
    modules = glob.glob("/usr/lib/apache2/modules/mod_wsgi.so*")
    if not apache or not modules:
        raise lib.Skip("no apache2 with mod_wsgi")
    port = free_port()
    shutil.copy(os.path.join(lib.TARGETS, "modwsgi.py"), f"{where}/site.wsgi")
    with open(f"{where}/conf", "w") as f:
        f.write(CONFIG.format(where=where, address=own_address(), port=port, modules=os.path.dirname(modules[0]),
                              module=modules[0], group=group, threads=THREADS))
    return lib.Process([apache, "-DFOREGROUND", "-f", f"{where}/conf"]), port


def ask(port):
    with urllib.request.urlopen(f"http://{own_address()}:{port}/", timeout=lib.PATIENCE) as answer:
        return answer.read()


def answers(apache, port):
    if apache.child.poll() is not None:
        raise lib.Skip("apache2 does not start here: " + apache.err.text()[-200:])
    with contextlib.suppress(OSError):
        return ask(port).isdigit()
    return False


def load(port, requests):
    """Sends that many requests from three clients at once; returns the failures."""
    failed = []

    def client():
        for _ in range(requests // THREADS):
            try:
                ask(port)
            except OSError as e:
                failed.append(e)
    clients = [threading.Thread(target=client) for _ in range(THREADS)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    return failed


def listed(pid):
    status, out, err = lib.usage("list", "--json", "-p", pid)
    if status:
        raise RuntimeError(err)
    return json.loads(out)["processes"]


def check(t, name, where, group):
    apache, port = server(where, group)
    with apache:
        lib.until(lambda: answers(apache, port), "the server answers")
        rows = [r for p in lib.children(apache.pid) for r in listed(p)]
        version = "%d.%d.%d" % lib.system().version
        t.ok(rows and all(r["embedded"] and r["version"] == version and r["linked"] == "shared"
                          and r["supported"] for r in rows), f"{name}: listed", rows)
        failed = load(port, FIRST)
        t.ok(not failed, f"{name}: first requests were answered", failed[:3])
        t.trial(name, check_load, t, name, apache, port)
        apache.signal(15)
        apache.wait()


def check_load(t, name, apache, port):
    with lib.Krait("-p", apache.pid, "-s", "-F", 1999) as k:
        failed = load(port, REQUESTS)
        stacks, said = k.finish(), k.err.text()
    t.ok(not failed, f"{name}: requests were answered", failed[:3])
    python = [s for s in stacks if any(f.file for f in s.frames)]
    part = lib.share(python, lambda s: lib.names(s)[:1] == ["application"])
    t.bound(lib.total(python) > 200 and part > 0.9, f"{name}: the application's stacks",
            f"{part:.3f}\n{said}\n{lib.worst(stacks)}")
    line = lib.hot_lines("modwsgi.py")["compute"]
    mine = [s for s in python if s.frames[-1].name == "compute"]
    right = lib.share(mine, lambda s: s.frames[-1].line == line and
                      lib.names(s) in (["application", way, "compute"] for way in ("x", "y")))
    t.bound(lib.total(mine) > 200 and right > 0.9, f"{name}: lines and callers",
            f"{right:.3f} of {lib.total(mine)}\n{lib.worst(mine)}")
    # These markers alone are expected in the server's own threads, and in the others while they run
    # the module's C code. Other markers are rare.
    odd = [s for s in stacks if any(f.file is None for f in s.frames) and
           [f.name for f in s.frames] not in (["[no Python state]"], ["[no Python frame]"])]
    t.bound(lib.total(odd) <= 0.02 * lib.total(python), f"{name}: other markers are rare",
            lib.worst(odd))


def main():
    lib.need_krait()
    t = lib.Tap()
    for what, group in (("main interpreter", "%{GLOBAL}"), ("subinterpreter", "own")):
        name = f"mod_wsgi [{what}]"
        with t.guard(name), lib.scratch() as where:
            check(t, name, where, group)
    t.done()


main()
