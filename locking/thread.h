// Thread: a joinable thread of the caller's executor (an OS thread, or a fibre of an exploration).
// Clock: time of the caller's executor. Operation: what a worker is doing, for reports and LK11.
#ifndef LOCKING_THREAD_H_
#define LOCKING_THREAD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "locking/executor.h"
#include "locking/site.h"
#include "locking/thread_state.h"

namespace locking {

class Thread {
 public:
  Thread();
  // Starts `body` in a new thread that inherits the caller's executor and run context.
  Thread(std::string name, std::function<void()> body, Site site = Site::current());
  ~Thread();  // joins
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;

  // Waits for the end of `body`; a second call does nothing.
  void Join(Site site = Site::current());
  bool joinable() const;

 private:
  struct Native;
  struct Order;
  void WaitForEnd(Site site);  // throws nothing: destructors call it

  std::unique_ptr<Native> native_;
  std::shared_ptr<Order> order_;  // nullptr: nobody asks
  Executor* executor_ = nullptr;
  ThreadState* fibre_ = nullptr;
};

// The class of the wait for a thread's end.
extern const LockClass kThreadJoinClass;

class Clock {
 public:
  // Nanoseconds since some fixed moment.
  static std::uint64_t NowNs();
};

// For a spin or retry loop that cannot go on until another thread runs. Never decides anything.
void Yield(Site site = Site::current());

// A unit of a worker's work: no lock may be held when it ends (LK11), and its end is progress.
class Operation {
 public:
  // `name` must live as long as the process.
  explicit Operation(const char* name, Site site = Site::current());
  ~Operation();
  Operation(const Operation&) = delete;

 private:
  const Site site_;
  const char* outer_;
};

}  // namespace locking

#endif  // LOCKING_THREAD_H_
