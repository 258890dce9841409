// How everything here is timed. A Load is what one thread does; the same loads serve Google
// Benchmark (RegisterLoads) and the comparisons of //bench:ratios (MeasureNs).
//
// Loads that need setting up (unmapping, freeing, forking) are set up with the clock stopped, and
// the threads go through setting up, running and tidying up together: what is timed on one thread
// never overlaps with what is not timed on another. The other loads run without a stop.
#ifndef BENCH_TIMING_H_
#define BENCH_TIMING_H_

#include <barrier>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace bench {

inline constexpr std::uint32_t kPageSize = 4096;
// Pages of the set that is faulted on: 128 MB, more than the caches hold. The programs' flag
// --set_pages changes it, for tests.
inline std::uint32_t set_pages = (128u << 20) / kPageSize;

// One thread's part. Made by one thread; afterwards used by its own alone.
class Load {
 public:
  virtual ~Load() = default;
  // By its thread, before the first batch and after the last.
  virtual void Enter() {}
  virtual void Leave() {}
  // One batch: `iterations()` iterations, timed.
  virtual void Run() = 0;
  virtual std::uint64_t iterations() const = 0;
  // Whether Prepare and Finish are to be called around each batch, not timed.
  virtual bool needs_setup() const { return false; }
  virtual void Prepare() {}
  virtual void Finish() {}
  // What all batches so far have handled, where that is not iterations; else 0.
  virtual std::uint64_t items() const { return 0; }
  // Memory that an iteration of the last batch took, where that is asked; else 0.
  virtual double bytes() const { return 0; }
};
using Loads = std::vector<std::unique_ptr<Load>>;
// One load a thread, with whatever they share.
using MakeLoads = std::function<Loads(std::uint32_t threads)>;

// A load that is `body`, called `iterations` times a batch.
template <typename Body>
class LoopLoad final : public Load {
 public:
  LoopLoad(std::uint64_t iterations, Body body) : iterations_(iterations), body_(std::move(body)) {}
  void Run() override {
    for (std::uint64_t i = 0; i < iterations_; ++i) body_();
  }
  std::uint64_t iterations() const override { return iterations_; }

 private:
  const std::uint64_t iterations_;
  Body body_;
};

// Registers `name` with Google Benchmark, once for each number of threads, which it puts at the end
// of the name; no numbers: one thread and nothing put there.
void RegisterLoads(const std::string& name, const MakeLoads& make,
                   std::initializer_list<int> threads = {});

// Threads that are there for several measurements.
class Crew {
 public:
  explicit Crew(std::uint32_t size);
  ~Crew();
  Crew(const Crew&) = delete;

  // Calls `job(i)` on thread i, for i < `count` <= size, all at once; returns when all are done.
  void Run(std::uint32_t count, const std::function<void(std::uint32_t)>& job);

 private:
  void Work(std::uint32_t self);

  std::barrier<> start_, done_;
  std::function<void(std::uint32_t)> job_;  // nullptr: end
  std::uint32_t count_ = 0;
  std::vector<std::thread> threads_;
};

// Nanoseconds that an iteration takes a thread, the mean over the crew's first threads, of which
// each has one of `loads`. Loads that need setting up run a few batches, the others for
// `stretch_ns`.
// A thread alone is timed by its own CPU clock: a neighbour that takes the core does not count.
double MeasureNs(Crew& crew, const Loads& loads, std::uint64_t stretch_ns);

// How many times as much private arithmetic two threads of the crew do as one: 2 where the host
// gives both a core of their own.
double MeasureControl(Crew& crew);

}  // namespace bench

#endif  // BENCH_TIMING_H_
