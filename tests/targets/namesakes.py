# SPDX-License-Identifier: BSD-2-Clause
# Different functions, files and threads with the same name.
#
# namesakes.py functions   runs in turn: methods, lambdas and nested functions of a file, and
#                          functions of two files
# namesakes.py threads     pairs of threads that use the same thread id one after the other, and a
#                          thread that changes its name for each job
import sys
import threading
import time

VIEW = """def get(until):
    while clock() < until: pass
"""
APP = """def forever(until):
    while clock() < until: yield
class Fast:
    def run(self, until):
        for _ in forever(until): pass
class Slow:
    def run(self, until):
        for _ in forever(until): pass
low = lambda until: sum(1 for _ in forever(until))
high = lambda until: sum(1 for _ in forever(until))
def outer():
    def inner(until):
        for _ in forever(until): pass
    return inner
first = outer()
def outer():
    def inner(until):
        for _ in forever(until): pass
    return inner
second = outer()
"""
FILES = ("/shop/orders/api/views.py", "/shop/users/api/views.py")
clock = time.perf_counter


def made(path, text):
    space = {"clock": clock}
    exec(compile(text, path, "exec"), space)
    return space


def functions():
    app = made("/shop/app.py", APP)
    todo = [made(path, VIEW)["get"] for path in FILES]
    todo += [app["Fast"]().run, app["Slow"]().run, app["low"], app["high"], app["first"], app["second"]]
    print("READY", flush=True)
    while True:
        for i, f in enumerate(todo):
            f(clock() + 0.002 * (i + 1))


# --- threads ------------------------------------------------------------------------------------

def call_me(name):
    with open("/proc/thread-self/comm", "w") as f:
        f.write(name)


def thread_id():
    with open("/proc/thread-self/stat") as f:
        return int(f.read().split()[0])


def burn(until):
    while clock() < until:
        pass


def job_a(until):
    burn(until)


def job_b(until):
    burn(until)


def nap_a():
    time.sleep(0.04)


def nap_b():
    time.sleep(0.04)


def work(job, name, seen):
    call_me(name)
    seen.append(thread_id())
    job(clock() + 0.15)


def run(*args):
    seen = []
    t = threading.Thread(target=work, args=args + (seen,), name="same")
    t.start()
    t.join()
    return seen[0]


# The kernel assigns the next free id after ns_last_pid.
def used_again(tid, job, name):
    try:
        with open("/proc/sys/kernel/ns_last_pid", "w") as f:
            f.write(str(tid - 1))
    except OSError:
        return False
    return run(job, name) == tid


def chameleon():
    while True:
        call_me("as-a")
        job_a(clock() + 0.04)
        nap_a()
        call_me("as-b")
        job_b(clock() + 0.04)
        nap_b()


def threads():
    threading.Thread(target=chameleon, daemon=True).start()
    print("READY", flush=True)
    sys.stdin.readline()
    for pair in range(200):
        # The kernel's name, too: where Python's was not read in time, a pair has it for both.
        names = [("pool-a", "pool-b"), ("same", "same")][pair % 2]
        tid = run(job_a, names[0])
        if used_again(tid, job_b, names[1]):
            print("AGAIN", tid, names[0], flush=True)
    threading.Event().wait()


{"functions": functions, "threads": threads}[sys.argv[1]]()
