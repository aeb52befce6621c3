# SPDX-License-Identifier: BSD-2-Clause
# lives.py [PYTHON]: for "NAME NUMBER" on standard input, starts that many children of a kind (KINDS
# below), and prints DONE when the last one has ended. Each computes for 50 ms of CPU time in a
# function named after its kind. PYTHON is the interpreter to exec, by default this one.
import ctypes
import multiprocessing
import os
import subprocess
import sys
import threading
import time

AT_ONCE = 8
PYTHON = sys.argv[1] if len(sys.argv) > 1 else sys.executable
CODE = """
import time
def executed():
    end = time.process_time() + 0.05
    while time.process_time() < end:
        for i in range(200):
            pass
executed()
"""


def compute():
    end = time.process_time() + 0.05
    n = 0
    while time.process_time() < end:
        for i in range(200):
            n += i
    return n


def forked():
    compute()


def pooled():
    compute()


def threaded():
    compute()


def doubled():
    compute()


def daemon():
    compute()


def orphan():
    compute()


def leave(run):
    """Runs a function in a child that was just forked, and exits."""
    try:
        run()
    finally:
        os._exit(0)


def fork(run=forked):
    pid = os.fork()
    if pid == 0:
        leave(run)
    return lambda: os.waitpid(pid, 0)


def pool():
    child = multiprocessing.get_context("fork").Process(target=pooled)
    child.start()
    return child.join


def fork_in_thread():
    made = []
    thread = threading.Thread(target=lambda: made.append(fork(threaded)))
    thread.start()
    thread.join()
    return made[0]


def execute():
    return subprocess.Popen([PYTHON, "-S", "-E", "-c", CODE]).wait


def spawn():
    """posix_spawn(), which uses vfork; called by ctypes, as Python has it only from 3.8 on."""
    libc, pid = ctypes.CDLL(None), ctypes.c_int()
    strings = [s.encode() for s in (PYTHON, "-S", "-E", "-c", CODE)]
    argv = (ctypes.c_char_p * (len(strings) + 1))(*strings)
    libc.posix_spawn(ctypes.byref(pid), argv[0], None, None, argv,
                     ctypes.c_void_p.in_dll(libc, "environ"))
    return lambda: os.waitpid(pid.value, 0)


def until_closed(back):
    """Waits until all descendants have ended: each of them holds the pipe open."""
    def wait():
        os.read(back, 1)
        os.close(back)
    return wait


def through(middle):
    """Forks a child that runs `middle` and exits, while the processes that it started go on."""
    back, held = os.pipe()
    reap = fork(middle)
    os.close(held)
    reap()
    return until_closed(back)


def double_fork():
    return through(lambda: fork(doubled))


def become_daemon():
    os.setsid()
    fork(daemon)


def daemonize():
    return through(become_daemon)


def outlive():
    """A child that computes only after its parent has exited."""
    parent = os.getpid()
    def wait_alone():
        while os.getppid() == parent:
            time.sleep(0.001)
        orphan()
    return through(lambda: fork(wait_alone))


KINDS = {"fork": fork, "pool": pool, "thread": fork_in_thread, "exec": execute, "spawn": spawn,
         "double": double_fork, "daemon": daemonize, "orphan": outlive}


def start(kind, number):
    running = []
    for _ in range(number):
        running.append(KINDS[kind]())
        if len(running) == AT_ONCE:
            running.pop(0)()
    for wait in running:
        wait()


print("READY", flush=True)
for line in iter(sys.stdin.readline, ""):
    kind, number = line.split()
    start(kind, int(number))
    print("DONE", line.strip(), flush=True)
