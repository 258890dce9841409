// Moment: how far a thread had come, and those that it follows in every schedule. A spawned thread
// follows what its parent had done before the spawn; who joins a thread follows all that it did.
// The hand-over of a lock is no such edge: another schedule has it the other way round.
//
// Thread safety: plain values.
#ifndef LOCKING_MOMENT_H_
#define LOCKING_MOMENT_H_

#include <cstdint>
#include <map>

namespace locking {

class Moment {
 public:
  // A thread at its start.
  explicit Moment(std::uint32_t thread) : epochs_{{thread, 1}} {}

  // 0: the thread is not followed.
  std::uint32_t EpochOf(std::uint32_t thread) const {
    const auto it = epochs_.find(thread);
    return it == epochs_.end() ? 0 : it->second;
  }
  // `thread` begins another epoch, which followers of its moments so far do not follow.
  void BeginEpoch(std::uint32_t thread) { ++epochs_[thread]; }
  // From now on all that `other` stands for has been.
  void Follow(const Moment& other);

  // Only what `other` stands for too.
  void Meet(const Moment& other);
  bool operator==(const Moment&) const = default;

 private:
  // Those that began first are forgotten beyond this: then an order may go unseen, never the
  // opposite.
  static constexpr std::size_t kMostFollowed = 256;

  std::map<std::uint32_t, std::uint32_t> epochs_;  // by thread
};

}  // namespace locking

#endif  // LOCKING_MOMENT_H_
