#include "vm/laundry.h"

#include <utility>

#include "vm/lock_classes.h"
#include "vm/system.h"

namespace vm {

Laundry::Laundry(System& system) : system_(system), lock_(kLaundryLock, 0, system.giant()) {}
Laundry::~Laundry() { Stop(); }

void Laundry::Start() {
  {
    RoleGuard guard(lock_);
    running_ = true;
  }
  for (locking::Thread& thread : threads_) thread = locking::Thread("laundry", [this] { Work(); });
}

void Laundry::Stop() {
  {
    RoleGuard guard(lock_);
    running_ = false;
  }
  system_.sleep_queue().WakeAll(&work_channel_);
  for (locking::Thread& thread : threads_) thread.Join();
}

bool Laundry::HandOver(std::unique_ptr<Load>* load) {
  {
    RoleGuard guard(lock_);
    if (!running_) return false;
    if ((*load)->vnode == nullptr) Pager::GiveAway(*(*load)->object, (*load)->write);
    writes_under_way_ = writes_under_way_ + 1;
    pages_under_way_ = pages_under_way_ + (*load)->pages();
    queue_.push_back(std::move(*load));
  }
  system_.sleep_queue().WakeOne(&work_channel_);
  return true;
}

void Laundry::Launder(Object& object, Page& page, std::uint32_t wanted) {
  auto load = std::make_unique<Load>();
  load->wanted = wanted;
  Laundered laundered;
  if (object.vnode != nullptr) {
    load->vnode = object.vnode;
    load->pindex = page.pindex;
    HoldVnode(*load->vnode);
    if (HandOver(&load)) return;
    object.lock.Unlock();
    laundered = Finish(*load);
    object.lock.Lock();
  } else {
    load->object = &object;
    BeginLaundering(system_, object, page, &load->write);
    if (load->write.segment_count != 0) {
      if (HandOver(&load)) return;
      object.lock.Unlock();
      system_.swap().Write(load->write);
      object.lock.Lock();
    }
    laundered = EndLaundering(system_, object, load->write, wanted);
  }
  RoleGuard guard(lock_);
  NoteEnd(laundered);
}

Laundered Laundry::Finish(Load& load) {
  if (load.vnode != nullptr) {
    const Laundered laundered = LaunderFile(system_, *load.vnode, load.pindex, load.wanted);
    DropVnode(system_, load.vnode);
    return laundered;
  }
  system_.swap().Write(load.write);
  ObjectGuard guard(load.object->lock);
  return EndLaundering(system_, *load.object, load.write, load.wanted);
}

std::unique_ptr<Laundry::Load> Laundry::NextLoad() {
  RoleGuard guard(lock_);
  while (queue_.empty()) {
    if (!running_) return nullptr;
    system_.sleep_queue()
        .SleepKeep(&work_channel_, lock_,
                   {.resource_class = &kLaundryWork, .message = "lwork", .may_idle = true})
        .AndRetry();
  }
  std::unique_ptr<Load> load = std::move(queue_.front());
  queue_.pop_front();
  return load;
}

void Laundry::Work() {
  const locking::Signaller signaller(kLaundryDone, &done_channel_);
  while (const std::unique_ptr<Load> load = NextLoad()) {
    if (load->vnode == nullptr) Pager::TakeOver(*load->object, load->write);
    const Laundered laundered = Finish(*load);
    RoleGuard guard(lock_);
    writes_under_way_ = writes_under_way_ - 1;
    pages_under_way_ = pages_under_way_ - load->pages();
    NoteEnd(laundered);
    system_.sleep_queue().WakeAll(&done_channel_);
  }
}

void Laundry::NoteEnd(const Laundered& laundered) {
  laundered_ += laundered;
  ended_ = true;
}

Laundered Laundry::TakeLaundered() {
  if (!ended_) return {};
  RoleGuard guard(lock_);
  ended_ = false;
  return std::exchange(laundered_, {});
}

bool Laundry::WaitUntilBelow(std::uint32_t writes, std::uint64_t deadline_ns) {
  if (writes_under_way_ < writes) return true;  // as mostly, for each page that is looked at
  RoleGuard guard(lock_);
  while (writes_under_way_ >= writes) {
    const locking::LookUpAgain woken = system_.sleep_queue().SleepKeep(
        &done_channel_, lock_, {.resource_class = &kLaundryDone, .message = "ldone"}, deadline_ns);
    if (woken.reason == locking::WakeReason::kTimedOut) return writes_under_way_ < writes;
  }
  return true;
}

bool Laundry::WaitForRoom(std::uint64_t deadline_ns) {
  return WaitUntilBelow(kMaxWrites, deadline_ns);
}

bool Laundry::WaitForWrites(std::uint64_t deadline_ns) { return WaitUntilBelow(1, deadline_ns); }

}  // namespace vm
