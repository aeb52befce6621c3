# SPDX-License-Identifier: BSD-2-Clause
# waits.py KIND [ARGUMENT...]: prints READY, and waits in a known way:
#   sleeps        sleeps forever, in sleeps()
#   naps          sleeps for 0.1 s, again and again, in naps()
#   computes      computes, in computes()
#   awaits        an asyncio loop: half of the time inner() computes, which middle() awaits, which
#                 outer() awaits; the other half, the loop waits
#   crowd N       N threads that sleep forever, in rests()
#   forks         at a line of input: forks a child that sleeps in child_sleeps(), prints CHILD PID
#   execs PYTHON  at a line of input: execs PYTHON with this file and "after", which prints READY
#                 again and sleeps in later()
#   vforks        after vfork(), waits until the child calls exec, which it never does
import asyncio
import ctypes
import os
import sys
import threading
import time

CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
CLONE_VFORK, SIGCHLD = 0x4000, 17
FOR_EVER = 1e6


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def sleeps():
    say("READY")
    time.sleep(FOR_EVER)


def naps():
    say("READY")
    while True:
        time.sleep(0.1)


def computes():
    x = 0
    say("READY")
    while True:
        x += 1


# --- asyncio ------------------------------------------------------------------------------------

def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


async def inner():
    spin(0.05)


async def middle():
    await inner()


async def outer():
    say("READY")
    while True:
        await middle()
        await asyncio.sleep(0.05)


def awaits():
    asyncio.new_event_loop().run_until_complete(outer())


# --- many threads -------------------------------------------------------------------------------

def rests():
    time.sleep(FOR_EVER)


def crowd(number):
    threading.stack_size(1 << 18)
    for _ in range(int(number)):
        threading.Thread(target=rests, daemon=True).start()
    say("READY")
    rests()


# --- processes ----------------------------------------------------------------------------------

def die_with_parent():
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL


def child_sleeps():
    die_with_parent()
    time.sleep(FOR_EVER)


def parent_sleeps():
    time.sleep(FOR_EVER)


def forks():
    say("READY")
    sys.stdin.readline()
    pid = os.fork()
    if not pid:
        child_sleeps()
    say("CHILD", pid)
    parent_sleeps()


def later():
    time.sleep(FOR_EVER)


def after():
    say("READY again")
    later()


def execs(python):
    say("READY")
    sys.stdin.readline()
    os.execv(python, [python, __file__, "after"])


def vforks():
    say("READY")
    # Without CLONE_VM the child has a copy of the memory. It never returns from here.
    if not ctypes.CDLL(None).syscall(CLONE, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0):
        die_with_parent()
        sys.stdin.read()
        os._exit(0)


globals()[sys.argv[1]](*sys.argv[2:])
