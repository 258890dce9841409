#include "stress/host/sanitizer.h"

#include <atomic>

#include "locking/annotations.h"
#include "locking/sanitizer_report.h"

extern "C" {
// Called by the runtimes.
const char* __tsan_default_options();
const char* __asan_default_options();
const char* __ubsan_default_options();
}

namespace stress {
namespace {

constexpr std::uint32_t kKept = 64;  // races noted; TSan's own text has those beyond

locking::SanitizerReport g_races[kKept];
std::atomic<std::uint32_t> g_claimed{0};
std::atomic<bool> g_written[kKept];
std::uint32_t g_taken = 0;

LOCKING_UNINSTRUMENTED void NoteRace(const locking::SanitizerReport& report) {
  const std::uint32_t index = g_claimed.fetch_add(1, std::memory_order_relaxed);
  if (index >= kKept) return;
  auto* to = reinterpret_cast<volatile char*>(&g_races[index]);
  const auto* from = reinterpret_cast<const char*>(&report);
  for (std::size_t i = 0; i < sizeof report; ++i) to[i] = from[i];
  g_written[index].store(true, std::memory_order_release);
}

}  // namespace

RaceWatch::RaceWatch() { locking::SetSanitizerReportListener(NoteRace); }

RaceWatch::~RaceWatch() { locking::SetSanitizerReportListener(nullptr); }

std::vector<locking::Finding> RaceWatch::Take() {
  std::vector<locking::Finding> races;
  while (g_taken < kKept && g_written[g_taken].load(std::memory_order_acquire))
    races.push_back(locking::FindingOf(g_races[g_taken++]));
  return races;
}

}  // namespace stress

// What a run by hand gets; the environment's options win. Lock order is for our own validator.
#define STRESS_SYMBOLIZER "external_symbolizer_path=/usr/bin/llvm-symbolizer-19"
extern "C" LOCKING_UNINSTRUMENTED const char* __tsan_default_options() {
  return "halt_on_error=0:exitcode=1:detect_deadlocks=0:history_size=4:" STRESS_SYMBOLIZER;
}
extern "C" LOCKING_UNINSTRUMENTED const char* __asan_default_options() {
  return "exitcode=1:detect_leaks=1:detect_stack_use_after_return=1:" STRESS_SYMBOLIZER;
}
extern "C" LOCKING_UNINSTRUMENTED const char* __ubsan_default_options() {
  return "exitcode=1:print_stacktrace=1:" STRESS_SYMBOLIZER;
}
