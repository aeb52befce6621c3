# SPDX-License-Identifier: BSD-2-Clause
"""Installs viewers of krait's output formats from npm into the cache, and runs them."""

import os
import shutil
import subprocess
import tempfile

import interpreters
import lib

PATIENCE = 60  # seconds for a download


def run(argv, what, **more):
    """Standard output of a command; Skip if it fails."""
    try:
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=PATIENCE, **more)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise lib.Skip(f"{what}: {e}")
    if r.returncode:
        raise lib.Skip(f"{what}: {(r.stderr.strip().splitlines() or ['failed'])[0]}")
    return r.stdout


def cached(name, make):
    """The folder of that name in the cache, which make(folder) fills."""
    path = os.path.join(interpreters.CACHE, name)
    if os.path.isdir(path):
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=path + ".") as fresh:
        made = os.path.join(fresh, "made")
        os.mkdir(made)
        make(made)
        try:
            os.rename(made, path)
        except OSError:
            if not os.path.isdir(path):  # else another test was faster
                raise
    return path


def node_modules(name, packages):
    """The folder with these npm packages, each NAME@VERSION."""
    def install(folder):
        run(["npm", "install", "--no-save", "--ignore-scripts", "--fetch-retries", "0",
             "--loglevel", "error", "--prefix", folder, *packages], "npm install")
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            raise lib.Skip(f"no {tool}")
    versions = "-".join(p.rpartition("@")[2] for p in packages)
    return os.path.join(cached(f"npm/{name}-{versions}", install), "node_modules")


def command(argv, **more):
    """Standard output of a command; RuntimeError if it fails."""
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=lib.PATIENCE,
                       **more)
    if r.returncode:
        raise RuntimeError(f"{argv[1]}: status {r.returncode}: {r.stderr.decode()[-500:]}")
    return r.stdout.decode("utf-8")
