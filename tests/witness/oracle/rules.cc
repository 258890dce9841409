#include "tests/witness/oracle/rules.h"

#include <vector>

namespace locking::oracle {
namespace {

// Thread took `lock` and waited for it if need be, while it held others.
struct Taking {
  std::size_t thread;
  int lock;
  bool shared;
  unsigned held;         // bits of locks
  unsigned held_shared;  // those that it only read

  bool Holds(int other) const { return (held >> other & 1u) != 0; }
  bool Reads(int other) const { return (held_shared >> other & 1u) != 0; }
};

std::vector<Taking> TakingsOf(const Program& program) {
  std::vector<Taking> all;
  for (std::size_t t = 0; t < program.threads.size(); ++t) {
    unsigned held = 0;
    unsigned shared = 0;
    for (Operation o : *program.threads[t]) {
      const unsigned bit = 1u << o.lock;
      if (o.what == Do::kUnlock) {
        held &= ~bit;
        shared &= ~bit;
        continue;
      }
      if (!IsTry(o.what) && held != 0) all.push_back({t, o.lock, IsShared(o.what), held, shared});
      held |= bit;
      if (IsShared(o.what)) shared |= bit;
    }
  }
  return all;
}

struct Strictness {
  bool modes;
  bool threads_and_gates;
};

// Whether the one that takes may have to wait for the one that holds.
bool Waits(const Taking& waiter, const Taking& holder, Strictness strict) {
  return holder.Holds(waiter.lock) && !(strict.modes && waiter.shared && holder.Reads(waiter.lock));
}

bool Together(const Taking& a, const Taking& b, Strictness strict) {
  if (!strict.threads_and_gates) return true;
  const unsigned both = a.held & b.held;
  const unsigned readers = strict.modes ? a.held_shared & b.held_shared : 0;
  return a.thread != b.thread && (both & ~readers) == 0;
}

bool IsPair(const Taking& a, const Taking& b, Strictness strict) {
  return Waits(a, b, strict) && Waits(b, a, strict) && Together(a, b, strict);
}

bool HasPair(const std::vector<Taking>& all, Strictness strict) {
  for (const Taking& a : all)
    for (const Taking& b : all)
      if (IsPair(a, b, strict)) return true;
  return false;
}

// Over three locks no circle is longer.
bool HasCycle(const std::vector<Taking>& all, Strictness strict) {
  if (HasPair(all, strict)) return true;
  for (const Taking& a : all)
    for (const Taking& b : all) {
      if (!Waits(a, b, strict) || !Together(a, b, strict)) continue;
      for (const Taking& c : all)
        if (Waits(b, c, strict) && Waits(c, a, strict) && Together(b, c, strict) &&
            Together(c, a, strict))
          return true;
    }
  return false;
}

}  // namespace

const char* OtherRuleName(OtherRule rule) {
  switch (rule) {
    case OtherRule::kPair:
      return "pair, readers as writers";
    case OtherRule::kCycle:
      return "cycle, readers as writers";
    case OtherRule::kCycleReaders:
      return "cycle, readers let readers in";
    case OtherRule::kThreadsAndGates:
      return "threads, gates, readers as writers";
    case OtherRule::kThreadsGatesReaders:
      return "threads, gates, readers let readers in";
  }
  return "";
}

unsigned ReportedBy(const Program& program) {
  const std::vector<Taking> all = TakingsOf(program);
  const auto bit = [](OtherRule rule, bool reports) {
    return reports ? 1u << static_cast<int>(rule) : 0u;
  };
  return bit(OtherRule::kPair, HasPair(all, {false, false})) |
         bit(OtherRule::kCycle, HasCycle(all, {false, false})) |
         bit(OtherRule::kCycleReaders, HasCycle(all, {true, false})) |
         bit(OtherRule::kThreadsAndGates, HasCycle(all, {false, true})) |
         bit(OtherRule::kThreadsGatesReaders, HasCycle(all, {true, true}));
}

}  // namespace locking::oracle
