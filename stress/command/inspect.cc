// `vmstress inspect`: views of a machine, of a run that failed or a fresh one.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

#include "stress/command/commands.h"
#include "stress/command/recorded_failure.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/files.h"
#include "stress/report/machine_report.h"
#include "stress/report/run_report.h"
#include "stress/run/exploration.h"

namespace stress {
namespace {

namespace explore = locking::explore;

// Enough that pages are mapped, shared and pushed out.
constexpr char kOperations[] = "64";

// What belongs to the machine that is made; one that was kept has its own.
void RefuseFlagsOfFreshMachines(const Settings& flags) {
  const std::set<std::string_view> views = {"show", "page", "object", "json"};
  for (const Setting& setting : AllSettings())
    if ((setting.commands & kInspectCommand) != 0 && !views.contains(setting.key) &&
        flags.Given(setting.key))
      FailUsage(flags.Origin(setting.key) + ": is for a fresh machine; it does not go with a file");
}

// Keeps what it is shown.
MachineLook LookInto(std::optional<vm::MachineState>* machine, bool at_end) {
  return {[machine](vm::System& system) { *machine = vm::InspectMachine(system); }, at_end};
}

InspectedMachine MachineOfRecord(const std::string& text, const std::string& path) {
  const explore::Failure failure = ReadFailure(text, path);
  if (failure.with.contains("test"))
    FailUsage(OneLine(path) + ": is of the test " + OneLine(failure.test) +
              ", which has no machine; accepted: a failure of a scenario");
  std::optional<vm::MachineState> machine;
  const auto replay = [&](bool at_end) {
    const MachineLook look = LookInto(&machine, at_end);
    return explore::Replay(PlanExploration(FlagsOf(failure, path), look).body, failure);
  };
  const explore::ReplayResult result = replay(/*at_end=*/false);
  // What failed did not end the execution: then the machine is shown as its workers left it.
  if (result.failed && !machine.has_value()) replay(/*at_end=*/true);
  if (!machine.has_value())
    FailUsage(OneLine(path) + ": this program does not fail as recorded; a replay needs the " +
              "sources it was recorded with");
  return {OneLine(path) + ": " + failure.finding.id + " " + OneLine(failure.finding.title) +
              (result.diverged ? " (this program does not follow the record to its end)" : ""),
          std::move(*machine)};
}

InspectedMachine MachineOfFile(const std::string& path) {
  const std::string text = ReadInputFile(path, kRecordBytesMax);
  return text.starts_with("vmstress-replay") ? MachineOfRecord(text, path)
                                             : ReadMachine(text, path);
}

// Of the first execution that `explore` would try with these flags.
InspectedMachine FreshMachine(const Settings& given) {
  Settings flags = given;
  if (!flags.Given("operations"))
    flags.Set("operations", {std::stoull(kOperations), kOperations}, "--operations");
  std::optional<vm::MachineState> machine;
  const Exploration exploration = PlanExploration(flags, LookInto(&machine, /*at_end=*/true));
  explore::Options options;
  options.strategy = flags.Text("strategy");
  options.seed = exploration.seed;
  options.executions = 1;
  options.max_steps = exploration.max_steps;
  options.directed_executions = 0;
  const explore::Result result = explore::Check(exploration.body, options);
  for (const explore::Failure& failure : result.failures)
    std::fputs(locking::FormatFinding(failure.finding).c_str(), stderr);
  if (!machine.has_value()) FailUsage("inspect: the execution failed before there was a machine");
  std::string origin = exploration.replay;
  origin.replace(0, std::string("vmstress explore").size(), "vmstress inspect");
  return {origin, std::move(*machine)};
}

class Views {
 public:
  Views(const InspectedMachine& inspected, const Settings& flags)
      : machine_(inspected.machine), flags_(flags) {
    if (flags.Given("show")) {
      for (const Value& value :
           ParseList(*FindSetting("show", kInspectCommand), flags.Text("show"), "--show"))
        shown_.insert(value.text);
    } else if (!flags.Given("page") && !flags.Given("object")) {
      shown_ = {"queues", "objects", "check"};
    }
  }

  // All that was asked for. Throws CommandError (2) for what there is not, before anything is
  // printed.
  std::string AsText() const {
    std::string text;
    if (shown_.contains("queues")) text += vm::QueuesText(machine_);
    if (shown_.contains("objects"))
      for (const vm::ObjectState& object : machine_.objects) text += vm::Text(object) + "\n";
    if (shown_.contains("spaces"))
      for (const vm::SpaceState& space : machine_.spaces) text += vm::Text(space);
    if (shown_.contains("pages")) text += PagesText();
    if (flags_.Given("object")) text += ChainText(flags_.Number("object"));
    if (flags_.Given("page")) text += PageText(flags_.Number("page"));
    if (shown_.contains("check")) text += CheckText();
    return text;
  }

 private:
  std::string PagesText() const {
    std::string text;
    for (const vm::PageState& page : machine_.pages) text += vm::Text(page) + "\n";
    if (machine_.pages_left_out != 0)
      text += "frames      " + std::to_string(machine_.pages_left_out) +
              " more are in use, and were left out\n";
    return text;
  }

  std::string PageText(std::uint64_t frame) const {
    if (frame >= machine_.frames)
      FailUsage("--page: there is no frame " + std::to_string(frame) + "; accepted: 0 to " +
                std::to_string(std::max(machine_.frames, 1u) - 1));
    const vm::PageState* page = machine_.FindPage(static_cast<vm::Frame>(frame));
    if (page != nullptr) return vm::Text(*page) + "\n";
    const bool left_out = machine_.pages_left_out != 0 && frame > machine_.pages.back().frame;
    return "frame " + std::to_string(frame) + (left_out ? ": was left out\n" : ": not in use\n");
  }

  std::string ChainText(std::uint64_t id) const {
    const std::vector<vm::ObjectState> chain =
        vm::ChainOf(machine_, static_cast<std::uint32_t>(id));
    if (chain.empty())
      FailUsage("--object: there is no object " + std::to_string(id) + "; --show=objects has all " +
                std::to_string(machine_.objects.size()));
    std::string text;
    for (const vm::ObjectState& object : chain) text += vm::Text(object) + "\n";
    return text;
  }

  std::string CheckText() const {
    std::string text;
    for (const std::string& line : vm::CheckObjects(machine_)) text += "check       " + line + "\n";
    return text.empty() ? "check       clean\n" : text;
  }

  const vm::MachineState& machine_;
  const Settings& flags_;
  std::set<std::string> shown_;
};

}  // namespace

int InspectCommand(const Invocation& invocation) {
  if (invocation.arguments.size() > 1)
    FailUsage("inspect: takes one file, of a run that failed or of explore --save=DIR");
  std::optional<OutputFile> json;
  if (invocation.flags.Given("json")) json.emplace("--json", invocation.flags.Text("json"));
  if (!invocation.arguments.empty()) RefuseFlagsOfFreshMachines(invocation.flags);
  const InspectedMachine inspected = invocation.arguments.empty()
                                         ? FreshMachine(invocation.flags)
                                         : MachineOfFile(invocation.arguments.front());
  const std::string text = Views(inspected, invocation.flags).AsText();
  std::printf("origin      %s\n%s", inspected.origin.c_str(), text.c_str());
  if (json.has_value()) json->Write(JsonText(InspectJson(inspected)));
  return vm::CheckObjects(inspected.machine).empty() ? kExitClean : kExitFailed;
}

}  // namespace stress
