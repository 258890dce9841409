#include "stress/world/oracle.h"

#include <algorithm>

#include "locking/hash.h"

namespace stress {
namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

std::string Describe(const Record& record) {
  if (record.IsZero()) return "zeroes";
  return "memory " + std::to_string(record.memory) + " offset " + std::to_string(record.offset) +
         " generation " + std::to_string(record.generation);
}

}  // namespace

const char* RecordFaultId(RecordFault fault) {
  switch (fault) {
    case RecordFault::kTorn:
      return "INV-47";
    case RecordFault::kStale:
      return "INV-49";
    case RecordFault::kForeign:
      return "INV-48";
    case RecordFault::kMisplaced:
      return "INV-50";
    case RecordFault::kLost:
      return "INV-49";
    case RecordFault::kNone:
      break;
  }
  return "";
}

const char* RecordFaultTitle(RecordFault fault) {
  switch (fault) {
    case RecordFault::kTorn:
      return "a load returned parts of two records while nobody was storing";
    case RecordFault::kStale:
      return "a load returned older data than the last store that had returned";
    case RecordFault::kForeign:
      return "a load returned data that another address space stored";
    case RecordFault::kMisplaced:
      return "a load returned data of another place";
    case RecordFault::kLost:
      return "a load returned zeroes where data had been stored";
    case RecordFault::kNone:
      break;
  }
  return "";
}

Memory::Memory(Lineage& lineage, std::uint32_t pages, std::uint32_t page_size)
    : lineage_(lineage),
      id_(lineage.NextId()),
      pages_(pages),
      page_size_(page_size),
      slots_(std::make_unique<Slot[]>(std::size_t{pages} * kRecordsPerPage)),
      forgetting_(std::make_unique<locking::Atomic<std::uint32_t>[]>(pages)) {
  lineage_.committed_pages_.FetchAdd(pages, kRelaxed);
}

Memory::~Memory() { lineage_.committed_pages_.FetchSub(pages_, kRelaxed); }

std::uint32_t Memory::OffsetInPage(std::uint32_t slot) const {
  const std::uint32_t last = page_size_ / kRecordBytes - 1;
  return last * slot / (kRecordsPerPage - 1) * kRecordBytes;
}

std::uint64_t Memory::HashOf(const Record& record) const {
  std::uint64_t hash = locking::HashCombine(lineage_.salt(), record.memory);
  hash = locking::HashCombine(hash, record.offset);
  hash = locking::HashCombine(hash, record.generation);
  return hash == 0 ? 1 : hash;
}

Record Memory::Make(std::uint32_t page, std::uint32_t slot, std::uint64_t generation) const {
  Record record{id_, std::uint64_t{page} * page_size_ + OffsetInPage(slot), generation, 0};
  record.hash = HashOf(record);
  return record;
}

std::vector<std::uint32_t> Memory::ForkStart() const {
  const std::uint32_t n = pages_ * kRecordsPerPage;
  std::vector<std::uint32_t> generations(n);
  for (std::uint32_t i = 0; i < n; ++i)
    generations[i] = static_cast<std::uint32_t>(slots_[i].state.Peek() / 2);
  return generations;
}

Shared<Memory> Memory::ForkEnd(const std::vector<std::uint32_t>& at_start) const {
  auto child = MakeShared<Memory>(lineage_, pages_, page_size_);
  child->ancestors_ = ancestors_;
  child->ancestors_.push_back(id_);
  for (std::uint32_t i = 0; i < at_start.size(); ++i)
    InheritSlot(i, at_start[i], &child->slots_[i]);
  return child;
}

void Memory::InheritSlot(std::uint32_t index, std::uint32_t low, Slot* child) const {
  const Slot& parent = slots_[index];
  const auto high = static_cast<std::uint32_t>((parent.state.Peek() + 1) / 2);
  std::size_t kept = 0;
  if (high > 0) child->sources[kept++] = {id_, low, high};
  // Zeroes, or what it read as.
  if (MayBeForgotten(index / kRecordsPerPage, parent, low)) {
    child->more_sources = true;
    return;
  }
  if (low > 0) return;
  child->more_sources = parent.more_sources;
  for (const Source& source : parent.sources) {
    if (kept == kSources) {
      child->more_sources = true;
      return;
    }
    child->sources[kept++] = source;
    if (source.memory == 0 || source.low > 0) return;
  }
}

bool Memory::BeginStore(std::uint32_t page, std::uint32_t slot, Record* record) {
  Slot& place = slots_[Index(page, slot)];
  std::uint64_t state = place.state.Peek();
  if (state % 2 != 0 || !place.state.CompareExchange(state, state + 1, kRelaxed)) return false;
  *record = Make(page, slot, state / 2 + 1);
  return true;
}

