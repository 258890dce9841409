// A radix tree of pages by page index, in 64-way nodes. See page_index.h for the contract.
//
// Thread safety: guarded by the object's lock (shared for lookups). Nodes come from a pool with a
// lock of its own, a leaf.
#ifndef VM_RADIX_INDEX_H_
#define VM_RADIX_INDEX_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "vm/lock_roles.h"
#include "vm/page.h"
#include "vm/types.h"

namespace vm {

inline constexpr std::uint32_t kIndexFanoutBits = 6;
inline constexpr std::uint32_t kIndexFanout = 1u << kIndexFanoutBits;

struct IndexNode {
  void* slots[kIndexFanout];  // IndexNode* or, at the lowest level, Page*
  std::uint64_t present;      // a bit a used slot
};

// Type-stable storage for nodes; grows by chunks, shrinks never.
class IndexNodePool {
 public:
  explicit IndexNodePool(locking::Giant* giant = nullptr);
  IndexNode* Allocate() LOCKING_EXCLUDES(mutex_);
  void Free(IndexNode* node) LOCKING_EXCLUDES(mutex_);
  std::uint32_t in_use() LOCKING_EXCLUDES(mutex_);

 private:
  MutexRole mutex_;
  std::vector<std::unique_ptr<IndexNode[]>> chunks_ LOCKING_GUARDED_BY(mutex_);
  IndexNode* free_ LOCKING_GUARDED_BY(mutex_) = nullptr;  // linked through slots[0]
  std::uint32_t in_use_ LOCKING_GUARDED_BY(mutex_) = 0;
};

class RadixIndex {
 public:
  Page* Lookup(Pindex pindex) const;
  Page* LookupAtOrAfter(Pindex pindex) const;
  void Insert(Pindex pindex, Page* page, IndexNodePool& pool);
  Page* Remove(Pindex pindex, IndexNodePool& pool);
  bool empty() const { return root_ == nullptr; }

 private:
  static Page* FindAtOrAfter(const IndexNode* node, std::uint32_t level, Pindex pindex);

  IndexNode* root_ = nullptr;
  std::uint32_t levels_ = 0;  // 0 when empty; a tree of n levels holds indices below 64^n
};

}  // namespace vm

#endif  // VM_RADIX_INDEX_H_
