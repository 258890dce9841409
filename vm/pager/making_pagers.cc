#include "vm/pager/making_pagers.h"

#include "vm/page_alloc.h"
#include "vm/system.h"

namespace vm {

bool MakingPager::HasPage(const Object& object, Pindex pindex) const {
  object.lock.AssertHeldShared();
  return pindex < object.size;
}

void MakingPager::AssignPlaces(Object&, WriteOut& write) {
  for (std::uint32_t i = 0; i < write.page_count; ++i)
    if (write.dirty[i] != 0) GiveBackDirty(write, i, PutState::kFailed);
}

Result DevicePager::MakePage(Object& object, Pindex pindex, Page** page) {
  Page& made = system_.fictitious_pages().Take(object.device_frame + static_cast<Frame>(pindex));
  InsertPage(system_, object, pindex, made);
  *page = &made;
  return Result::kOk;
}

Result PhysicalPager::MakePage(Object& object, Pindex pindex, Page** page) {
  Page* made = AllocatePage(system_, object, pindex, {.zeroed = true});
  if (made == nullptr) return Result::kShortage;
  if (!made->zeroed) ZeroPage(system_, *made);
  made->zeroed = false;
  made->valid = system_.AllBlocks();
  {
    PageRoleGuard guard(system_.queues().PageLock(*made));
    system_.queues().Unmanage(*made);
  }
  *page = made;
  return Result::kOk;
}

Object* AllocateDeviceObject(System& system, Frame first, std::uint32_t frames) {
  Object* object = AllocateObject(system, ObjectType::kDevice, frames);
  ObjectGuard guard(object->lock);
  object->pager = &system.device_pager();
  object->device_frame = first;
  return object;
}

Object* AllocatePhysicalObject(System& system, Pindex pages) {
  Object* object = AllocateObject(system, ObjectType::kPhys, pages);
  ObjectGuard guard(object->lock);
  object->pager = &system.physical_pager();
  return object;
}

}  // namespace vm