void Memory::EndStore(std::uint32_t page, std::uint32_t slot, StoreOutcome outcome) {
  Slot& place = slots_[Index(page, slot)];
  const std::uint64_t state = place.state.Peek();
  place.state.Store(outcome == StoreOutcome::kStored ? state + 1 : state - 1, kRelaxed);
}

void Memory::BeginForget(std::uint32_t page) { forgetting_[page].FetchAdd(1, kRelaxed); }

void Memory::EndForget(std::uint32_t page) {
  for (std::uint32_t record = 0; record < kRecordsPerPage; ++record) {
    Slot& slot = slots_[Index(page, record)];
    // A store under way may have come before, or come yet.
    const std::uint64_t limit = (slot.state.Peek() + 1) / 2 + 1;
    std::uint64_t forgotten = slot.forgotten.Peek();
    while (forgotten < limit && !slot.forgotten.CompareExchange(forgotten, limit, kRelaxed)) {
    }
  }
  forgetting_[page].FetchSub(1, kRelaxed);
}

bool Memory::MayBeForgotten(std::uint32_t page, const Slot& slot, std::uint64_t low) const {
  return slot.forgotten.Peek() > low || forgetting_[page].Peek() != 0;
}

Memory::Snapshot Memory::BeginLoad(std::uint32_t page, std::uint32_t slot) const {
  return slots_[Index(page, slot)].state.Peek();
}

bool Memory::IsAncestor(std::uint64_t memory) const {
  return std::find(ancestors_.begin(), ancestors_.end(), memory) != ancestors_.end();
}

// Whether `found`, whose hash is right, is what the record held before this memory's own stores.
bool Memory::Inherited(const Slot& slot, const Record& found) const {
  for (const Source& source : slot.sources) {
    if (source.memory == 0) return found.IsZero();
    if (found.memory == source.memory && found.generation >= std::max(source.low, 1u) &&
        found.generation <= source.high)
      return true;
    if (source.low > 0) return false;
  }
  return slot.more_sources;
}

RecordFault Memory::Classify(const Slot& slot, const Record& found, const Record& expected,
                             std::uint64_t low, std::uint64_t high, bool storing) const {
  if (low == 0 && slot.more_sources) return RecordFault::kNone;
  if (found.IsZero()) {
    const bool never_stored = low == 0 && Inherited(slot, found);
    return never_stored ? RecordFault::kNone : RecordFault::kLost;
  }
  // While somebody stores, the four words of a load may come from before and after.
  if (found.hash != HashOf(found)) return storing ? RecordFault::kNone : RecordFault::kTorn;
  if (found.offset != expected.offset) return RecordFault::kMisplaced;
  if (found.memory == id_) {
    if (found.generation < low) return RecordFault::kStale;
    return found.generation <= high ? RecordFault::kNone : RecordFault::kForeign;
  }
  if (low == 0 && Inherited(slot, found)) return RecordFault::kNone;
  if (!IsAncestor(found.memory)) return RecordFault::kForeign;
  // An ancestor's store after the fork is isolation broken; an earlier one is data gone backward.
  for (const Source& source : slot.sources)
    if (found.memory == source.memory && found.generation > source.high)
      return RecordFault::kForeign;
  return RecordFault::kStale;
}

Verdict Memory::EndLoad(std::uint32_t page, std::uint32_t slot, Snapshot before,
                        const Record& found) const {
  const Slot& place = slots_[Index(page, slot)];
  const std::uint64_t after = place.state.Peek();
  const std::uint64_t low = before / 2;
  const std::uint64_t high = (after + 1) / 2;
  const bool storing = before != after || before % 2 != 0;
  const Record expected = Make(page, slot, low);
  Verdict verdict;
  if (found.IsZero() && MayBeForgotten(page, place, low)) return verdict;
  verdict.fault = Classify(place, found, expected, low, high, storing);
  if (verdict.fault == RecordFault::kNone) return verdict;
  verdict.explanation =
      "page " + std::to_string(page) + " record " + std::to_string(slot) + ": expected " +
      (low == 0 ? "what it inherited, or " : "") + Describe(expected) +
      (high > low ? " to " + std::to_string(high) : std::string()) + ", found " + Describe(found);
  if (low == 0 && place.sources[0].memory != 0)
    verdict.explanation += "; inherited is memory " + std::to_string(place.sources[0].memory) +
                           " generation " + std::to_string(place.sources[0].low) + " to " +
                           std::to_string(place.sources[0].high);
  return verdict;
}

}  // namespace stress
