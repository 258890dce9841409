#include "tests/witness/oracle/model.h"

#include <cstdlib>

namespace locking::oracle {

Truth Model::Decide(const Program& program) {
  program_ = &program;
  ++stamp_;
  used_ = 0;
  open_.clear();
  Reach(State{});
  Truth truth;
  while (!open_.empty()) {
    const State state = open_.back();
    open_.pop_back();
    bool anybody = false;
    bool all_ended = true;
    truth.a_try_may_fail = truth.a_try_may_fail || state.a_try_failed;
    for (std::size_t t = 0; t < program.threads.size(); ++t) {
      all_ended = all_ended && state.threads[t].next == program.threads[t]->size();
      if (Step(state, t)) anybody = true;
    }
    if (anybody || all_ended) continue;
    truth.deadlock = true;
    truth.as_observed = truth.as_observed || !state.a_try_failed;
  }
  return truth;
}

std::uint64_t Model::Pack(const State& state) {
  std::uint64_t key = state.a_try_failed ? 1 : 0;
  for (const ThreadAt& at : state.threads) {
    key = key << 4 | at.next;
    key = key << 1 | (at.waits ? 1 : 0);
    key = key << kLocks | at.held;
    key = key << kLocks | at.shared;
  }
  return key;
}

void Model::Reach(const State& state) {
  const std::uint64_t key = Pack(state);
  std::size_t i = key * 0x9E3779B97F4A7C15ull >> 50;
  for (; seen_[i].stamp == stamp_; i = (i + 1) % seen_.size())
    if (seen_[i].key == key) return;
  if (++used_ == seen_.size()) std::abort();
  seen_[i] = {key, stamp_};
  open_.push_back(state);
}

bool Model::Step(const State& state, std::size_t t) {
  const Path& path = *program_->threads[t];
  const ThreadAt& at = state.threads[t];
  if (at.next == path.size()) return false;
  const Operation operation = path[at.next];
  const auto bit = static_cast<std::uint8_t>(1u << operation.lock);
  State after = state;
  ThreadAt& moved = after.threads[t];
  if (operation.what == Do::kUnlock) {
    moved.held = static_cast<std::uint8_t>(moved.held & ~bit);
    moved.shared = static_cast<std::uint8_t>(moved.shared & ~bit);
  } else if (MayTake(state, t, operation)) {
    moved.held |= bit;
    if (IsShared(operation.what)) moved.shared |= bit;
  } else if (IsTry(operation.what)) {
    after.a_try_failed = true;
  } else {
    if (at.waits) return false;
    moved.waits = true;
    Reach(after);
    return true;
  }
  moved.waits = false;
  ++moved.next;
  Reach(after);
  return true;
}

bool Model::MayTake(const State& state, std::size_t t, Operation operation) const {
  const auto bit = static_cast<std::uint8_t>(1u << operation.lock);
  for (std::size_t other = 0; other < program_->threads.size(); ++other) {
    if (other == t) continue;
    const ThreadAt& at = state.threads[other];
    const bool both_read = IsShared(operation.what) && (at.shared & bit) != 0;
    if ((at.held & bit) != 0 && !both_read) return false;
    if (IsShared(operation.what) && WaitsToWrite(state, other, operation.lock)) return false;
  }
  return true;
}

bool Model::WaitsToWrite(const State& state, std::size_t t, int lock) const {
  const ThreadAt& at = state.threads[t];
  if (!at.waits) return false;
  const Operation operation = (*program_->threads[t])[at.next];
  return operation.lock == lock && operation.what == Do::kLock;
}

}  // namespace locking::oracle
