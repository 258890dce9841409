#!/usr/bin/env python3
"""The rules of the sources that neither the compiler nor the formatter checks."""

import os
import re
import sys

SOURCE_FOLDERS = ("locking", "vm", "stress", "bench", "tests")
SOURCE_SUFFIXES = (".h", ".cc", ".py", ".sh")
LINES_WARN = 500
LINES_MAX = 600

# The one rule: in these folders everything that synchronises, starts a thread, reads a clock or draws
# a random number goes through locking/, so that one source runs in all three modes.
RULED_FOLDERS = ("vm", "stress")
FORBIDDEN = re.compile(
    r"std::(?:recursive_|shared_|timed_|shared_timed_|recursive_timed_)?mutex\b"
    r"|std::(?:thread|jthread|this_thread|async|random_device)\b"
    r"|std::(?:atomic\w*|condition_variable\w*|latch|barrier|\w+_semaphore)\b"
    r"|std::(?:call_once|once_flag|promise|future|shared_future|packaged_task)\b"
    r"|\b(?:pthread|sem|__atomic|__sync)_\w+"
    r"|\babsl::(?:Mutex|CondVar|Notification|Now|SleepFor)\b"
    r"|std::chrono::[\w:]*now\b"
    r"|\b(?:time|gettimeofday|clock_gettime|sleep|usleep|nanosleep|clock_nanosleep)\("
    r"|\b(?:s?rand|getrandom)\("
)
# The few files that face the host, each with its reason.
HOST_FACING = {
    "stress/host/crash.cc": "a dying process takes no lock and is no scheduling point",
    "stress/host/events.cc": "signal handlers take no lock",
    "stress/host/machine.cc": "the day of a result, and the seed of a run that names none",
    "stress/host/sanitizer.cc": "called inside the sanitizers' runtimes, under their locks",
}

COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def code_only(text):
    """The text without comments and strings, line by line as before."""
    return COMMENT_OR_STRING.sub(lambda match: "\n" * match.group().count("\n"), text)


def read_sources(root):
    sources = {}
    for folder in SOURCE_FOLDERS:
        for path, folders, files in os.walk(os.path.join(root, folder)):
            folders.sort()
            for name in sorted(files):
                if name.endswith(SOURCE_SUFFIXES):
                    full = os.path.join(path, name)
                    with open(full, encoding="utf-8") as file:
                        sources[os.path.relpath(full, root)] = file.read()
    return sources


def folder_of(path):
    return path.split("/", 1)[0]


def check_length(sources):
    errors, warnings = [], []
    for path, text in sources.items():
        lines = text.count("\n")
        if lines > LINES_MAX:
            errors.append(f"{path}: {lines} lines, at most {LINES_MAX}: is it about one thing?")
        elif lines > LINES_WARN:
            warnings.append(f"{path}: {lines} lines, better at most {LINES_WARN}")
    return errors, warnings


def check_thread_local(sources):
    found = [
        path
        for path, text in sources.items()
        if folder_of(path) in ("locking", "vm", "stress")
        and re.search(r"\bthread_local\b", code_only(text))
    ]
    errors = [f"{path}: thread_local outside locking/" for path in found if folder_of(path) != "locking"]
    # A header that declares it and the .cc that defines it are one.
    inside = sorted({os.path.splitext(path)[0] for path in found if folder_of(path) == "locking"})
    if len(inside) > 1:
        errors.append(f"thread_local stands in more than one place: {', '.join(inside)}")
    return errors


def check_one_rule(sources, host_facing):
    errors = []
    for path, text in sources.items():
        if folder_of(path) not in RULED_FOLDERS or not path.endswith((".h", ".cc")):
            continue
        hits = [
            (number, match.group())
            for number, line in enumerate(code_only(text).splitlines(), 1)
            for match in FORBIDDEN.finditer(line)
        ]
        if path in host_facing:
            if not hits:
                errors.append(f"{path}: listed in HOST_FACING, and no longer needs to be")
            continue
        errors += [f"{path}:{number}: {what}: go through locking/" for number, what in hits]
    errors += [f"{path}: listed in HOST_FACING, and not there" for path in host_facing if path not in sources]
    return errors


def main():
    sources = read_sources(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    errors, warnings = check_length(sources)
    errors += check_thread_local(sources)
    errors += check_one_rule(sources, HOST_FACING)
    for line in warnings:
        print(f"warning: {line}")
    for line in errors:
        print(f"error: {line}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
