#include "stress/run/crew.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "stress/host/machine.h"

namespace stress {
namespace {

constexpr std::size_t kAnySpec = ~std::size_t{0};

// A name that lives as long as the process.
const char* NameOfKind(const std::string& kind) {
  for (const WorkerKindInfo& info : WorkerKinds())
    if (kind == info.name) return info.name;
  return "worker";
}

std::uint32_t ThreadsOf(const WorkerSpec& spec, const CrewConfig& config) {
  return spec.count > 0 ? spec.count : config.threads;
}

}  // namespace

struct Crew::Member {
  Member(World& world, std::uint32_t number, vm::Cpu& cpu, locking::Random random,
         std::size_t specs)
      : context(world, number, cpu, random), steps(specs) {}

  std::string name;
  WorkerContext context;
  std::optional<std::uint32_t> core;
  std::size_t only_spec = kAnySpec;
  std::uint64_t quota = ~0ull;
  std::vector<std::unique_ptr<Worker>> workers;  // by spec; nullptr: not this member's
  std::vector<locking::Counter> steps;           // by spec
  locking::Thread thread;
};

Crew::Crew(World& world, const std::vector<WorkerSpec>& specs, const CrewConfig& config,
           SafePoint* safe_point, std::function<void()> at_end)
    : specs_(specs), config_(config), safe_point_(safe_point), at_end_(std::move(at_end)) {
  for (const WorkerSpec& spec : specs_)
    if (spec.count == 0) total_weight_ += spec.weight;
  std::vector<std::size_t> dedicated;
  for (std::size_t i = 0; i < specs_.size(); ++i)
    dedicated.insert(dedicated.end(), specs_[i].count, i);
  vm::System& system = world.system();
  locking::Random root(config.seed);
  for (std::uint32_t i = 0; i < config.threads; ++i) {
    vm::Cpu& cpu = system.cpu(i % system.config().cpus);
    auto member = std::make_unique<Member>(world, i, cpu, root.Fork(), specs_.size());
    member->name = "worker " + std::to_string(i + 1);
    if (!config.cores.empty()) member->core = config.cores[i % config.cores.size()];
    if (i < dedicated.size()) member->only_spec = dedicated[i];
    if (config.operations != 0)
      member->quota =
          config.operations / config.threads + (i < config.operations % config.threads ? 1 : 0);
    for (std::size_t spec = 0; spec < specs_.size(); ++spec) {
      const bool mine =
          member->only_spec == kAnySpec ? specs_[spec].count == 0 : member->only_spec == spec;
      const WorkerSetup setup{ThreadsOf(specs_[spec], config_), system.config().pages};
      member->workers.push_back(mine ? MakeWorker(specs_[spec], setup) : nullptr);
    }
    members_.push_back(std::move(member));
  }
}

Crew::~Crew() {
  RequestStop();
  Join();
}

void Crew::Start() {
  for (const auto& member : members_)
    member->thread = locking::Thread(member->name, [this, &member = *member] { Work(member); });
}

void Crew::Join() {
  for (const auto& member : members_) member->thread.Join();
}

std::size_t Crew::PickSpec(Member& member) const {
  if (member.only_spec != kAnySpec) return member.only_spec;
  std::uint32_t ticket = member.context.random.Below(total_weight_);
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    if (specs_[i].count > 0) continue;
    if (ticket < specs_[i].weight) return i;
    ticket -= specs_[i].weight;
  }
  return 0;
}

void Crew::Work(Member& member) {
  if (member.core.has_value() && !PinThread(*member.core))
    std::fprintf(stderr, "%s could not be pinned to core %u\n", member.name.c_str(), *member.core);
  const bool has_work = member.only_spec != kAnySpec || total_weight_ > 0;
  for (std::uint64_t done = 0; has_work && done < member.quota && !stop_.Peek(); ++done) {
    const std::size_t spec = PickSpec(member);
    {
      locking::Operation operation(NameOfKind(specs_[spec].kind));
      member.workers[spec]->Step(member.context);
    }
    member.steps[spec].Add();
    if (safe_point_ != nullptr) safe_point_->AtOperationEnd();
  }
  member.workers.clear();  // what they hold of the world, before anybody exits spaces
  if (safe_point_ != nullptr) safe_point_->Leave();
  if (at_end_) at_end_();
}

std::map<std::string, std::uint64_t> Crew::operations_by_kind() const {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& member : members_)
    for (std::size_t i = 0; i < specs_.size(); ++i)
      counts[specs_[i].kind] += member->steps[i].Get();
  return counts;
}

std::uint64_t Crew::operations() const {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : operations_by_kind()) sum += count;
  return sum;
}

std::uint64_t Crew::loads_checked() const {
  std::uint64_t sum = 0;
  for (const auto& member : members_) sum += member->context.counters.loads_checked.Get();
  return sum;
}

std::uint64_t Crew::stores() const {
  std::uint64_t sum = 0;
  for (const auto& member : members_) sum += member->context.counters.stores.Get();
  return sum;
}

std::uint64_t Crew::refused() const {
  std::uint64_t sum = 0;
  for (const auto& member : members_) sum += member->context.counters.refused.Get();
  return sum;
}

std::vector<std::string> Crew::LogTail(const std::string& thread_name) const {
  constexpr std::uint32_t kFewEntries = 4;
  std::vector<std::string> lines;
  for (const auto& member : members_)
    if (member->name == thread_name) lines = member->context.log.Tail();
  if (!lines.empty()) return lines;
  for (const auto& member : members_)
    for (const std::string& line : member->context.log.Tail(kFewEntries))
      lines.push_back(member->name + ": " + line);
  return lines;
}

}  // namespace stress
