# SPDX-License-Identifier: BSD-2-Clause
# Functions and files whose names are not ASCII, or would break a line-oriented format.
import json

BODY = """def %s(n):
    s = 0
    for i in range(n): s += i
    return s
"""
NESTED = """class Outer:
    def method(self, n):
        def inner(m):
            s = 0
            for i in range(m): s += i
            return s
        return inner(n)
call = Outer().method
"""
LATIN, TWO, FOUR = "f\u00f6hn", "\u6f22\u5b57", "\U00012000\U00012001"
CASES = [
    ("plain", "/names/plain.py"),
    (LATIN, "/names/na\u00efve.py"),
    (TWO, "/names/\u6587\u4ef6.py"),
    (FOUR, "/names/\U0001f600.py"),
    (LATIN + "_" + TWO, "/names/latin.py"),
    ("ascii_in_four", "/names/\U0001f601\u6587\u00ef.py"),
    ("long_" + "n" * 245, "/names/" + "p" * 245 + ".py"),
]
HOSTILE = ["/names/semi;colon.py", "/names/new\nline.py", "/names/surrogate\udcff.py",
           "/names/tab\tbell\x07\x1b[31m.py", "/names/paren) 7.py", "/names/[unreadable]",
           "/names/turned\u202eyp.xod\u2066\u200b\ufeff\U000e0041.py"]


def make(name, path, text=BODY):
    space = {}
    exec(compile(text % name if "%s" in text else text, path, "exec"), space)
    return space[name]


def renamed(f, name):
    """Gives the function a name that source code cannot have."""
    if hasattr(f.__code__, "replace"):
        more = {"co_qualname": name} if hasattr(f.__code__, "co_qualname") else {}
        f.__code__ = f.__code__.replace(co_name=name, **more)
    return f


def main(functions):
    while True:
        for f in functions:
            f(5000)


todo = [make(name, path) for name, path in CASES]
todo += [make("hostile", path) for path in HOSTILE]
todo += [renamed(make("named", "/names/named.py"), n) for n in ("a;b", "a\nb 3", "", "\ud800")]
todo.append(make("call", "/names/nested.py", NESTED))
print("READY", json.dumps(CASES), flush=True)
main(todo)
