#include "tests/model/register.h"

#include <algorithm>

namespace vm {
namespace {

// Loads that began so long ago have ended: what they might have seen need not be kept.
constexpr Time kLongestLoad = 4096;

}  // namespace

Register::Register(std::vector<std::uint64_t> values) {
  for (const std::uint64_t value : values)
    events_.push_back(
        {.kind = Kind::kFirst, .value = value, .begin = 0, .end = 0, .optional = false});
}

Register::Register(const Register& other, Time begin, Time now, Copied copied)
    : Register(other.Possible(begin, now)) {
  if (copied == Copied::kNow) return;
  const std::lock_guard guard(other.mutex_);
  for (const Event& event : other.events_)
    if (event.kind == Kind::kForget && other.Current(event, begin, now))
      events_.push_back(
          {.kind = Kind::kForget, .value = 0, .begin = now, .end = now, .optional = true});
}

void Register::Begin(Kind kind, std::uint64_t value, Time now) {
  const std::lock_guard guard(mutex_);
  events_.push_back({.kind = kind, .value = value, .begin = now, .end = kNever, .optional = true});
}

std::vector<Register::Event>::iterator Register::Find(Kind kind, std::uint64_t value) {
  return std::find_if(events_.begin(), events_.end(), [&](const Event& each) {
    return each.kind == kind && each.value == value && each.end == kNever;
  });
}

void Register::End(std::vector<Event>::iterator event, Time now, Outcome outcome) {
  if (outcome == Outcome::kNotDone) {
    events_.erase(event);
    return;
  }
  event->end = now;
  event->optional = false;
  Prune(now);
}

void Register::BeginStore(std::uint64_t value, Time now) { Begin(Kind::kStore, value, now); }

void Register::EndStore(std::uint64_t value, Time now, Outcome outcome) {
  const std::lock_guard guard(mutex_);
  End(Find(Kind::kStore, value), now, outcome);
}

void Register::BeginForget(Time now) { Begin(Kind::kForget, 0, now); }

void Register::EndForget(Time now) {
  const std::lock_guard guard(mutex_);
  Find(Kind::kForget, 0)->end = now;
}

void Register::BeginClear(Time now) { Begin(Kind::kClear, 0, now); }

void Register::EndClear(Time now, Outcome outcome, Reach reach) {
  const std::lock_guard guard(mutex_);
  const auto event = Find(Kind::kClear, 0);
  event->for_good = reach == Reach::kForGood;
  End(event, now, outcome);
}

bool Register::Replaces(const Event& later, const Event& event) {
  return !later.optional && (later.begin > event.end || (later.for_good && later.end > event.end));
}

// Not when a later store was over before the load began.
bool Register::Current(const Event& event, Time begin, Time now) const {
  return event.begin <= now &&
         std::none_of(events_.begin(), events_.end(), [&](const Event& later) {
           return later.end < begin && Replaces(later, event);
         });
}

bool Register::Loaded(std::uint64_t value, Time begin, Time now) {
  const std::lock_guard guard(mutex_);
  // What certainly happened explains it better than what need not have.
  const auto explains = [&](bool optional) {
    return std::find_if(events_.begin(), events_.end(), [&](const Event& each) {
      return each.value == value && each.optional == optional && Current(each, begin, now);
    });
  };
  auto event = explains(false);
  if (event == events_.end()) event = explains(true);
  if (event == events_.end()) return false;
  if (event->kind == Kind::kFirst) {
    // So this is which it was.
    std::erase_if(events_, [&](const Event& each) {
      return each.kind == Kind::kFirst && each.value != value;
    });
  } else if (event->optional && event->end != kNever) {
    event->optional = false;
    event->end = now;
  }
  return true;
}

std::vector<std::uint64_t> Register::Possible(Time begin, Time now) const {
  const std::lock_guard guard(mutex_);
  std::vector<std::uint64_t> values;
  for (const Event& event : events_)
    if (Current(event, begin, now) && std::ranges::find(values, event.value) == values.end())
      values.push_back(event.value);
  return values;
}

void Register::Prune(Time now) {
  if (events_.size() < 16 || now < kLongestLoad) return;
  const std::vector<Event> all = events_;
  std::erase_if(events_, [&](const Event& event) {
    return std::any_of(all.begin(), all.end(), [&](const Event& later) {
      return later.end < now - kLongestLoad && Replaces(later, event);
    });
  });
}

}  // namespace vm
