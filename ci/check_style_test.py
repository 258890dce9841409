"""check_style.py: each rule fires on what it forbids, and on nothing else."""

import unittest

import check_style


class CheckStyle(unittest.TestCase):
    def test_long_file_is_an_error_and_a_longish_one_a_warning(self):
        errors, warnings = check_style.check_length({"vm/a.h": "\n" * 601, "vm/b.h": "\n" * 501, "vm/c.h": "\n"})
        self.assertEqual(len(errors), 1)
        self.assertEqual(len(warnings), 1)

    def test_thread_local_stands_in_one_place_of_locking(self):
        line = "thread_local int x;\n"
        self.assertEqual(check_style.check_thread_local({"locking/a.h": line, "locking/a.cc": line}), [])
        self.assertEqual(check_style.check_thread_local({"locking/a.cc": line}), [])
        self.assertEqual(check_style.check_thread_local({"locking/a.cc": line, "locking/b.cc": f"// {line}"}), [])
        self.assertEqual(len(check_style.check_thread_local({"locking/a.cc": line, "locking/b.cc": line})), 1)
        self.assertEqual(len(check_style.check_thread_local({"vm/a.cc": line})), 1)

    def test_what_synchronises_goes_through_locking(self):
        for code in (
            "std::mutex m;",
            "std::shared_mutex m;",
            "std::thread t;",
            "std::atomic<int> a;",
            "std::atomic_flag a;",
            "std::condition_variable_any c;",
            "std::latch l(1);",
            "std::binary_semaphore s(1);",
            "std::call_once(o, f);",
            "std::promise<int> p;",
            "pthread_create(x);",
            "sem_post(&s);",
            "__atomic_load_n(p, 0);",
            "absl::Now();",
            "auto t = std::chrono::steady_clock::now();",
            "clock_gettime(CLOCK_MONOTONIC, &now);",
            "usleep(1);",
            "int i = rand();",
            "getrandom(p, 8, 0);",
        ):
            with self.subTest(code):
                self.assertEqual(len(check_style.check_one_rule({"vm/a.cc": code}, {})), 1)
                self.assertEqual(check_style.check_one_rule({"locking/a.cc": code}, {}), [])

    def test_harmless_code_passes(self):
        for code in ("// std::mutex", 'Say("std::thread");', "operand(x); /* rand() */", "OldestTime(x); run_time(x);", "locking::Mutex m;"):
            with self.subTest(code):
                self.assertEqual(check_style.check_one_rule({"vm/a.cc": code}, {}), [])

    def test_line_number_counts_comments(self):
        errors = check_style.check_one_rule({"vm/a.cc": "/*\n\n*/\nstd::mutex m;\n"}, {})
        self.assertTrue(errors[0].startswith("vm/a.cc:4:"))

    def test_allow_list_holds_only_what_needs_it(self):
        allowed = {"stress/host.cc": "starts the process"}
        self.assertEqual(check_style.check_one_rule({"stress/host.cc": "std::thread t;"}, allowed), [])
        self.assertEqual(len(check_style.check_one_rule({"stress/host.cc": "int x;"}, allowed)), 1)
        self.assertEqual(len(check_style.check_one_rule({}, allowed)), 1)


if __name__ == "__main__":
    unittest.main()
