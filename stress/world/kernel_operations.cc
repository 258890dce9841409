// Operations in which the kernel itself uses frames: contiguous runs, and pages on their way out.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "stress/world/operations.h"
#include "stress/world/outcome.h"
#include "vm/page_cow.h"

namespace stress {
namespace {

// Plain accesses, as the kernel's are.
std::vector<std::uint64_t> WordsOf(WorkerContext& context, const vm::Page& page) {
  const std::span<const std::byte> bytes = context.world.system().FrameBytes(page);
  std::vector<std::uint64_t> words(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

bool AllAre(WorkerContext& context, const vm::Page& page, std::uint64_t word) {
  const std::vector<std::uint64_t> words = WordsOf(context, page);
  return std::all_of(words.begin(), words.end(), [&](std::uint64_t w) { return w == word; });
}

void Fill(WorkerContext& context, const vm::Page& page, std::uint64_t word) {
  const std::vector<std::uint64_t> words(context.world.page_size() / sizeof(word), word);
  std::memcpy(context.world.system().FrameBytes(page).data(), words.data(),
              context.world.page_size());
}

}  // namespace

std::span<vm::Page> TakeRun(WorkerContext& context, const vm::ContiguousRequest& request,
                            std::uint64_t pattern) {
  std::span<vm::Page> run;
  context.log.Begin("take run", 0, 0, request.count);
  const vm::Result result = vm::AllocateContiguous(context.world.system(), request, &run);
  context.log.End(result);
  if (result != vm::Result::kOk) {
    context.counters.refused.Add();
    if (!IsRefusal(context, result))
      ReportWrong(context, "ORACLE-ACCESS", "a run of frames was refused as impossible",
                  vm::ResultName(result));
    return {};
  }
  for (const vm::Page& page : run) {
    if (request.zeroed && !AllAre(context, page, 0))
      ReportWrong(context, "INV-08", "a frame that was to be zero is not",
                  "frame " + std::to_string(page.frame));
    Fill(context, page, pattern);
  }
  return run;
}

void GiveBackRun(WorkerContext& context, std::span<vm::Page> run, std::uint64_t pattern) {
  for (const vm::Page& page : run)
    if (!AllAre(context, page, pattern))
      ReportWrong(context, "INV-42", "somebody writes to a frame of a run that is not theirs",
                  "frame " + std::to_string(page.frame));
  context.log.Begin("give back run", 0, 0, static_cast<std::uint32_t>(run.size()));
  vm::FreeContiguous(context.world.system(), run);
  context.log.End(vm::Result::kOk);
}

std::optional<SentPage> SendPage(WorkerContext& context, SpaceState& state, Mapping& mapping,
                                 std::uint32_t page) {
  const PageState before = mapping.StateOf(page);
  SentPage sent;
  context.log.Begin("lend", state.number, mapping.AddressOf(page), 1);
  const vm::Result result = state.space.LendPage(mapping.AddressOf(page), &sent.page);
  context.log.End(result);
  if (IsRefusal(context, result)) context.counters.refused.Add();
  CheckOutcome(context, state, mapping, page, Access::kLoad, before, result);
  if (result != vm::Result::kOk) return std::nullopt;
  sent.words = WordsOf(context, *sent.page);
  return sent;
}

void EndSending(WorkerContext& context, const SentPage& sent) {
  if (WordsOf(context, *sent.page) != sent.words)
    ReportWrong(context, "INV-48", "a page changed while it was lent to a sender",
                "frame " + std::to_string(sent.page->frame));
  context.log.Begin("return", 0, 0, 1);
  vm::ReturnPage(context.world.system(), *sent.page);
  context.log.End(vm::Result::kOk);
}

}  // namespace stress
