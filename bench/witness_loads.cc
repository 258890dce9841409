#include "bench/witness_loads.h"

#include <malloc.h>

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>

#include "locking/mutex.h"
#include "locking/thread_state.h"
#include "locking/witness/lock_order_witness.h"

namespace bench {
namespace {

using locking::LockClass;
using locking::LockKind;

constexpr std::uint32_t kWindow = 5;
constexpr std::uint32_t kClasses = 17;

// Classes are for good, as those of a program are: every size shares them.
const LockClass& ClassOf(std::uint32_t i) {
  static auto* classes = new std::deque<LockClass>;
  while (classes->size() <= i)
    classes->emplace_back("bench learnt " + std::to_string(classes->size()), LockKind::kMutex);
  return (*classes)[i];
}

std::uint64_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

class LearningLoad : public Load {
 public:
  LearningLoad(std::uint32_t iterations, std::uint32_t locks) : iterations_(iterations) {
    for (std::uint32_t i = 0; i < locks; ++i) locks_.emplace_back(ClassOf(i));
  }
  std::uint64_t iterations() const override { return iterations_; }
  bool needs_setup() const override { return true; }
  void Prepare() override {
    const std::uint64_t before = AllocatedBytes();
    witness_ = std::make_unique<locking::LockOrderWitness>();
    locking::RunContext run;
    run.witness = witness_.get();
    former_ = locking::SetRunContext(run);
    bytes_before_ = before;
  }
  void Finish() override {
    bytes_ = static_cast<double>(AllocatedBytes() - bytes_before_) / iterations_;
    locking::SetRunContext(former_);
    if (witness_->dropped() != 0) throw std::runtime_error("the witness did not keep everything");
    witness_.reset();
  }
  double bytes() const override { return bytes_; }

 protected:
  const std::uint32_t iterations_;
  std::deque<locking::Mutex> locks_;

 private:
  std::unique_ptr<locking::LockOrderWitness> witness_;
  locking::RunContext former_;
  std::uint64_t bytes_before_ = 0;
  double bytes_ = 0;
};

class WindowLoad final : public LearningLoad {
 public:
  explicit WindowLoad(std::uint32_t locks) : LearningLoad(locks, locks) {}
  void Run() override {
    for (std::uint32_t i = 0; i < iterations_; ++i) {
      if (i >= kWindow) locks_[i - kWindow].Unlock();
      locks_[i].Lock();
    }
    for (std::uint32_t i = iterations_ - kWindow; i < iterations_; ++i) locks_[i].Unlock();
  }
};

// The sets of the numbers from 1 up, by their bits. Numbers that follow one another differ in their
// low bits: the highest class is the outermost, so that most of what is held is held on.
class ChainsLoad final : public LearningLoad {
 public:
  explicit ChainsLoad(std::uint32_t chains) : LearningLoad(chains, kClasses) {}
  void Run() override {
    std::uint32_t held = 0;
    for (std::uint32_t next = 1; next <= iterations_; ++next) {
      for (std::uint32_t i = 0; i < kClasses; ++i)
        if ((held & ~next) >> i & 1) locks_[i].Unlock();
      for (std::uint32_t i = kClasses; i-- > 0;)
        if ((next & ~held) >> i & 1) locks_[i].Lock();
      held = next;
    }
    for (std::uint32_t i = 0; i < kClasses; ++i)
      if (held >> i & 1) locks_[i].Unlock();
  }
};

template <typename LoadOfSize>
MakeLoads OneThread(std::uint32_t size) {
  return [size](std::uint32_t) {
    Loads loads;
    loads.push_back(std::make_unique<LoadOfSize>(size));
    return loads;
  };
}

}  // namespace

MakeLoads SlidingWindow(std::uint32_t locks) { return OneThread<WindowLoad>(locks); }
MakeLoads DistinctChains(std::uint32_t chains) { return OneThread<ChainsLoad>(chains); }

}  // namespace bench
