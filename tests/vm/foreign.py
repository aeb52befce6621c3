# SPDX-License-Identifier: BSD-2-Clause
"""Interpreters of a foreign architecture: trees that are unpacked here, and run and identified in a
guest.

    of(arch)    (rows, [(what, reason)] of absent ones); arch is Debian's name of an architecture"""

import os
import sys
from dataclasses import dataclass
from typing import Optional

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
import interpreters  # noqa: E402
import ways  # noqa: E402

# 3.9.6 is the oldest of these builds for aarch64.
RELOCATABLE_VERSIONS = ("3.9.6-1.5.6", "3.10.2-1.5.7", "3.12.1-1.5.10", "3.14.3-1.5.13")


@dataclass(frozen=True)
class Foreign:
    argv: tuple
    where: str  # the label's text after the version
    trees: tuple  # folders of this machine that the guest needs, at the same paths
    root: Optional[str] = None  # the tree to chroot into
    way: bool = False  # labelled as in ways.py


def _debian(suite, name, arch):
    tree = interpreters.root(suite, arch)
    return Foreign(("chroot", tree, f"/usr/bin/{name}"), suite, (tree,), tree)


def _wheel(name, arch):
    command = ways.wheel_command(name, arch)
    return Foreign((command,), "wheel", (os.path.dirname(os.path.dirname(command)),),
                   way=name in ways.WHEEL_NAMES)


def _standalone(version, arch):
    tree = ways.standalone_tree(version, arch)
    return Foreign((ways.command_in(tree),), "standalone build", (tree,), way=True)


def _relocatable(version, arch):
    tree = ways.relocatable_tree(version, arch)
    return Foreign((ways.command_in(tree),), "relocatable build", (tree,), way=True)


def _makers(arch):
    for suite, names in interpreters.ROOTS.items():
        for name in names:
            yield f"Debian {suite} {name}", _debian, (suite, name, arch)
    for name in sorted({*interpreters.WHEELS, *ways.WHEEL_NAMES}):
        yield f"wheel, {name}", _wheel, (name, arch)
    for version in ways.STANDALONE_VERSIONS:
        yield f"standalone build {version}", _standalone, (version, arch)
    for version in RELOCATABLE_VERSIONS:
        yield f"relocatable build {version}", _relocatable, (version, arch)


def of(arch):
    found, absent = [], []
    for what, make, arguments in _makers(arch):
        try:
            found.append(make(*arguments))
        except interpreters.Unavailable as e:
            absent.append((what, str(e)))
    return found, absent
