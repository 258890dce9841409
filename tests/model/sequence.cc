#include "tests/model/sequence.h"

#include <cstdlib>

#include "locking/explore/check.h"
#include "tests/model/actor.h"

namespace vm {
namespace {

constexpr std::size_t kSweepEvery = 16;  // operations
constexpr std::uint32_t kMaxShrinkRuns = 2000;

}  // namespace

SequenceResult RunSequence(const std::vector<Operation>& operations, const WorldOptions& options) {
  SequenceResult result;
  // One execution, so that a broken invariant ends it and not the process.
  const locking::explore::Result explored = locking::explore::Check(
      [&] {
        ModelWorld world(options);
        Actor actor(world, nullptr);
        for (result.at = 0; result.at < operations.size(); ++result.at) {
          actor.Apply(operations[result.at]);
          actor.CheckBounds();
          if (result.at % kSweepEvery == 0) world.Check();
        }
        world.SetFaults(0);
        actor.Finish();
        world.Finish();
        for (std::size_t i = 0; i < result.events.size(); ++i)
          result.events[i] = world.system.counters().Get(static_cast<Event>(i));
      },
      {.executions = 1, .max_steps = 2'000'000, .directed_executions = 0});
  if (explored.failures.empty()) return result;
  const locking::Finding& finding = explored.failures.front().finding;
  result.failure = locking::FormatFinding(finding);
  result.id = finding.id;
  return result;
}

std::vector<Operation> Shrink(
    std::vector<Operation> operations,
    const std::function<bool(const std::vector<Operation>& operations)>& fails) {
  std::uint32_t runs = 0;
  bool shorter = true;
  for (std::size_t part = operations.size() / 2; part > 0; part = shorter ? part : part / 2) {
    shorter = false;
    for (std::size_t from = 0; from < operations.size() && runs < kMaxShrinkRuns;) {
      std::vector<Operation> rest = operations;
      const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(from);
      rest.erase(begin, rest.begin() +
                            static_cast<std::ptrdiff_t>(std::min(from + part, operations.size())));
      ++runs;
      if (fails(rest)) {
        operations = std::move(rest);
        shorter = true;
      } else {
        from += part;
      }
    }
    if (runs >= kMaxShrinkRuns) break;
  }
  return operations;
}

std::string Explain(const SequenceResult& result, const std::vector<Operation>& operations,
                    const WorldOptions& options) {
  const std::vector<Operation> before(
      operations.begin(),
      operations.begin() + static_cast<std::ptrdiff_t>(std::min(result.at + 1, operations.size())));
  const std::vector<Operation> shortest = Shrink(before, [&](const std::vector<Operation>& part) {
    return RunSequence(part, options).id == result.id;
  });
  return result.failure + "\nafter these, of " + std::to_string(operations.size()) + ":\n" +
         Format(shortest) + "\n" + RunSequence(shortest, options).failure;
}

std::uint64_t NumberFromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace vm
