"""Fuzz tests: a libFuzzer program, and a test that runs it for a while."""

load("//third_party:copts.bzl", "TEST_COPTS")

def fuzz_test(name, seeds, deps, dictionary = None):
    """NAME.cc as a fuzzer, for --config=fuzz alone: other configurations lack its runtime.

    Args:
      name: of the test; the program is NAME_fuzzer
      seeds: files to start from; what once failed goes to regressions/NAME
      deps: what is fuzzed
      dictionary: a program that prints words to make inputs of
    """
    native.cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        srcs = [name + ".cc"],
        copts = TEST_COPTS,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps,
    )
    files = seeds + native.glob(["regressions/%s/*" % name])
    words = [dictionary] if dictionary else []
    native.sh_test(
        name = name,
        size = "medium",
        srcs = ["run_fuzzer"],
        args = ["$(location :%s_fuzzer)" % name] +
               (["$(location %s)" % dictionary] if dictionary else ["-"]) +
               ["$(locations %s)" % file for file in files],
        data = [":" + name + "_fuzzer"] + words + files,
        tags = ["manual"],
    )
