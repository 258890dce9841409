"""The defect corpus: the VM with one planted bug, and a test that the harness finds it."""

load("//third_party:copts.bzl", "TEST_COPTS")

# Within which each must be found; most take a few.
_EXECUTIONS = 4000

def vm_defect(name, source, workload, expect, command):
    """A copy of one file of vm/ with NAME.patch applied, and tests of the VM that holds it.

    The patched object is linked before the library, whose own member is then never pulled in: a
    variant costs the compilation of one file.

    Args:
      name: of the patch, and of the test
      source: the file in vm/ that the patch changes
      workload: what is run (see tests/vm/workload.h)
      expect: ids of findings of which the first failing execution must report one
      command: flags of `vmstress explore` with which the command finds it too, between spaces; None:
        not asked
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
        srcs = [patched],
        args = [
            "--workload=" + workload,
            "--expect=" + ",".join(expect),
            "--executions=%d" % _EXECUTIONS,
        ],
        copts = TEST_COPTS,
        tags = ["concurrency"],
        deps = [":defect_test"],
    )
    if command == None:
        return
    native.cc_binary(
        name = name + "_vmstress",
        testonly = True,
        srcs = [patched],
        copts = TEST_COPTS,
        deps = ["//stress:main"],
    )
    native.cc_test(
        name = name + "_command",
        size = "medium",
        args = [
            ",".join(expect),
            "explore",
            "--executions=%d" % _EXECUTIONS,
        ] + command.split(" "),
        data = [name + "_vmstress"],
        env = {"VMSTRESS": "$(rootpath %s_vmstress)" % name},
        tags = ["concurrency"],
        deps = [":command_test"],
    )
