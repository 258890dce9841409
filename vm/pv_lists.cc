#include "vm/pv_lists.h"

#include <string>
#include <utility>

#include "vm/lock_classes.h"
#include "vm/pmap.h"
#include "vm/require.h"

namespace vm {
namespace {

constexpr std::uint32_t kEntriesPerChunk = 32;

}  // namespace

PvLists::Shard::Shard(locking::Giant* giant) : lock(kPvListLock, 0, giant) {}

// A shard cannot be moved: the vector makes each of them from one element of a range.
PvLists::PvLists(std::uint32_t pages, locking::Giant* giant) {
  const std::vector<locking::Giant*> giants(pages / kFramesPerShard + 1, giant);
  shards_ = std::vector<Shard>(giants.begin(), giants.end());
}

void PvLists::Shard::Grow() {
  auto chunk = std::make_unique<PvEntry[]>(kEntriesPerChunk);
  for (std::uint32_t i = kEntriesPerChunk; i-- > 0;) {
    chunk[i].next = free_;
    free_ = &chunk[i];
  }
  chunks_.push_back(std::move(chunk));
}

void PvLists::Shard::Add(Page& page, Pmap* pmap, Address va) {
  lock.AssertHeld();
  if (free_ == nullptr) [[unlikely]]
    Grow();
  PvEntry* entry = std::exchange(free_, free_->next);
  *entry = {pmap, va, page.pv_first};
  page.pv_first = entry;
  ++in_use_;
}

void PvLists::Shard::Remove(Page& page, const Pmap* pmap, Address va) {
  lock.AssertHeld();
  PvEntry** link = &page.pv_first;
  while (*link != nullptr && ((*link)->pmap != pmap || (*link)->va != va)) link = &(*link)->next;
  Require(*link != nullptr, "INV-41", [&] {
    return "frame " + std::to_string(page.frame) + " is mapped by pmap #" +
           std::to_string(pmap->id()) + " and its PV list does not know";
  });
  PvEntry* entry = std::exchange(*link, (*link)->next);
  entry->next = std::exchange(free_, entry);
  --in_use_;
}

std::uint32_t PvLists::in_use() {
  std::uint32_t sum = 0;
  for (Shard& shard : shards_) {
    RoleGuard guard(shard.lock);
    sum += shard.in_use();
  }
  return sum;
}

}  // namespace vm
