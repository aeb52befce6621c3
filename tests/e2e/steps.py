# SPDX-License-Identifier: BSD-2-Clause
"""Parses and judges the output of tests/step/step.c, which walks an interpreter's stack at each
instruction.

A stack must satisfy two conditions. It must be possible in the program (graph.py). And between one
complete stack and the next, only one instruction ran (or the few whose stacks have a marker), so
there can have been at most one call or one return, and the callers of a running function cannot
have changed. The second condition detects stacks that are possible in the program, but not at this
moment."""

import glob
import os
import shutil
import subprocess
from collections import Counter, namedtuple

import graph
import lib
from lib import Frame

SCRIPT = "stepping.py"
MARKED = 0.005
LAYERS = ("base", "proc", "py")

# enum walk_end
COMPLETE, INCOMPLETE, ENTERING = 0, 4, 5

Place = namedtuple("Place", "code instruction")
Stack = namedtuple("Stack", "end frames places")  # root first
Run = namedtuple("Run", "stack steps first last")


def build(name="step", cc=None, *more):
    """Builds the stepper from the current sources; returns its path."""
    cc = cc or shutil.which(os.environ.get("CC", "cc"))
    if not cc:
        raise lib.Skip("no C compiler")
    program = os.path.join(lib.OUTPUT, "step", name)
    os.makedirs(os.path.dirname(program), exist_ok=True)
    user = os.path.join(lib.REPO, "user")
    sources = [f"{lib.TESTS}/step/step.c"]
    for layer in LAYERS:
        sources += glob.glob(f"{user}/{layer}/*.c")
    # Dropping unused functions also drops their dependencies on other libraries.
    subprocess.run([cc, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", f"-I{user}",
                    f"-I{lib.REPO}", "-ffunction-sections", "-Wl,--gc-sections", "-o",
                    program, *sources, "-lelf", "-lz", *more], check=True)
    return program


def run(program, interpreter, number, script=SCRIPT, *args):
    """The stepper's output for that many steps of a script."""
    argv = [program, str(number), *interpreter.argv, lib.stage(interpreter, script), *args]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"status {done.returncode}")
    return done.stdout


# --- parsing ------------------------------------------------------------------------------------

def parse_stack(end, fields):
    frames, places = [], []
    for text in reversed(fields):
        name, file, line, instruction, code = text.split("|")
        frames.append(Frame(name, file, int(line)))
        places.append(Place(code, int(instruction)))
    return Stack(int(end), tuple(frames), tuple(places))


def parse(text):
    """[Run], in chronological order."""
    stacks, runs = {}, []
    for line in text.splitlines():
        what, number, *fields = line.split("\t")
        if what == "stack":
            stacks[number] = parse_stack(fields[0], fields[1:])
        else:
            runs.append(Run(stacks[number], *map(int, fields)))
    return runs


# --- possible stacks ----------------------------------------------------------------------------

def agree(a, b, exact, depth):
    """Do the `depth` outermost frames have equal code, the first `exact` equal instructions?"""
    return a[:exact] == b[:exact] and all(x.code == y.code
                                          for x, y in zip(a[exact:depth], b[exact:depth]))


def follows(before, after):
    """Can one call, return or step lead from one complete stack to the other? A caller may store
    its instruction only after the callee's frame is in place."""
    short, long = sorted((len(before), len(after)))
    return long - short <= 1 and agree(before, after, max(0, long - 2), short)


def part_of(before, part):
    """Are these the innermost frames of a stack that could follow?"""
    n = len(part)
    candidates = [before, before[:-1], before + part[-1:]]
    return any(n <= len(c) and agree(c[len(c) - n:], part, max(0, n - 2), n) for c in candidates)


