#include "stress/host/sanitizer.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <utility>

#include "locking/annotations.h"
#include "locking/evidence.h"
#include "locking/sanitizer_report.h"
#include "stress/command/build_info.h"
#include "stress/config/error.h"

extern "C" {
// Of the runtimes; absent in other builds.
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());
__attribute__((weak)) const char* __asan_get_report_description();
__attribute__((weak)) int __asan_report_present();
__attribute__((weak)) void __ubsan_get_current_report_data(const char** kind, const char** message,
                                                           const char** file, unsigned* line,
                                                           unsigned* column, char** address);
// Called by the runtimes.
void __ubsan_on_report();
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

char g_undefined[256];  // the last report of UndefinedBehaviorSanitizer
std::function<void(locking::Finding)>* g_at_death = nullptr;

LOCKING_UNINSTRUMENTED void NoteRace(const locking::SanitizerReport& report) {
  const std::uint32_t index = g_claimed.fetch_add(1, std::memory_order_relaxed);
  if (index >= kKept) return;
  auto* to = reinterpret_cast<volatile char*>(&g_races[index]);
  const auto* from = reinterpret_cast<const char*>(&report);
  for (std::size_t i = 0; i < sizeof report; ++i) to[i] = from[i];
  g_written[index].store(true, std::memory_order_release);
}

// The runtime is about to end the process.
void OnDeath() {
  auto* at_death = std::exchange(g_at_death, nullptr);
  if (at_death == nullptr) return;
  locking::Finding finding;
  const bool memory = __asan_report_present != nullptr && __asan_report_present() != 0;
  finding.id = memory ? "ASAN" : "UBSAN";
  finding.title = memory ? __asan_get_report_description() : g_undefined;
  if (finding.title.empty()) finding.title = "a sanitizer's report";
  finding.threads.push_back(locking::EvidenceOfCaller(""));
  (*at_death)(std::move(finding));
  std::fflush(nullptr);
  _exit(kExitFailed);
}

}  // namespace

SanitizerWatch::SanitizerWatch(std::function<void(locking::Finding)> at_death) {
  locking::SetSanitizerReportListener(NoteRace);
  g_at_death = new std::function<void(locking::Finding)>(std::move(at_death));
  if (__sanitizer_set_death_callback != nullptr && std::strcmp(BuildConfig(), "tsan") != 0)
    __sanitizer_set_death_callback(OnDeath);
}

SanitizerWatch::~SanitizerWatch() {
  locking::SetSanitizerReportListener(nullptr);
  delete std::exchange(g_at_death, nullptr);
}

std::vector<locking::Finding> SanitizerWatch::TakeRaces() {
  std::vector<locking::Finding> races;
  while (g_taken < kKept && g_written[g_taken].load(std::memory_order_acquire))
    races.push_back(locking::FindingOf(g_races[g_taken++]));
  return races;
}

}  // namespace stress

extern "C" void __ubsan_on_report() {
  if (__ubsan_get_current_report_data == nullptr) return;
  const char *kind = "", *message = "", *file = "";
  unsigned line = 0, column = 0;
  char* address = nullptr;
  __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
  std::snprintf(stress::g_undefined, sizeof stress::g_undefined, "%s: %s at %s:%u", kind, message,
                file, line);
}

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
