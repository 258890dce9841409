// What sweeps see of a pmap beyond its interface. Internal to vm/ and its tests.
#ifndef VM_PMAP_CHECKER_H_
#define VM_PMAP_CHECKER_H_

#include <cstdint>

#include "vm/pmap.h"
#include "vm/system.h"

namespace vm {

class PmapChecker {
 public:
  using Entry = Pmap::Entry;
  static constexpr std::uint64_t kValid = Pmap::kValid;
  static constexpr std::uint64_t kWritable = Pmap::kWritable;
  static constexpr std::uint64_t kWired = Pmap::kWired;
  static constexpr std::uint64_t kModified = Pmap::kModified;
  static constexpr std::uint64_t kUnmanaged = Pmap::kUnmanaged;

  static Frame FrameOf(std::uint64_t entry) { return Pmap::FrameOf(entry); }

  // Calls visit(va, entry) for each entry in use, in order of address.
  template <typename Visit>
  static void ForEachEntry(Pmap& pmap, Visit visit) {
    pmap.ForEachPart(0, pmap.limit(), [&](Pmap::Slice& slice, Address va, Address end) {
      slice.lock.AssertHeld();
      for (Entry* entry; (entry = pmap.NextMapping(slice, &va, end)) != nullptr;
           va += pmap.system_.config().page_size)
        visit(va, *entry);
    });
  }
  // Whether the entry of `va`, with this value, lets CPUs write.
  static bool AllowsWrite(const Pmap& pmap, Address va, std::uint64_t entry) {
    return (entry & kWritable) != 0 && !pmap.TableIsReadOnly(va);
  }
  // Calls visit(frame) for the directory page and each table page.
  template <typename Visit>
  static void ForEachTable(Pmap& pmap, Visit visit) {
    const std::uint64_t root = pmap.root_.Load();
    if (root == 0) return;
    visit(FrameOf(root));
    const Entry* directory = pmap.TableAt(root);
    for (std::size_t i = 0; i < std::size_t{1} << pmap.index_bits_; ++i) {
      if (const std::uint64_t table = directory[i].Load(); table != 0) visit(FrameOf(table));
    }
  }
  // The CPUs that a shootdown asks.
  static locking::Atomic<std::uint64_t>& ActiveCpus(Pmap& pmap) { return pmap.active_[0]; }
};

}  // namespace vm

#endif  // VM_PMAP_CHECKER_H_
