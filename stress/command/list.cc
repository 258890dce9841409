// `vmstress list`: what there is, one a line, the name first.
#include <cstdio>
#include <functional>
#include <string>

#include "locking/explore/programs.h"
#include "locking/explore/strategies.h"
#include "locking/lock_class.h"
#include "stress/command/commands.h"
#include "stress/config/embedded.h"
#include "stress/config/error.h"
#include "stress/config/rules.h"
#include "stress/config/text.h"
#include "stress/workers/kinds.h"
#include "vm/check.h"
#include "vm/dialect.h"

namespace stress {
namespace {

void PrintRow(const std::string& name, const std::string& text) {
  constexpr int kNameWidth = 22;
  std::printf("%-*s %s\n", kNameWidth, name.c_str(), text.c_str());
}

void ListScenarios() {
  for (const EmbeddedFile& scenario : EmbeddedScenarios())
    PrintRow(std::string(scenario.name), DescriptionOf(scenario.text));
}

void ListWorkers() {
  for (const WorkerKindInfo& kind : WorkerKinds()) {
    PrintRow(kind.name, kind.help);
    for (const Setting& parameter : kind.parameters)
      std::printf("  %-16s %s: %s [%s]\n", parameter.key, parameter.help,
                  Accepted(parameter).c_str(), parameter.fallback);
  }
}

void ListTests() {
  for (const locking::explore::Program& program : locking::explore::Programs())
    PrintRow(program.name,
             program.description + (program.expects_failure() ? ": " + program.expected : ""));
}

void ListStrategies() {
  for (const locking::explore::StrategyInfo& strategy : locking::explore::Strategies())
    PrintRow(strategy.name, strategy.description);
}

void ListRules() {
  for (const Rule& rule : Rules()) PrintRow(rule.id, rule.title);
}

void ListInvariants() {
  for (const vm::CheckedInvariant& invariant : vm::CheckedInvariants())
    PrintRow(invariant.id, invariant.text);
}

void ListLocks() {
  for (const locking::LockClassInfo& info : locking::AllLockClasses())
    PrintRow(info.name, locking::LockKindName(info.kind));
}

const char* TextOf(vm::LockDialect locks) {
  switch (locks) {
    case vm::LockDialect::kQueues:
      return "a lock of its own for each role; the page queue mutex is the page role too";
    case vm::LockDialect::kGiant:
      return "one mutex for every role of mutex kind from the object inward";
    case vm::LockDialect::kPerPage:
      return "the page role is a pool of locks, by frame; page queues inside it only link";
  }
  return "";
}

const char* TextOf(vm::IndexKind index) {
  switch (index) {
    case vm::IndexKind::kRadix:
      return "pages by index in a radix tree of 64-way nodes";
    case vm::IndexKind::kRbtree:
      return "in a red-black tree through the pages";
    case vm::IndexKind::kSplay:
      return "in a splay tree through the pages";
  }
  return "";
}

void ListDialects() {
  for (const vm::LockDialect locks : vm::kLockDialects)
    PrintRow(std::string("--locks=") + vm::LockDialectName(locks), TextOf(locks));
  for (const vm::IndexKind index : vm::kIndexKinds)
    PrintRow(std::string("--index=") + vm::IndexKindName(index), TextOf(index));
}

struct Topic {
  const char* name;
  void (*list)();  // nullptr: not built yet
};

const std::vector<Topic>& Topics() {
  static const auto* topics = new std::vector<Topic>{
      {"scenarios", ListScenarios},   {"workers", ListWorkers}, {"strategies", ListStrategies},
      {"tests", ListTests},           {"defects", nullptr},     {"rules", ListRules},
      {"invariants", ListInvariants}, {"locks", ListLocks},     {"dialects", ListDialects}};
  return *topics;
}

}  // namespace

int ListCommand(const Invocation& invocation) {
  std::vector<std::string> names;
  for (const Topic& topic : Topics())
    if (topic.list != nullptr) names.push_back(topic.name);
  if (invocation.arguments.empty()) FailUsage("list: of what? accepted: " + Join(names, ", "));
  if (invocation.arguments.size() > 1)
    FailUsage("list: unexpected argument " + OneLine(invocation.arguments[1]));
  const std::string& wanted = invocation.arguments.front();
  for (const Topic& topic : Topics()) {
    if (wanted != topic.name) continue;
    if (topic.list == nullptr) FailNotAvailable("list " + wanted);
    topic.list();
    return kExitClean;
  }
  FailUsage("list: \"" + OneLine(wanted) + "\" cannot be listed; accepted: " + Join(names, ", ") +
            DidYouMean(wanted, names));
}

}  // namespace stress
