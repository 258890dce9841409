// Any text is a scenario or is refused in one line.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "stress/config/error.h"
#include "stress/config/scenario.h"
#include "stress/workers/kinds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const stress::Scenario scenario = stress::ParseScenario(text, "s.toml", stress::WorkerKinds());
    if (scenario.workers.empty()) std::abort();
  } catch (const stress::CommandError& error) {
    const std::string line = error.what();
    if (error.code() != stress::kExitUsage || line.find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
