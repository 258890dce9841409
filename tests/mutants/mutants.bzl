"""Mutants of the validator: a copy of one file of locking/ that is wrong, and a test that its tests notice."""

load("//third_party:copts.bzl", "TEST_COPTS")

# The cases that a mutant is linked with, by a short name.
_CASES = {
    "cycle_search": "//tests/witness:cycle_search_test_cases",
    "check": "//tests/explore:check_test_cases",
    "directed": "//tests/explore:directed_test_cases",
    "explored_interrupt": "//tests/explore:interrupt_test_cases",
    "interrupt": "//tests/locking:interrupt_test_cases",
    "limits": "//tests/witness:limits_test_cases",
    "moment": "//tests/locking:moment_test_cases",
    "order_book": "//tests/witness:order_book_test_cases",
    "primitives_explore": "//tests/explore:primitives_explore_test_cases",
    "programs": "//tests/explore:programs_test_cases",
    "scenarios": "//tests/witness:scenarios_test_cases",
    "unwind": "//tests/explore:unwind_test_cases",
    "watchdog": "//tests/witness:watchdog_test_cases",
    "witness": "//tests/witness:witness_test_cases",
}

def mutant(name, source, cases, filter):
    """NAME.patch applied to one file of locking/, and a test that passes if and only if tests fail by it.

    The patched object is linked before the library, whose own member is then never pulled in: a
    mutant costs the compilation of one file. One compiler is enough: what is tested is the tests.

    Args:
      name: of the patch, and of the test
      source: the file in locking/ that the patch changes, as a label
      cases: which tests must notice it: a key of _CASES
      filter: those of them that do, for GoogleTest
    """
    patched = name + "_" + source.split(":")[1].replace("/", "_")
    native.genrule(
        name = name + "_source",
        srcs = [
            source,
            name + ".patch",
        ],
        outs = [patched],
        cmd = "cp -L $(location %s) $@ && chmod u+w $@ && " % source +
              "patch --quiet --fuzz=0 $@ $(location %s.patch)" % name,
    )
    native.cc_binary(
        name = name + "_tests",
        testonly = True,
        srcs = [patched],
        copts = TEST_COPTS,
        target_compatible_with = select({
            "//third_party:clang": [],
            "//conditions:default": [":another_compiler"],
        }),
        deps = [_CASES[cases]],
    )
    native.sh_test(
        name = name,
        size = "small",
        srcs = ["must_fail"],
        args = [
            "$(location %s_tests)" % name,
            "--gtest_filter='%s'" % filter,
        ],
        data = [name + "_tests"],
        target_compatible_with = select({
            "//third_party:clang": [],
            "//conditions:default": [":another_compiler"],
        }),
    )
