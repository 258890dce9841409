"""The defect corpus: the VM with one planted bug, and a test that the harness finds it."""

load("//third_party:copts.bzl", "TEST_COPTS")

def vm_defect(name, source, workload, expect, executions = 1000):
    """A copy of one file of vm/ with NAME.patch applied, and a test of the VM that holds it.

    The patched object is linked before the library, whose own member is then never pulled in: a
    variant costs the compilation of one file.

    Args:
      name: of the patch, and of the test
      source: the file in vm/ that the patch changes
      workload: what is run (see tests/vm/workload.h)
      expect: ids of findings of which the first failure must have one
      executions: within which it must be found
    """
    patched = name + "_" + source.replace("/", "_")
    native.genrule(
        name = name + "_source",
        srcs = [
            "//vm:" + source,
            name + ".patch",
        ],
        outs = [patched],
        # A patch that applies only with fuzz has to be looked at again.
        cmd = "cp -L $(location //vm:%s) $@ && chmod u+w $@ && " % source +
              "patch --quiet --fuzz=0 $@ $(location %s.patch)" % name,
    )
    native.cc_test(
        name = name,
        size = "medium",
        srcs = [
            patched,
            "defect_test.cc",
        ],
        args = [
            "--workload=" + workload,
            "--expect=" + ",".join(expect),
            "--executions=%d" % executions,
        ],
        copts = TEST_COPTS,
        tags = ["concurrency"],
        deps = [
            "//locking/explore",
            "//locking/witness",
            "//tests/vm:workload",
            "@com_google_googletest//:gtest",
        ],
    )
