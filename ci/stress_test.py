"""ci/stress: what it refuses before it builds anything."""

import os
import pathlib
import subprocess
import unittest

STRESS = pathlib.Path(__file__).resolve().parent / "stress"


class Stress(unittest.TestCase):
    def test_unknown_configuration_is_one_line_and_exit_2(self):
        environment = {**os.environ, "VMSTRESS_CONFIG": "fast"}
        result = subprocess.run([STRESS], env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"\AVMSTRESS_CONFIG=fast; accepted: tsan, .*\n\Z")


if __name__ == "__main__":
    unittest.main()
