# SPDX-License-Identifier: BSD-2-Clause
"""The call graph of an annotated target: tells which recorded stacks are possible.

A comment on a calling line lists its possible callees:

    return leaf(n)          # -> leaf
    with Guard():           # -> Guard.__enter__ Guard.__exit__{8-}
        work()              # -> work Guard.__exit__{-7}
    loop.run(main())        # -> *           library code, whose own calls are not checked
    async def main():       # <- *           on a def: library code calls it; "root": no caller;
                                             "any": the caller is not checked

{8-} means Python 3.8 and later, {-7} up to 3.7, {9-10} both inclusive. Names are qualified names
without "<locals>"; "<listcomp>", "<genexpr>", "<lambda>" are components of such names. A stack is
possible if its root is the module (or a function with "<- root"), every frame's line lies in its
function, and every caller can call its callee from exactly the line shown. From 3.10 on, some
instructions have no line number: frames without one are allowed and counted.
"""

import ast
import re
from collections import namedtuple

import lib

Node = namedtuple("Node", "name qualname first last")
Verdict = namedtuple("Verdict", "total marked unlined impossible examples")

SCOPES = {ast.ListComp: "<listcomp>", ast.SetComp: "<setcomp>", ast.DictComp: "<dictcomp>",
          ast.GeneratorExp: "<genexpr>", ast.Lambda: "<lambda>"}
DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
NOTE = re.compile(r"#.*?(->|<-) (.*)")
ITEM = re.compile(r"([^{]+)(?:\{(\d*)-(\d*)\})?\Z")


def _holds(item, minor):
    m = ITEM.match(item)
    low, high = int(m[2] or 0), int(m[3] or 99)
    return m[1] if low <= minor <= high else None


class Graph:
    """The functions of one annotated file in one Python version."""

    def __init__(self, source, shown, version, foreign_root=False):
        self.shown = shown  # the file name in frames
        self.foreign_root = foreign_root  # library code may be the root (threads start in it)
        self.minor = version[1]
        self.nodes = {}  # plain qualified name -> Node
        self.calls = {}  # line -> names of possible callees
        self.callers = {}  # plain qualified name -> the items of its "<-" comment
        self.found = {}  # frame -> find()'s answer
        # What problem() found possible: first frames, and pairs of caller and callee. Deep stacks
        # consist of few of them.
        self.starts, self.pairs = set(), set()
        lines = source.split("\n")
        tree = ast.parse(source)
        self.nodes["<module>"] = Node("<module>", "<module>", 0, len(lines) + 1)
        self._scan(tree, "", "")
        for number, text in enumerate(lines, 1):
            self._note(number, text)

    def _scan(self, parent, plain, qual):
        for child in ast.iter_child_nodes(parent):
            name = child.name if isinstance(child, DEFS) else SCOPES.get(type(child))
            if name is None:
                self._scan(child, plain, qual)
                continue
            first = min([child.lineno] + [d.lineno for d in getattr(child, "decorator_list", ())])
            mine = Node(name, qual + name, first, child.end_lineno)
            if plain + name in self.nodes:
                raise ValueError(f"two {plain + name}")
            self.nodes[plain + name] = mine
            inner = qual + name + ("." if isinstance(child, ast.ClassDef) else ".<locals>.")
            self._scan(child, plain + name + ".", inner)

    def _note(self, number, text):
        for arrow, items in NOTE.findall(text):
            names = {n for n in (_holds(i, self.minor) for i in items.split()) if n}
            if arrow == "->":
                self.calls[number] = names
                unknown = names - set(self.nodes) - {"*"}
            else:
                mine = [n for n, d in self.nodes.items() if d.first == number]
                for n in mine:
                    self.callers[n] = names
                unknown = set() if mine else {text}
            if unknown:
                raise ValueError(f"line {number}: unknown {unknown}")

    def find(self, frame):
        """The function's plain name; None: a frame of another file; "": no such function."""
        if frame not in self.found:
            self.found[frame] = self._find(frame)
        return self.found[frame]

    def _find(self, frame):
        if frame.file != self.shown:
            return None
        for plain, node in self.nodes.items():
            name = node.qualname if self.minor >= 11 else node.name
            if name == lib.FIRST.sub("", frame.name) and (frame.line is None or
                                       node.first <= frame.line <= node.last):
                return plain
        return ""

    def edge(self, caller, line, callee):
        """Can `caller` at `line` call `callee`? None stands for code of another file."""
        if caller is None and callee is None or "any" in self.callers.get(callee, ()):
            return True
        if caller is None:
            return "*" in self.callers.get(callee, ())
        wanted = self.calls.get(line, ())
        return "*" in wanted if callee is None else callee in wanted

    def rooted(self, plain):
        if plain is None:
            return self.foreign_root
        return plain == "<module>" or "root" in self.callers.get(plain, ())

    def problem(self, frames):
        """Why this stack is impossible, or None. Frames are root first; at a marker frames are
        missing, so the call across it is not checked."""
        pairs = set(zip(frames, frames[1:]))
        if frames and frames[0] in self.starts and pairs <= self.pairs:
            return None
        why = self._problem(frames)
        if frames and not why:
            self.starts.add(frames[0])
            self.pairs |= pairs
        return why

    def _problem(self, frames):
        cut = False
        before, line = None, None
        for index, f in enumerate(frames):
            if f.name.startswith("[") and f.file is None:
                before, cut = None, True
                continue
            found = self.find(f)
            if found == "":
                return f"no function {f.name} with line {f.line}"
            if index == 0 and not self.rooted(found):
                return f"{f.name} is no root"
            if index and not cut and not self.edge(before, line, found):
                return f"{frames[index - 1].name}:{line} does not call {f.name}"
            before, line, cut = found, f.line, False
        return None if frames else "empty"


def judge(graph, stacks, expected_root=None):
    """Counts a recording's samples: all, with a marker, without a line, impossible."""
    total = marked = unlined = impossible = 0
    examples = {}
    for s in stacks:
        frames = set(s.frames)
        total += s.count
        marked += s.count * any(f.file is None for f in frames)
        unlined += s.count * any(f.file and f.line is None for f in frames)
        why = graph.problem(s.frames)
        if not why and expected_root is not None and s.root != expected_root:
            why = f"root is {s.root}, not {expected_root}"
        if why:
            impossible += s.count
            text = ";".join(f"{f.name}:{f.line}" for f in s.frames[-10:])
            examples.setdefault(why, text)
    lines = [f"{why}: {text}" for why, text in list(examples.items())[:6]]
    return Verdict(total, marked, unlined, impossible, "\n".join(lines))


def own_frames(stacks, path):
    """Removes the frames that a frozen program has between the root and the script's module."""
    def cut(s):
        first = next((i for i, f in enumerate(s.frames)
                      if f.name == "<module>" and f.file == path), 0)
        return s._replace(frames=s.frames[first:])
    return [cut(s) for s in stacks]


def load(path, shown, version):
    with open(path, encoding="utf-8") as f:
        return Graph(f.read(), shown, version)
