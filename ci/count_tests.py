#!/usr/bin/env python3
"""Counts the test cases of one ci/test run and prints `N passed, N failed, N skipped`.

The folder named on the command line holds `cases` (a line `outcome TAB name` for each case of the
script itself) and for each run of Bazel NAME.bep (its build events) and NAME.status (its exit code).
"""

import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree
from collections import Counter


def outcome_of_case(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None or case.get("status") == "notrun":
        return "skipped"
    return "passed"


def cases_of_result(label, result):
    """The cases of one run of a test target; a run without a report is one case."""
    passed = result.get("status") in ("PASSED", "FLAKY")
    cases = []
    for output in result.get("testActionOutput", []):
        path = urllib.parse.unquote(urllib.parse.urlparse(output.get("uri", "")).path)
        if output.get("name") == "test.xml" and pathlib.Path(path).is_file():
            try:
                root = xml.etree.ElementTree.parse(path).getroot()
            except xml.etree.ElementTree.ParseError:
                continue  # The test died while it wrote its report.
            for case in root.iter("testcase"):
                name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
                cases.append((outcome_of_case(case), f"{label} {name}"))
    if not passed and all(outcome != "failed" for outcome, _ in cases):
        # Every case passed and the run did not: a sanitizer's report at exit, a crash, a time-out.
        cases.append(("failed", f"{label} ({result.get('status', 'no status')})"))
    return cases or [("passed", label)]


def cases_of_bazel(name, events, status):
    runs = {}
    broken = {}
    for event in events:
        identity = event.get("id", {})
        if "testResult" in identity:
            test = identity["testResult"]
            # A later attempt of the same run replaces the earlier one.
            runs[(test["label"], test.get("run", 1), test.get("shard", 1))] = event["testResult"]
        elif "targetCompleted" in identity and not event.get("completed", {}).get("success"):
            reason = event.get("aborted", {}).get("reason", "does not build")
            broken[identity["targetCompleted"]["label"]] = reason
    cases = []
    for (label, _, _), result in runs.items():
        cases += cases_of_result(label, result)
    for label, reason in broken.items():
        outcome = "skipped" if reason == "SKIPPED" else "failed"
        cases.append((outcome, f"{label} ({reason})"))
    if status != 0 and all(outcome != "failed" for outcome, _ in cases):
        cases.append(("failed", f"bazel (exit {status})"))
    return [(outcome, f"[{name}] {case}") for outcome, case in cases]


def read_events(path):
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = []
    if (folder / "cases").is_file():
        for line in (folder / "cases").read_text().splitlines():
            cases.append(tuple(line.split("\t", 1)))
    for status in sorted(folder.glob("*.status")):
        found = cases_of_bazel(
            status.stem, read_events(status.with_suffix(".bep")), int(status.read_text())
        )
        count = Counter(outcome for outcome, _ in found)
        print(f"{status.stem}: {count['passed']} of {len(found)} passed")
        cases += found
    for outcome, case in cases:
        if outcome != "passed":
            print(f"{outcome}: {case}")
    count = Counter(outcome for outcome, _ in cases)
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
