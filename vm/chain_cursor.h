// A walk through a chain of shadows, hand over hand, from the first object towards the back: what a
// read at one place would look at. The first object stays locked throughout, and so does the one
// that the walk has come to.
//
// The analysis cannot follow which locks are held, so it is off here and in who uses this; the
// objects' run-time assertions cover it.
#ifndef VM_CHAIN_CURSOR_H_
#define VM_CHAIN_CURSOR_H_

#include "vm/object.h"
#include "vm/page.h"
#include "vm/page_busy.h"

namespace vm {

class ChainCursor {
 public:
  // `first` is locked exclusively by the caller, and stays so.
  ChainCursor(Object& first, Pindex index) : first_(first), object_(&first), index_(index) {}
  ~ChainCursor() { UnlockCurrent(); }
  ChainCursor(const ChainCursor&) = delete;

  Object& object() const { return *object_; }
  // Of the place, in the present object.
  Pindex index() const { return index_; }
  Page* page() const LOCKING_NO_ANALYSIS { return LookupPage(*object_, index_); }

  // To what backs the present object; false at the end of the chain.
  bool Next() LOCKING_NO_ANALYSIS {
    Object* next = object_->backing;
    if (next == nullptr) return false;
    next->lock.Lock();
    index_ += object_->backing_offset;
    UnlockCurrent();
    object_ = next;
    return true;
  }

  // Waits until `page`, of the present object, is not busy. No lock is held on return, the first
  // object's either, and the walk is over: look everything up again. Sleeps.
  locking::LookUpAgain SleepWhileBusy(System& system, Page& page,
                                      const char* message) LOCKING_NO_ANALYSIS {
    Object& object = *object_;
    if (object_ != &first_) first_.lock.Unlock();
    object_ = &first_;
    return vm::SleepWhileBusy(system, object, page, message);
  }

 private:
  void UnlockCurrent() LOCKING_NO_ANALYSIS {
    if (object_ != &first_) object_->lock.Unlock();
  }

  Object& first_;
  Object* object_;
  Pindex index_;
};

}  // namespace vm

#endif  // VM_CHAIN_CURSOR_H_
