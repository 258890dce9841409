#include "stress/run/plan.h"

#include <algorithm>
#include <filesystem>

#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/machine.h"
#include "stress/workers/kinds.h"
#include "vm/page.h"

namespace stress {
namespace {

constexpr std::uint32_t kMinThreads = 4;
constexpr std::uint32_t kMaxDefaultThreads = 16;
constexpr std::uint32_t kMinDefaultPages = 64;
// Of a machine of the exploration: small enough to be built for each execution.
constexpr std::uint32_t kExplorePages = 64;
constexpr std::uint32_t kExplorePageSize = 512;
constexpr std::uint32_t kExploreThreads = 2;
constexpr std::uint32_t kExploreOperationsPerThread = 4;
// Metadata of the VM and of the oracle, about.
constexpr std::uint64_t kMetadataBytesPerPage = 512;
constexpr std::uint32_t kSwapSlotsPerPage = 2;

void CheckWorkers(const RunPlan& plan) {
  std::uint32_t dedicated = 0;
  for (const WorkerSpec& spec : plan.scenario.workers) dedicated += spec.count;
  if (dedicated > plan.threads)
    FailUsage(plan.scenario.settings.Origin("threads") + ": " + std::to_string(plan.threads) +
              " are fewer than the " + std::to_string(dedicated) +
              " that the counts of the workers of " + OneLine(plan.scenario.name) + " ask for");
}

// Of the host's memory, available when the run begins.
std::uint64_t Share(std::uint64_t available_bytes) { return available_bytes / 2; }

void CheckMemory(const RunPlan& plan) {
  const vm::SystemConfig& machine = plan.machine;
  const std::uint64_t frames =
      (std::uint64_t{machine.pages} + machine.device_frames) * machine.page_size;
  const bool in_memory = plan.store == "memory";
  const std::uint64_t swap = in_memory ? std::uint64_t{machine.swap_slots} * machine.page_size : 0;
  const std::uint64_t wanted = frames + swap + machine.pages * kMetadataBytesPerPage;
  const std::uint64_t available = Share(AvailableMemoryBytes());
  if (wanted <= available) return;
  constexpr std::uint64_t kMiB = 1u << 20;
  FailHost(plan.scenario.settings.Origin("pages") + ": " + std::to_string(machine.pages) +
           " pages of " + FormatValue(ValueType::kSize, machine.page_size) + " with " +
           std::to_string(machine.swap_slots) + " swap slots need " +
           std::to_string(wanted / kMiB) + "MiB; accepted: at most half of what this host has " +
           "available, " + std::to_string(available / kMiB) + "MiB");
}

std::uint32_t ThreadsAsked(const Settings& settings, const Scenario& scenario,
                           std::uint32_t otherwise) {
  if (settings.Given("threads")) return static_cast<std::uint32_t>(settings.Number("threads"));
  std::uint32_t dedicated = 0;
  bool weighted = false;
  for (const WorkerSpec& spec : scenario.workers) {
    dedicated += spec.count;
    weighted |= spec.count == 0;
  }
  return weighted ? std::max(otherwise, dedicated + 1) : dedicated;
}

// The one of `all` that is called so; the table of settings accepts no other name.
template <typename All, typename NameOf>
auto Named(const All& all, NameOf name_of, const std::string& text) {
  return *std::find_if(all.begin(), all.end(), [&](auto each) { return text == name_of(each); });
}

vm::SystemConfig MachineOf(const Settings& settings, std::uint32_t threads) {
  vm::SystemConfig machine;
  machine.pages = settings.Given("pages") ? static_cast<std::uint32_t>(settings.Number("pages"))
                                          : DefaultPages(settings, AvailableMemoryBytes());
  machine.page_size = static_cast<std::uint32_t>(settings.Number("page_size"));
  machine.cpus = settings.Given("cpus") ? static_cast<std::uint32_t>(settings.Number("cpus"))
                                        : std::min(threads, vm::kMaxCpus);
  machine.swap_slots = settings.Given("swap_slots")
                           ? static_cast<std::uint32_t>(settings.Number("swap_slots"))
                           : machine.pages * kSwapSlotsPerPage;
  machine.device_frames = static_cast<std::uint32_t>(settings.Number("device_frames"));
  machine.idle_zero = settings.Enabled("idle_zero");
  machine.reservation_pages = static_cast<std::uint32_t>(settings.Number("reservation_pages"));
  machine.locks = Named(vm::kLockDialects, vm::LockDialectName, settings.Text("locks"));
  machine.index = Named(vm::kIndexKinds, vm::IndexKindName, settings.Text("index"));
  return machine;
}

StoreFaults StoreFaultsOf(const Settings& settings) {
  const auto rate = [&](const char* key) {
    return static_cast<std::uint32_t>(settings.Number(key));
  };
  return {.write_error = rate("store_write_error"),
          .read_error = rate("store_read_error"),
          .full = rate("store_full")};
}

// Where a store of the host is; empty: in memory.
std::string FolderOf(const std::string& store) {
  constexpr std::string_view kFile = "file:";
  if (!store.starts_with(kFile)) return "";
  const auto folder = std::filesystem::path(store.substr(kFile.size())).parent_path();
  return folder.empty() ? "." : folder.string();
}

void FillIn(const std::string& command, const Settings& flags, RunPlan* plan) {
  vm::SystemConfig& machine = plan->machine;
  const Settings& settings = plan->scenario.settings;
  if (const std::uint64_t holes = settings.Number("holes"); holes != 0)
    machine.memory = vm::MemoryWithHoles(machine.pages, machine.page_size, sizeof(vm::Page),
                                         static_cast<std::uint32_t>(holes));
  const std::string wrong = vm::ValidateConfig(machine);
  if (!wrong.empty()) FailUsage(wrong);
  plan->world.salt = plan->seed;
  plan->world.workers = plan->threads;
  plan->world.commit_limit = (std::uint64_t{plan->machine.pages} + plan->machine.swap_slots) *
                             settings.Number("commit_percent") / 100;
  if (const std::uint64_t percent = settings.Number("charge_percent"); percent != 0)
    plan->machine.charge_limit =
        (vm::Pindex{plan->machine.pages} + plan->machine.swap_slots) * percent / 100;
  plan->store = settings.Text("store");
  plan->store_faults = StoreFaultsOf(settings);
  plan->world.file_faults = plan->store_faults;
  plan->world.file_folder = FolderOf(plan->store);
  plan->world.store_may_fail = plan->store_faults.any() || plan->store != "memory";
  CheckWorkers(*plan);
  CheckMemory(*plan);
  plan->replay = "vmstress " + command + " --scenario=" + ShellWord(plan->scenario.name) +
                 " --threads=" + std::to_string(plan->threads) +
                 " --seed=" + std::to_string(plan->seed);
  for (const char* key :
       {"pages",      "page_size",      "cpus",           "swap_slots",        "store",
        "locks",      "index",          "idle_zero",      "reservation_pages", "device_frames",
        "holes",      "duration",       "operations",     "sweep_interval",    "hold_limit",
        "wait_limit", "commit_percent", "charge_percent", "witness",           "strategy",
        "depth",      "executions"})
    if (flags.Given(key)) plan->replay += " " + FlagOf(key) + "=" + flags.Text(key);
  // Fewer than usual, for want of memory: another host would take the usual number.
  if (!settings.Given("pages") && command == "run" &&
      plan->machine.pages != settings.Number("pages"))
    plan->replay += " --pages=" + std::to_string(plan->machine.pages);
  if (plan->pin) plan->replay += " --pin";
}

Scenario ScenarioOf(const Settings& flags) {
  Scenario scenario =
      LoadScenario(flags.Given("scenario") ? flags.Text("scenario") : "mixed", WorkerKinds());
  scenario.settings.Override(flags);
  return scenario;
}

WitnessMode WitnessOf(const Settings& settings) {
  const std::string text = settings.Text("witness");
  return text == "off"      ? WitnessMode::kOff
         : text == "strict" ? WitnessMode::kStrict
                            : WitnessMode::kOn;
}

}  // namespace

std::uint32_t DefaultPages(const Settings& settings, std::uint64_t available_bytes) {
  const std::uint64_t page_size = settings.Number("page_size");
  const bool swap_in_memory = settings.Text("store") == "memory";
  std::uint64_t of_a_page = page_size + kMetadataBytesPerPage;
  std::uint64_t of_swap = 0;
  if (swap_in_memory && settings.Given("swap_slots"))
    of_swap = settings.Number("swap_slots") * page_size;
  else if (swap_in_memory)
    of_a_page += kSwapSlotsPerPage * page_size;
  const std::uint64_t share = Share(available_bytes);
  const std::uint64_t fit = (share - std::min(share, of_swap)) / of_a_page;
  return static_cast<std::uint32_t>(
      std::clamp(fit, std::uint64_t{kMinDefaultPages}, settings.Number("pages")));
}

RunPlan PlanRun(const Settings& flags) {
  if (flags.Given("duration") && flags.Given("operations"))
    FailUsage("--operations: a run has --duration or --operations, not both");
  RunPlan plan;
  plan.scenario = ScenarioOf(flags);
  const Settings& settings = plan.scenario.settings;
  const std::uint32_t default_threads =
      std::clamp(UsableCores() * 2, kMinThreads, kMaxDefaultThreads);
  plan.threads = ThreadsAsked(settings, plan.scenario, default_threads);
  plan.machine = MachineOf(settings, plan.threads);
  plan.seed = settings.Given("seed") ? settings.Number("seed") : SeedFromClock();
  // The flag for one of the two wins over the file's other one.
  const bool by_operations = settings.Given("operations") && !flags.Given("duration");
  plan.operations = by_operations ? settings.Number("operations") : 0;
  plan.duration_ns = by_operations ? 0 : settings.Number("duration");
  plan.sweep_interval_ns = settings.Number("sweep_interval");
  plan.limits = {.hold_ns = settings.Number("hold_limit"),
                 .wait_ns = settings.Number("wait_limit")};
  plan.witness = WitnessOf(settings);
  plan.keep_going = settings.Enabled("keep_going");
  const std::string progress = settings.Text("progress");
  plan.counters = settings.Enabled("counters");
  if (plan.counters && progress == "on")
    FailUsage("--progress: --counters writes lines of its own; accepted with it: auto, off");
  plan.progress = progress == "on" || (progress == "auto" && !plan.counters && StderrIsTerminal());
  plan.pin = settings.Enabled("pin");
  plan.world.min_spaces = std::max(2u, plan.threads / 2);
  FillIn("run", flags, &plan);
  return plan;
}

RunPlan PlanExploredRun(const Settings& flags) {
  RunPlan plan;
  plan.scenario = ScenarioOf(flags);
  // What the scenario says of the machine and its size is meant for a native run.
  plan.threads = flags.Given("threads") ? static_cast<std::uint32_t>(flags.Number("threads"))
                                        : kExploreThreads;
  for (const WorkerSpec& spec : plan.scenario.workers)
    plan.threads = std::max(plan.threads, spec.count);
  plan.machine = MachineOf(plan.scenario.settings, plan.threads);
  if (!flags.Given("pages")) plan.machine.pages = kExplorePages;
  if (!flags.Given("page_size")) plan.machine.page_size = kExplorePageSize;
  if (!flags.Given("swap_slots")) plan.machine.swap_slots = plan.machine.pages * 2;
  if (plan.scenario.settings.Text("store") != "memory")
    FailUsage(plan.scenario.settings.Origin("store") +
              ": explore runs its threads on fibres, which must not wait for a file; accepted: "
              "memory");
  plan.seed = plan.scenario.settings.Given("seed") ? plan.scenario.settings.Number("seed") : 1;
  plan.operations = flags.Given("operations")
                        ? flags.Number("operations")
                        : std::uint64_t{plan.threads} * kExploreOperationsPerThread;
  plan.keep_going = flags.Enabled("keep_going");
  plan.world.min_spaces = 1;
  FillIn("explore", flags, &plan);
  return plan;
}

}  // namespace stress
