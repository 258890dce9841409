#include "vm/pager/vnode_pager.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "vm/page_blocks.h"
#include "vm/pager/pager_map.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

std::uint64_t BytesOf(std::span<const std::span<std::byte>> frames) {
  std::uint64_t bytes = 0;
  for (const std::span<std::byte> frame : frames) bytes += frame.size();
  return bytes;
}

// Zeroes what stands behind the first `bytes` of the frames.
void ZeroBehind(std::span<const std::span<std::byte>> frames, std::uint64_t bytes) {
  for (const std::span<std::byte> frame : frames) {
    const std::uint64_t kept = std::min<std::uint64_t>(bytes, frame.size());
    std::memset(frame.data() + kept, 0, frame.size() - kept);
    bytes -= kept;
  }
}

}  // namespace

bool VnodePager::HasPage(const Object& object, Pindex pindex) const {
  object.lock.AssertHeldShared();
  return pindex < object.size;
}

PageRun VnodePager::RunAround(const Object& object, Pindex pindex) const {
  const auto place = static_cast<std::uint32_t>(pindex % kClusterPages);
  const Pindex to_end = object.size - 1 - pindex;
  return {
      .before = place,
      .behind = static_cast<std::uint32_t>(std::min<Pindex>(kClusterPages - 1 - place, to_end))};
}

// Fills the pages with what the file has there.
Result VnodePager::ReadInto(std::span<Page* const> pages, Vnode& vnode, MapIn how) {
  vnode.lock.AssertHeldShared();
  const PagerWindow window(system_.pager_map(), pages, how);
  if (!window.mapped()) return Result::kShortage;
  const std::span<const std::span<std::byte>> frames = window.bytes();
  const std::uint64_t offset = system_.PagesToBytes(pages.front()->pindex);
  const std::uint64_t in_file = std::min(BytesOf(frames), vnode.size - offset);
  if (vnode.file.IsHole(offset, in_file)) {
    ZeroBehind(frames, 0);
    return Result::kOk;
  }
  const Transfer transfer = vnode.file.Read(offset, frames);
  if (transfer.result != Result::kOk || transfer.bytes < in_file) return Result::kIoError;
  ZeroBehind(frames, in_file);
  return Result::kOk;
}

Result VnodePager::GetPages(Object& object, std::span<Page* const> pages, std::uint32_t wanted) {
  object.lock.AssertHeld();
  Vnode& vnode = *object.vnode;
  Require(object.paging_in_progress > 0, "INV-37",
          "a page is read from a file with no paging in progress");
  for (const Page* page : pages)
    Require(page->exclusively_busy() && page->valid == 0, "INV-18",
            "a page is read from a file that is valid or not busy");
  object.lock.Unlock();
  std::span<Page* const> read = pages;
  Result result = ReadInto(pages, vnode, pages.size() > 1 ? MapIn::kTry : MapIn::kWait);
  if (result != Result::kOk && pages.size() > 1) {
    // A neighbour may have been at fault, or is not worth waiting for.
    read = pages.subspan(wanted, 1);
    result = ReadInto(read, vnode, MapIn::kWait);
  }
  object.lock.Lock();
  if (result != Result::kOk) {
    system_.counters().Add(Event::kPageInError);
    return Result::kIoError;
  }
  for (Page* page : read) SetValidClean(system_, object, *page, 0, system_.config().page_size);
  system_.counters().Add(Event::kPageIn, read.size());
  return Result::kOk;
}

void VnodePager::AssignPlaces(Object& object, WriteOut& write) {
  Vnode& vnode = *object.vnode;
  vnode.lock.AssertHeld();
  write.vnode = &vnode;
  for (std::uint32_t i = 0; i < write.page_count;) {
    std::uint32_t run = 0;
    for (; i + run < write.page_count && write.dirty[i + run] != 0; ++run) {
      if (system_.PagesToBytes(write.pages[i + run]->pindex) < vnode.size) continue;
      write.dirty[i + run] = 0;
      write.states[i + run] = PutState::kBeyondEnd;
      break;
    }
    if (run != 0)
      write.segments[write.segment_count++] = {
          i, run, write.pages[i]->pindex, /*in_place=*/true, 0, Result::kOk};
    i += std::max(run, 1u);
  }
}

void VnodePager::Write(WriteOut& write) {
  Vnode& vnode = *write.vnode;
  vnode.lock.AssertHeld();
  const std::uint64_t page_size = system_.config().page_size;
  for (std::uint32_t i = 0; i < write.segment_count; ++i) {
    WriteOut::Segment& segment = write.segments[i];
    const std::uint64_t offset = system_.PagesToBytes(segment.place);
    const PagerWindow window(system_.pager_map(), write.PagesOf(segment), write.map_in);
    std::uint64_t left = vnode.size - offset;
    std::array<std::span<const std::byte>, kClusterPages> ranges;
    std::uint64_t wanted = 0;
    for (std::uint32_t k = 0; k < segment.count; ++k) {
      const std::span<const std::byte> frame = window.bytes()[k];
      ranges[k] = frame.first(std::min<std::uint64_t>(frame.size(), left));
      left -= ranges[k].size();
      wanted += ranges[k].size();
    }
    const Transfer transfer = vnode.file.Write(offset, {ranges.data(), segment.count});
    segment.written = transfer.bytes == wanted
                          ? segment.count
                          : static_cast<std::uint32_t>(transfer.bytes / page_size);
    segment.result = transfer.result;
    // What ended early for no reason is no success either.
    if (segment.written < segment.count && segment.result == Result::kOk)
      segment.result = Result::kIoError;
  }
}

void VnodePager::Deallocate(Object& object) {
  object.lock.AssertHeld();
  object.vnode = nullptr;
}

}  // namespace vm
