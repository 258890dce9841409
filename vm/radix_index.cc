#include "vm/radix_index.h"

#include <bit>

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {
namespace {

constexpr std::uint32_t kNodesPerChunk = 16;
constexpr std::uint32_t kMaxLevels = 11;  // 64^11 > 2^64

constexpr std::uint32_t SlotOf(Pindex pindex, std::uint32_t level) {
  const std::uint32_t shift = level * kIndexFanoutBits;
  return shift >= 64 ? 0 : static_cast<std::uint32_t>(pindex >> shift) & (kIndexFanout - 1);
}

// Whether a tree of `levels` levels can hold `pindex`.
constexpr bool Fits(Pindex pindex, std::uint32_t levels) {
  const std::uint32_t bits = levels * kIndexFanoutBits;
  return bits >= 64 || (pindex >> bits) == 0;
}

}  // namespace

IndexNodePool::IndexNodePool(locking::Giant* giant) : mutex_(kIndexNodesLock, 0, giant) {}

IndexNode* IndexNodePool::Allocate() {
  RoleGuard guard(mutex_);
  if (free_ == nullptr) {
    auto chunk = std::make_unique<IndexNode[]>(kNodesPerChunk);
    for (std::uint32_t i = kNodesPerChunk; i-- > 0;) {
      chunk[i].slots[0] = free_;
      free_ = &chunk[i];
    }
    chunks_.push_back(std::move(chunk));
  }
  IndexNode* node = free_;
  free_ = static_cast<IndexNode*>(node->slots[0]);
  node->slots[0] = nullptr;
  ++in_use_;
  return node;
}

void IndexNodePool::Free(IndexNode* node) {
  RoleGuard guard(mutex_);
  node->slots[0] = free_;
  free_ = node;
  --in_use_;
}

std::uint32_t IndexNodePool::in_use() {
  RoleGuard guard(mutex_);
  return in_use_;
}

Page* RadixIndex::Lookup(Pindex pindex) const {
  if (!Fits(pindex, levels_)) return nullptr;
  const IndexNode* node = root_;
  for (std::uint32_t level = levels_; level-- > 1 && node != nullptr;)
    node = static_cast<const IndexNode*>(node->slots[SlotOf(pindex, level)]);
  return node == nullptr ? nullptr : static_cast<Page*>(node->slots[SlotOf(pindex, 0)]);
}

Page* RadixIndex::LookupAtOrAfter(Pindex pindex) const {
  if (root_ == nullptr || !Fits(pindex, levels_)) return nullptr;
  return FindAtOrAfter(root_, levels_ - 1, pindex);
}

// Recursion is bounded by kMaxLevels.
Page* RadixIndex::FindAtOrAfter(const IndexNode* node, std::uint32_t level, Pindex pindex) {
  const std::uint32_t first = SlotOf(pindex, level);
  std::uint64_t candidates = node->present & (~0ull << first);
  while (candidates != 0) {
    const auto slot = static_cast<std::uint32_t>(std::countr_zero(candidates));
    candidates &= candidates - 1;
    if (level == 0) return static_cast<Page*>(node->slots[slot]);
    const Pindex below = slot == first ? pindex : 0;
    Page* found = FindAtOrAfter(static_cast<const IndexNode*>(node->slots[slot]), level - 1, below);
    if (found != nullptr) return found;
  }
  return nullptr;
}

void RadixIndex::Insert(Pindex pindex, Page* page, IndexNodePool& pool) {
  if (root_ == nullptr) {
    // Of the height it takes: a lower tree would be grown with an empty node in it, for good.
    levels_ = 1;
    while (!Fits(pindex, levels_)) ++levels_;
    root_ = pool.Allocate();
  }
  while (!Fits(pindex, levels_)) {
    IndexNode* root = pool.Allocate();
    root->slots[0] = root_;
    root->present = 1;
    root_ = root;
    ++levels_;
  }
  IndexNode* node = root_;
  for (std::uint32_t level = levels_; level-- > 1;) {
    const std::uint32_t slot = SlotOf(pindex, level);
    if (node->slots[slot] == nullptr) {
      node->slots[slot] = pool.Allocate();
      node->present |= 1ull << slot;
    }
    node = static_cast<IndexNode*>(node->slots[slot]);
  }
  const std::uint32_t slot = SlotOf(pindex, 0);
  Require(node->slots[slot] == nullptr, "INV-04", "a second page is inserted at one index");
  node->slots[slot] = page;
  node->present |= 1ull << slot;
}

Page* RadixIndex::Remove(Pindex pindex, IndexNodePool& pool) {
  IndexNode* path[kMaxLevels];
  IndexNode* node = root_;
  Require(node != nullptr && Fits(pindex, levels_), "INV-03",
          "a page is not in its object's index");
  for (std::uint32_t level = levels_; level-- > 0;) {
    Require(node != nullptr, "INV-03", "a page is not in its object's index");
    path[level] = node;
    if (level > 0) node = static_cast<IndexNode*>(node->slots[SlotOf(pindex, level)]);
  }
  auto* page = static_cast<Page*>(node->slots[SlotOf(pindex, 0)]);
  Require(page != nullptr, "INV-03", "a page is not in its object's index");
  // Empty nodes go back to the pool, from the leaf up.
  for (std::uint32_t level = 0; level < levels_; ++level) {
    const std::uint32_t slot = SlotOf(pindex, level);
    path[level]->slots[slot] = nullptr;
    path[level]->present &= ~(1ull << slot);
    if (path[level]->present != 0) return page;
    pool.Free(path[level]);
  }
  root_ = nullptr;
  levels_ = 0;
  return page;
}

}  // namespace vm
