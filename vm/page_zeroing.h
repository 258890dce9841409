// The zeroing thread: keeps a good part of the free pages zeroed, so that faults need not do it. It
// works only while there are more free pages than anybody asks for, a page at a time, and lets
// others run in between; it is woken by what is freed (free_queue.h), never by a clock.
//
// Thread safety: Start and Stop by one thread.
//
// Follows vm_page.c:400 (wakeup) and vm_zeroidle.c.
#ifndef VM_PAGE_ZEROING_H_
#define VM_PAGE_ZEROING_H_

#include "locking/thread.h"

namespace vm {

class System;

class PageZeroing {
 public:
  explicit PageZeroing(System& system) : system_(system) {}
  ~PageZeroing() { Stop(); }
  PageZeroing(const PageZeroing&) = delete;

  void Start();
  // Returns at its end.
  void Stop();

 private:
  void Run();

  System& system_;
  locking::Thread thread_;
};

}  // namespace vm

#endif  // VM_PAGE_ZEROING_H_
