// The data oracle: what every load may return.
//
// Some places of each page hold a record of 32 bytes ⟨memory id, offset, generation, hash⟩. A
// Memory is the lineage of one range of content, not of an address: shared mappings of one range
// have one Memory, and a copy-on-write child has its own, which knows what its parent may have held
// while the fork ran. A load is right when it returns the last generation stored, or one stored
// while the load ran; what is wrong is told apart:
//
//   torn     parts of two records, and nobody was storing
//   stale    an older generation: a store that had returned was lost
//   foreign  another place's or another lineage's record: isolation broke
//   lost     zeroes where something had been stored
//
// Thread safety: all functions of Memory may be called by any thread. A record has one writer at a
// time: BeginStore claims it. The claims are relaxed atomics on purpose: an oracle that ordered the
// accesses of two workers would hide from ThreadSanitizer the races it is there to find. So the
// order of a claim and its access is that of the machine; x86 keeps it.
#ifndef STRESS_WORLD_ORACLE_H_
#define STRESS_WORLD_ORACLE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "locking/atomic.h"
#include "stress/world/shared.h"

namespace stress {

inline constexpr std::uint32_t kRecordWords = 4;
inline constexpr std::uint32_t kRecordBytes = kRecordWords * 8;
inline constexpr std::uint32_t kRecordsPerPage = 4;

struct Record {
  std::uint64_t memory = 0;
  std::uint64_t offset = 0;  // in bytes from the start of the Memory
  std::uint64_t generation = 0;
  std::uint64_t hash = 0;

  std::array<std::uint64_t, kRecordWords> words() const {
    return {memory, offset, generation, hash};
  }
  static Record FromWords(const std::uint64_t* words) {
    return {words[0], words[1], words[2], words[3]};
  }
  bool IsZero() const { return (memory | offset | generation | hash) == 0; }
};

enum class RecordFault : std::uint8_t { kNone, kTorn, kStale, kForeign, kMisplaced, kLost };
// The invariant that it breaks:
//   INV-47  torn: a store that returned is seen as a whole
//   INV-48  foreign: copy-on-write isolates
//   INV-49  stale or lost: what was stored is not discarded
//   INV-50  misplaced: no place gets the content of another one
const char* RecordFaultId(RecordFault fault);
// One sentence, equal for equal faults.
const char* RecordFaultTitle(RecordFault fault);

struct Verdict {
  RecordFault fault = RecordFault::kNone;
  std::string explanation;  // what was expected and what was found; empty when nothing is wrong
};

// Hands out memory ids and counts what the live ones hold. One a run.
class Lineage {
 public:
  explicit Lineage(std::uint64_t salt) : salt_(salt) {}
  std::uint32_t NextId() { return next_id_.FetchAdd(1, std::memory_order_relaxed); }
  std::uint64_t salt() const { return salt_; }
  // Pages of all live memories.
  std::uint64_t committed_pages() const { return committed_pages_.Peek(); }

 private:
  friend class Memory;
  const std::uint64_t salt_;  // enters each hash: records of another run are foreign
  locking::Atomic<std::uint32_t> next_id_{1};
  locking::Atomic<std::uint64_t> committed_pages_{0};
};

class Memory {
 public:
  // New memory that reads as zero.
  Memory(Lineage& lineage, std::uint32_t pages, std::uint32_t page_size);
  ~Memory();
  Memory(const Memory&) = delete;

  // A fork of this memory by copy-on-write: call ForkStart before it starts and ForkEnd when it has
  // returned; the child may hold anything that was live in between.
  std::vector<std::uint32_t> ForkStart() const;
  Shared<Memory> ForkEnd(const std::vector<std::uint32_t>& at_start) const;

  // Claims the record for a store and says what to store; false: another thread is storing there.
  bool BeginStore(std::uint32_t page, std::uint32_t slot, Record* record);
  enum class StoreOutcome : std::uint8_t { kStored, kNotStored };
  void EndStore(std::uint32_t page, std::uint32_t slot, StoreOutcome outcome);

  // The contents of the page may be forgotten: until a store that begins after EndForget, they read
  // as they did or as zero.
  void BeginForget(std::uint32_t page);
  void EndForget(std::uint32_t page);

  // What EndLoad needs to know of the time before the load.
  using Snapshot = std::uint64_t;
  Snapshot BeginLoad(std::uint32_t page, std::uint32_t slot) const;
  Verdict EndLoad(std::uint32_t page, std::uint32_t slot, Snapshot before,
                  const Record& found) const;

  // Byte offset of a record in its page: the first and the last of it, and two between.
  std::uint32_t OffsetInPage(std::uint32_t slot) const;
  std::uint32_t id() const { return id_; }
  std::uint32_t pages() const { return pages_; }
  // Mapped by more than one space by inheritance; from then on for ever.
  void MarkShared() { shared_.Store(true, std::memory_order_relaxed); }
  bool shared() const { return shared_.Peek(); }

 private:
  // Generations of an ancestor that a record may hold; id 0: zeroes.
  struct Source {
    std::uint32_t memory = 0;
    std::uint32_t low = 0;  // 0: the next source is possible too
    std::uint32_t high = 0;
  };
  static constexpr std::size_t kSources = 3;
  struct Slot {
    // Twice the generation, plus one while the next one is being stored.
    locking::Atomic<std::uint64_t> state{0};
    // Generations below this one may have been forgotten.
    locking::Atomic<std::uint64_t> forgotten{0};
    std::array<Source, kSources> sources{};  // constant; newest first
    bool more_sources = false;               // than were kept: inherited content is not checked
  };

  std::uint32_t Index(std::uint32_t page, std::uint32_t slot) const {
    return page * kRecordsPerPage + slot;
  }
  std::uint64_t HashOf(const Record& record) const;
  Record Make(std::uint32_t page, std::uint32_t slot, std::uint64_t generation) const;
  void InheritSlot(std::uint32_t index, std::uint32_t low, Slot* child) const;
  bool Inherited(const Slot& slot, const Record& found) const;
  // Whether a record whose generation `low` had been stored may read as zero since.
  bool MayBeForgotten(std::uint32_t page, const Slot& slot, std::uint64_t low) const;
  bool IsAncestor(std::uint64_t memory) const;
  RecordFault Classify(const Slot& slot, const Record& found, const Record& expected,
                       std::uint64_t low, std::uint64_t high, bool storing) const;

  Lineage& lineage_;
  const std::uint32_t id_;
  const std::uint32_t pages_;
  const std::uint32_t page_size_;
  std::vector<std::uint32_t> ancestors_;
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<locking::Atomic<std::uint32_t>[]> forgetting_;  // by page: calls under way
  locking::Atomic<bool> shared_{false};
};

}  // namespace stress

#endif  // STRESS_WORLD_ORACLE_H_
