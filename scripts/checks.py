"""Counts what is so and what is not; a check goes on after what is not."""

import sys

passed = failed = 0


def check(what, is_so, found=""):
    global passed, failed
    if is_so:
        passed += 1
    else:
        failed += 1
        print(f"not so: {what}{': ' if found else ''}{found}", file=sys.stderr)


def end(name):
    """Says how much was so, and ends the process: with 1 if anything was not."""
    print(f"{name}: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
