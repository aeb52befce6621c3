# SPDX-License-Identifier: BSD-2-Clause
"""The forms of CPython other than a distribution's python command: embedded in another program, in
a library that is loaded at run time, built by third parties with other compilers and optimizations,
relocated, renamed, frozen. Each is an Interpreter that runs [*argv, SCRIPT, *ARGUMENTS].

    all()       interpreters available here     absent()    [(what, reason)]

Downloads are made by the machine's clients (go, mvn, pip, apt-get) and kept in $KRAIT_CACHE/ways.
Builds that take minutes need TRUTH=1 or BUILD=1 (interpreters.py). """

import functools
import glob
import gzip
import json
import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace

import interpreters
import lib
from interpreters import CACHE, Interpreter, Unavailable

# Standalone builds (clang, PGO, LTO, BOLT), as uv and frozen programs contain them.
STANDALONE = "github.com/kluctl/go-embed-python"
STANDALONE_VERSIONS = ("3.11.11-20241219-1", "3.12.3-20240415-1", "3.13.1-20241219-1",
                       "3.14.6-20260610-1")
# Relocatable trees built by GCC 7 to 11, whose libpython is found by $ORIGIN.
RELOCATABLE = "org.bytedeco:cpython"
RELOCATABLE_VERSIONS = ("3.7.3-1.5.1", "3.10.2-1.5.7", "3.12.1-1.5.10", "3.14.3-1.5.13")
# Static builds by manylinux's GCC 10, of patch releases that no other source has (wheel.py).
WHEEL_NAMES = ("python3.12", "python3.13", "python3.14", "python3.15")
LIBRARIES = ("libpython3.14", "libpython3.15")  # Debian sid's
FREEZER = "pyinstaller"
# Minor versions linked into an executable without any symbols, and how.
BARE = (("3.10", "-pthread"), ("3.11", "-static"), ("3.12", "-pthread"), ("3.13", "-static"))


# --- download and cache -------------------------------------------------------------------------

def _need(*commands):
    for name in commands:
        if not shutil.which(name):
            raise Unavailable(f"no {name} here")


def _run(*argv, **more):
    """Standard output of a command that downloads."""
    try:
        r = subprocess.run(argv, capture_output=True, text=True, timeout=lib.DOWNLOAD,
                           stdin=subprocess.DEVNULL, **more)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{argv[0]} did not end within {lib.DOWNLOAD} s") from None
    if r.returncode:
        last = (r.stderr + r.stdout).strip().splitlines()[-1:] or [f"status {r.returncode}"]
        raise Unavailable(f"{argv[0]}: {last[0][:200]}")
    return r.stdout


def _cached(name, fill):
    """The folder of that name in the cache; fill(path) makes it."""
    path = os.path.join(CACHE, "ways", name)
    if os.path.isdir(path):
        return path
    fresh = f"{path}.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    os.makedirs(fresh)
    try:
        fill(fresh)
        os.rename(fresh, path)
    except OSError:
        if not os.path.isdir(path):  # else another test was faster
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return path


def _unpack(archive, inside, where):
    """Extracts a folder of a zip file, and decompresses files that are gzipped inside."""
    with zipfile.ZipFile(archive) as z:
        for name in z.namelist():
            relative = name.partition(inside)[2]
            if not relative or name.endswith("/"):
                continue
            path = os.path.join(where, relative)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            data = z.read(name)
            if path.endswith(".gz"):
                path, data = path[:-3], gzip.decompress(data)
            with open(path, "wb") as f:
                f.write(data)
    for path in glob.glob(f"{where}/bin/*"):
        os.chmod(path, 0o755)


def _other(arch):
    """The suffix of a folder's name for another architecture."""
    return "" if arch == "amd64" else f"-{arch}"


def command_in(tree):
    return next(os.path.join(tree, "bin", name) for name in os.listdir(f"{tree}/bin")
                if re.fullmatch(r"python3\.\d+", name))


