# SPDX-License-Identifier: BSD-2-Clause
# numeric.py product|threads: computes in numpy, which releases the GIL, in one thread or in three.
import hashlib
import sys
import threading

import numpy


def product():
    a = numpy.ones((600, 600))
    a.dot(a)
    print("READY", flush=True)
    while True:
        a.dot(a)  # HOT product


def sorting(a):
    while True:
        b = a.copy()
        b.sort(kind="stable")  # HOT sorting


def squaring(a):
    while True:
        b = a
        b.dot(b)  # HOT squaring


def hashing(a):
    while True:
        h = hashlib.sha256()
        h.update(a)  # HOT hashing


def threads():
    r = numpy.random.RandomState(1)
    todo = [(sorting, r.rand(1000000)), (squaring, numpy.ones((600, 600))),
            (hashing, r.rand(1000000))]
    for function, array in todo:
        t = threading.Thread(target=function, args=(array,))
        t.daemon = True
        t.start()
    print("READY", flush=True)
    t.join()


globals()[sys.argv[1]]()
