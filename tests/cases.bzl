"""Tests whose cases other programs are made of too."""

load("//third_party:copts.bzl", "TEST_COPTS")

def cases_test(name, srcs, deps, size, tags = []):
    """A test, and its cases as a library: tests/mutants links them with a validator that is broken.

    Args:
      name: of the test; the library is NAME_cases
      srcs: as of a test
      deps: as of a test, without gtest
      size: of the test
      tags: of the test
    """
    native.cc_library(
        name = name + "_cases",
        testonly = True,
        srcs = srcs,
        copts = TEST_COPTS,
        visibility = ["//tests/mutants:__pkg__"],
        deps = deps + ["@com_google_googletest//:gtest_main"],
        alwayslink = True,
    )
    native.cc_test(
        name = name,
        size = size,
        tags = tags,
        deps = [":" + name + "_cases"],
    )
