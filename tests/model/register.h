// What one word of memory may read as, when loads and stores overlap: a store takes effect at some
// moment between its begin and its end, and so does a load. With no overlap there is one answer.
//
// Times are those of a Clock that all who use the register share: each reading is later than all
// before it.
//
// Thread safety: all functions may be called by any thread.
#ifndef TESTS_MODEL_REGISTER_H_
#define TESTS_MODEL_REGISTER_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace vm {

using Time = std::uint64_t;
inline constexpr Time kNever = ~Time{0};

class Clock {
 public:
  Time Now() { return now_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<Time> now_{1};
};

class Register {
 public:
  // It holds one of `values`, nobody knows which.
  explicit Register(std::vector<std::uint64_t> values = {0});

  // What `other` held at some moment between. What it may forget is forgotten in the copy as well,
  // later even, where both are one memory until one of them is stored to.
  enum class Copied : std::uint8_t { kNow, kWhenStored };
  Register(const Register& other, Time begin, Time now, Copied copied);

  // Values differ from one store to the next, and are not 0.
  void BeginStore(std::uint64_t value, Time now);
  enum class Outcome : std::uint8_t { kDone, kNotDone };
  void EndStore(std::uint64_t value, Time now, Outcome outcome);

  // From the begin on the word may become 0 at any time, until a store that begins after the end.
  void BeginForget(Time now);
  void EndForget(Time now);

  // The word becomes 0 at some moment between. kForGood: no store took effect after it that was
  // over by the end, since there was nothing to store to. One at a time.
  enum class Reach : std::uint8_t { kForNow, kForGood };
  void BeginClear(Time now);
  void EndClear(Time now, Outcome outcome, Reach reach);

  // A load that began at `begin` and ends at `now` gave `value`: whether that may be.
  [[nodiscard]] bool Loaded(std::uint64_t value, Time begin, Time now);
  // What it might have given.
  std::vector<std::uint64_t> Possible(Time begin, Time now) const;

 private:
  enum class Kind : std::uint8_t { kFirst, kStore, kForget, kClear };
  struct Event {
    Kind kind;
    std::uint64_t value;
    Time begin;
    Time end;
    bool optional;          // it need not have happened
    bool for_good = false;  // see Reach
  };

  void Begin(Kind kind, std::uint64_t value, Time now);
  // The one of them that is under way.
  std::vector<Event>::iterator Find(Kind kind, std::uint64_t value);
  void End(std::vector<Event>::iterator event, Time now, Outcome outcome);
  // Whoever began after `later` was over cannot meet `event`.
  static bool Replaces(const Event& later, const Event& event);
  bool Current(const Event& event, Time begin, Time now) const;
  // Forgets what no load can see that begins after `now`.
  void Prune(Time now);

  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

}  // namespace vm

#endif  // TESTS_MODEL_REGISTER_H_
