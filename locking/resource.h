// Resources: things that a thread waits for and that are no locks. A page that is busy, free pages,
// the end of a write, a unit of a semaphore. The witness and the watchdog know of each who ends the
// waits for it:
//
//   holder      has it, and gives it back (a busy page); or one of several, of whom all have to
//               (a shared-busy page), or any one (`units`, of a semaphore)
//   signaller   does not have it, but has promised to end each wait for it some time (the page
//               daemon, free pages); any one of several may
//
// A holder or signaller that itself blocks makes an order, as one who holds a lock does; see LK08.
// What is held changes hands when one thread gives it up and another takes it over, both without a
// wakeup. All of this is kept in the list of what the thread holds, and nothing is done for a
// thread that nobody watches.
//
// Thread safety: all functions are called by a thread about itself.
#ifndef LOCKING_RESOURCE_H_
#define LOCKING_RESOURCE_H_

#include <atomic>
#include <cstdint>

#include "locking/held_locks.h"
#include "locking/lock_class.h"
#include "locking/site.h"
#include "locking/thread_state.h"
#include "locking/watch.h"

namespace locking {

struct Resource {
  const LockClass* resource_class;  // of kind kResource
  std::uint32_t instance = 0;       // what reports call it ("page #12")
  // The thread id of the holder, kMany, or kNobody when only an event ends the wait. The word
  // outlives the sleep.
  const std::atomic<std::uint32_t>* holder = nullptr;
  const char* message = "";  // the wait message, as in the seeds ("vmopar")
  // A daemon that waits for work: its sleep is neither a hang nor a lost wakeup, and orders
  // nothing.
  bool may_idle = false;
  // What its holders and signallers call it; nullptr: they name the channel that is slept on.
  const void* identity = nullptr;
  // How many holders there are at least while a thread waits, any one of whom ends that. 1: all of
  // them have to, however many there are.
  std::uint32_t units = 1;
};

// From now on the caller holds the resource of that identity, alone or as one of several. It never
// waits for that here.
void HoldResourceSlow(const Resource& resource, LockMode mode, Site site);
inline void HoldResource(const void* identity, const LockClass& resource_class,
                         std::uint32_t instance, LockMode mode, Site site = Site::current()) {
  if (Watched(kWatchKeepsHeld)) [[unlikely]]
    HoldResourceSlow(
        {.resource_class = &resource_class, .instance = instance, .identity = identity}, mode,
        site);
}
// The caller holds it once less: it is free, or another thread goes on with it. False: the caller
// is watched, and did not hold it.
inline bool DropResource(const void* identity, Site site = Site::current()) {
  if (Watched(kWatchLimits)) [[unlikely]]
    watch::EndLimitedHold(*t_word.self, identity, site);
  return !Watched(kWatchKeepsHeld) || t_word.self->held.Remove(identity);
}

// The caller is about to wait for the resource if it has to, and releases nothing meanwhile. A
// sleep on a SleepQueue with an interlock says so itself.
void BeforeWait(const Resource& resource, Site site);

// The caller has promised to end the waits for it, until DropResource.
void PromiseResource(const Resource& resource, Site site = Site::current());
// For its lifetime the calling thread is one of those that end the waits for a resource.
class Signaller {
 public:
  Signaller(const LockClass& resource_class, const void* identity, std::uint32_t instance = 0,
            Site site = Site::current());
  ~Signaller();
  Signaller(const Signaller&) = delete;

 private:
  const void* const identity_;
};

}  // namespace locking

#endif  // LOCKING_RESOURCE_H_
