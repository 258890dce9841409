#include "vm/page_blocks.h"

#include <bit>
#include <cstring>

#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

void RequireInPage(const System& system, std::uint32_t base, std::uint32_t size) {
  const std::uint32_t page_size = system.config().page_size;
  Require(base <= page_size && size <= page_size - base, "INV-52",
          "a range of blocks reaches beyond its page");
}

// The bits from `first` on and below `end`.
std::uint64_t Bits(std::uint32_t first, std::uint32_t end) {
  if (first >= end) return 0;
  const std::uint64_t below_end = end >= 64 ? ~0ull : (1ull << end) - 1;
  return below_end & (~0ull << first % 64);
}

void ZeroBytes(System& system, Page& page, std::uint32_t base, std::uint32_t size) {
  std::memset(system.FrameBytes(page).subspan(base, size).data(), 0, size);
}

bool BlockValid(const Page& page, std::uint32_t byte) {
  const std::uint32_t block = byte / kBlockBytes;
  return (page.valid & Bits(block, block + 1)) != 0;
}

// The rest of the blocks that the range has only a part of, where they hold nothing yet.
void ZeroAround(System& system, Page& page, std::uint32_t base, std::uint32_t end) {
  const std::uint32_t before = base % kBlockBytes;
  if (before != 0 && !BlockValid(page, base)) ZeroBytes(system, page, base - before, before);
  const std::uint32_t after = end % kBlockBytes;
  if (after != 0 && !BlockValid(page, end)) ZeroBytes(system, page, end, kBlockBytes - after);
}

void RequireNotCached(const Page& page) {
  Require(page.queue != PageQueue::kCache, "INV-23", "a page on the cache queue is dirtied");
}

}  // namespace

std::uint64_t BlocksTouched(const System& system, std::uint32_t base, std::uint32_t size) {
  RequireInPage(system, base, size);
  if (size == 0) return 0;
  return Bits(base / kBlockBytes, (base + size - 1) / kBlockBytes + 1);
}

std::uint64_t BlocksCovered(const System& system, std::uint32_t base, std::uint32_t size) {
  RequireInPage(system, base, size);
  return Bits((base + kBlockBytes - 1) / kBlockBytes, (base + size) / kBlockBytes);
}

void DirtyPage(const System& system, Page& page) {
  RequireNotCached(page);
  page.dirty.Store(system.AllBlocks(), std::memory_order_relaxed);
}

void UndirtyPage(Page& page) { page.dirty.Store(0, std::memory_order_relaxed); }

void SetValidClean(System& system, Object& owner, Page& page, std::uint32_t base,
                   std::uint32_t size) {
  owner.lock.AssertHeld();
  const std::uint64_t touched = BlocksTouched(system, base, size);
  if (size == 0) return;
  ZeroAround(system, page, base, base + size);
  page.valid |= touched;
  page.dirty.FetchAnd(~BlocksCovered(system, base, size));
  if (size != system.config().page_size) return;
  Pmap::ClearModified(system, page);
  page.nosync = false;
}

void SetBlocksDirty(const System& system, Page& page, std::uint32_t base, std::uint32_t size) {
  const std::uint64_t touched = BlocksTouched(system, base, size);
  Require((touched & ~page.valid) == 0, "INV-52", "a block is dirtied that is not valid");
  RequireNotCached(page);
  page.dirty.FetchOr(touched);
}

void ClearBlocksDirty(const System& system, Page& page, std::uint32_t base, std::uint32_t size) {
  page.dirty.FetchAnd(~BlocksTouched(system, base, size));
}

void SetInvalid(System& system, Object& owner, Page& page, std::uint32_t base, std::uint32_t size) {
  owner.lock.AssertHeld();
  const std::uint64_t touched = BlocksTouched(system, base, size);
  if ((page.valid & touched) != 0) Pmap::RemoveAll(system, page);
  page.valid &= ~touched;
  page.dirty.FetchAnd(~touched);
  ++owner.generation;
}

void ZeroInvalid(System& system, Page& page, ZeroedBlocks then) {
  std::uint64_t invalid = system.AllBlocks() & ~page.valid;
  while (invalid != 0) {
    const auto first = static_cast<std::uint32_t>(std::countr_zero(invalid));
    const auto run = static_cast<std::uint32_t>(std::countr_one(invalid >> first));
    ZeroBytes(system, page, first * kBlockBytes, run * kBlockBytes);
    invalid &= ~Bits(first, first + run);
  }
  if (then == ZeroedBlocks::kBecomeValid) page.valid = system.AllBlocks();
}

bool IsValid(const System& system, const Page& page, std::uint32_t base, std::uint32_t size) {
  const std::uint64_t touched = BlocksTouched(system, base, size);
  return page.valid != 0 && (page.valid & touched) == touched;
}

bool TestDirty(System& system, Object& owner, Page& page) {
  owner.lock.AssertHeld();
  if (page.dirty.Load() != system.AllBlocks() && Pmap::IsModified(system, page))
    DirtyPage(system, page);
  return page.dirty.Load() != 0;
}

}  // namespace vm