class Judge:
    """Takes runs in chronological order; counts steps by end of the walk, and impossible steps."""

    def __init__(self, truth):
        self.truth = truth
        self.before = ()  # places of the last complete, possible stack
        self.outside = ()  # the same before a stack that hides it (generator.throw() in 3.9)
        self.known = {}  # stack -> why it is impossible in any order, or None
        self.ends = Counter()
        self.impossible = 0
        self.examples = []

    def static(self, stack):
        if stack.end == COMPLETE:
            return self.truth.problem(stack.frames)
        if stack.end in (INCOMPLETE, ENTERING):
            return self.truth.problem((Frame("[cut]", None, None), *stack.frames))
        return f"end {stack.end}"

    def problem(self, stack):
        if stack not in self.known:
            self.known[stack] = self.static(stack)
        if self.known[stack] or not self.before:
            return self.known[stack]
        if stack.end != COMPLETE:
            return None if part_of(self.before, stack.places) else "part of another stack"
        if follows(self.before, stack.places):
            return None
        return None if self.hides(stack.places) or self.reappears(stack.places) else "jumped"

    def hides(self, places):
        if len(places) != 1 or places[0].code == self.before[0].code:
            return False
        self.outside = self.before
        return True

    def reappears(self, places):
        if not self.outside or not follows(self.outside, places):
            return False
        self.outside = ()
        return True

    def take(self, run):
        self.ends[run.stack.end] += run.steps
        why = self.problem(run.stack)
        if why:
            self.impossible += run.steps
            path = ";".join(f"{f.name}:{f.line}" for f in run.stack.frames[-7:])
            self.examples.append(f"{run.steps} steps at {run.first:+#x}..{run.last:+#x}, "
                                 f"end {run.stack.end}: {why}: {path}")
        elif run.stack.end == COMPLETE:
            self.before = run.stack.places

    @property
    def total(self):
        return sum(self.ends.values())

    @property
    def marked(self):
        return self.total - self.ends[COMPLETE]

    def figures(self):
        other = self.marked - self.ends[ENTERING] - self.ends[INCOMPLETE]
        return (f"{self.total} steps: {self.ends[COMPLETE]} complete, "
                f"{self.ends[ENTERING]} entering, {self.ends[INCOMPLETE]} incomplete, "
                f"{other} other, {self.impossible} impossible")


def judge(truth, runs):
    j = Judge(truth)
    for r in runs:
        j.take(r)
    return j


# --- does the judge detect wrong stacks? --------------------------------------------------------

def spoil(runs):
    """(what, index of a run, wrong stack): stacks that a walk along stale links could have seen."""
    by_leaf = {}
    for i, r in enumerate(runs):
        s = r.stack
        if s.end != COMPLETE or len(s.places) < 5:
            continue
        other = by_leaf.setdefault(s.places[-1].code, s)
        if other.places[-2].code != s.places[-2].code:
            yield "another way to the leaf", i, other
            yield "a caller left out", i, s._replace(frames=s.frames[:-2] + s.frames[-1:],
                                                     places=s.places[:-2] + s.places[-1:])
            yield "the root side left out", i, s._replace(frames=s.frames[1:],
                                                          places=s.places[1:])
            del by_leaf[s.places[-1].code]


def missed(truth, runs):
    """(number of spoiled stacks, kinds of those that were judged possible)"""
    spoiled, unseen = 0, []
    for what, at, stack in spoil(runs):
        before = next((r for r in reversed(runs[:at]) if r.stack.end == COMPLETE), runs[at])
        spoiled += 1
        if not judge(truth, [before, runs[at]._replace(stack=stack)]).impossible:
            unseen.append(what)
    return spoiled, unseen


# --- the test ----------------------------------------------------------------------------------

def judged(t, label, version, path, said, wanted, script=SCRIPT, most=MARKED):
    """Judges the stepper's output for an interpreter that ran the script at that path. Returns (the
    script's graph, the runs)."""
    runs = parse(said)
    name = f"every step [{label}]"
    truth = graph.load(f"{lib.TARGETS}/{script}", path, version)
    j = judge(truth, runs)
    t.note(f"{label}: {j.figures()}")
    t.ok(j.total == wanted, f"{name}: a walk for each step", j.total)
    t.ok(not j.impossible, f"{name}: none impossible",
         "\n".join([j.figures(), *j.examples[:12]]))
    t.ok(j.marked <= most * j.total, f"{name}: at most {100 * most:g} % marked", j.figures())
    return truth, runs


def check(t, label, version, path, said, wanted):
    """The same for stepping.py, and checks that the judge recognizes wrong stacks in its runs."""
    truth, runs = judged(t, label, version, path, said, wanted)
    name = f"every step [{label}]"
    spoiled, unseen = missed(truth, runs)
    t.ok(spoiled >= 10 and not unseen, f"{name}: stacks of other moments are detected",
         f"{len(unseen)} of {spoiled} were not: {unseen[:5]}")
