#include "tests/witness/oracle/tally.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <thread>
#include <vector>

namespace locking::oracle {
namespace {

std::size_t OperationsOf(const Program& program) {
  std::size_t operations = 0;
  for (const Path* path : program.threads) operations += path->size();
  return operations;
}

std::vector<Observer::Order> OrdersOf(const Program& program) {
  std::vector<Observer::Order> orders;
  Observer::Order order(program.threads.size());
  std::iota(order.begin(), order.end(), 0);
  do orders.push_back(order);
  while (std::next_permutation(order.begin(), order.end()));
  return orders;
}

void Judge(const Program& program, Model* model, Observer* observer, Tally* tally) {
  const Truth truth = model->Decide(program);
  const auto can = static_cast<std::size_t>(CanOf(truth));
  tally->all[can].Add(program);
  const unsigned rules = ReportedBy(program);
  const std::vector<Observer::Order> orders = OrdersOf(program);
  const Verdict all = observer->Watch(program, orders);
  Verdict weakest = all;
  Verdict strongest = all;
  // Without a cycle every order shows the same edges, and none of them matters.
  const bool cycle = (rules >> static_cast<int>(OtherRule::kCycle) & 1u) != 0;
  for (std::size_t i = 0; i < (cycle ? orders.size() : 0); ++i) {
    const Verdict verdict = observer->Watch(program, {&orders[i], 1});
    weakest = std::min(weakest, verdict);
    strongest = std::max(strongest, verdict);
  }
  tally->witness[static_cast<std::size_t>(weakest)][can].Add(program);
  if (weakest != strongest) tally->order_matters.Add(program);
  for (std::size_t rule = 0; rule < kOtherRules; ++rule)
    if ((rules >> rule & 1u) != 0) tally->other_rules[rule][can].Add(program);
}

std::string Row(const std::string& name, const Tally::ByCan& counts) {
  char line[160];
  std::snprintf(
      line, sizeof(line), "  %-39s %9lld %9lld | %9lld %9lld %9lld\n", name.c_str(),
      static_cast<long long>(counts[0].programs), static_cast<long long>(counts[1].programs),
      static_cast<long long>(counts[2].programs), static_cast<long long>(counts[3].programs),
      static_cast<long long>(counts[4].programs));
  return line;
}

std::string RuleRow(const std::string& name, const Tally::ByCan& all,
                    const Tally::ByCan& reported) {
  std::string row = Row(name, reported);
  row.pop_back();
  return row + "   missed " + std::to_string(all[0].programs - reported[0].programs) + ", false " +
         std::to_string(reported[1].programs) + "\n";
}

std::string Smallest(const Tally& tally) {
  static constexpr const char* kNames[] = {"deadlock", "none", "try may fail, as observed",
                                           "try may fail, only then", "try may fail, none"};
  std::string text;
  for (int verdict = kVerdicts; verdict-- > 0;)
    for (int can = 0; can < kCans; ++can)
      if (const Count& count = tally.witness[verdict][can]; count.programs != 0)
        text += std::string("  smallest ") + VerdictName(static_cast<Verdict>(verdict)) + " (" +
                kNames[can] + "): " + count.smallest + "\n";
  return text;
}

}  // namespace

Can CanOf(const Truth& truth) {
  if (!truth.a_try_may_fail) return truth.deadlock ? Can::kDeadlock : Can::kNone;
  if (truth.as_observed) return Can::kApartAsObserved;
  return truth.deadlock ? Can::kApartOnlyThen : Can::kApartNone;
}

void Count::Add(const Program& program) {
  ++programs;
  const std::size_t its = OperationsOf(program);
  if (its >= operations) return;
  operations = its;
  smallest = Text(program);
}

void Count::Add(const Count& other) {
  programs += other.programs;
  if (other.operations >= operations) return;
  operations = other.operations;
  smallest = other.smallest;
}

void Tally::Add(const Tally& other) {
  const auto add = [](ByCan* to, const ByCan& from) {
    for (std::size_t can = 0; can < kCans; ++can) (*to)[can].Add(from[can]);
  };
  add(&all, other.all);
  for (std::size_t i = 0; i < kVerdicts; ++i) add(&witness[i], other.witness[i]);
  for (std::size_t i = 0; i < kOtherRules; ++i) add(&other_rules[i], other.other_rules[i]);
  order_matters.Add(other.order_matters);
}

Tally TallyOf(const Space& space, int jobs) {
  std::vector<Tally> tallies(static_cast<std::size_t>(jobs));
  std::vector<std::thread> threads;
  for (int job = 0; job < jobs; ++job)
    threads.emplace_back([&, job] {
      Model model;
      Observer observer;
      Tally* tally = &tallies[static_cast<std::size_t>(job)];
      ForEachProgram(space, job, jobs,
                     [&](const Program& program) { Judge(program, &model, &observer, tally); });
    });
  for (std::thread& thread : threads) thread.join();
  Tally sum;
  for (const Tally& tally : tallies) sum.Add(tally);
  return sum;
}

std::string Table(const Space& space, const Tally& tally) {
  std::string text = std::string(space.name) + "\n";
  char head[256];
  std::snprintf(head, sizeof(head), "  %-39s %19s | %29s\n  %-39s %9s %9s | %9s %9s %9s\n", "",
                "no try can fail", "a try may fail", "", "deadlock", "none", "observed",
                "only then", "none");
  text += head;
  text += Row("programs", tally.all);
  for (int i = kVerdicts; i-- > 0;) {
    const auto verdict = static_cast<Verdict>(i);
    const std::string name = std::string("witness: ") + VerdictName(verdict);
    text += verdict == Verdict::kProvable ? RuleRow(name, tally.all, tally.witness[i])
                                          : Row(name, tally.witness[i]);
  }
  for (int i = 0; i < kOtherRules; ++i)
    text += RuleRow(OtherRuleName(static_cast<OtherRule>(i)), tally.all, tally.other_rules[i]);
  text += Smallest(tally);
  if (tally.order_matters.programs != 0)
    text += "  the order of the run matters: " + std::to_string(tally.order_matters.programs) +
            ", smallest " + tally.order_matters.smallest + "\n";
  return text;
}

}  // namespace locking::oracle
