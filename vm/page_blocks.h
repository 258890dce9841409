// The parts of a page: which of its blocks of kBlockBytes are initialised (valid), and which differ
// from their copy in a store (dirty). A bit of Page::valid and Page::dirty each, the first block in
// the lowest. A bit of `dirty` is set only where that of `valid` is (INV-52).
//
// Ranges are in bytes from the start of the page, and end within it (else INV-52); they need not be
// aligned. A range touches a block that it has a byte of; an empty one touches none.
//
// Contract of all: locked on entry and return: the owner, exclusively, or the page is unowned. None
// sleeps. Those that change dirty bits: the page is not on the cache queue (INV-23).
//
// Follows vm_page.c:475 (dirty) and :1530–1732 (bits).
#ifndef VM_PAGE_BLOCKS_H_
#define VM_PAGE_BLOCKS_H_

#include <cstdint>

#include "vm/object.h"
#include "vm/page.h"

namespace vm {

// The bits of the blocks that [base, base + size) touches.
std::uint64_t BlocksTouched(const System& system, std::uint32_t base, std::uint32_t size);
// Those of the blocks that it covers wholly.
std::uint64_t BlocksCovered(const System& system, std::uint32_t base, std::uint32_t size);

// All of the page is dirty; none of it is.
void DirtyPage(const System& system, Page& page);
void UndirtyPage(Page& page);

// The range was filled from a store, or written to it. The blocks touched become valid; what lies
// outside the range in one that was not is filled with zeroes. The blocks covered become clean: one
// that the range shares with other bytes keeps their dirt. Where the range is the whole page, the
// modified bits of its mappings and `nosync` go too; else the mappings keep theirs, and the page
// may turn out to be dirty all the same.
void SetValidClean(System& system, Object& owner, Page& page, std::uint32_t base,
                   std::uint32_t size) LOCKING_REQUIRES(owner.lock);
// The blocks touched, which are valid, are dirty; are clean. The mappings' modified bits stay.
void SetBlocksDirty(const System& system, Page& page, std::uint32_t base, std::uint32_t size);
void ClearBlocksDirty(const System& system, Page& page, std::uint32_t base, std::uint32_t size);
// The blocks touched are neither valid nor dirty. A page that loses a block is unmapped first, so
// that nobody sees what is not initialised.
void SetInvalid(System& system, Object& owner, Page& page, std::uint32_t base, std::uint32_t size)
    LOCKING_REQUIRES(owner.lock);

enum class ZeroedBlocks : std::uint8_t {
  kStayInvalid,  // another copy may be newer (a store that several machines write)
  kBecomeValid,
};
// Fills the blocks that are not valid with zeroes, so that the page can be mapped.
void ZeroInvalid(System& system, Page& page, ZeroedBlocks then);

// Whether all blocks touched are valid; of an empty range, whether any block of the page is.
bool IsValid(const System& system, const Page& page, std::uint32_t base, std::uint32_t size);

// Whether some of the page differs from its copy, or has none: by its own bits, or by what a
// mapping has modified, which makes all of it dirty.
bool TestDirty(System& system, Object& owner, Page& page) LOCKING_REQUIRES(owner.lock);

}  // namespace vm

#endif  // VM_PAGE_BLOCKS_H_
