// What a thread that takes interrupts does at its points. Only such threads have kWatchInterrupts
// in their watch word: no other one comes here. Internal to locking/.
#ifndef LOCKING_INTERRUPT_STATE_H_
#define LOCKING_INTERRUPT_STATE_H_

#include <cstdint>
#include <vector>

#include "locking/interrupt.h"

namespace locking {

// Lock key: all (t), of the thread itself; an executor reads `off` of threads that do not run.
struct InterruptState {
  std::uint32_t off = 0;               // spin locks held, InterruptsOff, handlers that run
  const Interrupt* handler = nullptr;  // which one runs; nullptr: none does
  std::vector<TakesInterrupt*> lines;  // in the order in which they were taken

  // The first line with a post that is not handled yet, which it takes; nullptr: there is none.
  Interrupt* TakePost();
  Interrupt& InterruptOf(const TakesInterrupt& line) const { return line.interrupt_; }
};

namespace interrupts {

// The thread is about to turn its interrupts off, or to count one more reason.
void TurnOff(ThreadState& self, Site site);
// One reason less; the last one makes it a point.
void TurnOn(ThreadState& self, Site site);
// A point: with interrupts enabled, the witness is told what is held, and a native thread runs the
// handlers of what was posted.
void AtPoint(ThreadState& self, Site site);
// The caller has to wait for `lock`: LK06 in a handler whose thread holds it, in whatever mode. A
// reader has to wait for a reader only behind a writer, who waits for that thread. Ends the run, or
// the execution.
void BeforeWait(const ThreadState& self, const LockBase& lock, Site site);
// LK05 in a handler; ends the run, or the execution.
void BeforeSleep(const ThreadState& self, const LockClass& resource_class, std::uint32_t instance,
                 Site site);

// The acquisition of a lock: interrupts go off before it is waited for, and its end is a point.
class Acquisition {
 public:
  Acquisition(ThreadState& self, const LockBase& lock, Site site);
  // With Acquired, the lock is held; else it was not got.
  ~Acquisition();
  Acquisition(const Acquisition&) = delete;
  void Acquired();

 private:
  ThreadState& self_;
  const Site site_;
  const bool turns_off_;
  bool acquired_ = false;
};
// After the release of a lock.
void AfterRelease(ThreadState& self, const LockBase& lock, Site site);

}  // namespace interrupts

// Runs the handler on the calling thread, whose interrupts are enabled.
void RunHandler(ThreadState& self, Interrupt& interrupt, Site site);

}  // namespace locking

#endif  // LOCKING_INTERRUPT_STATE_H_
