#include "stress/command/build_info.h"

#include "stress/command/build_stamp.h"
#include "stress/host/machine.h"

#if defined(__has_feature)
#define STRESS_HAS_FEATURE(x) __has_feature(x)
#else
#define STRESS_HAS_FEATURE(x) 0
#endif

namespace stress {

const char kVersion[] = "0.1.0";

const char* BuildConfig() {
#if STRESS_HAS_FEATURE(thread_sanitizer) || defined(__SANITIZE_THREAD__)
  return "tsan";
#elif STRESS_HAS_FEATURE(address_sanitizer) || defined(__SANITIZE_ADDRESS__)
  return "asan";
#elif STRESS_HAS_FEATURE(undefined_behavior_sanitizer)
  return "ubsan";
#elif defined(NDEBUG)
  return "release";
#else
  return "fastbuild";
#endif
}

bool BuiltWithSanitizer() {
  const std::string config = BuildConfig();
  return config != "release" && config != "fastbuild";
}

std::string BuildCommit() {
  const std::string commit = kBuildCommit;
  return commit.empty() || commit == "redacted" ? "unknown" : commit;
}

std::string BuildCompiler() {
#if defined(__clang__)
  return std::string("clang ") + __clang_version__;
#else
  return std::string("gcc ") + __VERSION__;
#endif
}

nlohmann::ordered_json BuildJson() {
  return {{"version", kVersion},
          {"commit", BuildCommit()},
          {"compiler", BuildCompiler()},
          {"config", BuildConfig()}};
}

nlohmann::ordered_json HostJson() {
  return {{"cores", UsableCores()},
          {"memory_bytes", HostMemoryBytes()},
          {"system", HostSystem()},
          {"cpu", HostCpuModel()}};
}

std::string VersionLine() {
  return std::string("vmstress ") + kVersion + ", commit " + BuildCommit() + ", " +
         BuildCompiler() + ", " + BuildConfig();
}

}  // namespace stress
