// Every schedule tried: what the kernel relies on when it takes rights to a frame away, while CPUs
// store and other threads take mappings and rights away at the same time.
#include <gtest/gtest.h>

#include <string>

#include "locking/explore/check.h"
#include "locking/random.h"
#include "locking/thread.h"
#include "tests/vm/mapped_object.h"

namespace vm {
namespace {

using locking::explore::Expect;

constexpr Address kVa = 5 * kTestPageSize;

// One page, two mappings of it in one pmap, two CPUs that store through them, and a thread that
// takes rights away without the page's owner knowing.
class Machinery {
 public:
  explicit Machinery(std::uint64_t seed) : test_(1, 16), pmap_(test_.NewPmap()), random_(seed) {
    test_.Enter(pmap_, kVa, 0);
    test_.Enter(pmap_, kVa + kTestPageSize, 0);
  }

  void Run() {
    {
      locking::Thread writer("writer 0", [this] { Write(0); });
      locking::Thread other_writer("writer 1", [this] { Write(1); });
      locking::Thread taker("taker", [this, seed = random_.Next()] { TakeRights(seed); });
      for (int round = 0; round < 6; ++round) Launder();
    }
    Launder();
    for (std::uint32_t cpu = 0; cpu < 2; ++cpu)
      Expect(test_.Words(0)[cpu] == kStores, "the last store was done");
  }

 private:
  static constexpr std::uint64_t kStores = 12;

  void Write(std::uint32_t cpu) {
    const Address va = kVa + cpu * kTestPageSize;
    for (std::uint64_t value = 1; value <= kStores; ++value)
      while (!test_.Store(pmap_, va + cpu * 8, value, cpu)) test_.Enter(pmap_, va, 0);
  }

  void TakeRights(std::uint64_t seed) {
    locking::Random random(seed);
    for (int i = 0; i < 6; ++i) {
      const Address start = kVa + random.Below(4) / 3 * kTestPageSize;
      const Address end = kVa + 2 * kTestPageSize;
      if (random.Percent(30))
        pmap_.Protect(0, pmap_.limit(), Protection::kRead);  // the whole table
      else if (random.Percent(40))
        pmap_.Protect(start, end, Protection::kRead);
      else
        pmap_.Remove(start, end);
    }
  }

  // As the page daemon does it: write access goes, what changed is known to be dirty, and the frame
  // stands still for as long as the owner is locked.
  void Launder() {
    Page& page = test_.page(0);
    ObjectGuard guard(test_.object.lock);
    if (random_.Percent(60))
      Pmap::RemoveWrite(test_.system, page);
    else
      Pmap::RemoveAll(test_.system, page);
    Expect(!Pmap::IsModified(test_.system, page), "no modified bit is left");
    const bool dirty = page.dirty.Exchange(0) != 0;
    for (std::uint32_t cpu = 0; cpu < 2; ++cpu) {
      const std::uint64_t value = test_.Words(0)[cpu];
      Expect(dirty || value == last_[cpu], "a change is known to be dirty");
      last_[cpu] = value;
    }
    for (int i = 0; i < 8; ++i) locking::Yield();
    for (std::uint32_t cpu = 0; cpu < 2; ++cpu)
      Expect(test_.Words(0)[cpu] == last_[cpu], "the frame stands still");
  }

  MappedObject test_;
  Pmap& pmap_;
  locking::Random random_;
  std::uint64_t last_[2] = {};
};

TEST(PmapExploration, WithoutWriteAccessAFrameStandsStillAndItsChangesAreKnown) {
  const auto result =
      locking::explore::Check([] { Machinery(locking::explore::Seed()).Run(); },
                              {.test = "pmap", .executions = 6000, .max_steps = 100'000});
  ASSERT_EQ(result.error, "");
  for (const auto& failure : result.failures)
    ADD_FAILURE() << "execution " << failure.execution << "\n"
                  << locking::FormatFinding(failure.finding);
}

}  // namespace
}  // namespace vm
