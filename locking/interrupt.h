// Interrupt: a handler that runs on the thread which it interrupts, wherever that has its
// interrupts enabled. No signals: who posts an interrupt only says so, and each thread that takes
// it runs the handler itself, at its next point with interrupts enabled: a lock or its unlock, a
// sleep (and all through it), a yield, the end of an operation, the end of an InterruptsOff. On an
// executor the strategy says at which of these points, before whatever operation the thread was
// about to do.
//
//   const LockClass kTick("tick", LockKind::kInterrupt);
//   Interrupt tick(kTick, [&] { SpinGuard guard(queue_lock); ... });
//   Thread worker("worker", [&] {
//     TakesInterrupt takes(tick);
//     ...
//     { InterruptsOff off; ... }  // not in here, nor while a spin lock is held
//   });
//   tick.Post();                       // or: InterruptTimer timer(tick, 1'000'000);
//
// Interrupts are off in a handler, in an InterruptsOff, and from before a lock of spin kind is
// waited for until it is released, unless its class says kInterruptsOn. A handler must not sleep,
// nor take anything but spin locks (LK05); what it takes must not be held with interrupts enabled
// (LK06).
//
// Thread safety: Post by anyone at any time; the rest by the thread itself. A thread that waits for
// a lock takes interrupts when it has it.
#ifndef LOCKING_INTERRUPT_H_
#define LOCKING_INTERRUPT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "locking/site.h"
#include "locking/thread_state.h"
#include "locking/watch.h"

namespace locking {

class TakesInterrupt;

// A LockBase, since the witness orders it among locks: whoever may be interrupted waits for the end
// of the handler.
class Interrupt : public LockBase {
 public:
  // `lock_class`: of kind kInterrupt; its name is what reports call the handler.
  Interrupt(const LockClass& lock_class, std::function<void()> handler, std::uint32_t instance = 0);
  // No thread takes it any more.
  ~Interrupt();

  // Each thread that takes it runs the handler once more; those that stop taking it first do not.
  void Post(Site site = Site::current());

 private:
  friend class InterruptTimer;
  friend class TakesInterrupt;
  friend void RunHandler(ThreadState& self, Interrupt& interrupt, Site site);

  const std::function<void()> handler_;
  // On an executor: what a timer has posted to each thread that is yet to take it.
  std::atomic<std::uint32_t> ticks_{0};
  std::mutex mutex_;                    // of native threads; nothing blocks while it is held
  std::vector<TakesInterrupt*> lines_;  // guarded by mutex_
};

// The calling thread takes the interrupt, for as long as this lives. Made and destroyed with no
// lock held and interrupts enabled.
class TakesInterrupt {
 public:
  explicit TakesInterrupt(Interrupt& interrupt);
  ~TakesInterrupt();
  TakesInterrupt(const TakesInterrupt&) = delete;

 private:
  friend class Interrupt;
  friend struct InterruptState;

  Interrupt& interrupt_;
  ThreadState& thread_;
  std::atomic<std::uint32_t> posts_{0};  // natively: those not handled yet
};

// The calling thread takes no interrupt, for as long as this lives; they nest.
class InterruptsOff {
 public:
  explicit InterruptsOff(Site site = Site::current());
  ~InterruptsOff();
  InterruptsOff(const InterruptsOff&) = delete;

 private:
  const Site site_;
  const bool counts_;  // a thread that takes no interrupt has nothing to turn off
};

// Whether the caller runs in a handler.
bool InInterrupt();

}  // namespace locking

#endif  // LOCKING_INTERRUPT_H_
