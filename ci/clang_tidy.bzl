"""An aspect that runs clang-tidy on the sources of a target, one action a file, so that a file that did
not change costs nothing:

    bazel build --config=clang-tidy //vm/...
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

# Quiet unless something is found: clang-tidy counts on standard error what it did not show. Paths are
# those of the tree, not of the sandbox.
_COMMAND = """stamp=$1 && shift && if ! clang-tidy-19 "$@" >"$stamp" 2>&1; then sed "s|$PWD/||" "$stamp"; exit 1; fi"""

def _is_ours(target):
    return target.label.workspace_name == "" and CcInfo in target

def _compile_flags(ctx):
    cc_toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc_toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    variables = cc_common.create_compile_variables(
        cc_toolchain = cc_toolchain,
        feature_configuration = features,
        user_compile_flags = ctx.fragments.cpp.cxxopts + ctx.fragments.cpp.copts + ctx.rule.attr.copts,
    )
    return cc_common.get_memory_inefficient_command_line(
        action_name = CPP_COMPILE_ACTION_NAME,
        feature_configuration = features,
        variables = variables,
    )

def _check(target, ctx, source, flags):
    stamp = ctx.actions.declare_file("%s.%s.clang-tidy" % (ctx.label.name, source.path.replace("/", "_")))
    context = target[CcInfo].compilation_context
    arguments = ctx.actions.args()
    arguments.add(stamp)
    arguments.add(source)
    arguments.add("--quiet")
    arguments.add("--")
    arguments.add_all(flags)
    arguments.add_all(context.defines, before_each = "-D")
    arguments.add_all(context.local_defines, before_each = "-D")
    arguments.add_all(context.quote_includes, before_each = "-iquote")
    arguments.add_all(context.includes, before_each = "-I")
    arguments.add_all(context.system_includes, before_each = "-isystem")
    ctx.actions.run_shell(
        command = _COMMAND,
        arguments = [arguments],
        inputs = depset([source] + ctx.files._configs, transitive = [context.headers]),
        outputs = [stamp],
        mnemonic = "ClangTidy",
        progress_message = "Checking %s" % source.short_path,
        use_default_shell_env = True,
    )
    return stamp

def _clang_tidy_impl(target, ctx):
    if not _is_ours(target):
        return []
    sources = [f for f in getattr(ctx.rule.files, "srcs", []) if f.is_source and f.extension == "cc"]
    if not sources:
        return []
    flags = _compile_flags(ctx)
    return [OutputGroupInfo(clang_tidy = depset([_check(target, ctx, f, flags) for f in sources]))]

clang_tidy = aspect(
    implementation = _clang_tidy_impl,
    attrs = {
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_configs": attr.label(default = "//:clang_tidy_configs"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
