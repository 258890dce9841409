#include "vm/segments.h"

#include <algorithm>
#include <limits>

namespace vm {
namespace {

// The whole pages of the range; start and end in pages.
PhysicalRange WholePages(const PhysicalRange& range, std::uint32_t page_size) {
  const Address start = (range.start + page_size - 1) / page_size;
  return {.start = start, .end = std::max(start, range.end / page_size)};
}

bool InOrder(const std::vector<PhysicalRange>& ranges) {
  Address last = 0;
  for (const PhysicalRange& range : ranges) {
    if (range.start < last || range.end < range.start) return false;
    last = range.end;
  }
  return true;
}

// The room for the descriptors comes from the end of the largest segment.
bool TakeMetadata(std::uint64_t bytes, std::uint32_t page_size, FramePlan* plan) {
  const std::uint64_t frames = (bytes + page_size - 1) / page_size;
  const auto largest =
      std::max_element(plan->memory.begin(), plan->memory.end(),
                       [](const Segment& a, const Segment& b) { return a.count < b.count; });
  if (largest == plan->memory.end() || largest->count <= frames) return false;
  largest->count -= static_cast<std::uint32_t>(frames);
  plan->metadata = {.first = largest->first + largest->count,
                    .count = static_cast<std::uint32_t>(frames)};
  plan->usable -= plan->metadata.count;
  return true;
}

}  // namespace

FramePlan PlanOneRange(std::uint32_t pages) {
  return {
      .frames = pages, .usable = pages, .memory = {{.first = 0, .count = pages}}, .metadata = {}};
}

FramePlan PlanFrames(const std::vector<PhysicalRange>& ranges, std::uint32_t page_size,
                     std::uint32_t descriptor_bytes, std::string* error) {
  if (!InOrder(ranges)) {
    *error = "memory ranges: they overlap, or are not in order";
    return {};
  }
  FramePlan plan;
  Address first = 0;
  for (const PhysicalRange& range : ranges) {
    const PhysicalRange pages = WholePages(range, page_size);
    if (pages.start == pages.end) continue;
    if (plan.memory.empty()) first = pages.start;
    const Address end = pages.end - first;
    if (end > std::numeric_limits<std::uint32_t>::max() / 2) {
      *error = "memory ranges: they span too many frames";
      return {};
    }
    plan.memory.push_back({.first = static_cast<Frame>(pages.start - first),
                           .count = static_cast<std::uint32_t>(pages.end - pages.start)});
    plan.usable += plan.memory.back().count;
    plan.frames = static_cast<std::uint32_t>(end);
  }
  if (!TakeMetadata(std::uint64_t{plan.frames} * descriptor_bytes, page_size, &plan)) {
    *error = "memory ranges: the largest has no room for the descriptors of all frames";
    return {};
  }
  return plan;
}

std::vector<PhysicalRange> MemoryWithHoles(std::uint32_t pages, std::uint32_t page_size,
                                           std::uint32_t descriptor_bytes, std::uint32_t holes) {
  const std::uint64_t small = std::max(1u, pages / 2 / std::max(1u, holes));
  const std::uint64_t hole = std::max<std::uint64_t>(1, small / 4);
  const std::uint64_t behind = holes * (small + hole);
  std::uint64_t large = pages - std::min<std::uint64_t>(pages - 1, holes * small);
  // Each page of descriptors is a frame that has one too.
  const std::uint64_t usable = large;
  const auto descriptors = [&] {
    return ((large + behind) * descriptor_bytes + page_size - 1) / page_size;
  };
  while (large < usable + descriptors()) large = usable + descriptors();
  std::vector<PhysicalRange> ranges = {{.start = 0, .end = large * page_size}};
  for (std::uint32_t i = 0; i < holes; ++i) {
    const Address start = ranges.back().end + hole * page_size;
    ranges.push_back({.start = start, .end = start + small * page_size});
  }
  return ranges;
}

}  // namespace vm
