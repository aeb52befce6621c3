#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The test run itself: every way in which a program can be no good is a failure with its reason, programs
# run beside each other only where they say so, and a bound is judged by fresh data before it fails.
set -uo pipefail
# shellcheck source=tests/build/lib.sh
. "$(dirname "$0")/lib.sh"

mkdir -p "$tmp/tests/e2e" "$tmp/out"
cp "$top/tests/run.sh" "$tmp/tests"
cp "$top"/tests/e2e/{lib,interpreters}.py "$tmp/tests/e2e"

# program NAME: an end-to-end test with the text of standard input.
program() {
	{
		echo 'import lib, os, sys, time'
		cat
	} >"$tmp/tests/e2e/t_$1.py"
}

# run LIMIT [SUITE...]: all of them, in $tmp/run; its status.
run() {
	local limit=$1
	shift
	OUTPUT=$tmp/out TEST_TIMEOUT=$limit "$tmp/tests/run.sh" "${@:-e2e}" >"$tmp/run" 2>&1
}

# says TEXT: the last run did.
says() {
	grep -qF -- "$1" "$tmp/run" || {
		cat "$tmp/run"
		false
	}
}

program fine <<'EOT'
t = lib.Tap()
t.ok(True, "a fact")
t.skip("another", "for a reason")
t.done()
EOT
ok "a run in which all is right passes" run 20
ok "its counts" says "1 passed, 0 failed, 1 skipped"
ok "its skips, with their reasons" says "e2e/t_fine.py: 2 - another: for a reason"
ok "its slowest programs" says "s  e2e/t_fine.py"

program bad <<'EOT'
t = lib.Tap()
t.ok(False, "no fact", "because")
t.done()
EOT
program dies <<'EOT'
os.kill(os.getpid(), 9)
EOT
program planless <<'EOT'
print("ok 1 - a fact")
EOT
program short <<'EOT'
print("1..2\nok 1 - a fact")
EOT
program slow <<'EOT'
time.sleep(60)
EOT
ok "a run with failures fails" not run 2
ok "a fact that is none" says "# because"
ok "a program that is killed" says "t_dies.py: did not end within 2 s, or was killed"
ok "a program without a plan" says "t_planless.py: printed no plan"
ok "fewer results than planned" says "t_short.py: printed 1 results of 2 planned"
ok "a program that does not end" says "t_slow.py: did not end within 2 s, or was killed"
ok "all of them are counted" says "3 passed, 5 failed, 1 skipped"
rm "$tmp"/tests/e2e/t_*.py

# Each says when it began and ended; the two that may do run at the same time.
for name in one two; do
	program $name <<EOT
# Runs beside others.
t = lib.Tap()
open("$tmp/$name", "w").close()
other = "$tmp/" + ("two" if "$name" == "one" else "one")
lib.until(lambda: os.path.exists(other), "the other runs, too", 20)
t.ok(True, "met")
t.done()
EOT
	program alone_$name <<EOT
t = lib.Tap()
os.mkdir("$tmp/alone")
time.sleep(0.2)
os.rmdir("$tmp/alone")
t.ok(True, "alone")
t.done()
EOT
done
ok "programs run beside each other where they say so" run 30
ok "and all are counted" says "4 passed, 0 failed, 0 skipped"
rm "$tmp"/tests/e2e/t_*.py

# One of each suite: they meet if suites do not wait for each other.
mkdir "$tmp/tests/build"
cat >"$tmp/tests/build/t_one.sh" <<EOT
#!/bin/bash
# Runs beside others.
touch "$tmp/shell"
for _ in {1..200}; do
	[ ! -e "$tmp/python" ] || { echo "ok 1 - met"; break; }
	sleep 0.1
done
echo 1..1
EOT
chmod +x "$tmp/tests/build/t_one.sh"
program two <<EOT
# Runs beside others.
t = lib.Tap()
open("$tmp/python", "w").close()
lib.until(lambda: os.path.exists("$tmp/shell"), "the other runs, too", 20)
t.ok(True, "met")
t.done()
EOT
ok "programs of several suites run beside each other" run 30 build e2e
ok "and all of these are counted" says "2 passed, 0 failed, 0 skipped"
rm "$tmp"/tests/e2e/t_*.py

# By name it would be the last one.
for name in first second; do
	program $name <<EOT
# Runs beside others.
t = lib.Tap()
t.ok(os.path.exists("$tmp/long") or "$name" == "first", "the long one has begun")
t.done()
EOT
done
program z <<EOT
# Runs beside others. Takes long.
t = lib.Tap()
open("$tmp/long", "w").close()
t.ok(True, "begun")
t.done()
EOT
ok "those that take long begin first" run 30
rm "$tmp"/tests/e2e/t_*.py

program trial <<'EOT'
t = lib.Tap()
data = iter([0, 1])
t.trial("luck", lambda: t.bound(next(data), "a bound that holds the second time", "first data"))
t.trial("steady", lambda: (t.bound(True, "a bound"), t.ok(True, "a fact")))
t.done()
EOT
ok "a bound that holds with fresh data passes" run 20
ok "and each result is counted once" says "3 passed, 0 failed, 0 skipped"
ok "the first data are in the log" grep -qx '# first data' "$tmp/out/test-logs/e2e-t_trial.py.out"
program trial <<'EOT'
t = lib.Tap()
t.trial("never", lambda: t.bound(False, "a bound that never holds", "data"))
data = iter([0])
t.trial("worse", lambda: (t.bound(next(data), "a bound"), t.ok(True, "a fact")))
t.trial("both", lambda: (t.bound(False, "doubt"), t.ok(False, "a fact of another kind")))
t.done()
EOT
ok "a bound that fails twice fails" not run 20
ok "so does one that is not judged again" says "not ok 3 - worse"
ok "all of that is counted" says "1 passed, 5 failed, 0 skipped"

plan
