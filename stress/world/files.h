// FileState: a file of the run, which lasts as long as the world, and what the harness knows of
// its contents. It has two parts:
//
//   kept    never truncated: records that the oracle checks, in all mappings and in the file itself
//   tail    truncated and extended again, anywhere. Each place holds 0, or a word that says how
//   many
//           truncations had been when it was stored, or the bytes of such a word that a truncation
//           in its midst has left: what an earlier one took never comes back
//
// Thread safety: all functions may be called by any thread. As in the oracle, what is known is kept
// in relaxed atomics, and orders nothing.
#ifndef STRESS_WORLD_FILES_H_
#define STRESS_WORLD_FILES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "locking/atomic.h"
#include "stress/world/claim.h"
#include "stress/world/faulty_file.h"
#include "stress/world/oracle.h"
#include "stress/world/shared.h"
#include "vm/system.h"

namespace stress {

// A file of `bytes` that nobody has written to: in memory, or in `folder`, without a name. nullptr:
// the host has no room for another one.
std::unique_ptr<vm::BackingFile> NewFile(const std::string& folder, std::uint64_t bytes);

class FileState {
 public:
  // Of whole pages, from 2, half of which are kept. `number` from 1. Opens the file in `system`.
  FileState(vm::System& system, Lineage& lineage, std::uint32_t number,
            std::unique_ptr<vm::BackingFile> file, const StoreFaults& faults);
  FileState(const FileState&) = delete;

  const std::uint32_t number;
  std::uint32_t pages() const { return pages_; }
  std::uint32_t kept_pages() const { return pages_ / 2; }
  std::uint32_t tail_pages() const { return pages_ - kept_pages(); }
  // Shared by whoever uses the vnode; alone: closes the file and opens it again.
  Claim open_use;
  vm::Vnode& vnode() { return *vnode_; }
  const Shared<Memory>& memory() const { return memory_; }  // of the part that is kept

  // Shared by who stores to the tail what is not 0; alone: truncates it.
  Claim tail_use;
  // What to store at a place of the tail now.
  std::uint64_t TailWord(std::uint32_t page) const;
  // What is known of a place of the tail: to be asked before a load.
  struct TailView {
    std::uint32_t floor;      // truncations when the oldest whole word was stored
    std::uint32_t cut_floor;  // the same of words of which a part is left
    std::uint32_t cuts;       // bit n: n bytes may be left
    std::uint32_t truncations;
  };
  TailView ViewTail(std::uint32_t page) const;
  // Whether a load that began then may have found `word`.
  bool TailMayHold(std::uint32_t page, const TailView& before, std::uint64_t word) const;
  // The tail is to end, and ends, after `bytes` of it. By whoever has tail_use alone.
  void BeginTruncation(std::uint64_t bytes);
  void EndTruncation(std::uint64_t bytes);

  // The record as the file itself has it. Nobody may write the file meanwhile.
  Record RecordInFile(std::uint32_t page, std::uint32_t slot);
  // Ends the use that the world has. What ReleaseVnode says.
  vm::Result Close();
  // The same, and opens the file again. By whoever has open_use alone.
  vm::Result Reopen();

 private:
  vm::System& system_;
  const std::uint32_t pages_;
  const Shared<Memory> memory_;
  FaultyFile file_;
  vm::Vnode* vnode_;
  struct TailPlace {
    locking::Atomic<std::uint32_t> floor;
    locking::Atomic<std::uint32_t> cut_floor;
    locking::Atomic<std::uint32_t> cuts;
  };
  // Its highest byte is not 0, so that a part of a word is never a whole one.
  std::uint64_t PlaceOf(std::uint32_t page) const;
  bool PartMayBeLeft(std::uint32_t page, const TailView& view, std::uint64_t word) const;

  locking::Atomic<std::uint32_t> truncations_{1};
  std::unique_ptr<TailPlace[]> places_;  // by page of the tail
};

}  // namespace stress

#endif  // STRESS_WORLD_FILES_H_
