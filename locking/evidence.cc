#include "locking/evidence.h"

#include <algorithm>

#include "locking/stack.h"

namespace locking {

std::string FormatLock(const LockClass& lock_class, std::uint32_t instance) {
  return instance == 0 ? lock_class.name() : lock_class.name() + " #" + std::to_string(instance);
}

std::vector<std::string> FormatHeld(const ThreadState& thread) {
  std::vector<std::string> lines;
  const std::uint32_t n = thread.held.size();
  for (std::uint32_t i = 0; i < n; ++i) {
    const HeldLock& held = thread.held.at(i);
    const LockClass* lock_class = held.lock_class.load(std::memory_order_relaxed);
    if (lock_class == nullptr) continue;
    if (lock_class->kind() == LockKind::kInterrupt) {
      lines.push_back(lock_class->name() + ", which interrupted it at " +
                      FormatSite(held.site.load(std::memory_order_relaxed)));
      continue;
    }
    const bool shared = held.mode() == LockMode::kShared;
    lines.push_back(FormatLock(*lock_class, held.instance()) +
                    (shared ? " (shared) at " : " (exclusive) at ") +
                    FormatSite(held.site.load(std::memory_order_relaxed)));
  }
  return lines;
}

ThreadEvidence EvidenceOfCaller(std::string what) {
  const ThreadState& self = Self();
  return {self.name, std::move(what), FormatHeld(self), FormatStack(CurrentStack(1))};
}

namespace {

std::string FormatWait(const WaitRecord& wait) {
  const LockClass* target = wait.target_class.load(std::memory_order_relaxed);
  const char* message = wait.message.load(std::memory_order_relaxed);
  return "waits for " +
         (target == nullptr ? std::string("an event")
                            : FormatLock(*target, wait.instance.load(std::memory_order_relaxed))) +
         " (" + (message == nullptr ? "" : message) + ") at " +
         FormatSite(wait.site.load(std::memory_order_relaxed));
}

}  // namespace

ThreadEvidence EvidenceOf(const ThreadState& thread) {
  ThreadEvidence evidence;
  evidence.thread = thread.name;
  evidence.held = FormatHeld(thread);
  const WaitRecord& wait = thread.waiting;
  {
    PinnedWait pinned(wait);
    if (!pinned.waits()) {
      const char* operation = thread.operation.load(std::memory_order_relaxed);
      evidence.what = operation == nullptr ? "runs" : std::string("runs in ") + operation;
      return evidence;
    }
    evidence.what = FormatWait(wait);
  }
  Stack stack;
  for (const auto& frame : wait.stack) {
    const std::uintptr_t address = frame.load(std::memory_order_relaxed);
    if (address == 0) break;
    stack.push_back(address);
  }
  evidence.stack = FormatStack(stack);
  return evidence;
}

}  // namespace locking
