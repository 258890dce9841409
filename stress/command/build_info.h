// What this binary is, and on what it runs: for --version and every JSON.
#ifndef STRESS_COMMAND_BUILD_INFO_H_
#define STRESS_COMMAND_BUILD_INFO_H_

#include <nlohmann/json.hpp>
#include <string>

namespace stress {

extern const char kVersion[];

// "tsan", "asan", "ubsan", "release" or "fastbuild".
const char* BuildConfig();
bool BuiltWithSanitizer();
// Set at link time; "unknown" where the build was not told.
std::string BuildCommit();
std::string BuildCompiler();
// The JSON objects `build` and `host`.
nlohmann::ordered_json BuildJson();
nlohmann::ordered_json HostJson();
// One line, for --version.
std::string VersionLine();

}  // namespace stress

#endif  // STRESS_COMMAND_BUILD_INFO_H_
