# SPDX-License-Identifier: BSD-2-Clause
# traced.py EVENTS SCRIPT ARGS: runs the script and prints, as folded lines, the stacks that the
# interpreter reports at the first EVENTS trace events after READY: stacks that a sampler could see.
import os
import sys


def finish(seen):
    sys.settrace(None)
    for key, count in seen.items():
        print("traced-1;%s %d" % (key, count))
    sys.stdout.flush()
    os._exit(0)


def main():
    events, path = int(sys.argv[1]), sys.argv[2]
    sys.argv[:] = sys.argv[2:]
    seen = {}
    left = [events]

    def trace(frame, event, arg):
        left[0] -= 1
        if left[0] < 0:
            finish(seen)
        stack = []
        while frame is not None and frame.f_code is not main.__code__:
            code = frame.f_code
            name = getattr(code, "co_qualname", code.co_name)
            stack.append("%s (%s:%d)" % (name, code.co_filename, frame.f_lineno))
            frame = frame.f_back
        key = ";".join(reversed(stack))
        seen[key] = seen.get(key, 0) + 1
        return trace

    def ready(*args, **kw):
        sys.settrace(trace)

    with open(path) as f:
        code = compile(f.read(), path, "exec")
    exec(code, {"__name__": "__main__", "__file__": path, "print": ready})


main()
