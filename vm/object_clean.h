// Writing out the dirty pages of an object that keeps them in a file, and bringing the two into
// step.
//
// Follows vm_object.c:801 (page_remove_write), :837 (page_clean), :929 (page_collect_flush), :981
// (sync), :2189 (set_writeable_dirty).
#ifndef VM_OBJECT_CLEAN_H_
#define VM_OBJECT_CLEAN_H_

#include <cstdint>

#include "vm/object.h"
#include "vm/types.h"

namespace vm {

// How often the range is gone through again because of what became dirty meanwhile.
inline constexpr std::uint32_t kMaxCleanRescans = 8;

enum class SyncMode : std::uint8_t {
  kAsynchronous,  // what is dirty now is written
  kSynchronous,   // what becomes dirty meanwhile is, too; and it is safe in the end
};

struct CleanOptions {
  SyncMode mode = SyncMode::kAsynchronous;
  bool skip_nosync = false;  // pages that need not be written for a sync stay dirty
};

// Pages of the object may be written to from now on, and so become dirty. Nothing for objects that
// keep no file.
inline void SetWriteableDirty(Object& object) LOCKING_REQUIRES(object.lock) {
  if (object.type != ObjectType::kVnode) return;
  object.dirty_generation.Add(1);
  object.might_be_dirty = true;
}
// The same with the lock shared: false where that does not do.
inline bool TrySetWriteableDirty(Object& object) LOCKING_REQUIRES_SHARED(object.lock) {
  if (!object.might_be_dirty) return false;
  object.dirty_generation.Add(1);
  return true;
}

// Writes the dirty pages of [first, last) with their dirty neighbours, in clusters; `last` 0: to
// the object's end. The pages stay where they are. Once nothing of the object can be dirty, it is
// no longer called so (Object::might_be_dirty). kIoError, kNoSpace: the first failure; what could
// not be written is dirty still, and the rest was written all the same.
//   locked on entry and return: the vnode, exclusively, and object; the latter dropped and retaken,
//   with paging in progress while pages are written. Sleeps.
Result CleanPages(System& system, Object& object, Pindex first, Pindex last, CleanOptions options)
    LOCKING_REQUIRES(object.lock);

enum class Invalidate : std::uint8_t { kNo, kYes };
// Writes what is dirty of [first, last) as seen through `object`, if a file is behind it, and with
// kYes forgets what is resident, clean and not wired afterwards, so that it is read again.
// Anonymous memory has nothing to be in step with; nullptr is such memory without an object.
// kIoError, kNoSpace: some of it could not be written.
//   not locked on entry and return; the caller has a reference. Sleeps.
Result SyncObject(System& system, Object* object, Pindex first, Pindex last, SyncMode mode,
                  Invalidate invalidate);

}  // namespace vm

#endif  // VM_OBJECT_CLEAN_H_
