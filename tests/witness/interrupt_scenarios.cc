// Interrupts: the families of Linux's lib/locking-selftest.c with a handler, over the flavours that
// it runs them with, Zircon's, and what the tiers and LK05 add.
//
// Every path takes the interrupt. Its handler runs nowhere but where `irq{ }` stands, so that
// nothing blocks: what is held with interrupts on is evidence enough.
#include <algorithm>

#include "tests/witness/scenario.h"

namespace locking {
namespace {

struct Flavour {
  const char* name;
  TestLock lock;
  bool shared;
};
constexpr Flavour kFlavours[] = {
    {"spin", TestLock::kSpinWithInterrupts, false},
    {"wlock", TestLock::kSpinRwWithInterrupts, false},
    {"rlock", TestLock::kSpinRwWithInterrupts, true},
};

// "L(A)" becomes "A" or "rA"; all other words stay.
std::string InFlavour(std::string text, const Flavour& flavour) {
  for (std::size_t at = 0; (at = text.find("L(", at)) != std::string::npos;)
    text.replace(at, 4, std::string(flavour.shared ? "r" : "") + text[at + 2]);
  return text;
}

struct Family {
  const char* name;
  std::vector<std::string> paths;
  const char* exclusive;  // what is said of the spin and wlock flavours
  const char* shared;     // of rlock
  // Locks of a fixed kind, beside those of the flavour.
  std::map<std::string, TestLock> others = {};
  bool rw_only = false;
  // There is a longer circle, too. Seen last, the handler closes both, and the shorter one is told.
  bool two_circles = false;
};

const std::map<std::string, TestLock> kSpinB = {{"B", TestLock::kSpinWithInterrupts}};

const std::map<std::string, TestLock> kRwA = {{"A", TestLock::kSpinRwWithInterrupts}};
const std::map<std::string, TestLock> kRwB = {{"B", TestLock::kSpinRwWithInterrupts}};

std::vector<Family> LinuxFamilies() {
  return {
      {"irqsafe1", {"irq{ L(A) }", "L(A)"}, "LK06/provable", ""},
      {"irqsafe2A and 2B", {"irq{ L(A) }", "off L(A) on"}, "LK06/provable", ""},
      {"irqsafe3", {"L(A) L(B)", "L(B)", "irq{ L(A) }"}, "LK06/provable", "", {}, false, true},
      {"irqsafe4", {"off L(A) L(B) -* on", "L(B)", "irq{ L(A) }"}, "LK06/provable", ""},
      {"irq_inversion", {"off A L(B) -* on", "L(B)", "irq{ rA }"}, "LK06/provable", "", kRwA},
      {"irq_read_recursion",
       {"off A -* on", "rA", "irq{ L(A) B }"},
       "LK06/provable",
       "",
       kSpinB,
       true},
      {"irq_read_recursion2",
       {"off B L(A) -* on", "rA", "irq{ B }"},
       "LK06/provable",
       "",
       kSpinB,
       true},
      {"irq_read_recursion3",
       {"off B L(A) -* on", "rA", "irq{ rB }"},
       "LK06/provable",
       "",
       kRwB,
       true},
  };
}

void AddLinux(std::vector<Scenario>* table) {
  for (const Family& family : LinuxFamilies()) {
    for (const Flavour& flavour : kFlavours) {
      if (family.rw_only && flavour.lock == TestLock::kSpinWithInterrupts) continue;
      std::vector<std::string> paths = family.paths;
      std::sort(paths.begin(), paths.end());
      do {
        std::string text;
        for (const std::string& path : paths) text += (text.empty() ? "" : ", ") + path;
        text = InFlavour(text, flavour);
        std::string expected = flavour.shared ? family.shared : family.exclusive;
        if (family.two_circles && !flavour.shared && !paths.back().starts_with("irq{"))
          expected += " " + expected;
        const std::string name = std::string(family.name) + " " + flavour.name + " " + text;
        table->push_back({"Linux interrupts", name, text, expected, flavour.lock, family.others});
      } while (std::next_permutation(paths.begin(), paths.end()));
    }
  }
}

}  // namespace

void AddInterruptScenarios(std::vector<Scenario>* table) {
  AddLinux(table);
  const auto add = [&](const char* family, const char* name, const char* paths,
                       const char* expected, TestLock lock = TestLock::kSpinWithInterrupts,
                       std::map<std::string, TestLock> others = {}) {
    table->push_back({family, name, paths, expected, lock, std::move(others)});
  };
  const TestLock spin = TestLock::kSpin;
  const TestLock rw = TestLock::kSpinRwWithInterrupts;
  const char* family = "Zircon";
  add(family, "an interrupt re-takes the lock just after its release", "A irq{ A } -A", "", spin);
  family = "Interrupts";
  add(family, "a spin lock keeps them off", "A, irq{ A }", "", spin);
  add(family, "where they are off", "off A -* on, irq{ A }", "");
  add(family, "until they are on again", "off A irq{ A } -A on", "");
  add(family, "one thread is enough", "A -* irq{ A }", "LK06/provable");
  add(family, "the handler first", "irq{ A } A", "LK06/provable");
  add(family, "a try waits for nobody", "A -* irq{ tA }", "");
  add(family, "a mutex is held and a spin lock taken", "M irq{ A } -M, irq{ A }", "", spin,
      {{"M", TestLock::kMutex}});
  add(family, "it happens", "A irq{ A }", "LK06/provable LK06/confirmed");
  add(family, "it happens to a reader", "rA irq{ A }", "LK06/provable LK06/confirmed", rw);
  add(family, "readers do not wait for readers", "rA irq{ rA }", "", rw);
  add(family, "through other locks, by fewer threads than it takes", "off A B -* on B -* irq{ A }",
      "LK06/single-context");
  add(family, "through other locks, behind a gate", "off G A B -* on, G B, irq{ A }", "LK06/gated");
  add(family, "a gate that the handler takes", "off G A -* on, G A, irq{ G A }",
      "LK06/provable LK06/gated");
  add(family, "through other locks, joined before", "off A B -* on; B, irq{ A }", "LK06/ordered");
  add(family, "through two other locks", "off A B -* on, off B C -* on, C, irq{ A }",
      "LK06/provable");
  add(family, "an order reversal with a handler", "A B, irq{ B A }", "LK02/provable", spin);
  add(family, "an order reversal of handlers", "irq{ A B }, irq{ B A }", "LK02/provable", spin);
  add(family, "an order reversal with its own handler", "A B -* irq{ B A }", "LK02/single-context",
      spin);
  add(family, "what the interrupted thread holds is taken inside what the handler takes",
      "M irq{ A B } -*, B M", "LK05/ LK06/provable", spin, {{"M", TestLock::kMutex}});
  family = "Interrupts, LK05";
  add(family, "a mutex", "irq{ M }", "LK05/", TestLock::kMutex);
  add(family, "a sleepable lock", "irq{ M }", "LK05/", TestLock::kSleepableMutex);
  add(family, "a mutex inside a spin lock of the handler", "irq{ A M }", "LK05/ LK05/", spin,
      {{"M", TestLock::kMutex}});
  add(family, "a sleep", "irq{ sleep }", "LK05/");
}

}  // namespace locking
