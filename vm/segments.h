// Where the machine's memory lies: ranges of physical addresses with holes between them, as a
// machine finds them when it starts. Frames are numbered over all of it, holes included; the
// descriptors of the frames take their room from the end of the largest range.
//
//   range 0        hole       range 1, the largest          hole    range 2
//   [usable .....]            [usable ............|metadata]        [usable ...]
//   ▲ frame 0                                                       handed out first
//
// Follows vm_page.c:145 and :163 (startup).
#ifndef VM_SEGMENTS_H_
#define VM_SEGMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "vm/types.h"

namespace vm {

// In bytes; a page that it holds only a part of is none.
struct PhysicalRange {
  Address start = 0;
  Address end = 0;
};

// Frames [first, first + count).
struct Segment {
  Frame first = 0;
  std::uint32_t count = 0;
};

struct FramePlan {
  std::uint32_t frames = 0;     // from 0 to the end of the last range
  std::uint32_t usable = 0;     // of them
  std::vector<Segment> memory;  // what is usable, in order
  Segment metadata;             // count 0: kept elsewhere
};

// One range that holds `pages` and nothing else; its metadata is kept elsewhere.
FramePlan PlanOneRange(std::uint32_t pages);
// `ranges` in order, disjoint; frame 0 is where the first begins. Empty: what is wrong, in *error.
FramePlan PlanFrames(const std::vector<PhysicalRange>& ranges, std::uint32_t page_size,
                     std::uint32_t descriptor_bytes, std::string* error);

// `holes` + 1 ranges that hold `pages` besides the descriptors of all frames: half of the pages in
// the first, which is the largest. At least one page each.
std::vector<PhysicalRange> MemoryWithHoles(std::uint32_t pages, std::uint32_t page_size,
                                           std::uint32_t descriptor_bytes, std::uint32_t holes);

}  // namespace vm

#endif  // VM_SEGMENTS_H_
