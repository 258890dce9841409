#include "locking/moment.h"

#include <algorithm>

namespace locking {

void Moment::Follow(const Moment& other) {
  for (const auto& [thread, epoch] : other.epochs_) {
    std::uint32_t& own = epochs_[thread];
    own = std::max(own, epoch);
  }
  while (epochs_.size() > kMostFollowed) epochs_.erase(epochs_.begin());
}

void Moment::Meet(const Moment& other) {
  std::erase_if(epochs_, [&](const auto& entry) { return other.EpochOf(entry.first) == 0; });
  for (auto& [thread, epoch] : epochs_) epoch = std::min(epoch, other.EpochOf(thread));
}

}  // namespace locking
