"""Compiler options of our own code: every cc_* target takes one of the two lists."""

# What the headers of a dependency would warn about is not ours to mend.
_FOREIGN_HEADERS = [
    "absl/",
    "benchmark/",
    "gmock/",
    "gtest/",
    "oneapi/",
    "tbb/",
]

VMSTRESS_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
] + select({
    "//third_party:clang": ["--system-header-prefix=" + prefix for prefix in _FOREIGN_HEADERS],
    "//conditions:default": [],
})

# For locking/ and vm/: Clang's thread-safety analysis, in which a violation is an error.
ANALYSED_COPTS = VMSTRESS_COPTS + select({
    "//third_party:clang": [
        "-Wthread-safety",
        "-Wthread-safety-beta",
    ],
    "//conditions:default": [],
})

# Tests break locking rules on purpose: the analysis is off there.
TEST_COPTS = VMSTRESS_COPTS + select({
    "//third_party:clang": ["-Wno-thread-safety"],
    "//conditions:default": [],
})

# For what runs on every fibre (locking/sched, the strategies): its state moves between fibres without
# a happens-before edge on purpose, so no sanitizer may look at it. Optimised in every configuration,
# so that small functions of shared headers are inlined and no instrumented copy of them is called.
UNINSTRUMENTED_COPTS = ANALYSED_COPTS + [
    "-O2",
    "-fno-sanitize=all",
]
