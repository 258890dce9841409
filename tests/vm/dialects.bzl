"""Tests that run in several dialects of the machine."""

load("//third_party:copts.bzl", "TEST_COPTS")

# What each test runs in besides the default: each lock dialect and each index once.
_DIALECTS = {
    "giant_splay": {
        "VM_LOCKS": "giant",
        "VM_INDEX": "splay",
    },
    "per_page_rbtree": {
        "VM_LOCKS": "per-page",
        "VM_INDEX": "rbtree",
    },
}

def vm_test(name, deps):
    """A test of the VM in its default dialect, as NAME, and one for each other dialect.

    Machines are built in the dialect that tests/vm/in_dialect.h reads from the environment.

    Args:
      name: of the test; its source is NAME.cc
      deps: of the test, without gtest
    """
    native.cc_library(
        name = name + "_cases",
        testonly = True,
        srcs = [name + ".cc"],
        copts = TEST_COPTS,
        deps = deps + ["@com_google_googletest//:gtest_main"],
        alwayslink = True,
    )
    native.cc_test(
        name = name,
        size = "small",
        tags = ["concurrency"],
        deps = [":" + name + "_cases"],
    )
    for dialect, environment in _DIALECTS.items():
        native.cc_test(
            name = name + "_" + dialect,
            size = "small",
            env = environment,
            tags = ["concurrency"],
            deps = [":" + name + "_cases"],
        )