def identify(argv, label, shared, **more):
    """The Interpreter that argv starts, with the version and build that it reports."""
    way = Interpreter((3, 0, 0), label, tuple(argv), shared, **more)
    path = lib.stage(way, "which.py")
    r = subprocess.run([*argv, path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=lib.PATIENCE)
    said = [x.split()[1:] for x in r.stdout.splitlines() if x.startswith("READY ")]
    if not said:
        raise RuntimeError(f"{label} does not start: {r.returncode} {r.stderr[-500:]}")
    version, debug, threaded = said[0]
    return replace(way, version=tuple(map(int, version.split("."))), label=f"{version} {label}",
                   debug=debug == "True", threaded=threaded == "True")


# --- third-party builds -------------------------------------------------------------------------

def standalone_tree(version, arch="amd64"):
    """The path of a tree; here and below, arch is Debian's name of an architecture."""
    def fill(where):
        _need("go")
        said = _run("go", "mod", "download", "-json", f"{STANDALONE}@v0.0.0-{version}", cwd="/")
        _unpack(json.loads(said)["Zip"], f"/internal/data/linux-{arch}/", where)
    return _cached(f"standalone-{version}" + _other(arch), fill)


def relocatable_tree(version, arch="amd64"):
    machine = "x86_64" if arch == "amd64" else arch

    def fill(where):
        _need("mvn")
        _run("mvn", "-q", "-B", "dependency:copy", "-Dmdep.useBaseVersion=true",
             f"-Dartifact={RELOCATABLE}:{version}:jar:linux-{machine}",
             f"-DoutputDirectory={where}", cwd="/")
        archive = glob.glob(f"{where}/*.jar")[0]
        _unpack(archive, f"org/bytedeco/cpython/linux-{machine}/", where)
        os.unlink(archive)
        for library in glob.glob(f"{where}/libpython3*.so*"):
            os.replace(library, f"{where}/lib/{os.path.basename(library)}")
    return _cached(f"relocatable-{version}" + _other(arch), fill)


def wheel_command(name, arch="amd64"):
    library = None
    if name not in interpreters.WHEELS:  # no suite has this version; use another build's library
        others = [v for v in STANDALONE_VERSIONS if name[6:] == v.rpartition(".")[0]]
        library = os.path.join(standalone_tree(others[0]), "lib", name)
    return interpreters.wheel(name, library, "x86_64" if arch == "amd64" else "aarch64")


def standalone(version):
    tree = standalone_tree(version)
    exe = command_in(tree)
    return identify([exe], "standalone build", interpreters.is_shared(exe), prefix=tree)


def relocatable(version):
    tree = relocatable_tree(version)
    return identify([command_in(tree)], "relocatable build", True, prefix=tree)


def wheel(name):
    return identify([wheel_command(name)], "wheel", False)


def built(name, label):
    return identify([os.path.join(interpreters.build(name), "python")], label, False)


def bare(minor, how):
    """pyenv's interpreter, linked from its archive: it exports nothing, and its symbols are removed."""
    found = [i for i in interpreters.all() if "%d.%d" % i.minor == minor and "pyenv" in i.label]
    archives = glob.glob(f"{found[0].prefix}/lib/python{minor}/config-*/libpython*.a") if found else []
    if not archives:
        raise Unavailable(f"no libpython{minor}.a here")
    _need("gcc", "strip")

    def fill(where):
        exe = f"{where}/bin/python{minor}"
        os.mkdir(f"{where}/bin")
        os.symlink(f"{found[0].prefix}/lib", f"{where}/lib")
        start = os.path.join(os.path.dirname(archives[0]), "python.o")
        _run("gcc", how, "-o", exe, start, archives[0], "-lpthread", "-ldl", "-lutil", "-lm")
        _run("strip", "--strip-all", exe)
    tree = _cached("bare-%d.%d.%d" % found[0].version + how, fill)
    # Whether it is the command python or another program with Python in it only symbols could tell.
    return identify([command_in(tree)], f"without symbols {how}", False, prefix=tree, embedded=True)


# --- embedded -----------------------------------------------------------------------------------

def gdb():
    _need("gdb")
    asked = 'exec gdb -nx -q -batch -ex "python import sys; sys.argv = \'$*\'.split()" -x "$1"'
    return identify(["sh", "-c", asked, "sh"], "in gdb", True, embedded=True)


def uwsgi():
    _need("uwsgi")
    asked = ('script=$1; shift; exec uwsgi --need-plugin python3 --enable-threads '
             '--pyrun "$script" --pyargv "$*" 2>&1')
    return identify(["sh", "-c", asked, "sh"], "in uwsgi", True, embedded=True)


def _compile(name, *more):
    """Builds tests/targets/embed.c with additional compiler arguments."""
    program = os.path.join(lib.OUTPUT, "targets", name)
    cc = shutil.which(os.environ.get("CC", "cc"))
    if not cc:
        raise Unavailable("no C compiler")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    fresh = f"{program}.{os.getpid()}"
    subprocess.run([cc, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", fresh,
                    os.path.join(lib.TARGETS, "embed.c"), *more], check=True)
    os.replace(fresh, program)
    return program


def linked_program(library):
    """Builds a program that is linked to that libpython, with its folder as rpath."""
    name = os.path.basename(library).partition(".so")[0]
    return _compile(f"linked-{name}", "-DLINKED", library, f"-Wl,-rpath,{os.path.dirname(library)}",
                    "-Wl,--allow-shlib-undefined")


def system_library():
    """The libpython of /usr/bin/python3's version, which gdb depends on."""
    found = glob.glob("/usr/lib/*-linux-gnu/libpython%d.%d.so.1.0" % lib.system().minor)
    if not found:
        raise Unavailable("no libpython here")
    return found[0]


def pyenv_library():
    found = [i for i in interpreters.all() if "pyenv" in i.label and i.shared]
    if not found:
        raise Unavailable("no pyenv here")
    return sorted(glob.glob(f"{found[-1].prefix}/lib/libpython3.?*.so.1.0"))[0]


def loaded(find, *options):
    label = "loaded" + "".join(f" {x}" for x in options)
    return identify([_compile("embed"), *options, find()], label, True, embedded=True)


def linked(find):
    library = find()
    return identify([linked_program(library), library], "linked", True, embedded=True)


def _debian(name):
    """(tree with Debian's newest libraries, path of one in it)"""
    tree = interpreters.root_of("sid", LIBRARIES)
    found = glob.glob(f"{tree}/usr/lib/*-linux-gnu/{name}.so.1.0")
    return tree, found[0][len(tree):]


def debian_loaded(name, *options):
    tree, library = _debian(name)
    program = lib.stage(Interpreter((), "", (), True, tree), _compile("embed"))
    label = "sid, loaded" + "".join(f" {x}" for x in options)
    return identify(["chroot", tree, program, *options, library], label, True, root=tree,
                     embedded=True)


def debian_linked(name):
    tree, library = _debian(name)
    program = lib.stage(Interpreter((), "", (), True, tree), linked_program(tree + library))
    return identify(["chroot", tree, program, library], "sid, linked", True, root=tree,
                     embedded=True)


# --- renamed, deleted, frozen -------------------------------------------------------------------

def renamed():
    def fill(where):
        shutil.copy("/usr/bin/python3", f"{where}/night-job")
    copy = os.path.join(_cached("renamed-%d.%d.%d" % lib.system().version, fill), "night-job")
    return identify([copy], "renamed", interpreters.is_shared(copy))


def deleted():
    asked = ('copy=$(mktemp) && cp /usr/bin/python3 "$copy" && chmod +x "$copy" && exec 3<"$copy" && '
             'rm "$copy" && exec /proc/self/fd/3 "$@"')
    return identify(["sh", "-c", asked, "sh"], "deleted", interpreters.is_shared("/usr/bin/python3"))


def frozen(kind):
    def fill(where):
        try:
            tool = lib.package(lib.system(), FREEZER)
        except lib.Skip as e:
            raise Unavailable(str(e)) from None
        system_library()
        _run("/usr/bin/python3", "-m", "PyInstaller", f"--{kind}", "--distpath", where,
             "--workpath", f"{where}/work", "--specpath", f"{where}/work", "--name", "night-job",
             os.path.join(lib.TARGETS, "frozen.py"), env=dict(os.environ, PYTHONPATH=tool), cwd="/")
        shutil.rmtree(f"{where}/work")
    tree = _cached("frozen-%s-%d.%d.%d" % (kind, *lib.system().version), fill)
    exe = f"{tree}/night-job" + "/night-job" * (kind == "onedir")
    return identify([exe], f"frozen, {kind}", True, embedded=True)


# --- all ----------------------------------------------------------------------------------------

def _builds():
    """[(what, function, arguments)] of third-party builds."""
    for version in STANDALONE_VERSIONS:
        yield f"standalone build {version}", standalone, (version,)
    for version in RELOCATABLE_VERSIONS:
        yield f"relocatable build {version}", relocatable, (version,)
    for name in WHEEL_NAMES:
        yield f"wheel, {name}", wheel, (name,)
    for minor, how in BARE:
        yield f"{minor} without symbols {how}", bare, (minor, how)


def _makers():
    yield "in gdb", gdb, ()
    yield "in uwsgi", uwsgi, ()
    yield "system libpython, linked", linked, (system_library,)
    for options in ((), ("-l",)):
        yield f"system libpython, loaded {options}", loaded, (system_library, *options)
        yield f"pyenv's libpython, loaded {options}", loaded, (pyenv_library, *options)
    for name in LIBRARIES:
        yield f"{name}, linked", debian_linked, (name,)
        yield f"{name}, loaded", debian_loaded, (name,)
        yield f"{name}, loaded -l", debian_loaded, (name, "-l")
    yield "renamed", renamed, ()
    yield "deleted", deleted, ()
    for kind in ("onefile", "onedir"):
        yield f"frozen, {kind}", frozen, (kind,)
    yield from _builds()
    yield "3.13 with musl", built, ("python3.13-musl", "built with musl")
    yield "3.13, static PIE", built, ("python3.13-static-pie", "static PIE")


def _made(makers):
    found, absent = [], []
    for what, make, arguments in makers:
        try:
            found.append(make(*arguments))
        except Unavailable as e:
            absent.append((what, str(e)))
    return found, absent


@functools.lru_cache(maxsize=None)
def _found():
    return _made(_makers())


def builds(*minors):
    """(interpreters, absent) of third-party builds of these minor versions, by other compilers."""
    def minor(version):
        return ".".join(version.replace("python", "").split(".")[:2])
    return _made(b for b in _builds() if minor(b[2][0]) in minors)


def all():  # noqa: A001, the name that reads best where it is used
    return list(_found()[0])


def absent():
    """[(what, reason)]: one SKIP line each."""
    return list(_found()[1])
