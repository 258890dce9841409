// A simulated CPU: a translation cache, and the access section in which it touches frames.
//
// The access section is the CPU's access lock. A shootdown invalidates the page-table entry first,
// then takes the access lock of every CPU that may hold the translation and drops it there: when it
// returns, no CPU uses the old translation, whether the CPU was running, sleeping or idle. So
// nobody waits for a CPU that is not inside a section, which is a few instructions long.
//
// Threads that share a CPU take turns. CPUs touch frames with relaxed 64-bit atomics and the kernel
// with plain accesses, so that a missing shootdown is a data race that ThreadSanitizer reports.
#ifndef VM_CPU_H_
#define VM_CPU_H_

#include <array>
#include <cstdint>
#include <vector>

#include "locking/mutex.h"
#include "vm/types.h"

namespace vm {

class Pmap;
class System;

class alignas(64) Cpu {
 public:
  Cpu(System& system, std::uint32_t number);

  const std::uint32_t number;

  enum class Access : std::uint8_t {
    kDone,
    kFault,  // no translation allows it: fault, then try again
  };
  // One aligned 64-bit word at `va` of `pmap`. What may be written may be read.
  //   locked on entry and return: nothing that comes after "cpu access". Does not sleep.
  Access Load(Pmap& pmap, Address va, std::uint64_t* value);
  Access Store(Pmap& pmap, Address va, std::uint64_t value);
  // `count` consecutive words within one page, in one access section: all or kFault.
  Access LoadWords(Pmap& pmap, Address va, std::uint64_t* values, std::uint32_t count);
  Access StoreWords(Pmap& pmap, Address va, const std::uint64_t* values, std::uint32_t count);

  // Drops the translations of pages [first, last] of `pmap`. By shootdowns alone.
  void Invalidate(const Pmap& pmap, Address first, Address last);
  struct Translation {
    const Pmap* pmap = nullptr;  // nullptr: an empty slot
    Address page = 0;            // page-aligned
    Frame frame = 0;
    bool writable = false;  // and the modified bit of the page-table entry is set
  };
  // For sweeps: what is cached.
  std::vector<Translation> CachedTranslations();

 private:
  static constexpr std::uint32_t kTlbEntries = 32;  // direct mapped
  // The frame's words from `va` on, which allow `access`; nullptr: fault. Walks the page table if
  // the translation is not cached.
  std::uint64_t* Translate(Pmap& pmap, Address va, Protection access) LOCKING_REQUIRES(access_);
  // The CPU's half of a walk: sets the referenced bit, and the modified bit for a write.
  bool Fill(Pmap& pmap, Protection access, Translation* slot) LOCKING_REQUIRES(access_);
  Translation& SlotOf(const Pmap& pmap, Address page) LOCKING_REQUIRES(access_);

  System& system_;
  locking::Mutex access_;
  std::array<Translation, kTlbEntries> tlb_ LOCKING_GUARDED_BY(access_);
};

}  // namespace vm

#endif  // VM_CPU_H_
