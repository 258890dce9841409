#include "stress/command/commands.h"

namespace stress {

const std::vector<Command>& AllCommands() {
  static const auto* commands = new std::vector<Command>{
      {"run",
       kRunCommand,
       "run a scenario with native threads and print a verdict",
       nullptr,
       {"vmstress run                                    20 s of the scenario mixed",
        "vmstress run --scenario=low-memory --threads=8 --duration=5m --keep-going",
        "vmstress run --scenario=mine.toml --operations=100000 --seed=7 --json=result.json",
        "vmstress run --pages=512 --page-size=512        a flag wins over the scenario file"},
       RunCommandLine},
      {"explore",
       kExploreCommand,
       "run a small scenario under many controlled schedules",
       nullptr,
       {"vmstress explore                                 the scenario mixed, small",
        "vmstress explore --scenario=fork-storm --executions=10000 --save=failures",
        "vmstress explore --scenario=maps --threads=3 --operations=9 --seed=7 --json=result.json",
        "vmstress explore --test=lost_wakeup              a program with a known bug"},
       ExploreCommand},
      {"replay",
       kReplayCommand,
       "run a recorded failure again, exactly",
       "FILE",
       {"vmstress replay failures/mixed-12.replay"},
       ReplayCommand},
      {"hunt", kHuntCommand, "", nullptr, {}, nullptr},
      {"scale", kScaleCommand, "", nullptr, {}, nullptr},
      {"lockorder",
       kLockOrderCommand,
       "compare the lock order that runs show with the order book",
       nullptr,
       {"vmstress lockorder                              with ci/lock_order.toml",
        "vmstress lockorder --format=dot --out=order.dot",
        "vmstress lockorder --book=mine.toml --update    write what is missing into the book"},
       LockOrderCommand},
      {"inspect", kInspectCommand, "", "FILE", {}, nullptr},
      {"list",
       kListCommand,
       "list what there is",
       "WHAT",
       {"vmstress list scenarios", "vmstress list workers     the kinds, with their parameters"},
       ListCommand},
      {"compare",
       kCompareCommand,
       "show what changed between two results, with spread",
       "FILE",
       {"vmstress compare before.json after.json         two results of one kind; ~: within the "
        "spread",
        "vmstress compare bench/results/fault.json fault.json"},
       CompareCommand},
      {"report", kReportCommand, "", "FILE", {}, nullptr},
      {"merge", kMergeCommand, "", "FILE", {}, nullptr},
  };
  return *commands;
}

}  // namespace stress
