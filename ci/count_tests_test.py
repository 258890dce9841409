"""count_tests.py: what each report of Bazel counts as."""

import pathlib
import tempfile
import unittest
from collections import Counter

import count_tests

REPORT = """<testsuites><testsuite name="S">
  <testcase name="A" classname="S" status="run"/>
  <testcase name="B" classname="S" status="run"><skipped/></testcase>
  <testcase name="DISABLED_C" classname="S" status="notrun"/>
  %s
</testsuite></testsuites>"""
FAILED_CASE = '<testcase name="D" classname="S" status="run"><failure message="no"/></testcase>'


class CountTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def result(self, status, report=None, **identity):
        outputs = []
        if report is not None:
            path = pathlib.Path(self.folder.name) / "test.xml"
            path.write_text(report)
            outputs = [{"name": "test.xml", "uri": path.as_uri()}]
        return {
            "id": {"testResult": {"label": "//a:b", **identity}},
            "testResult": {"status": status, "testActionOutput": outputs},
        }

    def count(self, events, status=0):
        cases = count_tests.cases_of_bazel("fastbuild", events, status)
        return dict(Counter(outcome for outcome, _ in cases))

    def test_cases_of_a_report(self):
        self.assertEqual(self.count([self.result("PASSED", REPORT % "")]), {"passed": 1, "skipped": 2})
        failed = self.count([self.result("FAILED", REPORT % FAILED_CASE)], 3)
        self.assertEqual(failed, {"passed": 1, "skipped": 2, "failed": 1})

    def test_failed_run_whose_cases_all_passed(self):
        self.assertEqual(self.count([self.result("FAILED", REPORT % "")], 3)["failed"], 1)

    def test_broken_or_absent_report_is_one_case(self):
        self.assertEqual(self.count([self.result("PASSED")]), {"passed": 1})
        self.assertEqual(self.count([self.result("TIMEOUT", "<testsuites><te")], 3), {"failed": 1})

    def test_last_attempt_counts(self):
        events = [self.result("FAILED", None, attempt=1), self.result("PASSED", None, attempt=2)]
        self.assertEqual(self.count(events), {"passed": 1})

    def test_target_that_does_not_build(self):
        event = {"id": {"targetCompleted": {"label": "//a:b"}}, "completed": {}}
        self.assertEqual(self.count([event], 1), {"failed": 1})

    def test_bazel_that_failed_without_a_word(self):
        self.assertEqual(self.count([], 4), {"failed": 1})


if __name__ == "__main__":
    unittest.main()
