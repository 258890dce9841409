// Advice about files: see vnode.h.
#include "vm/object_ranges.h"
#include "vm/page_alloc.h"
#include "vm/system.h"
#include "vm/vnode.h"

namespace vm {
namespace {

// Reads until the first page that cannot be.
void ReadAhead(System& system, Vnode& vnode, Pindex first, Pindex last) {
  for (Pindex index = first; index < last; ++index) {
    Page* held = nullptr;
    HoldVnode(vnode);
    if (PageInVnode(system, &vnode, index, &held) != Result::kOk) return;
    if (held != nullptr) UnholdPage(system, *held);
  }
}

void GiveUpPages(System& system, Vnode& vnode, Pindex first, Pindex last) {
  locking::ReadGuard guard(vnode.lock);
  if (vnode.object == nullptr) return;
  ObjectGuard object_guard(vnode.object->lock);
  CachePages(system, *vnode.object, first, last);
}

}  // namespace

Result AdviseVnode(System& system, Vnode& vnode, Pindex first, Pindex last, Advice advice) {
  if (advice == Advice::kFree) return Result::kInvalidArgument;
  if (advice == Advice::kWillNeed)
    ReadAhead(system, vnode, first, last);
  else
    GiveUpPages(system, vnode, first, last);
  return Result::kOk;
}

}  // namespace vm
