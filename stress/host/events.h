// What wakes the thread that controls a run: a signal of the user, or a call of Notify. SIGINT and
// SIGTERM ask for an end; the second one ends the process at once.
//
// Thread safety: Notify may be called by any thread and in a signal handler; the rest by the thread
// that controls the run.
#ifndef STRESS_HOST_EVENTS_H_
#define STRESS_HOST_EVENTS_H_

#include <cstdint>

namespace stress {

class HostEvents {
 public:
  // For the whole process, once.
  static void Install();
  // Waits for a signal or a Notify, `timeout_ns` at most. May return early.
  static void Wait(std::uint64_t timeout_ns);
  static void Notify();
  static bool interrupted();
};

}  // namespace stress

#endif  // STRESS_HOST_EVENTS_H_
