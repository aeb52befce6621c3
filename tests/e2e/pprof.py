# SPDX-License-Identifier: BSD-2-Clause
"""Reads pprof files: parses the text that `protoc --decode` prints."""

import gzip
import os
import re
import shutil
import subprocess

import lib

PROTO = os.path.join(lib.interpreters.HERE, "profile.proto")
TOKEN = re.compile(r'\s*(?:(\w+) \{|(\})|(\w+): (?:(-?\d+)|"((?:[^"\\]|\\.)*)")$)')
ESCAPE = re.compile(r"\\(?:([0-7]{3})|(.))")
NAMED = {"n": "\n", "r": "\r", "t": "\t"}


def protoc():
    if not shutil.which("protoc"):
        raise lib.Skip("no protoc")
    return "protoc"


def unescape(text):
    """Decodes a string of protoc's text, in which all other than ASCII bytes are octal escapes."""
    def byte(m):
        return chr(int(m[1], 8)) if m[1] else NAMED.get(m[2], m[2])
    return ESCAPE.sub(byte, text).encode("latin-1").decode("utf-8")


def parse(text):
    """{field: [values]} of a message; a value is a number, a string or another such dict."""
    stack = [{}]
    for line in text.splitlines():
        m = TOKEN.match(line)
        if not m:
            raise ValueError(f"protoc says: {line!r}")
        if m[1]:
            stack[-1].setdefault(m[1], []).append({})
            stack.append(stack[-1][m[1]][-1])
        elif m[2]:
            stack.pop()
        else:
            stack[-1].setdefault(m[3], []).append(unescape(m[5]) if m[4] is None else int(m[4]))
    return stack[0]


def decode(path):
    """The Profile message of a file."""
    with gzip.open(path) as f:
        r = subprocess.run([protoc(), "--proto_path", os.path.dirname(PROTO), "--decode=Profile", PROTO],
                           input=f.read(), capture_output=True, timeout=lib.PATIENCE)
    if r.returncode:
        raise RuntimeError(f"protoc: {r.stderr.decode()[-500:]}")
    return parse(r.stdout.decode("ascii"))


def one(message, field):
    return message.get(field, [0])[0]


def unknown(message, path=""):
    """Paths of fields that profile.proto does not define."""
    for field, values in message.items():
        if field.isdigit():
            yield f"{path}{field}"
        for value in values:
            if isinstance(value, dict):
                yield from unknown(value, f"{path}{field}.")


def samples(message):
    """[(((name, file, line), ...) root first, [values], {label: text or number})]"""
    text = message["text"]
    functions = {one(f, "id"): (text[one(f, "name")], text[one(f, "file")]) for f in message["function"]}
    frames = {}
    for location in message["location"]:
        line = one(location, "line")
        if line:
            frames[one(location, "id")] = (*functions[one(line, "function")], one(line, "line"))
        else:  # a function without a name
            frames[one(location, "id")] = (hex(one(location, "address")), "", 0)
    for s in message["sample"]:
        labels = {text[one(x, "key")]: one(x, "number") or text[one(x, "text")] for x in s.get("label", ())}
        yield tuple(frames[i] for i in reversed(s.get("location", ()))), s["value"], labels
