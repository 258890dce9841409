#include "locking/sanitizer_report.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

#include "locking/annotations.h"
#include "locking/executor.h"
#include "locking/stack.h"
#include "locking/thread_state.h"

extern "C" {
// Of the ThreadSanitizer runtime; absent in other builds.
__attribute__((weak)) int __tsan_get_report_data(void* report, const char** description, int* count,
                                                 int* stack_count, int* mop_count, int* loc_count,
                                                 int* mutex_count, int* thread_count,
                                                 int* unique_tid_count, void** sleep_trace,
                                                 unsigned long trace_size);
__attribute__((weak)) int __tsan_get_report_mop(void* report, unsigned long index, int* tid,
                                                void** address, int* size, int* write, int* atomic,
                                                void** trace, unsigned long trace_size);
// Called by the runtime on each report.
void __tsan_on_report(void* report);
}

namespace locking {
namespace {

std::atomic<std::uint64_t> g_reports{0};
std::atomic<SanitizerReportListener> g_listener{nullptr};

}  // namespace

LOCKING_UNINSTRUMENTED void OnSanitizerReport(const SanitizerReport& report) {
  g_reports.fetch_add(1, std::memory_order_relaxed);
  if (t_word.self != nullptr && t_word.self->executor != nullptr)
    t_word.self->executor->NoteSanitizerReport(report);
  if (SanitizerReportListener listener = g_listener.load(std::memory_order_relaxed))
    listener(report);
}

std::uint64_t SanitizerReportCount() { return g_reports.load(std::memory_order_relaxed); }

SanitizerReportListener SetSanitizerReportListener(SanitizerReportListener listener) {
  return g_listener.exchange(listener);
}

Finding FindingOf(const SanitizerReport& report) {
  Finding finding;
  finding.id = "RACE";
  finding.title = report.kind;
  std::vector<std::string> tops;
  for (const SanitizerReport::Access& access : report.access) {
    if (!access.present) continue;
    Stack stack;
    // The runtime repeats the address for each call that was inlined there.
    for (std::uintptr_t address : access.stack)
      if (address != 0 && (stack.empty() || stack.back() != address)) stack.push_back(address);
    ThreadEvidence evidence;
    evidence.thread = finding.threads.empty() ? "this thread" : "another thread";
    evidence.what = std::string(access.is_atomic ? "atomic " : "") +
                    (access.is_write ? "write" : "read") + " of " + std::to_string(access.bytes) +
                    " bytes";
    evidence.stack = FormatStack(stack);
    if (!evidence.stack.empty()) tops.push_back(evidence.what + " in " + evidence.stack[0]);
    finding.threads.push_back(std::move(evidence));
  }
  for (std::size_t i = 0; i < tops.size(); ++i) finding.title += (i == 0 ? ": " : ", ") + tops[i];
  std::sort(tops.begin(), tops.end());
  finding.signature = "RACE:";
  for (const std::string& top : tops) finding.signature += " " + top + ";";
  return finding;
}

}  // namespace locking

// Runs inside the runtime, under its locks.
extern "C" LOCKING_UNINSTRUMENTED void __tsan_on_report(void* report) {
  locking::SanitizerReport said;
  const char* description = nullptr;
  int counts[7] = {};
  void* sleep_trace[1] = {};
  if (__tsan_get_report_data != nullptr)
    __tsan_get_report_data(report, &description, &counts[0], &counts[1], &counts[2], &counts[3],
                           &counts[4], &counts[5], &counts[6], sleep_trace, 1);
  if (description != nullptr) {
    for (std::size_t i = 0; i + 1 < sizeof(said.kind) && description[i] != '\0'; ++i)
      said.kind[i] = description[i];
  }
  const int accesses = counts[2];
  for (int i = 0; i < accesses && i < locking::SanitizerReport::kAccesses; ++i) {
    locking::SanitizerReport::Access& access = said.access[i];
    int tid = 0, size = 0, write = 0, atomic = 0;
    void* address = nullptr;
    void* trace[locking::SanitizerReport::kStackDepth] = {};
    if (__tsan_get_report_mop == nullptr ||
        __tsan_get_report_mop(report, static_cast<unsigned long>(i), &tid, &address, &size, &write,
                              &atomic, trace, locking::SanitizerReport::kStackDepth) == 0)
      continue;
    access.present = true;
    access.is_write = write != 0;
    access.is_atomic = atomic != 0;
    access.bytes = static_cast<std::uint32_t>(size);
    for (int f = 0; f < locking::SanitizerReport::kStackDepth && trace[f] != nullptr; ++f)
      access.stack[f] = reinterpret_cast<std::uintptr_t>(trace[f]);
  }
  locking::OnSanitizerReport(said);
}
