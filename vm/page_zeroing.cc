#include "vm/page_zeroing.h"

#include "vm/page_alloc.h"
#include "vm/system.h"

namespace vm {

void PageZeroing::Start() {
  if (thread_.joinable()) return;
  system_.free_queue().StartZeroing();
  thread_ = locking::Thread("page zeroing", [this] { Run(); });
}

void PageZeroing::Stop() {
  if (!thread_.joinable()) return;
  system_.free_queue().StopZeroing();
  thread_.Join();
}

void PageZeroing::Run() {
  FreeQueue& free_queue = system_.free_queue();
  while (Page* page = free_queue.TakeToZero()) {
    ZeroPage(system_, *page);
    system_.counters().Add(Event::kIdleZero);
    free_queue.PutZeroed(*page);
    locking::Yield();
  }
}

}  // namespace vm
