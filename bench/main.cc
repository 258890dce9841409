// main of the programs that take Google Benchmark's flags, and --set_pages=N: the pages of the set
// that is faulted on. What --benchmark_out writes says what was built and where it ran, as all our
// JSON does, and has no path in it.
#include <benchmark/benchmark.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "bench/timing.h"
#include "stress/command/build_info.h"
#include "stress/host/machine.h"

namespace bench {
namespace {

constexpr int kExitUsage = 2;
constexpr std::string_view kSetPages = "--set_pages=";
constexpr std::string_view kOut = "--benchmark_out=";

class FileReporter final : public benchmark::JSONReporter {
 public:
  bool ReportContext(const Context& context) override {
    const nlohmann::ordered_json json = {{"build", stress::BuildJson()},
                                         {"host", stress::HostJson()},
                                         {"date", stress::Today()},
                                         {"load_average", context.cpu_info.load_avg},
                                         {"set_pages", set_pages}};
    GetOutputStream() << "{\n  \"context\": " << json.dump() << ",\n  \"benchmarks\": [\n";
    return true;
  }
};

// Takes our own flags out of `arguments`. False: one is wrong.
bool TakeFlags(std::vector<char*>* arguments, bool* writes) {
  std::vector<char*> others;
  for (char* argument : *arguments) {
    const std::string_view text = argument;
    if (text.starts_with(kOut)) *writes = text.size() > kOut.size();
    if (!text.starts_with(kSetPages)) {
      others.push_back(argument);
      continue;
    }
    const char* first = argument + kSetPages.size();
    const char* last = first + std::strlen(first);
    const auto [end, error] = std::from_chars(first, last, set_pages);
    if (error != std::errc() || end != last || set_pages < 16 || set_pages > 1u << 20) {
      std::fprintf(stderr, "--set_pages: \"%s\" is not an integer from 16 to 1048576\n", first);
      return false;
    }
  }
  *arguments = others;
  return true;
}

int Main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  bool writes = false;
  if (!TakeFlags(&arguments, &writes)) return kExitUsage;
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return kExitUsage;
  FileReporter file_reporter;
  benchmark::RunSpecifiedBenchmarks(nullptr, writes ? &file_reporter : nullptr);
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
