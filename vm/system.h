// One machine: frames, queues, objects, pmaps, CPUs, pagers, daemons. There is no global state:
// a process may run as many machines as it likes.
//
// Thread safety: see the parts. Construction and destruction by one thread; on destruction all
// spaces have exited and the daemons are stopped.
#ifndef VM_SYSTEM_H_
#define VM_SYSTEM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "locking/sleep_queue.h"
#include "vm/config.h"
#include "vm/counters.h"
#include "vm/cpu.h"
#include "vm/fictitious.h"
#include "vm/free_queue.h"
#include "vm/host_memory.h"
#include "vm/lock_roles.h"
#include "vm/object.h"
#include "vm/page.h"
#include "vm/page_index.h"
#include "vm/page_queues.h"
#include "vm/page_zeroing.h"
#include "vm/pageout.h"
#include "vm/pager/dead_pager.h"
#include "vm/pager/making_pagers.h"
#include "vm/pager/pager_map.h"
#include "vm/pager/swap.h"
#include "vm/pager/vnode_pager.h"
#include "vm/pmap.h"
#include "vm/pv_lists.h"
#include "vm/space.h"
#include "vm/swap_charge.h"
#include "vm/vnode.h"

namespace vm {

class System {
 public:
  // `store` holds the swap; a memory store if nullptr.
  explicit System(const SystemConfig& config, std::unique_ptr<Store> store = nullptr);
  ~System() LOCKING_NO_ANALYSIS;
  System(const System&) = delete;

  // The page daemon, and the zeroing thread if the machine has one.
  void Start();
  void Stop();
  // The daemon has ended its pass, and the writes that it began, and begins none until Resume; no
  // page is being zeroed. Nobody may wait for pages. Sleeps.
  void Pause();
  void Resume();

  // A new, empty address space, whose memory is charged to `credential`; nullptr: to everybody's.
  Space* CreateSpace(Credential* credential = nullptr);

  const SystemConfig& config() const { return config_; }
  // What plays the roles in the dialect `giant`, else nullptr.
  locking::Giant* giant() const { return giant_.has_value() ? &*giant_ : nullptr; }
  Cpu& cpu(std::uint32_t number) { return *cpus_[number]; }
  Counters& counters() { return counters_; }
  FreeQueue& free_queue() { return free_queue_; }
  PageQueues& queues() { return queues_; }
  PagerMap& pager_map() { return pager_map_; }
  SwapPager& swap() { return swap_; }
  SwapCharges& charges() { return charges_; }
  VnodePager& vnode_pager() { return vnode_pager_; }
  DeadPager& dead_pager() { return dead_pager_; }
  DevicePager& device_pager() { return device_pager_; }
  PhysicalPager& physical_pager() { return physical_pager_; }
  PageDaemon& daemon() { return daemon_; }
  PvLists& pv_lists() { return pv_lists_; }
  FictitiousPages& fictitious_pages() { return fictitious_pages_; }
  IndexNodePool& index_nodes() { return index_nodes_; }
  locking::SleepQueue& sleep_queue() { return sleep_queue_; }

  // Of all frames up to the last of the memory, those of holes included. Frames of devices follow.
  std::span<Page> pages() { return pages_; }
  Page& PageOfFrame(Frame frame) { return pages_[frame]; }
  // The frame's bytes; see page.h for whose they are.
  std::span<std::byte> FrameBytes(const Page& page) { return FrameBytes(page.frame); }
  std::span<std::byte> FrameBytes(Frame frame) {
    return {frames_.get() + (std::size_t{frame} << page_shift_), config_.page_size};
  }
  Pindex BytesToPages(Address bytes) const { return bytes >> page_shift_; }
  std::uint64_t PagesToBytes(Pindex pages) const { return pages << page_shift_; }
  Address PageMask() const { return config_.page_size - 1; }
  // The valid (or dirty) bits of a whole page.
  std::uint64_t AllBlocks() const { return all_blocks_; }

  // Where the colours of a new object of `size` pages begin: behind those of the last one, or a
  // third further on.
  std::uint32_t NextColor(Pindex size) {
    const std::uint32_t color = next_color_;
    next_color_.Add(static_cast<std::uint32_t>(std::min<Pindex>(size, kColors / 3 + 1)));
    return color;
  }

  // Type-stable pools. Objects: use AllocateObject.
  Object* TakeObject() LOCKING_EXCLUDES(object_list_lock_);
  void ReturnObject(Object* object) LOCKING_EXCLUDES(object_list_lock_);
  Pmap* TakePmap() LOCKING_EXCLUDES(object_list_lock_);
  void ReturnPmap(Pmap* pmap) LOCKING_EXCLUDES(object_list_lock_);
  // Vnodes: use OpenVnode.
  Vnode* HoldVnodeOf(BackingFile& file) LOCKING_EXCLUDES(object_list_lock_);
  void HideVnode(Vnode& vnode) LOCKING_EXCLUDES(object_list_lock_);
  void ForgetVnode(Vnode* vnode) LOCKING_EXCLUDES(object_list_lock_);
  void ForgetSpace(Space* space) LOCKING_EXCLUDES(object_list_lock_);
  // For sweeps and reports: every object there ever was (those in the pool are of type kDead, with
  // no reference), every space that has not exited.
  std::vector<Object*> AllObjects() LOCKING_EXCLUDES(object_list_lock_);
  std::vector<Space*> LiveSpaces() LOCKING_EXCLUDES(object_list_lock_);
  std::size_t LiveVnodes() LOCKING_EXCLUDES(object_list_lock_);

 private:
  const SystemConfig config_;
  const FramePlan plan_;
  const std::uint32_t page_shift_;
  const std::uint64_t all_blocks_;
  mutable std::optional<locking::Giant> giant_;
  Counters counters_;
  locking::SleepQueue sleep_queue_;
  // Each frame is aligned to its size, as stores past the page cache want it.
  const HostMemory frames_;
  std::vector<Page, HostAllocator<Page>> pages_;
  PageQueues queues_;
  FreeQueue free_queue_;
  PvLists pv_lists_;
  IndexNodePool index_nodes_;
  FictitiousPages fictitious_pages_;
  std::vector<std::unique_ptr<Cpu>> cpus_;
  PagerMap pager_map_;
  SwapPager swap_;
  SwapCharges charges_;
  VnodePager vnode_pager_;
  DeadPager dead_pager_;
  DevicePager device_pager_;
  PhysicalPager physical_pager_;
  PageDaemon daemon_;
  PageZeroing zeroing_;
  locking::Relaxed<std::uint32_t> next_color_;

  MutexRole object_list_lock_;
  std::deque<Object> object_storage_ LOCKING_GUARDED_BY(object_list_lock_);
  std::vector<Object*> free_objects_ LOCKING_GUARDED_BY(object_list_lock_);
  std::deque<Pmap> pmap_storage_ LOCKING_GUARDED_BY(object_list_lock_);
  std::vector<Pmap*> free_pmaps_ LOCKING_GUARDED_BY(object_list_lock_);
  std::vector<std::unique_ptr<Space>> spaces_ LOCKING_GUARDED_BY(object_list_lock_);
  std::vector<std::unique_ptr<Vnode>> vnodes_ LOCKING_GUARDED_BY(object_list_lock_);
  std::uint32_t next_vnode_id_ LOCKING_GUARDED_BY(object_list_lock_) = 1;
  std::uint32_t next_space_id_ LOCKING_GUARDED_BY(object_list_lock_) = 1;
};

}  // namespace vm

#endif  // VM_SYSTEM_H_
