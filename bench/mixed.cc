#include "bench/mixed.h"

#include <sched.h>
#include <time.h>

#include <cstdint>
#include <stdexcept>
#include <thread>

#include "stress/run/native_run.h"
#include "stress/run/plan.h"

namespace bench {
namespace {

constexpr std::uint64_t kOperations = 100'000;

stress::RunPlan Plan(Watching watching) {
  stress::Settings flags;
  const auto set = [&](const char* key, const stress::Value& value) {
    flags.Set(key, value, "the benchmark");
  };
  set("threads", {.number = 1, .text = "1"});
  set("seed", {.number = 1, .text = "1"});
  set("operations", {.number = kOperations, .text = std::to_string(kOperations)});
  set("witness", {.number = 0, .text = watching == Watching::kOn ? "on" : "off"});
  set("progress", {.number = 0, .text = "off"});
  return stress::PlanRun(flags);
}

std::uint64_t ProcessorNs() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// The threads that a thread spawns inherit its core.
void StayOnThisCore() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &cores);
  sched_setaffinity(0, sizeof(cores), &cores);
}

}  // namespace

double MixedNs(Watching watching) {
  double ns = 0;
  std::thread controller([&] {
    StayOnThisCore();
    const stress::RunPlan plan = Plan(watching);
    stress::NativeRun run(plan, {[](const stress::RunResult&) {}, [](const stress::RunResult&) {}});
    const std::uint64_t start = ProcessorNs();
    if (run.Run().verdict == stress::RunVerdict::kClean)
      ns = static_cast<double>(ProcessorNs() - start) / kOperations;
  });
  controller.join();
  if (ns == 0) throw std::runtime_error("mixed is not clean");
  return ns;
}

}  // namespace bench
